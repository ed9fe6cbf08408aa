declare global {
  interface PanelStates {
    /** How many sounds are listed. */
    amount: number;
  }
}

export {};
