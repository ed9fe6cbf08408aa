import type { Draw } from "../core/state.js";

/** The sounds that were drawn from the samplers. */
export interface Drawing {
  key: string;
  phase: "drawing" | "ready" | "failed";
  /** The one that was asked for first. */
  draws: Draw[];
}

declare global {
  interface PanelStates {
    /** null: the default. */
    sampler: string | null;
    /** The metric by whose volume they are drawn; null: the default. */
    volumeMetric: string | null;
    /** How many sounds are drawn. */
    count: number;
    temperature: number;
    /** null: nothing drawn yet. */
    seed: number | null;
    /** Samples of the prior and of the mixture are drawn too, to compare. */
    beside: boolean;
    drawing: Drawing | null;
  }
}
