// @ts-check
/** The service, as functions. */

import { createClient } from "./client.js";

/** @typedef {import("./client.js").ApiError} ApiError */
/** @typedef {import("./client.js").Refused} Refused */
/** @typedef {import("./state.js").Anchor} Anchor */
/** @typedef {import("./state.js").Path} Path */
/** @typedef {import("./state.js").Position} Position */
/** @typedef {{metric?: string, weight?: number}} Measure    under which metric; weight: the blend's */

/** @param {Measure} measure */
const queryOf = (measure) =>
  new URLSearchParams(Object.entries(measure).map(([name, value]) => [name, String(value)]));

/**
 * A new sound as the service describes it.
 * @typedef {object} PointReply
 * @property {number[]} point
 * @property {number} x
 * @property {number} y
 * @property {boolean} in_distribution
 * @property {number} distance      to the nearest sound of the library
 * @property {{id: string, distance: number}[]} nearest
 * @property {{code: string, text: string}[]} warnings
 * @property {{url: string}} audio
 */

/**
 * @typedef {object} Samples
 * @property {string} sampler
 * @property {number} seed
 * @property {number} temperature
 * @property {Record<string, number | null>} diagnostics
 * @property {{code: string, text: string}[]} warnings
 * @property {{point: number[], x: number, y: number, in_distribution: boolean, nearest: {id: string,
 *   distance: number}}[]}
 *   samples
 */

/**
 * A recording, and the sounds found in it.
 * @typedef {object} UploadedFile
 * @property {string} name
 * @property {number} seconds
 * @property {string} audio_url
 * @property {[low: number, high: number][]} overview     least and largest sample of equal parts
 * @property {{start: number, end: number, name: string, strength: number, peak_db: number}[]} sounds
 */

/** @typedef {{id: string, files: UploadedFile[], refused?: Refused[]}} UploadReply */

/**
 * What is to be known of own sounds before anything learns from them.
 * @typedef {object} CheckReply
 * @property {number} count
 * @property {number} seconds
 * @property {{text: string}[]} warnings
 * @property {{id: string, in_distribution?: boolean, nearest: {id: string, distance: number}[],
 *   duplicate_of: {id: string} | null, warnings: {code: string, text: string}[]}[]}
 *   sounds
 */

/**
 * @typedef {{id: string, model: string, result: string, title: string, state: string, error: string | null,
 *   sounds?: string[]}}
 *   JobReply
 */

/**
 * @typedef {object} AdaptationReply
 * @property {string} model             id of the one it starts from
 * @property {string} result            id of the one it makes, which is there at once
 * @property {string[]} sounds
 * @property {{coherence: number | null, gain: number | null, text: string}} forecast
 * @property {boolean} carries          something of the sounds carries over to others
 * @property {import("./state.js").OwnSlider[]} sliders
 * @property {number} seconds           it took
 * @property {number} bytes             of its recordings on the disk
 */

/** How an anchor goes over the wire. @param {Anchor} anchor */
export const wire = (anchor) =>
  anchor.sound
    ? { sound: anchor.sound }
    : anchor.code
      ? { point: anchor.point }
      : { position: anchor.position };

/**
 * @param {(url: string, init?: RequestInit) => Promise<Response>} fetch
 * @param {string} [base]
 * @param {(seconds: number, error: ApiError) => void} [waiting] is told when the server asks for patience
 */
