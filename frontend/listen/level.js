// @ts-check
/** How loud, and for how long. */

/** @typedef {import("../core/state.js").Seconds} Seconds */
/** @typedef {import("../core/state.js").Hertz} Hertz */

const FRAME = 0.01; // Seconds
const AUDIBLE = 10 ** (-45 / 10); // power under the loudest frame: 45 dB down a one-shot is over to the ear

/** Mean power of each frame. @param {Float32Array} samples @param {Hertz} rate */
function powers(samples, rate) {
  const size = Math.max(1, Math.round(FRAME * rate));
  const out = new Float64Array(Math.ceil(samples.length / size));
  for (let f = 0; f < out.length; f++) {
    const end = Math.min(samples.length, (f + 1) * size);
    let sum = 0;
    for (let i = f * size; i < end; i++) sum += samples[i] * samples[i];
    out[f] = sum / (end - f * size);
  }
  return out;
}

/**
 * From the start to the last frame that is still audible.
 * @param {Float32Array} samples
 * @param {Hertz} rate
 * @returns {Seconds}
 */
export function audibleSeconds(samples, rate) {
  const power = powers(samples, rate);
  const peak = power.reduce((most, p) => Math.max(most, p), 0);
  if (peak === 0) return 0;
  let last = power.length - 1;
  while (last > 0 && power[last] < peak * AUDIBLE) last--;
  return Math.min(samples.length / rate, (last + 1) * FRAME);
}

/** @param {Seconds} audible @returns {Seconds} how long a step lasts: long enough to be a step, never all tail */
export const stepSeconds = (audible) => Math.min(1.5, Math.max(0.25, audible));

/**
 * A gain that turns down what would startle, and never turns anything up: the loudest 10 ms at most -12 dBFS, peaks
 * at most -1 dBFS.
 * @param {Float32Array} samples @param {Hertz} rate
 */
export function safeGain(samples, rate) {
  const loudest = Math.sqrt(powers(samples, rate).reduce((most, p) => Math.max(most, p), 0));
  let peak = 0;
  for (let i = 0; i < samples.length; i++) peak = Math.max(peak, Math.abs(samples[i]));
  return peak === 0 ? 1 : Math.min(1, 10 ** (-12 / 20) / loudest, 10 ** (-1 / 20) / peak);
}

/**
 * The shape of the last stage: straight up to .8 of full scale, then bent so that it never gets past 1. Nothing that
 * plays at a sane level is touched, and there is no delay, as a look-ahead limiter would have.
 * @param {number} [points]
 */
export function limiterCurve(points = 4097) {
  const curve = new Float32Array(points);
  const knee = 0.8;
  for (let i = 0; i < points; i++) {
    const x = ((2 * i) / (points - 1) - 1) * LIMITER_RANGE;
    const over = Math.max(0, Math.abs(x) - knee);
    curve[i] = Math.sign(x) * (Math.min(Math.abs(x), knee) + (1 - knee) * Math.tanh(over / (1 - knee)));
  }
  return curve;
}

/** The shaper reads its curve from -1 to 1: what goes in is divided by this first. */
export const LIMITER_RANGE = 4;
