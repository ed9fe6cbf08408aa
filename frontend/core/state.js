// @ts-check
/** What the page knows: the shape of the state, and the few questions everyone asks it. */

/** @typedef {number} Seconds */
/** @typedef {number} Hertz */
/** @typedef {[x: number, y: number]} Position  a place on the map, in the atlas's own coordinates */

/**
 * An end of the journey: a sound of the library, a bare place on the map, or a latent point that was found.
 * @typedef {{sound: string, position?: undefined, code?: undefined}
 *   | {position: Position, sound?: undefined, code?: undefined}
 *   | PointAnchor} Anchor
 */

/** @typedef {{code: string, point: number[], position: Position, name?: string, sound?: undefined}} PointAnchor   code: latent.js */

/** @typedef {"blend" | "pullback" | "kernel" | "flat"} Metric */

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
 * @property {{id: string, title: string, depths: number[]}[]} [formats]     that sounds can be saved in
 * @property {{upload_files: number, upload_bytes: number, upload_seconds: number, shortest_seconds: number, choice_sounds: number}} limits
 * @property {Metric[]} metrics
 * @property {Descriptor[]} [descriptors]
 * @property {Sampler[]} [samplers]
 * @property {string} [device]
 * @property {"library" | "adapted" | "finetuned" | "imported"} [kind]     how it came here
 * @property {string | null} [base]     the model it was made from
 */

/** @typedef {{id: string, unit: string, more: string, less: string}} Descriptor   something that can be heard, and measured */
/** @typedef {{id: string, title: string, description?: string, temperature: boolean, start?: boolean}} Sampler   start: it needs a place to begin */

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
 * @property {boolean[]} on_land        is step i on land?
 * @property {number} guesswork         share of the way that lies outside what the model knows
 * @property {Record<string, number[]>} [descriptors]   per step
 */

/**
 * A new sound on the map, which nobody recorded.
 * @typedef {object} Found
 * @property {string} code             its latent point: latent.js
 * @property {"mean" | "analogy" | "beyond" | "travel" | "sample"} kind
 * @property {string} [sampler]        where it was drawn from
 * @property {string} name
 * @property {Position} position
 * @property {number[]} point
 * @property {boolean} inDistribution  among the sounds that the model learned from?
 * @property {{id: string, distance: number} | null} near      the sound that is nearest to the ear
 * @property {string | null} url       where it can be heard; null: not rendered yet
 * @property {"ring" | "triangle" | "square" | "diamond"} shape      on the map
 * @property {Course[]} courses        how it was come to
 * @property {string[]} notes          what is to be said of it
 * @property {string} made             from what, and how: the same again is not asked twice
 */

/** @typedef {{line: Position[], guess?: boolean}} Course   a line on the map; guess: beyond what the data say */

/** @typedef {"mean" | "analogy" | "beyond"} Operation */

/**
 * @typedef {object} Drawing           the sounds that were drawn from the samplers
 * @property {string} key
 * @property {"drawing" | "ready" | "failed"} phase
 * @property {Draw[]} draws            the one that was asked for first
 */

/**
 * @typedef {object} Draw
 * @property {string} sampler
 * @property {number} seed
 * @property {number} temperature
 * @property {Record<string, number | null>} diagnostics
 * @property {string[]} warnings
 * @property {Found[]} samples
 */

/**
 * @typedef {object} Travel            from a sound towards more or less of something
 * @property {string} key
 * @property {string} descriptor
 * @property {"asking" | "ready" | "failed"} phase
 * @property {number} at               the step, with a fraction while it is dragged
 * @property {TravelReply | null} reply
 * @property {StepSounds | null} sounds
 */

/**
 * @typedef {object} TravelReply
 * @property {string} descriptor
 * @property {string} unit
 * @property {number} origin           which step the sound itself is
 * @property {number[]} values         per step
 * @property {number[][]} points
 * @property {Position[]} positions
 * @property {boolean[]} in_distribution
 * @property {{less: string | null, more: string | null}} stopped     why it ends there
 * @property {{code: string, text: string}[]} [warnings]     how far what the slider says is to be believed
 */

