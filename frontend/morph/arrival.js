// @ts-check
/** A morph that comes step by step: its paths first, then one sound after the other into their places. */

/** @typedef {import("../core/state.js").RenderedPath} RenderedPath */
/** @typedef {import("../core/state.js").PathKind} PathKind */
/** @typedef {Partial<Record<PathKind, RenderedPath>>} Paths */

/** What a path's kind stands for here: the graph takes the geodesic's place. @param {string} kind @returns {PathKind} */
const keyOf = (kind) => (kind === "graph" ? "geodesic" : /** @type {PathKind} */ (kind));

/**
 * @param {object} parts
 * @param {(samples: number, sampleRate: number) => AudioBuffer} parts.emptyBuffer
 * @param {(bytes: ArrayBuffer) => AudioBuffer} parts.toAudioBuffer
 */
export function createArrival({ emptyBuffer, toAudioBuffer }) {
  /** @type {Paths} */
  let paths = {};

  /** @param {any} header */
  function begin({ paths: facts, steps, step_samples: stepSamples, sample_rate: rate }) {
    for (const path of facts) {
      const sounds = {
        buffer: emptyBuffer(steps * stepSamples, rate),
        stepSamples,
        steps,
        there: Array(steps).fill(false),
      };
      paths[keyOf(path.kind)] = { ...path, sounds };
    }
  }

  /** @param {any} header @param {ArrayBuffer} wav */
  function fill({ kind, step }, wav) {
    const path = /** @type {RenderedPath} */ (paths[keyOf(kind)]);
    const { sounds } = path;
    sounds.buffer.copyToChannel(toAudioBuffer(wav).getChannelData(0), 0, step * sounds.stepSamples);
    paths[keyOf(kind)] = {
      ...path,
      sounds: { ...sounds, there: sounds.there?.map((before, i) => before || i === step) },
    };
  }

  /** What was known of the paths before they were rendered is now known better. @param {any} header */
  function finish({ reply }) {
    for (const facts of reply.morphs) {
      const { sounds } = /** @type {RenderedPath} */ (paths[keyOf(facts.kind)]);
      paths[keyOf(facts.kind)] = { ...facts, sounds };
    }
  }

  return {
    /**
     * @param {import("../core/frames.js").Frame[]} frames that came together
     * @returns {Paths} all that is there by now
     */
    take(frames) {
      paths = { ...paths };
      for (const { header, bytes } of frames) {
        if (header.frame === "paths") begin(header);
        else if (header.frame === "step") fill(header, bytes.buffer);
        else if (header.frame === "end") finish(header);
      }
      return paths;
    },
  };
}
