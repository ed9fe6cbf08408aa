// @ts-check
/** The service, as functions. Every failure leaves here as an ApiError with a sentence in it. */

/** @typedef {import("./state.js").Anchor} Anchor */
/** @typedef {import("./state.js").Path} Path */

export class ApiError extends Error {
  /**
   * @param {string} message a sentence
   * @param {string} code stable, from the problem document; "away" when nobody answered
   * @param {number} status
   */
  constructor(message, code, status) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
  }
}

/** Nobody answers, or the one who answers is still loading: worth trying again. @param {unknown} error */
export const isAway = (error) => error instanceof ApiError && (error.code === "away" || error.status === 503);

/** Somebody changed their mind. @param {unknown} error */
export const isAborted = (error) => error instanceof DOMException && error.name === "AbortError";

/**
 * @param {(url: string, init?: RequestInit) => Promise<Response>} fetch
 * @param {string} [base]
 */
export function createApi(fetch, base = "api/v1") {
  /** @param {string} url @param {RequestInit} [init] */
  async function request(url, init) {
    let response;
    try {
      response = await fetch(url, init);
    } catch (error) {
      if (isAborted(error)) throw error;
      throw new ApiError("The engine is away.", "away", 0);
    }
    if (response.ok) return response;
    let problem;
    try {
      problem = await response.json();
    } catch {
      problem = {};
    }
    const said = problem.detail ?? problem.title ?? `The engine answered ${response.status}.`;
    throw new ApiError(String(said), problem.code ?? "internal_error", response.status);
  }

  /** @param {string} path @param {AbortSignal} [signal] */
  const get = async (path, signal) => (await request(`${base}/${path}`, { signal })).json();

  /** @param {string} path @param {object} body @param {AbortSignal} [signal] */
  const post = async (path, body, signal) => {
    const headers = { "Content-Type": "application/json" };
    return (await request(`${base}/${path}`, { method: "POST", headers, body: JSON.stringify(body), signal })).json();
  };

  return {
    /** @returns {Promise<{models: import("./state.js").Model[], unusable: {id: string, problem: string}[]}>} */
    models: () => get("models"),

    /** @param {string} model @returns {Promise<import("./library/sounds.js").Columns>} */
    sounds: (model) => get(`models/${model}/sounds`),

    /** @param {string} model @returns {Promise<import("./state.js").Atlas>} */
    atlas: (model) => get(`models/${model}/atlas`),

    /** @param {string} model @param {string} id @param {AbortSignal} [signal] @returns {Promise<{distance: number[]}>} */
    distances: (model, id, signal) => get(`models/${model}/sounds/${id}/distances`, signal),

    /**
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {{kind: string, weight?: number}} way
     * @param {AbortSignal} [signal]
     * @returns {Promise<{unit: string, path: Path}>}
     */
    path: (model, anchors, way, signal) => post(`models/${model}/paths`, { anchors, ...way }, signal),

    /**
     * @param {string} model
     * @param {Anchor[]} anchors
     * @param {{kinds: string[], weight?: number, mode?: "steps" | "glide", seconds?: number}} way
     * @param {AbortSignal} [signal]
     * @returns {Promise<{step_samples: number, steps: number, morphs: (Path & {audio: {url: string, seconds: number, mode: string}})[]}>}
     */
    morphs: (model, anchors, way, signal) => post(`models/${model}/morphs`, { anchors, ...way }, signal),

    /** What the model makes of a bare place. @param {string} model @param {import("./state.js").Position} position @param {AbortSignal} [signal] */
    decoding: async (model, position, signal) =>
      (await post(`models/${model}/decodings`, { positions: [position] }, signal)).sounds[0],

    /** @param {string} model @param {string} id */
    soundUrl: (model, id) => `${base}/models/${model}/sounds/${id}/audio?format=wav`,

    /** @param {string} url @param {AbortSignal} [signal] @returns {Promise<ArrayBuffer>} */
    bytes: async (url, signal) => (await request(url, { signal })).arrayBuffer(),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * The newest gesture wins: each call aborts the one before.
 *
 * @template {unknown[]} A
 * @template R
 * @param {(signal: AbortSignal, ...args: A) => Promise<R>} run
 */
export function latest(run) {
  let controller = new AbortController();
  const again = (/** @type {A} */ ...args) => {
    controller.abort();
    controller = new AbortController();
    return run(controller.signal, ...args);
  };
  return Object.assign(again, { cancel: () => controller.abort() });
}
