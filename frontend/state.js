// @ts-check
/** What the page knows: the shape of the state, and the few questions everyone asks it. */

/** @typedef {number} Seconds */
/** @typedef {number} Hertz */
/** @typedef {[x: number, y: number]} Position  a place on the map, in the atlas's own coordinates */

/**
 * An end of the journey: a sound of the library, or a bare place on the map.
 * @typedef {{sound: string, position?: undefined} | {position: Position, sound?: undefined}} Anchor
 */

/** @typedef {"geodesic" | "linear" | "retimed"} PathKind   what the three path keys stand for */
/** @typedef {"steps" | "glide"} Mode */

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {string} title
 * @property {string} unit              of lengths and distances
 * @property {Hertz} sample_rate
 * @property {number} sound_samples
 * @property {{min: number, max: number, default: number}} weights
 * @property {string[]} path_kinds
 * @property {string} [device]
 */

/**
 * @typedef {object} Field              the magnification, log sqrt det G, on a grid
 * @property {number[]} x
 * @property {number[]} y
 * @property {number[][]} values        values[j][i] at (x[i], y[j])
 * @property {number} coast             at or below it: land
 * @property {number[]} levels          contour levels, rising
 */

/** @typedef {{extent: [number, number, number, number], field: Field}} Atlas */

/**
 * A path as the service describes it.
 * @typedef {object} Path
 * @property {string} kind
 * @property {number} length
 * @property {number[]} speed           per step, steps - 1 of them
 * @property {number} speed_variation
 * @property {string} outcome
 * @property {boolean} converged
 * @property {Position[]} map           the fine curve
 * @property {Position[]} step_positions
 * @property {boolean[]} known          is step i on land?
 * @property {number} water   share of the way, as drawn, that leads over sea
 */

/**
 * The rendered steps of one path, all in one buffer: step i starts at i * stepSamples.
 * @typedef {object} StepSounds
 * @property {AudioBuffer} buffer
 * @property {number} stepSamples
 * @property {number} steps
 */

/** @typedef {Path & {audio: {url: string, seconds: Seconds, mode: string}, sounds: StepSounds}} Morph */

/**
 * @typedef {object} Journey            everything about the way from A to B that is chosen now
 * @property {string} key               says what it was made from
 * @property {"solving" | "ready" | "failed"} phase
 * @property {Partial<Record<PathKind, Morph>>} paths
 * @property {Partial<Record<PathKind, Glide>>} glides
 */

/** @typedef {{url: string, buffer: AudioBuffer}} Glide */

/** @typedef {{sound: number, by: "pointer" | "touch" | "keys" | "table"}} Pointed  a sound that is pointed at */

/**
 * @typedef {object} Notice             something went otherwise than hoped: what, why, what next
 * @property {string} text
 * @property {{label: string, run: () => void}} [action]
 * @property {"news" | "trouble"} [kind]
 */

/** @typedef {{by: "name" | "family" | "seconds" | "pitch" | "distance", down: boolean}} Sorting */

/**
 * @typedef {object} State
 * @property {{phase: "waking" | "ready" | "away" | "broken", retryAt?: number, why?: string}} server
 * @property {string | null} modelId            as the link asks for
 * @property {Model | null} model
 * @property {import("./library/sounds.js").Library | null} library
 * @property {Atlas | null} atlas
 * @property {Anchor | null} a
 * @property {Anchor | null} b
 * @property {PathKind} path                    the path that is heard
 * @property {number | null} weight             of the data term; Infinity: the graph path; null: as the model has it
 * @property {Mode} mode
 * @property {number} place                     on the journey: 0 at A, 1 at B
 * @property {boolean} playing
 * @property {boolean} loop
 * @property {Journey | null} journey
 * @property {{from: Anchor, to: Anchor, path: Path} | null} preview    the dotted way to where one points
 * @property {Pointed | null} pointed
 * @property {{end: "a" | "b", position: Position} | null} carried      an anchor that is being dragged
 * @property {{from: string, values: number[]} | null} distances        from A to every sound
 * @property {string | null} panel
 * @property {string} query                     filters the library
 * @property {readonly number[]} families       the families shown; empty: all
 * @property {Sorting} sort
 * @property {"dark" | "light" | null} theme    null: as the system has it
 * @property {boolean} dark                     what came of that
 * @property {{x: number, y: number, zoom: number} | null} view         null: everything
 * @property {"off" | "on"} sound
 * @property {Seconds | null} latency           from the page to the ear, when the browser knows it
 * @property {Notice | null} notice
 */

export const STEPS = 17;

/** @type {readonly PathKind[]} */
export const PATHS = ["geodesic", "linear", "retimed"];

/** @type {State} */
export const initial = {
  server: { phase: "waking" },
  modelId: null,
  model: null,
  library: null,
  atlas: null,
  a: null,
  b: null,
  path: "geodesic",
  weight: null,
  mode: "steps",
  place: 0,
  playing: false,
  loop: false,
  journey: null,
  preview: null,
  pointed: null,
  carried: null,
  distances: null,
  panel: null,
  query: "",
  families: [],
  sort: { by: "name", down: false },
  theme: null,
  dark: true,
  view: null,
  sound: "off",
  latency: null,
  notice: null,
};

/** @param {Anchor | null} a @param {Anchor | null} b */
export const sameAnchor = (a, b) => keyOf(a) === keyOf(b);

/** @param {Anchor | null} anchor */
export const keyOf = (anchor) => (anchor ? anchor.sound ?? `@${anchor.position.join()}` : "");

/** The weight of the data term that is in force. @param {State} state */
export const weightOf = ({ weight, model }) => weight ?? model?.weights.default ?? 1;

/** The journey is ready to be heard. @param {State} state */
export const isReady = (state) => state.journey?.phase === "ready";

/** "first": nothing picked; "a": one end; "both". @param {State} state @returns {"first" | "a" | "both"} */
export const stage = ({ a, b }) => (a && b ? "both" : a || b ? "a" : "first");

/** The step that sounds at a place, counted from 0. @param {number} place */
export const stepAt = (place) => Math.round(place * (STEPS - 1));

/** The path that is heard: what the key stands for, once it is there. @param {State} state @returns {Morph | null} */
export function chosen({ journey, path }) {
  if (!journey) return null;
  return journey.paths[path] ?? (path === "retimed" ? journey.paths.linear ?? null : null);
}
