// @ts-check
/** The service's collection, as functions. */

import { createClient } from "../core/client.js";

/**
 * @typedef {object} Ingest
 * @property {number} id
 * @property {string[]} folders
 * @property {"running" | "paused" | "done" | "cancelled" | "failed" | "interrupted"} state
 * @property {{phase: "names" | "sounds", listed: number, missing: number, analysed: number, unreadable: number,
 *   remaining: number, seconds_left: number | null}} progress
 * @property {"pause" | "resume" | "cancel" | null} wish
 * @property {string | null} error
 */

/**
 * @typedef {object} Collection
 * @property {{path: string, sounds: number, analysed: number, unreadable: number, missing: number}[]} folders
 * @property {string[] | null} within     folders that may be taken in; null: any
 * @property {Ingest | null} ingest       the latest
 */

/**
 * @typedef {object} CollectionSound
 * @property {number} id
 * @property {string} name
 * @property {string} folder
 * @property {string[]} tags
 * @property {"listed" | "analysed" | "unreadable"} state
 * @property {string | null} reason
 * @property {boolean} missing
 * @property {number | null} duplicates
 * @property {number | null} seconds
 * @property {string | null} family
 * @property {number | null} pitch
 * @property {number | null} distance
 * @property {string} audio_url
 */

/** @typedef {{sounds: CollectionSound[], count: number | null, more: boolean}} Sounds */

/** @param {(url: string, init?: RequestInit) => Promise<Response>} fetch @param {string} [base] */
export function createCollectionApi(fetch, base) {
  const { get, post } = createClient(fetch, base);
  return {
    /** @returns {Promise<Collection>} */
    collection: () => get("collection"),

    /** @param {string[]} folders @param {string} model @returns {Promise<Ingest>} */
    ingest: (folders, model) => post("collection/ingests", { folders, model }),

    /** @param {number} id @param {"pause" | "resumption" | "cancellation"} step @returns {Promise<Ingest>} */
    change: (id, step) => post(`collection/ingests/${id}/${step}`, {}),

    /**
     * @param {string} query
     * @param {number} offset
     * @param {number} limit
     * @param {AbortSignal} [signal]
     * @returns {Promise<Sounds>}
     */
    search: (query, offset, limit, signal) =>
      get(
        `collection/sounds?${new URLSearchParams([
          ["q", query],
          ["offset", String(offset)],
          ["limit", String(limit)],
        ])}`,
        signal,
      ),

    /** @param {number} id @param {number} limit @param {AbortSignal} [signal] @returns {Promise<Sounds>} */
    neighbours: (id, limit, signal) => get(`collection/sounds/${id}/neighbours?limit=${limit}`, signal),

    /** As one of one's own sounds. @param {string} model @param {number} id @returns {Promise<{id: string}>} */
    use: (model, id) => post(`models/${model}/collection/${id}`, {}),
  };
}

/** @typedef {ReturnType<typeof createCollectionApi>} CollectionApi */
