import type { Anchor, StepSounds, TraversalReply } from "../core/state.js";

/** From a sound towards more or less of something. */
export interface Traversal {
  key: string;
  descriptor: string;
  phase: "asking" | "ready" | "failed";
  /** The step, with a fraction while it is dragged. */
  at: number;
  reply: TraversalReply | null;
  sounds: StepSounds | null;
}

declare global {
  interface PanelStates {
    /** What the sliders start from. */
    subject: "a" | "b" | "here" | Anchor;
    /** The slider that is off its middle, in steps. */
    shape: { descriptor: string; by: number } | null;
    /** The other properties are kept unchanged. */
    hold: boolean;
    traversal: Traversal | null;
  }
}
