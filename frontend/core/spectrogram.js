// @ts-check
/** Pictures of sound: power in mel bands, over a time axis that is dense at the attack. */

import { clamp } from "./colour.js";
import { createFft } from "./fft.js";

/** @typedef {import("./state.js").Hertz} Hertz */
/** @typedef {import("./state.js").Seconds} Seconds */

const SIZE = 2048;
const LOW = 40; // Hertz
const HIGH = 16000;
const ATTACK = 0.05; // Seconds: up to about here time is linear, then logarithmic
const TILT = 3; // dB an octave over 1 kHz: as the ear, and the eye, wants it
const RANGE = 62; // dB from black to full
const power = createFft(SIZE);

/**
 * @typedef {object} Picture
 * @property {number} columns
 * @property {number} bands         the lowest first
 * @property {Float32Array} dB      dB[column * bands + band]
 * @property {number} peak          the loudest cell, dB
 */

const mel = (/** @type {Hertz} */ f) => 2595 * Math.log10(1 + f / 700);
const hertz = (/** @type {number} */ m) => 700 * (10 ** (m / 2595) - 1);

/**
 * When column c of n begins: t = a (exp(u) - 1), u even.
 * @param {number} c
 * @param {number} n
 * @param {Seconds} seconds
 */
export const warped = (c, n, seconds) => ATTACK * Math.expm1((Math.log1p(seconds / ATTACK) * c) / n);

/**
 * @param {Float32Array} samples
 * @param {Hertz} rate
 * @param {{columns: number, bands: number, seconds: Seconds, even?: boolean}} shape even: linear time
 * @returns {Picture}
 */
export function spectrogram(samples, rate, { columns, bands, seconds, even = false }) {
  const dB = new Float32Array(columns * bands);
  const out = new Float32Array(SIZE / 2 + 1);
  const frame = new Float32Array(SIZE);
  const top = Math.min(HIGH, rate / 2);
  const edges = Array.from(
    { length: bands + 2 },
    (_, b) => (hertz(mel(LOW) + ((mel(top) - mel(LOW)) * b) / (bands + 1)) / rate) * SIZE,
  );
  const tilt = Array.from(
    { length: bands },
    (_, b) => TILT * Math.log2(Math.max(0.06, ((edges[b + 1] / SIZE) * rate) / 1000)),
  );
  const start = (/** @type {number} */ c) => (even ? (seconds * c) / columns : warped(c, columns, seconds));
  let peak = -Infinity;
  for (let c = 0; c < columns; c++) {
    // short windows where time is dense, long ones where it is not: sharp attacks and sharp partials
    const span = (start(c + 1) - start(c)) * rate;
    const length = Math.round(clamp(2 * span, 1024, SIZE));
    const middle = Math.round(((start(c) + start(c + 1)) / 2) * rate);
    const from = Math.max(0, middle - (length >> 1));
    frame.fill(0);
    let energy = 0;
    for (let i = 0; i < length; i++) {
      const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / length);
      frame[i] = (samples[from + i] ?? 0) * w;
      energy += w * w;
    }
    power(frame, out);
    for (let b = 0; b < bands; b++) {
      const value =
        10 * Math.log10(band(out, edges[b], edges[b + 1], edges[b + 2]) / energy + 1e-12) + tilt[b];
      dB[c * bands + b] = value;
      if (value > peak) peak = value;
    }
  }
  return { columns, bands, dB, peak };
}

/**
 * The mean under a triangle; between bins where the triangle is narrower than one.
 * @param {Float32Array} power
 * @param {number} low
 * @param {number} middle
 * @param {number} high
 */
function band(power, low, middle, high) {
  let [sum, weight] = [0, 0];
  for (let k = Math.ceil(low); k <= high && k < power.length; k++) {
    const w = k <= middle ? (k - low) / (middle - low) : (high - k) / (high - middle);
    sum += w * power[k];
    weight += w;
  }
  if (weight > 0.5) return sum / weight;
  const k = Math.min(power.length - 2, Math.floor(middle));
  return power[k] + (power[k + 1] - power[k]) * (middle - k);
}

/**
 * How strongly a point of the picture shows, 0 to 1: bilinear, on the scale under `peak`.
 * @param {Picture} picture
 * @param {number} x
 * @param {number} y 0 to 1 from the lower left corner
 * @param {number} peak dB
 */
export function strength({ columns, bands, dB }, x, y, peak) {
  const u = clamp(x * columns - 0.5, 0, columns - 1.001);
  const v = clamp(y * bands - 0.5, 0, bands - 1.001);
  const [i, j] = [Math.floor(u), Math.floor(v)];
  const [p, q] = [u - i, v - j];
  const at = i * bands + j;
  const value =
    (dB[at] * (1 - p) + dB[at + bands] * p) * (1 - q) + (dB[at + 1] * (1 - p) + dB[at + bands + 1] * p) * q;
  return clamp((value - peak + RANGE) / RANGE) ** 1.7;
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {{x: number, y: number, w: number, h: number}} box in device pixels
 * @param {(x: number, y: number) => readonly number[]} colour at 0 to 1 from the lower left corner: r, g, b
 */
export function paint(c, { x, y, w, h }, colour) {
  if (w < 1 || h < 1) return;
  const image = c.createImageData(w, h);
  for (let j = 0; j < h; j++)
    for (let i = 0; i < w; i++) {
      const [r, g, b] = colour((i + 0.5) / w, 1 - (j + 0.5) / h);
      const at = 4 * (j * w + i);
      image.data[at] = r;
      image.data[at + 1] = g;
      image.data[at + 2] = b;
      image.data[at + 3] = 255;
    }
  c.putImageData(image, x, y);
}