/**
 * @typedef {object} Cut                 a sound in a recording
 * @property {number} file               which of the recordings
 * @property {Seconds} start
 * @property {Seconds} end
 * @property {string} name
 * @property {boolean} on                it is to be kept
 * @property {boolean} touched           by hand: another threshold leaves it as it is
 * @property {Seconds} [found]           where it began before it was touched
 */

/** @typedef {import("./api.js").UploadedFile & {upload: string, nth: number}} Recording   nth: which file of its upload */

/**
 * @typedef {object} Uploading
 * @property {"sending" | "choosing" | "keeping"} phase
 * @property {number} total               files
 * @property {number} done                of them that have been listened to
 * @property {number} onMap               sounds that are there already
 * @property {Seconds | null} waiting     until the server is asked again
 * @property {Recording[]} recordings     that are not one sound each
 * @property {Cut[]} cuts                 as proposed, or as corrected
 * @property {number | null} threshold    null: as the engine thinks best
 * @property {boolean} finding            other cuts are being looked for
 */

/**
 * @typedef {object} Job                  a new model that is being made from one's own sounds
 * @property {string} id
 * @property {string} title
 * @property {string} result              the id of the model it makes
 * @property {"queued" | "started" | "loading" | "trial" | "final" | "saving" | "interrupted" | "done" | "failed" | "cancelled"} phase
 * @property {readonly string[]} sounds      it learns from
 * @property {{phase: string, step: number, steps: number, percent: number, eta: number | null, best_step: number | null} | null} progress
 * @property {{phase: string, step: number, train: number, held: number | null}[]} curve     of both runs
 * @property {number} previews            made so far
 * @property {{step?: number, sound?: string, before?: number, after?: number} | null} preview     the newest
 * @property {number} attempts            more than one: it was interrupted, and went on
 * @property {number | null} from         the first step that was told after that
 * @property {string | null} why          it stopped when it did
 * @property {string | null} error
 */

/**
 * The model with one's own sounds taken in, in closed form.
 * @typedef {object} Adaptation
 * @property {"adapting" | "ready" | "offered"} phase    offered: taken back, or never made
 * @property {string} base              the model it is of
 * @property {readonly string[]} sounds     it was made, or could be made, from these
 * @property {string | null} result     a model of its own
 * @property {string} text              what to expect
 * @property {boolean} carries          something of these sounds carries over to others
 * @property {readonly OwnSlider[]} sliders
 */

/** @typedef {{id: string, title: string, low: number, high: number, share: number}} OwnSlider   a direction that one's own sounds have and the model has not */

/**
 * @typedef {object} Saving              how sounds are written to files
 * @property {number} steps              of a way
 * @property {string} format             one of the model's formats
 * @property {number | null} depth       bits; null: the format's usual
 * @property {"keep" | "normalise"} level
 * @property {boolean} trim              the silence at both ends
 */

/** @typedef {{x: number, y: number, outline: [number, number][]}} Ellipse   how the metric stretches there */

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

/**
 * What is pointed at: a sound of the library, or (sound: -1) one that was found.
 * @typedef {{sound: number, found?: Found, by: "pointer" | "touch" | "keys" | "table"}} Pointed
 */

/**
 * @typedef {object} Notice             something went otherwise than hoped: what, why, what next
 * @property {string} text
 * @property {{label: string, run: () => void}} [action]
 * @property {"news" | "trouble"} [kind]   news go by themselves
 */

/**
 * What was not taken, and why.
 * @typedef {object} LeftOut
 * @property {Refusal[]} refused
 * @property {readonly Skipped[]} skipped
 * @property {readonly File[]} again      files that may be taken another time: nothing is wrong with them
 */

/** @typedef {{name: string, code: string, detail: string}} Refusal */
/** @typedef {{what: string, count: number}} Skipped      files that are no sounds, by what they are */

/** @typedef {{model: string, id: string, name: string, until: number}} Deleted      until: ms since 1970 */

/** @typedef {{by: "name" | "family" | "seconds" | "pitch" | "distance", down: boolean}} Sorting */

