// @ts-check
/** What the page knows: the shape of the state, and the few questions everyone asks it. */

/** @typedef {number} Seconds */
/** @typedef {number} Hertz */
/** @typedef {[x: number, y: number]} Position  a place on the map, in the atlas's own coordinates */

/**
 * An end of the morph: a sound of the library, a bare place on the map, or a latent point that was found.
 * @typedef {{sound: string, position?: undefined, code?: undefined}
 *   | {position: Position, sound?: undefined, code?: undefined}
 *   | PointAnchor} Anchor
 */

/**
 * @typedef {{code: string, point: number[], position: Position, name?: string, sound?: undefined}} PointAnchor code:
 *   latent.js
 */

/**
 * A name that requests take, and the words to show for it.
 * @typedef {object} Choice
 * @property {string} id
 * @property {string} label             on a button
 * @property {string} term              the field's word, or a second word beside the label
 * @property {string} meaning           for what is heard
 * @property {string} sentence          what it computes
 */

/**
 * All there are; the first of each is the default.
 * @typedef {{path_kinds: readonly Choice[], metrics: readonly Choice[], distances: readonly Choice[],
 *   samplers: readonly Choice[], instruments: readonly Choice[]}} Choices
 */

/** @typedef {"geodesic" | "linear" | "retimed"} PathKind   what the three path keys stand for */
/** @typedef {"steps" | "glide"} Mode */

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {string} title
 * @property {string} [description]
 * @property {string} unit              of lengths and distances
 * @property {number | null} bytes      on the disk, of one that the user made
 * @property {Hertz} sample_rate
 * @property {number} sound_samples
 * @property {{min: number, max: number, default: number}} weights
 * @property {string[]} path_kinds
 * @property {{id: string, title: string, depths: number[]}[]} [formats]     that sounds can be saved in
 * @property {{upload_files: number, upload_bytes: number, upload_seconds: number, shortest_seconds: number,
 *   choice_sounds: number}}
 *   limits
 * @property {string[]} metrics         the first is the default
 * @property {string[]} [volume_metrics]     by the volume of which new sounds can be drawn; the first is the default
 * @property {Descriptor[]} [descriptors]
 * @property {Sampler[]} [samplers]
 * @property {string} [device]
 * @property {"library" | "adapted" | "finetuned" | "imported"} [kind]     how it came here
 * @property {string | null} [base]     the model it was made from
 */

/**
 * @typedef {{id: string, unit: string, more: string, less: string}} Descriptor something that can be heard, and
 *   measured
 */
/**
 * @typedef {{id: string, title: string, description?: string, temperature: boolean, start?: boolean,
 *   volume?: boolean}} Sampler start: it needs a place to begin; volume: it draws by the volume of a metric
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
 * @property {boolean[]} on_land        is step i on land?
 * @property {number} guesswork         share of the path that lies outside what the model knows
 * @property {Record<string, number[]>} [descriptors]   per step
 */

/**
 * A new sound on the map, which nobody recorded.
 * @typedef {object} NewSound
 * @property {string} code             its latent point: latent.js
 * @property {"mean" | "analogy" | "beyond" | "traversal" | "sample"} kind
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
 * @property {string} recipe             from what, and how: the same again is not asked twice
 */

/** @typedef {{line: Position[], guess?: boolean}} Course   a line on the map; guess: beyond what the data say */

/** @typedef {"mean" | "analogy" | "beyond"} Operation */

/**
 * @typedef {object} Draw
 * @property {string} sampler
 * @property {number} seed
 * @property {number} temperature
 * @property {Record<string, number | null>} diagnostics
 * @property {string[]} warnings
 * @property {NewSound[]} samples
 */

/**
 * @typedef {object} TraversalReply
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

/**
 * @typedef {{id: string, title: string, low: number, high: number, share: number}} OwnSlider a direction that one's
 *   own sounds have and the model has not
 */

/**
 * @typedef {object} Saving              how sounds are written to files
 * @property {number} steps              of a path
 * @property {string} format             one of the model's formats
 * @property {number | null} depth       bits; null: the format's usual
 * @property {"keep" | "normalise"} level
 * @property {boolean} trim              the silence at both ends
 * @property {string} [instrument]       its kind; without one the first that the service names
 * @property {boolean} [download]        to the browser, although there is an export folder
 */

/** @typedef {{x: number, y: number, outline: [number, number][]}} Ellipse   how the metric stretches there */

/**
 * The rendered steps of one path, all in one buffer: step i starts at i * stepSamples.
 * @typedef {object} StepSounds
 * @property {AudioBuffer} buffer
 * @property {number} stepSamples
 * @property {number} steps
 */

/** @typedef {Path & {audio: {url: string, seconds: Seconds, mode: string}, sounds: StepSounds}} RenderedPath */

/**
 * @typedef {object} Morph            everything about the path from A to B that is chosen now
 * @property {string} key               says what it was made from
 * @property {"solving" | "ready" | "failed"} phase
 * @property {Partial<Record<PathKind, RenderedPath>>} paths
 * @property {Partial<Record<PathKind, Glide>>} glides
 */

