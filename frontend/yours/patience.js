// @ts-check
/** Asking again what a server that is away, or still busy after all its pauses, could not answer. */

import { ApiError } from "../core/client.js";

const WAITS = [1, 2, 4, 8, 15, 15]; // Seconds

/** @typedef {import("../core/state.js").Seconds} Seconds */

/** Worth asking again: busy, still loading, away. @param {unknown} error */
export const isPassing = (error) =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status === 503);

/**
 * @template T
 * @param {() => Promise<T>} ask
 * @param {object} how
 * @param {AbortSignal} how.signal
 * @param {(seconds: Seconds | null) => void} how.waiting      told before each pause, and null after it
 * @param {(seconds: Seconds, signal: AbortSignal) => Promise<void>} [how.pause]
 * @returns {Promise<T>} rejects with the last error when patience ends, and when the signal aborts
 */
export async function patiently(ask, { signal, waiting, pause = sleep }) {
  for (const wait of WAITS) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      waiting(wait);
      await pause(wait, signal);
      waiting(null);
    }
  }
  return ask();
}

/** @param {Seconds} seconds @param {AbortSignal} signal @returns {Promise<void>} */
const sleep = (seconds, signal) =>
  new Promise((resolve, failed) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener(
      "abort",
      () => (clearTimeout(timer), failed(new DOMException("cancelled", "AbortError"))),
      { once: true },
    );
  });