/**
 * @typedef {object} State
 * @property {{phase: "waking" | "ready" | "away" | "broken", retryAt?: number, why?: string}} server
 * @property {string | null} modelId            as the link asks for
 * @property {readonly Model[]} models          all there are
 * @property {Model | null} model
 * @property {import("./sounds.js").Library | null} library
 * @property {Atlas | null} atlas
 * @property {Anchor | null} a
 * @property {Anchor | null} b
 * @property {PathKind} path                    the path that is heard
 * @property {number | null} weight             of the data term; Infinity: the graph path; null: as the model has it
 * @property {Metric} metric                     of the geodesic
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
 * @property {string | null} curve              what is drawn under the slices; null: speed
 * @property {boolean} ellipses                 on the land
 * @property {readonly Ellipse[]} indicatrices
 * @property {readonly Anchor[]} marked         what an operation is to take
 * @property {Operation | null} operation       that the screen shows
 * @property {number} reach                     how far beyond: 1 is B
 * @property {Operation | null} working         that is being computed
 * @property {readonly Found[]} found           by operations, the oldest first
 * @property {Readonly<Record<string, string>>} kept     code of a new sound -> its id in the library
 * @property {string} sampler
 * @property {number} count                     of sounds to draw
 * @property {number} temperature
 * @property {number | null} seed               null: nothing drawn yet
 * @property {boolean} beside                   the prior's and the mixture's are drawn too
 * @property {Drawing | null} drawing
 * @property {"a" | "b" | "here" | Anchor} subject      what the named sliders start from
 * @property {{descriptor: string, by: number} | null} shape    the slider that is off its middle, in steps
 * @property {boolean} hold                     the other words are kept where they are
 * @property {Travel | null} travel
 * @property {Job | null} job
 * @property {Adaptation | null} adaptation
 * @property {"before" | "after" | null} hear   without or with one's own sounds; null: the model as it is
 * @property {Readonly<Record<string, number>>} amounts     of one's own sliders; what is not named is 0
 * @property {readonly File[] | null} dropped    files that nobody has taken up yet
 * @property {Uploading | null} uploading
 * @property {Seconds} seconds               of a glide
 * @property {Saving} saving
 * @property {boolean} exporting              files are being made
 * @property {readonly Deleted[]} deleted     sounds that can be taken back
 * @property {LeftOut | null} leftOut     of the files that were sent
 * @property {import("./api.js").CheckReply | null} check      of one's own sounds
 * @property {string} query                     filters the library
 * @property {string | null} editing            the id of the sound whose name is being written
 * @property {readonly number[]} families       the families shown; empty: all
 * @property {Sorting} sort
 * @property {"dark" | "light" | null} theme    null: as the system has it
 * @property {boolean} dark                     what came of that
 * @property {{x: number, y: number, zoom: number} | null} view         null: everything
 * @property {"off" | "on"} sound
 * @property {number} volume                    of everything, 0 to 1
 * @property {boolean} walkSounds               a sound is heard when an arrow key comes to it on the map
 * @property {Seconds | null} latency           from the page to the ear, when the browser knows it
 * @property {Notice | null} notice
 */

export const STEPS = 17;

/** @type {readonly Metric[]} */
export const METRICS = ["blend", "pullback", "kernel", "flat"];

/** @type {readonly PathKind[]} */
export const PATHS = ["geodesic", "linear", "retimed"];

/** @type {State} */
export const initial = {
  server: { phase: "waking" },
  modelId: null,
  models: [],
  model: null,
  library: null,
  atlas: null,
  a: null,
  b: null,
  path: "geodesic",
  weight: null,
  metric: "blend",
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
  curve: null,
  ellipses: false,
  indicatrices: [],
  marked: [],
  operation: null,
  reach: 1.5,
  working: null,
  found: [],
  kept: {},
  sampler: "hmc",
  count: 16,
  temperature: 1,
  seed: null,
  beside: true,
  drawing: null,
  subject: "a",
  shape: null,
  hold: true,
  travel: null,
  job: null,
  adaptation: null,
  hear: null,
  amounts: {},
  dropped: null,
  uploading: null,
  leftOut: null,
  deleted: [],
  seconds: 4,
  saving: { steps: 17, format: "wav", depth: null, level: "keep", trim: false },
  exporting: false,
  check: null,
  query: "",
  editing: null,
  families: [],
  sort: { by: "name", down: false },
  theme: null,
  dark: true,
  view: null,
  sound: "off",
  volume: 1,
  walkSounds: false,
  latency: null,
  notice: null,
};

/** @param {Anchor | null} a @param {Anchor | null} b */
export const sameAnchor = (a, b) => keyOf(a) === keyOf(b);

