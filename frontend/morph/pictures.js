// @ts-check
/** The spectrograms of a morph's steps, computed a few at a time so that nothing waits for them. */

import { STEPS } from "../core/state.js";
import { spectrogram } from "../core/spectrogram.js";

/** @typedef {import("../core/state.js").RenderedPath} Morph */
/** @typedef {import("../core/spectrogram.js").Picture} Picture */

const COLUMNS = 36;
const BANDS = 56;
const AT_ONCE = 3;

/** @type {WeakMap<object, Promise<Picture[]>>} */
const cache = new WeakMap();

const turn = () => new Promise((resolve) => setTimeout(resolve));

/** @param {Morph} morph @param {number} seconds how much of each step is shown */
export function stepPictures({ sounds: { buffer, stepSamples, steps } }, seconds) {
  let request = cache.get(buffer);
  if (!request) {
    cache.set(
      buffer,
      (request = (async () => {
        const samples = buffer.getChannelData(0);
        const pictures = [];
        for (let i = 0; i < Math.min(STEPS, steps); i++) {
          if (i % AT_ONCE === 0) await turn();
          const step = samples.subarray(i * stepSamples, (i + 1) * stepSamples);
          pictures.push(spectrogram(step, buffer.sampleRate, { columns: COLUMNS, bands: BANDS, seconds }));
        }
        return pictures;
      })()),
    );
  }
  return request;
}

/** @param {AudioBuffer} buffer @param {number} columns */
export function glidePicture(buffer, columns) {
  let request = cache.get(buffer);
  if (!request) {
    cache.set(
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
