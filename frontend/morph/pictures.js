// @ts-check
/** The spectrograms of a morph's steps, computed a few at a time so that nothing waits for them. */

import { STEPS, isThere } from "../core/state.js";
import { spectrogram } from "../core/spectrogram.js";

/** @typedef {import("../core/state.js").RenderedPath} Morph */
/** @typedef {import("../core/spectrogram.js").Picture} Picture */

const COLUMNS = 36;
const BANDS = 56;
const AT_ONCE = 3;

/** @type {WeakMap<AudioBuffer, Promise<Picture[]>>} */
const glides = new WeakMap();
/** @type {WeakMap<AudioBuffer, {seconds: number, pictures: (Picture | null)[]}>} */
const cache = new WeakMap();

const turn = () => new Promise((resolve) => setTimeout(resolve));

/**
 * Of each step, null where it has not come.
 * @param {Morph} morph @param {number} seconds how much of each step is shown
 */
export async function stepPictures({ sounds }, seconds) {
  const { buffer, stepSamples, steps } = sounds;
  let recent = cache.get(buffer);
  if (recent?.seconds !== seconds) cache.set(buffer, (recent = { seconds, pictures: [] }));
  const { pictures } = recent;
  let count = 0;
  for (let i = 0; i < Math.min(STEPS, steps); i++) {
    if ((pictures[i] ??= null) || !isThere(sounds, i)) continue;
    if (count++ % AT_ONCE === 0) await turn();
    const step = buffer.getChannelData(0).subarray(i * stepSamples, (i + 1) * stepSamples);
    pictures[i] = spectrogram(step, buffer.sampleRate, { columns: COLUMNS, bands: BANDS, seconds });
  }
  return [...pictures];
}

/** @param {AudioBuffer} buffer @param {number} columns */
export function glidePicture(buffer, columns) {
  let request = glides.get(buffer);
  if (!request) {
    glides.set(
      buffer,
      (request = turn().then(() => [
        spectrogram(buffer.getChannelData(0), buffer.sampleRate, {
          columns,
          bands: BANDS,
          seconds: buffer.duration,
          even: true,
        }),
      ])),
    );
  }
  return request;
}
