import type { Sorting } from "../core/state.js";

declare global {
  interface PanelStates {
    /** Filters the library, and the map. */
    query: string;
    /** The families that are shown; empty: all. */
    families: readonly number[];
    sort: Sorting;
    /** The id of the sound whose name is being written. */
    editing: string | null;
  }
}
