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
 * @property {{id: number, path: string, followed: boolean, sounds: number, analysed: number, unreadable: number, missing: number}[]} folders
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
 * @property {number | null} near_duplicates
 * @property {boolean} favourite
 * @property {number | null} seconds
 * @property {string | null} family
 * @property {number | null} pitch
 * @property {number | null} distance
 * @property {string} audio_url
 */

/** @typedef {{sounds: CollectionSound[], count: number | null, more: boolean}} Sounds */

/** @param {(url: string, init?: RequestInit) => Promise<Response>} fetch @param {string} [base] */
export function createCollectionApi(fetch, base) {
  const { get, post, send } = createClient(fetch, base);
  return {
    /** Take in what changes in a folder, or no longer. @param {number} id @param {boolean} followed */
    follow: (id, followed) => send("PATCH", `collection/folders/${id}`, { followed }),

    /** @param {number} id @param {boolean} favourite */
    favourite: (id, favourite) => send("PATCH", `collection/sounds/${id}`, { favourite }),

    /** @returns {Promise<{collections: import("./marks.js").Named[]}>} */
    named: () => get("collection/named"),

    /** @param {string} name @returns {Promise<import("./marks.js").Named>} */
    createNamed: (name) => post("collection/named", { name }),

    /** @param {number} id */
    removeNamed: (id) => send("DELETE", `collection/named/${id}`),

    /** @param {number} id */
    restoreNamed: (id) => send("POST", `collection/named/${id}/restoration`),

    /** @param {number} id @param {number[]} sounds */
    add: (id, sounds) => post(`collection/named/${id}/sounds`, { sounds }),

    /** @param {number} id @param {number[]} sounds */
    takeOut: (id, sounds) => post(`collection/named/${id}/removals`, { sounds }),

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

    /** @param {number[]} ids @param {AbortSignal} [signal] @returns {Promise<Sounds>} */
    selected: (ids, signal) => get(`collection/selection?ids=${ids.join(",")}`, signal),

    /** @param {number} id @param {number} limit @param {AbortSignal} [signal] @returns {Promise<Sounds>} */
    neighbours: (id, limit, signal) => get(`collection/sounds/${id}/neighbours?limit=${limit}`, signal),
  };
}

/** @typedef {ReturnType<typeof createCollectionApi>} CollectionApi */
