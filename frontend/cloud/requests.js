// @ts-check
/** What the service knows of the collection on the map, as functions. */

import { createClient } from "../core/client.js";

/** @typedef {{id: number, name: string, folder: string, family: string | null, seconds: number | null,
 *   missing: boolean, audio_url: string}} CloudSound */

/** @param {(url: string, init?: RequestInit) => Promise<Response>} fetch @param {string} [base] */
export function createCloudApi(fetch, base) {
  const { request, urlOf, get, post } = createClient(fetch, base);
  const bytes = async (/** @type {string} */ path, /** @type {AbortSignal} */ signal) =>
    (await request(urlOf(path), { signal })).arrayBuffer();
  return {
    /** @param {string} model @param {string | null} after a version @param {AbortSignal} signal */
    positions: (model, after, signal) =>
      bytes(
        `models/${model}/collection/positions${after ? `?${new URLSearchParams({ after })}` : ""}`,
        signal,
      ),

    /** The ids of all that fit, rising. @param {string} query @param {AbortSignal} signal */
    matches: async (query, signal) =>
      new Uint32Array(await bytes(`collection/matches?${new URLSearchParams({ q: query })}`, signal)),

    /** @param {number} id @param {AbortSignal} [signal] @returns {Promise<CloudSound>} */
    sound: (id, signal) => get(`collection/sounds/${id}`, signal),

    /** As a user sound. @param {string} model @param {number} id @returns {Promise<{id: string}>} */
    use: (model, id) => post(`models/${model}/collection/${id}`, {}),
  };
}

/** @typedef {ReturnType<typeof createCloudApi>} CloudApi */