/** @typedef {{url: string, buffer: AudioBuffer}} Glide */

/**
 * What is pointed at: a sound of the library, or (sound: -1) one that was found.
 * @typedef {{sound: number, newSound?: NewSound, by: "pointer" | "touch" | "keys" | "table"}} Pointed
 */

/**
 * @typedef {object} Notice             something went otherwise than hoped: what, why, what next
 * @property {string} text
 * @property {{label: string, run: () => void}[]} [actions]
 * @property {"news" | "trouble"} [kind]   news go by themselves
 */

/** @typedef {{model: string, id: string, name: string, until: number}} Deleted      until: ms since 1970 */

/** @typedef {{by: "name" | "family" | "seconds" | "pitch" | "distance", down: boolean}} Sorting */

/**
 * What is no panel's own; state.d.ts in the folder of a panel adds what is its own.
 * @typedef {object} CoreState
 * @property {{phase: "waking" | "ready" | "away" | "broken", retryAt?: number, why?: string}} server
 * @property {string | null} modelId            as the link asks for
 * @property {readonly Model[]} models          all there are
 * @property {Model | null} model
 * @property {Choices} choices                  of all models
 * @property {boolean} exportFolder             the server can put exports into a folder on its machine
 * @property {import("./sounds.js").Library | null} library
 * @property {Atlas | null} atlas
 * @property {Anchor | null} a
 * @property {Anchor | null} b
 * @property {PathKind} path                    the path that is heard
 * @property {number | null} weight             of the data term; Infinity: the graph path; null: as the model has it
 * @property {string | null} metric             of the geodesic; null: the default
 * @property {Mode} mode
 * @property {number} progress                     on the path: 0 at A, 1 at B
 * @property {boolean} playing
 * @property {boolean} loop
 * @property {Morph | null} morph
 * @property {{from: Anchor, to: Anchor, path: Path} | null} preview    the dotted path to where one points
 * @property {Pointed | null} pointed
 * @property {{end: "a" | "b", position: Position} | null} carried      an anchor that is being dragged
 * @property {{from: string, distance: string, values: number[]} | null} distances  from A to every sound, and by
 *   which of the choices
 * @property {string | null} panel
 * @property {string | null} curve              what is drawn under the slices; null: speed
 * @property {boolean} ellipses                 on the land
 * @property {readonly Ellipse[]} indicatrices
 * @property {boolean} shaded                   land and sea are those of the metric that is chosen
 * @property {Field | null} magnification       of that metric, when it is there
 * @property {readonly NewSound[]} newSounds           by operations, the oldest first
 * @property {Readonly<Record<string, string>>} storedAs     code of a new sound -> its id in the library
 * @property {Adaptation | null} adaptation
 * @property {"before" | "after" | null} hear   without or with one's own sounds; null: the model as it is
 * @property {Seconds} seconds               of a glide
 * @property {Saving} saving
 * @property {boolean} exporting              files are being made
 * @property {readonly Deleted[]} deleted     sounds that can be taken back
 * @property {"dark" | "light" | null} theme    null: as the system has it
 * @property {boolean} dark                     what came of that
 * @property {{x: number, y: number, zoom: number} | null} view         null: everything
 * @property {"off" | "on"} sound
 * @property {number} volume                    of everything, 0 to 1
 * @property {boolean} walkSounds               a sound is heard when an arrow key comes to it on the map
 * @property {Seconds | null} latency           from the page to the ear, when the browser knows it
 * @property {Notice | null} notice
 * @property {import("./cloud.js").Cloud | null} cloud          the sounds of library folders on the map
 * @property {boolean} cloudShown
 * @property {number} cloudDrawn                how many of them there is means to draw
 * @property {import("./cloud.js").Colouring} colouring         of the cloud
 * @property {{row: number, by: "pointer" | "list"} | null} cloudPointed     what is pointed at in it
 * @property {Uint32Array | null} matches       ids of the cloud's sounds that fit a search, rising; null: no search
 * @property {Uint32Array | null} selection     and of those that are selected
 * @property {boolean} lassoing                 a drag draws around sounds
 */

/** @typedef {CoreState & PanelStates} State */

export const STEPS = 17;

/** @type {readonly PathKind[]} */
export const PATHS = ["geodesic", "linear", "retimed"];

/** The metric whose data term the slider weighs. */
const WEIGHED = "blend";

/** @type {CoreState} */
export const coreState = {
  server: { phase: "waking" },
  modelId: null,
  models: [],
  model: null,
  choices: { path_kinds: [], metrics: [], distances: [], samplers: [], instruments: [] },
  exportFolder: false,
  library: null,
  atlas: null,
  a: null,
  b: null,
  path: "geodesic",
  weight: null,
  metric: null,
  mode: "steps",
  progress: 0,
  playing: false,
  loop: false,
  morph: null,
  preview: null,
  pointed: null,
  carried: null,
  distances: null,
  panel: null,
  curve: null,
  ellipses: false,
  indicatrices: [],
  shaded: false,
  magnification: null,
  newSounds: [],
  storedAs: {},
  adaptation: null,
  hear: null,
  deleted: [],
  seconds: 4,
  saving: { steps: 17, format: "wav", depth: null, level: "keep", trim: false },
  exporting: false,
  theme: null,
  dark: true,
  view: null,
  sound: "off",
  volume: 1,
  walkSounds: false,
  latency: null,
  notice: null,
  cloud: null,
  cloudShown: true,
  cloudDrawn: 0,
  colouring: "family",
  cloudPointed: null,
  matches: null,
  selection: null,
  lassoing: false,
};

