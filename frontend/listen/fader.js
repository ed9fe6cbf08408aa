// @ts-check
/** A gain that fades to another value from wherever it is: harder switches click, and tell when they happened. */

const POINTS = 33; // of a curve; straight lines between them

/** @typedef {(from: number, to: number, t: number) => number} Curve   the gain on its way; t from 0 to 1 */

/** From 0 at 0 to 1 at 1. @param {number} t */
const raisedCosine = (t) => 0.5 - 0.5 * Math.cos(Math.PI * t);

/** For signals that add up in phase. @type {Curve} */
export const equalGain = (from, to, t) => from + (to - from) * raisedCosine(t);

/** For signals that add up in power. @type {Curve} */
export const equalPower = (from, to, t) => Math.sqrt(from * from + (to * to - from * from) * raisedCosine(t));

/**
 * @param {BaseAudioContext} context
 * @param {number} value at first
 * @param {number} seconds of a fade
 * @param {Curve} curve
 */
export function createFader(context, value, seconds, curve) {
  const node = context.createGain();
  node.gain.value = value;
  let fade = { from: value, to: value, at: -seconds };

  function gainNow() {
    const t = Math.min(1, Math.max(0, (context.currentTime - fade.at) / seconds));
    return curve(fade.from, fade.to, t);
  }

  return {
    node,
    /** @param {number} to */
    fadeTo(to) {
      const [from, at] = [gainNow(), context.currentTime];
      fade = { from, to, at };
      node.gain.cancelScheduledValues(0);
      if (from === to) return;
      const gains = Float32Array.from({ length: POINTS }, (_, i) => curve(from, to, i / (POINTS - 1)));
      node.gain.setValueCurveAtTime(gains, at, seconds);
    },
  };
}

/** @typedef {ReturnType<typeof createFader>} Fader */