export function createApi(fetch, base, waiting) {
  const { request, urlOf, get, send, post } = createClient(fetch, base, waiting);

  return {
    /**
     * @returns {Promise<{models: import("./state.js").Model[], unusable: {id: string, problem: string}[],
     *   choices: import("./state.js").Choices, export_folder: boolean}>}
     */
    models: () => get("models"),

    /** @param {string} model @returns {Promise<import("./sounds.js").Columns>} */
    sounds: (model) => get(`models/${model}/sounds`),

    /** @param {string} model @returns {Promise<import("./state.js").Atlas>} */
    atlas: (model) => get(`models/${model}/atlas`),

    /**
     * @param {string} model
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<{distance: string, distances: number[]}>}
     */
    distances: (model, id, signal) => get(`models/${model}/sounds/${id}/distances`, signal),

    /**
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {Measure & {kind: string}} query
     * @param {AbortSignal} [signal]
     * @returns {Promise<{unit: string, path: Path & {nodes: number[][]}}>}
     */
    path: (model, anchors, query, signal) =>
      post(`models/${model}/paths`, { anchors: anchors.map(wire), ...query }, signal),

    /**
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {Measure & {kinds: string[], mode?: "steps" | "glide", seconds?: number}} query
     * @param {AbortSignal} [signal]
     * @returns {Promise<{step_samples: number, steps: number, morphs: (Path & {audio: {url: string,
     *   seconds: number, mode: string}})[]}>}
     */
    morphs: (model, anchors, query, signal) =>
      post(`models/${model}/morphs`, { anchors: anchors.map(wire), ...query }, signal),

    /**
     * What the model makes of bare places, or of latent points: one kind at a time.
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {AbortSignal} [signal]
     * @param {Readonly<Record<string, number>>} [amounts] of own sliders
     * @returns {Promise<{audio: {url: string}, x: number, y: number}[]>}
     */
    decodings: async (model, anchors, signal, amounts) => {
      const points = anchors.flatMap(({ code, ...rest }) => (code && "point" in rest ? [rest.point] : []));
      const positions = anchors.flatMap(({ code, position }) => (!code && position ? [position] : []));
      const body = {
        ...(points.length && { points }),
        ...(positions.length && { positions }),
        ...(amounts && { amounts }),
      };
      return (await post(`models/${model}/decodings`, body, signal)).sounds;
    },

    /**
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {Measure} measure
     * @param {AbortSignal} [signal]
     * @returns {Promise<PointReply & {spokes: Position[][], distances: number[]}>}
     */
    mean: (model, anchors, measure, signal) =>
      post(`models/${model}/means`, { anchors: anchors.map(wire), ...measure }, signal),

    /**
     * @param {string} model
     * @param {[a: Anchor, b: Anchor, c: Anchor]} anchors
     * @param {Measure} measure
     * @param {AbortSignal} [signal]
     * @returns {Promise<PointReply & {course: Position[]}>}
     */
    analogy: (model, [a, b, c], measure, signal) =>
      post(`models/${model}/analogies`, { a: wire(a), b: wire(b), c: wire(c), ...measure }, signal),

    /**
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {Measure & {to: number}} how
     * @param {AbortSignal} [signal]
     * @returns {Promise<PointReply & {course: Position[], times: number[], left: number | null}>}
     */
    beyond: (model, anchors, how, signal) =>
      post(`models/${model}/extrapolations`, { anchors: anchors.map(wire), ...how }, signal),

    /**
     * @param {string} model
     * @param {{sampler: string, count: number, seed: number, temperature?: number, start?: Anchor}} asked start: of a
     *   walk
     * @param {AbortSignal} [signal]
     * @returns {Promise<Samples>}
     */
    samples: (model, { start, ...query }, signal) =>
      post(`models/${model}/samples`, { ...query, ...(start && { start: wire(start) }) }, signal),

    /**
     * How much of everything that has a name there is in each.
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {AbortSignal} [signal]
     * @returns {Promise<{descriptors: Record<string, number[]>}>}
     */
    descriptions: (model, anchors, signal) =>
      post(`models/${model}/descriptions`, { anchors: anchors.map(wire) }, signal),

    /**
     * @param {string} model
     * @param {Anchor} start
     * @param {Measure & {descriptor: string, steps: number, hold: boolean}} how
     * @param {AbortSignal} [signal]
     * @returns {Promise<import("./state.js").TraversalReply & {audio: {url: string}, step_samples: number}>}
     */
    traversal: (model, start, how, signal) =>
      post(`models/${model}/traversals`, { start: wire(start), ...how }, signal),

    /**
     * @param {string} model
     * @param {Measure} measure
     * @param {AbortSignal} [signal]
     * @returns {Promise<{ellipses: import("./state.js").Ellipse[]}>}
     */
    indicatrices: (model, measure, signal) => get(`models/${model}/indicatrices?${queryOf(measure)}`, signal),

    /**
     * How much a metric magnifies, over the map.
     * @param {string} model
     * @param {Measure} measure
     * @param {AbortSignal} [signal]
     * @returns {Promise<import("./state.js").Field>}
     */
    magnification: (model, measure, signal) =>
      get(`models/${model}/magnification?${queryOf(measure)}`, signal),

    /**
     * @param {string} model
     * @param {string} id
     * @returns {Promise<{id: string, name: string, z: number[], x: number, y: number}>}
     */
    sound: (model, id) => get(`models/${model}/sounds/${id}`),

    /** @param {string} model @param {number[]} point @param {string} name @returns {Promise<{id: string}>} */
    keep: (model, point, name) => post(`models/${model}/sounds`, { point, name }),

    /** @param {string} model @param {string} id @param {string} name */
    rename: async (model, id, name) => void (await send("PATCH", `models/${model}/sounds/${id}`, { name })),

    /** @param {string} model @param {string} id */
    remove: async (model, id) => void (await send("DELETE", `models/${model}/sounds/${id}`)),

    /** @param {string} model @param {string} id */
    soundUrl: (model, id) => urlOf(`models/${model}/sounds/${id}/audio?format=wav`),

    /**
     * Recordings that may be long; nothing is kept until it is chosen.
     * @param {string} model
     * @param {File[]} files
     * @param {AbortSignal} [signal]
     * @returns {Promise<UploadReply>}
     */
    async upload(model, files, signal) {
      const form = new FormData();
      for (const file of files) form.append("files", file, file.name);
      return (await request(urlOf(`models/${model}/uploads`), { method: "POST", body: form, signal })).json();
    },

    /**
     * The same, split by another threshold.
     * @param {string} model
     * @param {string} id
     * @param {number} threshold
     * @returns {Promise<UploadReply>}
     */
    proposals: (model, id, threshold) =>
      get(`models/${model}/uploads/${id}?threshold=${threshold.toFixed(4)}`),

    /**
     * @param {string} model
     * @param {string} id
     * @param {{file: number, start: number, end: number, name: string}[]} sounds
     * @param {AbortSignal} [signal]
     * @returns {Promise<{sounds: {id: string}[], refused?: Refused[]}>}
     */
    choose: (model, id, sounds, signal) => post(`models/${model}/uploads/${id}/sounds`, { sounds }, signal),

    /** @param {string} model @param {string} id */
    forget: async (model, id) => void (await send("DELETE", `models/${model}/uploads/${id}`)),

    /**
     * Of all own sounds, or of some.
     * @param {string} model
     * @param {string[]} [sounds]
     * @returns {Promise<CheckReply>}
     */
    check: (model, sounds) => post(`models/${model}/checks`, { ...(sounds && { sounds }) }),

    /** What a model makes of a sound's place alone. @param {string} model @param {string} id */
    decodedUrl: (model, id) => urlOf(`models/${model}/sounds/${id}/decoded?format=wav`),

    /** @param {string} model @param {string} id @param {number | null} hertz null: it has none */
    setPitch: async (model, id, hertz) =>
      void (await send("PATCH", `models/${model}/sounds/${id}`, { pitch: hertz })),

    /** @param {string} model @param {string} title */
    renameModel: async (model, title) => void (await send("PATCH", `models/${model}`, { title })),

    /**
     * How many own sounds went from it to another model.
     * @param {string} model
     * @returns {Promise<{ sounds_moved: number, moved_to: string | null }>}
     */
    async removeModel(model) {
      const reply = await send("DELETE", `models/${model}`);
      return reply.status === 204 ? { sounds_moved: 0, moved_to: null } : reply.json();
    },

    /** A model as one file. @param {string} model */
    modelFile: (model) => urlOf(`models/${model}/file`),

    /** @param {File} file @returns {Promise<import("./state.js").Model>} */
    async importModel(file) {
      const form = new FormData();
      form.append("file", file, file.name);
      return (await request(urlOf("models"), { method: "POST", body: form })).json();
    },

    /**
     * Takes own sounds into a model; the same again is the same model.
     * @param {string} model
     * @param {string[]} sounds
     * @param {AbortSignal} [signal]
     * @returns {Promise<AdaptationReply>}
     */
    adapt: (model, sounds, signal) => post(`models/${model}/adaptations`, { sounds }, signal),

    /** Those in use. @param {string} model @returns {Promise<AdaptationReply[]>} */
    adaptations: async (model) => (await get(`models/${model}/adaptations`)).adaptations,

    /** @param {string} result */
    unadapt: async (result) => void (await send("DELETE", `models/${result}`)),

    /**
     * A new model out of this one and own sounds.
     * @param {string} model
     * @param {string[]} sounds
     * @param {string} title
     * @returns {Promise<JobReply>}
     */
    finetune: (model, sounds, title) => post(`models/${model}/finetunes`, { sounds, title }),

    /** @returns {Promise<JobReply[]>} newest first */
    jobs: async () => (await get("jobs")).jobs,

    /** @param {string} job */
    cancelJob: async (job) => void (await send("POST", `jobs/${job}/cancellation`)),

    /** @param {string} job */
    jobEvents: (job) => urlOf(`jobs/${job}/events`),

    /** @param {string} job @param {"before" | "after"} side @param {number} nth */
    previewUrl: (job, side, nth) => urlOf(`jobs/${job}/previews/${side}?v=${nth}`),

    /**
     * Sounds as a file, or as a ZIP of several, under a name.
     * @param {string} model
     * @param {object} query
     * @param {AbortSignal} [signal]
     * @returns {Promise<Exported>}
     */
    async exported(model, query, signal) {
      const response = await send("POST", `models/${model}/exports`, query, signal);
      if (response.status === 201) return response.json();
      return {
        blob: await response.blob(),
        name: attachedName(response.headers.get("Content-Disposition") ?? ""),
      };
    },

    /** The export folder, on the screen of the server's machine. */
    revealExports: async () => void (await send("POST", "export-folder/reveal")),

    /** @param {string} url @param {AbortSignal} [signal] @returns {Promise<ArrayBuffer>} */
    bytes: async (url, signal) => (await request(url, { signal })).arrayBuffer(),
  };
}

/** The name that a Content-Disposition gives (RFC 6266). @param {string} disposition */
export const attachedName = (disposition) =>
  decodeURIComponent(/filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1] ?? "sound");

/** @typedef {{name: string, blob: Blob} | {name: string, path: string | null, revealable: boolean}} Exported   sent, or put */
/** @typedef {ReturnType<typeof createApi>} Api */
