import type { CheckReply, UploadedFile } from "../core/api.js";
import type { Seconds } from "../core/state.js";

/** A sound in a recording. */
export interface Cut {
  /** Which of the recordings. */
  file: number;
  start: Seconds;
  end: Seconds;
  name: string;
  /** It is to be kept. */
  on: boolean;
  /** Changed by hand: another threshold leaves it as it is. */
  touched: boolean;
  /** Where it began before it was changed. */
  originalStart?: Seconds;
}

/** `nth`: which file of its upload. */
export type Recording = UploadedFile & { upload: string; nth: number };

export interface Uploading {
  phase: "sending" | "choosing" | "keeping";
  /** Files. */
  total: number;
  /** Files that have been read. */
  done: number;
  /** Sounds that are on the map already. */
  onMap: number;
  /** Time until the server is asked again. */
  waiting: Seconds | null;
  /** The files that hold more than one sound. */
  recordings: Recording[];
  /** As proposed, or as corrected. */
  cuts: Cut[];
  /** null: the server chooses. */
  threshold: number | null;
  /** Other cuts are being looked for. */
  finding: boolean;
}

/** A new model that is being made from the user's sounds. */
export interface Job {
  id: string;
  title: string;
  /** The id of the model it makes. */
  result: string;
  phase:
    | "queued"
    | "started"
    | "loading"
    | "trial"
    | "final"
    | "saving"
    | "interrupted"
    | "waiting"
    | "done"
    | "failed"
    | "cancelled";
  /** The ids of the sounds it learns from. */
  sounds: readonly string[];
  progress: {
    phase: string;
    step: number;
    steps: number;
    percent: number;
    eta: number | null;
    best_step: number | null;
  } | null;
  /** Of both runs. */
  curve: { phase: string; step: number; train: number; held: number | null }[];
  /** How many were made so far. */
  previews: number;
  /** The newest. */
  preview: { step?: number; sound?: string; before?: number; after?: number } | null;
  /** More than one: it was interrupted, and went on. */
  attempts: number;
  /** The first step that was reported after an interruption. */
  from: number | null;
  /** Why it stopped when it did. */
  why: string | null;
  error: string | null;
}

export interface Refusal {
  name: string;
  code: string;
  detail: string;
}

/** Files that are no sounds, by what they are. */
export interface Skipped {
  what: string;
  count: number;
}

/** What was not taken, and why. */
export interface LeftOut {
  refused: Refusal[];
  skipped: readonly Skipped[];
  /** Files that may be taken another time: nothing is wrong with them. */
  again: readonly File[];
}

declare global {
  interface PanelStates {
    job: Job | null;
    /** Of the user's own sliders; what is not named is 0. */
    amounts: Readonly<Record<string, number>>;
    /** Files that nobody has taken up yet. */
    dropped: readonly File[] | null;
    uploading: Uploading | null;
    /** Of the files that were sent. */
    leftOut: LeftOut | null;
    /** What a check of the user's sounds says. */
    check: CheckReply | null;
  }
}
