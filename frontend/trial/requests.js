// @ts-check
/** The service's listening tests, as functions; what cannot be reached is tried again until it answers. */

import { ApiError, createClient } from "../core/client.js";
import { busyWords } from "../core/text.js";

/** @typedef {"abx" | "preference"} Method */
/** @typedef {{true_share: number, power: number}} Power */
/**
 * @typedef {object} ListeningTest
 * @property {string} id
 * @property {string} title
 * @property {Method} method
 * @property {number} trials
 * @property {number} pairs
 * @property {number} rendered
 * @property {"preparing" | "ready" | "failed"} state
 * @property {string | null} error
 * @property {number} minimum_listens
 * @property {number | null} critical
 * @property {Power[]} power
 * @property {number} listeners
 * @property {number} finished
 * @property {string} url
 */
/** @typedef {{id: string, name: string, answered: number, trials: number, finished: boolean}} Listener */
/**
 * @typedef {{trials: number, hits?: number, a?: number, b?: number, ties?: number, p: number, share:
 *   {share: number | null, low: number, high: number}}} Outcome
 */
/**
 * @typedef {{title: string, method: Method, conditions: string[], listeners: {name: string, result:
 *   Outcome}[], pooled: {p: number, test: string} | null, unfinished: number, sentence: string, repeat:
 *   {pairs: {gains_db: number[], lufs: number}[]}}} Results
 */

const TESTS = "listening-tests";
const PAUSE = 1500; // ms between tries

/** @param {string} test @param {string} [listener] */
const at = (test, listener) =>
  `${TESTS}/${encodeURIComponent(test)}${listener ? `/listeners/${encodeURIComponent(listener)}` : ""}`;

/** Whether nobody answered, or something broke on the other side. @param {unknown} error */
const isUnanswered = (error) => error instanceof ApiError && (error.status === 0 || error.status >= 500);

/**
 * @param {(url: string, init?: RequestInit) => Promise<Response>} fetch
 * @param {(sentence: string) => void} notice shows a sentence, or nothing
 */
export function createRequests(fetch, notice) {
  const client = createClient(fetch, undefined, (seconds) => notice(busyWords(seconds)));

  /** @template T @param {() => Promise<T>} run @returns {Promise<T>} */
  async function untilAnswered(run) {
    for (;;) {
      try {
        const reply = await run();
        notice("");
        return reply;
      } catch (error) {
        if (!isUnanswered(error)) throw error;
      }
      notice("The server does not answer. Trying again; nothing is lost.");
      await new Promise((resume) => setTimeout(resume, PAUSE));
    }
  }

  /** @param {string} path */
  const get = (path) => untilAnswered(() => client.get(path));
  /** @param {string} method @param {string} path @param {object} body */
  const send = async (method, path, body) =>
    (await untilAnswered(() => client.send(method, path, body))).json();

  return {
    /** @returns {Promise<{tests: ListeningTest[]}>} */
    tests: () => get(TESTS),
    /** @returns {Promise<{models: {id: string, title: string}[], choices: import("../core/state.js").Choices}>} */
    models: () => get("models"),
    /** @param {string} id @returns {Promise<ListeningTest>} */
    test: (id) => get(at(id)),
    /** @param {object} body @returns {Promise<ListeningTest>} */
    create: (body) => send("POST", TESTS, body),
    /** @param {string} id */
    remove: (id) => untilAnswered(() => client.send("DELETE", at(id))),
    /** @param {string} test @param {object} body @returns {Promise<Listener>} */
    begin: (test, body) => send("POST", `${at(test)}/listeners`, body),
    /** @param {string} test @param {string} id @returns {Promise<Listener>} */
    listener: (test, id) => get(at(test, id)),
    /** @param {string} test @param {string} id @param {number} number @returns {Promise<ArrayBuffer>} */
    audio: async (test, id, number) =>
      (
        await untilAnswered(() => client.request(client.urlOf(`${at(test, id)}/trials/${number}/audio`)))
      ).arrayBuffer(),
    /**
     * @param {string} test
     * @param {string} id
     * @param {number} number
     * @param {object} body
     * @returns {Promise<Listener>}
     */
    answer: (test, id, number, body) => send("PUT", `${at(test, id)}/trials/${number}/answer`, body),
    /** @param {string} test @param {string} id @returns {Promise<Results>} */
    results: (test, id) => get(`${at(test, id)}/results`),
    /** @param {string} test @returns {Promise<Results>} */
    allResults: (test) => get(`${at(test)}/results`),
    /** @param {string} test @param {"json" | "csv"} format */
    resultsUrl: (test, format) => client.urlOf(`${at(test)}/results?format=${format}`),
  };
}
/** @typedef {ReturnType<typeof createRequests>} Requests */
