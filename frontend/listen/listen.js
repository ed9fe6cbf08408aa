// @ts-check
/** The owner of the AudioContext: one module makes it, hands out what plays, and takes it down again. */

import { LIMITER_RANGE, limiterCurve } from "./level.js";
import { createGlidePlayer } from "./glide.js";
import { createMixer } from "./mixer.js";
import { createStepPlayer } from "./steps.js";
import { createVoice } from "./voice.js";

const VOLUME_GLIDE = 0.02; // Seconds, so that it does not crackle

/** The gain of a volume: half way down sounds half as loud, 10 dB less. @param {number} level 0 to 1 */
const loudness = (level) => level ** (10 / (20 * Math.log10(2)));

/**
 * @param {object} options
 * @param {(options: AudioContextOptions) => AudioContext} options.makeContext
 * @param {() => void} options.ended the morph is over
 * @param {number} [options.sampleRate]
 */
export function createListen({ makeContext, ended, sampleRate = 44100 }) {
  /** @type {ReturnType<typeof wire> | null} */
  let wired = null;
  let volume = 1;

  /** The browser lets sound start only in a click or a key press: so nothing is made before one. */
  function wire() {
    const context = makeContext({ latencyHint: "interactive", sampleRate });
    const morphs = context.createGain();
    const reduce = context.createGain();
    reduce.gain.value = 1 / LIMITER_RANGE;
    const limiter = context.createWaveShaper();
    limiter.curve = limiterCurve();
    const tap = context.createAnalyser();
    tap.fftSize = 2048;
    tap.smoothingTimeConstant = 0;
    const output = context.createGain();
    output.gain.value = loudness(volume);
    morphs.connect(reduce);
    reduce.connect(limiter).connect(output).connect(tap).connect(context.destination);
    const mixer = createMixer(context, morphs);
    const traversals = context.createGain();
    traversals.connect(reduce);
    return {
      context,
      morphs,
      traversals,
      tap,
      output,
      mixer,
      steps: createStepPlayer(context, mixer, { ended }),
      glide: createGlidePlayer(context, mixer, { ended }),
      traversal: createStepPlayer(context, createMixer(context, traversals), { ended() {} }), // the named sliders
      voice: createVoice(context, reduce),
      scope: new Float32Array(tap.fftSize),
    };
  }

  return {
    /** Call from a click or a key press. @returns {Promise<boolean>} is sound on? */
    async unlock() {
      wired ??= wire();
      if (wired.context.state !== "running") await wired.context.resume();
      return wired.context.state === "running";
    },
    /** What there is to play with; null until the first `unlock`. */
    parts: () => wired,
    running: () => wired?.context.state === "running",

    /** Of everything. @param {number} level 0 to 1, in equal steps to the ear */
    setVolume(level) {
      volume = level;
      wired?.output.gain.setTargetAtTime(loudness(level), wired.context.currentTime, VOLUME_GLIDE);
    },

    /** From the page to the ear, in seconds; null where the browser does not say. */
    latency() {
      if (!wired) return null;
      const { baseLatency, outputLatency } = wired.context;
      const sum = (baseLatency || 0) + (outputLatency || 0);
      return outputLatency > 0 && Number.isFinite(sum) ? sum : null;
    },

    /** RMS of the last 46 ms that went out, full scale = 1. */
    level() {
      if (!wired) return 0;
      wired.tap.getFloatTimeDomainData(wired.scope);
      return Math.sqrt(wired.scope.reduce((sum, x) => sum + x * x, 0) / wired.scope.length);
    },

    /** How many sources the morphs have started: switching paths must not add to it. */
    started: () => (wired ? wired.steps.started() + wired.glide.started() : 0),

    dispose() {
      wired?.steps.dispose();
      wired?.glide.dispose();
      wired?.traversal.dispose();
      void wired?.context.close();
      wired = null;
    },
  };
}

/** @typedef {ReturnType<typeof createListen>} Listen */
