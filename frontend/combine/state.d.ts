import type { Anchor, Operation } from "../core/state.js";

declare global {
  interface PanelStates {
    /** What an operation takes. */
    marked: readonly Anchor[];
    /** The operation that the screen shows. */
    operation: Operation | null;
    /** How far beyond B: 1 is B. */
    reach: number;
    /** The operation that is being computed. */
    working: Operation | null;
  }
}