/** @param {Anchor | null} a @param {Anchor | null} b */
export const sameAnchor = (a, b) => keyOf(a) === keyOf(b);

/** @param {Anchor | null} anchor */
export const keyOf = (anchor) =>
  anchor ? (anchor.sound ?? anchor.code ?? `@${anchor.position.join()}`) : "";

/** @param {NewSound} found @returns {PointAnchor} */
export const anchorOf = ({ code, point, position, name }) => ({ code, point, position, name });

/**
 * What is pointed at, as an end of a morph.
 * @param {Pick<State, "pointed" | "library">} state
 * @returns {Anchor | null}
 */
export function pointedAnchor({ pointed, library }) {
  if (!pointed || !library) return null;
  return pointed.newSound ? anchorOf(pointed.newSound) : { sound: library.id[pointed.sound] };
}

/**
 * Every new sound on the map that is not in the library yet.
 * @param {Pick<State, "newSounds" | "drawing" | "storedAs">} state
 * @returns {NewSound[]}
 */
export const everyNewSound = ({ newSounds, drawing, storedAs }) =>
  [...newSounds, ...(drawing?.draws ?? []).flatMap(({ samples }) => samples)].filter(
    ({ code }) => !(code in storedAs),
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

/**
 * The id of the model that is heard; the map is always the model's own.
 * @param {Pick<State, "model" | "models" | "adaptation" | "hear">} state
 */
export const voiceOf = (state) =>
  (state.hear && comparisonOf(state)?.[state.hear]) || (state.model?.id ?? "");

/**
 * The other one, to be heard beside it.
 * @param {Pick<State, "model" | "models" | "adaptation" | "hear">} state
 * @returns {string | null}
 */
export function otherVoice(state) {
  const both = comparisonOf(state);
  return both && (voiceOf(state) === both.after ? both.before : both.after);
}

/** The metric that is in force. @param {Pick<State, "metric" | "model">} state */
export const metricOf = ({ metric, model }) => metric ?? model?.metrics?.[0] ?? WEIGHED;

/** The metric has a weight. @param {Pick<State, "metric" | "model">} state */
export const isWeighed = (state) => metricOf(state) === WEIGHED;

/** The weight of the data term that is in force. @param {State} state */
export const weightOf = ({ weight, model }) => weight ?? model?.weights.default ?? 1;

/**
 * How the bent path is to be found: what the geodesic key stands for, under which metric.
 * @typedef {{kind: "geodesic" | "graph", measure: import("./api.js").Measure}} GeodesicQuery
 */

/** @param {State} state @returns {GeodesicQuery} */
export function geodesicQueryOf(state) {
  if (!isWeighed(state)) return { kind: "geodesic", measure: { metric: metricOf(state) } };
  const weight = weightOf(state);
  return weight === Infinity ? { kind: "graph", measure: {} } : { kind: "geodesic", measure: { weight } };
}

/** @param {GeodesicQuery} bend */
export const geodesicKey = ({ kind, measure }) =>
  kind === "graph" ? "graph" : String(measure.metric ?? measure.weight);

/**
 * The metric for everything that is no path: there the graph stands for the most weight.
 * @param {State} state
 * @returns {import("./api.js").Measure}
 */
export const measureOf = (state) =>
  isWeighed(state)
    ? { metric: WEIGHED, weight: Math.min(weightOf(state), state.model?.weights.max ?? 10) }
    : { metric: metricOf(state) };

/** @param {State} state */
export const measureKey = (state) => Object.values(measureOf(state)).join();

/** The morph is ready to be heard. @param {State} state */
export const isReady = (state) => state.morph?.phase === "ready";

/** A model is being made. @param {Pick<State, "job">} state */
export const isLearning = ({ job }) => job !== null && !["done", "failed", "cancelled"].includes(job.phase);

/** "first": nothing picked; "a": one end; "both". @param {State} state @returns {"first" | "a" | "both"} */
export const stage = ({ a, b }) => (a && b ? "both" : a || b ? "a" : "first");

/** The step that sounds at a place, counted from 0. @param {number} progress */
export const stepAt = (progress) => Math.round(progress * (STEPS - 1));

/**
 * The path that is heard: what the key stands for, once it is there.
 * @param {State} state
 * @returns {RenderedPath | null}
 */
export function chosenPath({ morph, path }) {
  if (!morph) return null;
  return morph.paths[path] ?? (path === "retimed" ? (morph.paths.linear ?? null) : null);
}
