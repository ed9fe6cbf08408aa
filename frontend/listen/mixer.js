// @ts-check
/** One bus a path. All paths run at the same time; choosing one only moves gains, so nothing ever restarts. */

import { createFader, equalPower } from "./fader.js";

/** @typedef {import("../core/state.js").PathKind} PathKind */
/** @typedef {import("./fader.js").Fader} Fader */

const SWITCH = 0.008; // Seconds; shorter clicks on sustained tones, longer is heard as a blend

/**
 * @param {BaseAudioContext} context
 * @param {AudioNode} output
 */
export function createMixer(context, output) {
  /** @type {Map<PathKind, Fader>} */
  const faders = new Map();
  /** @type {PathKind} */
  let chosenPath = "geodesic";

  /** @param {PathKind} kind */
  const levelOf = (kind) => (kind === chosenPath ? 1 : 0);

  return {
    /** @param {PathKind} kind @returns {GainNode} */
    bus(kind) {
      let fader = faders.get(kind);
      if (!fader) {
        fader = createFader(context, levelOf(kind), SWITCH, equalPower);
        fader.node.connect(output);
        faders.set(kind, fader);
      }
      return fader.node;
    },

    /** @param {PathKind} kind */
    choose(kind) {
      if (kind === chosenPath) return;
      chosenPath = kind;
      for (const [each, fader] of faders) fader.fadeTo(levelOf(each));
    },

    chosen: () => chosenPath,
    dispose() {
      for (const { node } of faders.values()) node.disconnect();
      faders.clear();
    },
  };
}

/** @typedef {ReturnType<typeof createMixer>} Mixer */
