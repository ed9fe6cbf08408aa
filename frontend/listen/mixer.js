// @ts-check
/** One bus a path. All paths run at the same time; choosing one only moves gains, so nothing ever restarts. */

/** @typedef {import("../core/state.js").PathKind} PathKind */

const SWITCH = 0.008; // Seconds; shorter clicks on sustained tones, longer is heard as a blend

/**
 * @param {BaseAudioContext} context
 * @param {AudioNode} output
 */
export function createMixer(context, output) {
  /** @type {Map<PathKind, GainNode>} */
  const buses = new Map();
  /** @type {Map<PathKind, {from: number, to: number, at: number}>} */
  const fades = new Map();
  /** @type {PathKind} */
  let chosenPath = "geodesic";

  /** Where the gain of a bus is now: half a cosine, equal power from one path to another. @param {PathKind} kind */
  function gainNow(kind) {
    const fade = fades.get(kind);
    if (!fade) return kind === chosenPath ? 1 : 0;
    const t = Math.min(1, Math.max(0, (context.currentTime - fade.at) / SWITCH));
    return shape(fade.from, fade.to, t);
  }

  return {
    /** @param {PathKind} kind @returns {GainNode} */
    bus(kind) {
      let bus = buses.get(kind);
      if (!bus) {
        bus = context.createGain();
        bus.gain.value = kind === chosenPath ? 1 : 0;
        bus.connect(output);
        buses.set(kind, bus);
      }
      return bus;
    },

    /** @param {PathKind} kind */
    choose(kind) {
      if (kind === chosenPath) return;
      const from = new Map([...buses.keys()].map((each) => [each, gainNow(each)]));
      chosenPath = kind;
      for (const [each, bus] of buses) {
        const [low, high] = [from.get(each) ?? 0, each === kind ? 1 : 0];
        const curve = Float32Array.from({ length: 17 }, (_, i) => shape(low, high, i / 16));
        bus.gain.cancelScheduledValues(0);
        bus.gain.setValueCurveAtTime(curve, context.currentTime, SWITCH);
        fades.set(each, { from: low, to: high, at: context.currentTime });
      }
    },

    chosen: () => chosenPath,
    dispose() {
      for (const bus of buses.values()) bus.disconnect();
      buses.clear();
    },
  };
}

/**
 * From one gain to another in power: sqrt of a raised cosine between the squares.
 * @param {number} from
 * @param {number} to
 * @param {number} t
 */
function shape(from, to, t) {
  const u = 0.5 - 0.5 * Math.cos(Math.PI * t);
  return Math.sqrt(from * from + (to * to - from * from) * u);
}

/** @typedef {ReturnType<typeof createMixer>} Mixer */
