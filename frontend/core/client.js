// @ts-check
/** Requests to the service. Every failure leaves here as an ApiError with a sentence in it. */

/**
 * @typedef {{file: number, name: string, code: string, detail: string}} Refused a file, or a part of one, that could
 *   not be used
 */

export class ApiError extends Error {
  /**
   * @param {string} message a sentence
   * @param {string} code stable, from the problem document; "away" when nobody answered
   * @param {number} status
   * @param {Refused[]} [refused] where none of the files could be used
   */
  constructor(message, code, status, refused = []) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.refused = refused;
  }
}

/** What a request did wrong it would do wrong again. */
const FINAL = [400, 403, 405, 406, 413, 415, 422];

/** Whether the same may go well another time. @param {unknown} error */
export const isWorthRetrying = (error) => !(error instanceof ApiError) || !FINAL.includes(error.status);

/** Nobody answers, or the one who answers is still loading: worth trying again. @param {unknown} error */
export const isAway = (error) =>
  error instanceof ApiError && (error.code === "away" || error.code === "not_ready");

/** Somebody changed their mind. @param {unknown} error */
export const isAborted = (error) => error instanceof DOMException && error.name === "AbortError";

/** How often a question is sent that the server has no time for, and the longest pause between, in seconds. */
const TRIES = 8;
const LONGEST_PAUSE = 30;

/** @param {Response} response @returns {Promise<ApiError>} */
async function errorOf(response) {
  let problem;
  try {
    problem = await response.json();
  } catch {
    problem = {};
  }
  const sentence = problem.detail ?? problem.title ?? `The server answered ${response.status}.`;
  const code = problem.code ?? (response.status === 503 ? "away" : "internal_error");
  return new ApiError(String(sentence), code, response.status, problem.refused ?? []);
}

/**
 * In how many seconds to ask again; null where that would not help, or others see to it.
 * @param {Response} response
 * @param {ApiError} error
 */
function pauseAfter(response, error) {
  const seconds = Number(response.headers?.get("Retry-After"));
  return [429, 503].includes(response.status) && !isAway(error) && seconds > 0
    ? Math.min(seconds, LONGEST_PAUSE)
    : null;
}

/** @param {number} seconds @param {AbortSignal | null} [signal] @returns {Promise<void>} */
const pause = (seconds, signal) =>
  new Promise((resolve, fail) => {
    const givenUp = new DOMException("Nobody waits any more.", "AbortError");
    if (signal?.aborted) return fail(givenUp);
    const stop = () => (clearTimeout(timer), fail(givenUp));
    const timer = setTimeout(() => (signal?.removeEventListener("abort", stop), resolve()), 1000 * seconds);
    signal?.addEventListener("abort", stop, { once: true });
  });

/**
 * Requests to the service: problems become errors, and where it asks for patience they are sent again.
 * @param {(url: string, init?: RequestInit) => Promise<Response>} fetch
 * @param {string} [base]
 * @param {(seconds: number, error: ApiError) => void} [waiting] is told when the server asks for patience
 */
export function createClient(fetch, base = "api/v1", waiting = () => {}) {
  /** @param {string} url @param {RequestInit} [init] @returns {Promise<Response>} */
  async function reach(url, init) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (isAborted(error)) throw error;
      throw new ApiError("The server does not answer.", "away", 0);
    }
  }

  /** @param {string} url @param {RequestInit} [init] */
  async function request(url, init) {
    for (let tries = 1; ; tries++) {
      const response = await reach(url, init);
      if (response.ok) return response;
      const error = await errorOf(response);
      const seconds = pauseAfter(response, error);
      if (seconds === null || tries === TRIES) throw error;
      waiting(seconds, error);
      await pause(seconds, init?.signal);
    }
  }

  /** @param {string} path */
  const urlOf = (path) => `${base}/${path}`;

  /** @param {string} path @param {AbortSignal} [signal] */
  const get = async (path, signal) => (await request(urlOf(path), { signal })).json();

  /** @param {string} method @param {string} path @param {object} [body] @param {AbortSignal} [signal] */
  const send = (method, path, body, signal) =>
    request(urlOf(path), {
      method,
      signal,
      ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });

  /** @param {string} path @param {object} body @param {AbortSignal} [signal] */
  const post = async (path, body, signal) => (await send("POST", path, body, signal)).json();

  return { request, urlOf, get, send, post };
}

/**
 * The newest gesture wins: each call aborts the one before.
 *
 * @template {unknown[]} A
 * @template R
 * @param {(signal: AbortSignal, ...args: A) => Promise<R>} run
 */
export function latest(run) {
  let controller = new AbortController();
  const restart = (/** @type {A} */ ...args) => {
    controller.abort();
    controller = new AbortController();
    return run(controller.signal, ...args);
  };
  return Object.assign(restart, { cancel: () => controller.abort() });
}
