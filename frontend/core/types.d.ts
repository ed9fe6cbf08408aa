/** What the page uses of plotly.js, which the service hands out from the installed plotly wheel. */
declare const Plotly: {
  react(root: HTMLElement, traces: object[], layout: object, config?: object): Promise<unknown>;
  relayout(root: HTMLElement, update: object): Promise<unknown>;
  purge(root: HTMLElement): void;
};

/** What the panels add to the page's state: `state.d.ts` in a panel's folder declares its part. */
interface PanelStates {}

interface Window {
  /** For measuring scripts and tests: what the page knows about itself. */
  sonifold?: {
    listen: { level(): number; started(): number; latency(): number | null };
    state(): import("./state.js").State;
    /** Where a sound is on the screen, in CSS pixels from the window's corner. */
    locate(sound: number): [number, number];
    /** The same of a row of the cloud. */
    locateRow(row: number): [number, number];
  };
}
