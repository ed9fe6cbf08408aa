// @ts-check
/** Replies in frames: a line of JSON, then as many bytes as it says, as they come over the wire. */

import { ApiError } from "./api.js";

/** @typedef {{header: any, bytes: Uint8Array<ArrayBuffer>}} Frame   header: what the line says; its `frame` says which */

const NEWLINE = 10;

/** Takes what arrives apart; what is not whole yet waits for more. */
export function createFrameParser() {
  /** @type {Uint8Array<ArrayBuffer>} */
  let rest = new Uint8Array(0);
  const decoder = new TextDecoder();

  /** @returns {Frame | null} */
  function next() {
    const end = rest.indexOf(NEWLINE);
    if (end < 0) return null;
    const header = JSON.parse(decoder.decode(rest.subarray(0, end)));
    const from = end + 1;
    if (rest.length < from + header.bytes) return null;
    const bytes = rest.slice(from, from + header.bytes);
    rest = rest.slice(from + header.bytes);
    return { header, bytes };
  }

  return {
    /** @param {Uint8Array} chunk @returns {Frame[]} those that are whole now */
    push(chunk) {
      const joined = new Uint8Array(rest.length + chunk.length);
      joined.set(rest);
      joined.set(chunk, rest.length);
      rest = joined;
      const frames = [];
      for (let frame = next(); frame; frame = next()) frames.push(frame);
      return frames;
    },
  };
}

/**
 * The frames of a reply, several at a time where they came together.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Frame[], void>}
 * @throws {ApiError} the problem that a frame tells of; or the reply was cut off
 */
export async function* framesOf(body) {
  const reader = body.getReader();
  const parser = createFrameParser();
  try {
    for (;;) {
      const { value } = await read(reader);
      if (!value) throw cutOff();
      const frames = parser.push(value);
      const last = frames.findIndex(({ header }) => header.frame === "end" || header.frame === "problem");
      const problem = frames[last]?.header.problem;
      const good = problem ? frames.slice(0, last) : frames;
      if (good.length) yield good;
      if (problem) throw new ApiError(problem.detail, problem.code, problem.status);
      if (last >= 0) return;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw cutOff();
  }
}

const cutOff = () => new ApiError("The connection broke off before all of the sound had come.", "cut_off", 0);
