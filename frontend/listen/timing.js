// @ts-check
/** How long the steps of a morph last. */

import { STEPS } from "../core/state.js";
import { audibleSeconds, stepSeconds } from "./level.js";

/** @typedef {import("../core/state.js").RenderedPath} RenderedPath */

/**
 * How long each step lasts when the morph is played, in seconds; null: it is not there yet. Both paths have one
 * rhythm, so that one can switch between them.
 * @param {import("../core/state.js").Morph} morph
 */
export function stepsAsPlayed({ paths: { geodesic, linear } }) {
  if (!geodesic || !linear) return null;
  const [first, other] = [geodesic, linear].map(audibleSteps);
  return first.map((seconds, i) => stepSeconds(Math.max(seconds, other[i])));
}

/** @type {WeakMap<AudioBuffer, number[]>} */
const audible = new WeakMap();

/** How long each step can be heard, in seconds. @param {RenderedPath} path */
export function audibleSteps({ sounds: { buffer, stepSamples, steps } }) {
  let seconds = audible.get(buffer);
  if (!seconds) {
    const samples = buffer.getChannelData(0);
    seconds = Array.from({ length: Math.min(steps, STEPS) }, (_, i) =>
      audibleSeconds(samples.subarray(i * stepSamples, (i + 1) * stepSamples), buffer.sampleRate),
    );
    audible.set(buffer, seconds);
  }
  return seconds;
}
