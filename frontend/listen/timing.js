// @ts-check
/** How long the steps of a morph last. */

import { STEPS, isThere } from "../core/state.js";
import { audibleSeconds, safeGain, stepSeconds } from "./level.js";

/** @typedef {import("../core/state.js").RenderedPath} RenderedPath */
/** @typedef {{seconds: number, gain: number}} StepMeasures   how long it can be heard; what would turn it down */

/**
 * How long each step lasts when the morph is played, in seconds; null: nothing is there yet. Both paths have one
 * rhythm, so that one can switch between them. A step that comes later on one of them may last longer then.
 * @param {import("../core/state.js").Morph} morph
 */
export function stepsAsPlayed({ paths: { geodesic, linear } }) {
  const paths = [geodesic, linear].flatMap((path) => path ?? []);
  if (!paths.length) return null;
  const audible = paths.map(audibleSteps);
  return audible[0].map((_, i) => stepSeconds(Math.max(...audible.map((seconds) => seconds[i]))));
}

/** How long each step can be heard, in seconds; 0 where it has not come. @param {RenderedPath} path */
export const audibleSteps = (path) => measuresOf(path).map((measures) => measures?.seconds ?? 0);

/** The gain that turns down the loudest step that has come. @param {RenderedPath[]} paths */
export const gainOf = (paths) =>
  Math.min(1, ...paths.flatMap((path) => measuresOf(path).map((measures) => measures?.gain ?? 1)));

/** @type {WeakMap<AudioBuffer, (StepMeasures | null)[]>} */
const measured = new WeakMap();

/** Of each step, null where it has not come. @param {RenderedPath} path */
function measuresOf({ sounds }) {
  const { buffer, stepSamples, steps } = sounds;
  const samples = buffer.getChannelData(0);
  const before = measured.get(buffer);
  const measures = Array.from({ length: Math.min(steps, STEPS) }, (_, i) => {
    if (before?.[i] || !isThere(sounds, i)) return before?.[i] ?? null;
    const step = samples.subarray(i * stepSamples, (i + 1) * stepSamples);
    return {
      seconds: audibleSeconds(step, buffer.sampleRate),
      gain: safeGain(step, buffer.sampleRate),
    };
  });
  measured.set(buffer, measures);
  return measures;
}