/** @param {Anchor | null} anchor */
export const keyOf = (anchor) =>
  anchor ? (anchor.sound ?? anchor.code ?? `@${anchor.position.join()}`) : "";

/** @param {Found} found @returns {PointAnchor} */
export const anchorOf = ({ code, point, position, name }) => ({ code, point, position, name });

/** What is pointed at, as an end of a journey. @param {Pick<State, "pointed" | "library">} state @returns {Anchor | null} */
export function pointedAnchor({ pointed, library }) {
  if (!pointed || !library) return null;
  return pointed.found ? anchorOf(pointed.found) : { sound: library.id[pointed.sound] };
}

/** Every new sound on the map that is not in the library yet. @param {Pick<State, "found" | "drawing" | "kept">} state @returns {Found[]} */
export const everyFound = ({ found, drawing, kept }) =>
  [...found, ...(drawing?.draws ?? []).flatMap(({ samples }) => samples)].filter(
    ({ code }) => !(code in kept),
  );

/**
 * What there is to compare by ear: the ids of the model without and with one's own sounds.
 * @param {Pick<State, "model" | "models" | "adaptation">} state
 * @returns {{before: string, after: string} | null}
 */
export function comparisonOf({ model, models, adaptation }) {
  if (!model) return null;
  if (adaptation?.phase === "ready" && adaptation.base === model.id && adaptation.result)
    return { before: model.id, after: adaptation.result };
  return model.base && models.some(({ id }) => id === model.base)
    ? { before: model.base, after: model.id }
    : null;
}

/** The id of the model that is heard; the map is always the model's own. @param {Pick<State, "model" | "models" | "adaptation" | "hear">} state */
export const voiceOf = (state) =>
  (state.hear && comparisonOf(state)?.[state.hear]) || (state.model?.id ?? "");

/** The other one, to be heard beside it. @param {Pick<State, "model" | "models" | "adaptation" | "hear">} state @returns {string | null} */
export function otherVoice(state) {
  const both = comparisonOf(state);
  return both && (voiceOf(state) === both.after ? both.before : both.after);
}

/** The weight of the data term that is in force. @param {State} state */
export const weightOf = ({ weight, model }) => weight ?? model?.weights.default ?? 1;

/**
 * How the bent way is to be found: what the geodesic key stands for, under which metric.
 * @typedef {{kind: "geodesic" | "graph", measure: import("./api.js").Measure}} Bend
 */

/** @param {State} state @returns {Bend} */
export function bendOf(state) {
  if (state.metric !== "blend") return { kind: "geodesic", measure: { metric: state.metric } };
  const weight = weightOf(state);
  return weight === Infinity ? { kind: "graph", measure: {} } : { kind: "geodesic", measure: { weight } };
}

/** @param {Bend} bend */
export const bendKey = ({ kind, measure }) =>
  kind === "graph" ? "graph" : String(measure.metric ?? measure.weight);

/** The metric for everything that is no path: there the graph stands for the most weight. @param {State} state @returns {import("./api.js").Measure} */
export const measureOf = (state) =>
  state.metric === "blend"
    ? { metric: "blend", weight: Math.min(weightOf(state), state.model?.weights.max ?? 10) }
    : { metric: state.metric };

/** @param {State} state */
export const measureKey = (state) => Object.values(measureOf(state)).join();

/** The journey is ready to be heard. @param {State} state */
export const isReady = (state) => state.journey?.phase === "ready";

/** A model is being made. @param {Pick<State, "job">} state */
export const isLearning = ({ job }) => job !== null && !["done", "failed", "cancelled"].includes(job.phase);

/** "first": nothing picked; "a": one end; "both". @param {State} state @returns {"first" | "a" | "both"} */
export const stage = ({ a, b }) => (a && b ? "both" : a || b ? "a" : "first");

/** The step that sounds at a place, counted from 0. @param {number} place */
export const stepAt = (place) => Math.round(place * (STEPS - 1));

/** The path that is heard: what the key stands for, once it is there. @param {State} state @returns {Morph | null} */
export function chosen({ journey, path }) {
  if (!journey) return null;
  return journey.paths[path] ?? (path === "retimed" ? (journey.paths.linear ?? null) : null);
}
