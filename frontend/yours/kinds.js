// @ts-check
/** Which of the sounds in recordings are of one kind: hits of the same drum, not one recording twice. */

import { clamp } from "../core/colour.js";
import { spectrogram } from "../core/spectrogram.js";

/** @typedef {{samples: Float32Array, rate: import("../core/state.js").Hertz}} Sound */

const SHAPE = { columns: 10, bands: 20, seconds: 0.3 }; // the attack, and how it dies
const DEPTH = 40; // dB under a sound's own peak that are looked at
const ALIKE = 0.2; // share of two pictures that is not in both; hits of one played drum differ by less

/** What a sound looks like, each cell 0 to 1. @param {Sound} sound @returns {Float32Array} */
function pictureOf({ samples, rate }) {
  const { dB, peak } = spectrogram(samples, rate, SHAPE);
  return dB.map((level) => clamp((level - peak + DEPTH) / DEPTH));
}

/**
 * 1 - sum of the lower over sum of the higher (Ruzicka): 0 is the same, 1 nothing in common.
 * @param {Float32Array} first
 * @param {Float32Array} other
 */
function difference(first, other) {
  let [common, all] = [0, 0];
  first.forEach((value, i) => {
    common += Math.min(value, other[i]);
    all += Math.max(value, other[i]);
  });
  return all ? 1 - common / all : 0;
}

/**
 * A number for each sound; those of one kind have the same. Each is held against the first of every kind.
 * @param {readonly Sound[]} sounds
 * @returns {number[]}
 */
export function kindsOf(sounds) {
  /** @type {Float32Array[]} */
  const firsts = [];
  return sounds.map((sound) => {
    const picture = pictureOf(sound);
    const distances = firsts.map((first) => difference(picture, first));
    const nearest = distances.indexOf(Math.min(...distances));
    return nearest >= 0 && distances[nearest] < ALIKE ? nearest : firsts.push(picture) - 1;
  });
}
