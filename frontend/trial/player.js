// @ts-check
/** The sounds of a trial, all running at once in step; choosing one only moves gains, so the position stays. */

/** @typedef {number} Seconds */

const FADE = 0.005; // Seconds, half a cosine; harder switches click and tell when they happened

/**
 * Where a fade from one gain to another is; t from 0 to 1.
 * @param {number} from
 * @param {number} to
 * @param {number} t
 */
const raisedCosine = (from, to, t) => from + ((to - from) * (1 - Math.cos(Math.PI * t))) / 2;

const POINTS = 33;

/** @param {BaseAudioContext} context */
export function createPlayer(context) {
  /** @type {AudioBuffer | null} */
  let buffer = null;
  /** @type {AudioBufferSourceNode | null} */
  let source = null;
  /** @type {ChannelSplitterNode | null} */
  let splitter = null;
  /** @type {{node: GainNode, from: number, to: number, at: number}[]} */
  let buses = [];
  let audible = 0;
  let offset = 0; // Seconds into the sound at `since`
  let since = 0;

  /** @param {{from: number, to: number, at: number}} bus */
  const gainNow = ({ from, to, at }) =>
    raisedCosine(from, to, Math.min(1, Math.max(0, (context.currentTime - at) / FADE)));

  /** @param {number} index @param {number} to */
  function fade(index, to) {
    const bus = buses[index];
    const from = gainNow(bus);
    bus.node.gain.cancelScheduledValues(0);
    if (from !== to) {
      const curve = Float32Array.from({ length: POINTS }, (_, i) => raisedCosine(from, to, i / (POINTS - 1)));
      bus.node.gain.setValueCurveAtTime(curve, context.currentTime, FADE);
    }
    Object.assign(bus, { from, to, at: context.currentTime });
  }

  const position = () =>
    buffer ? (offset + (source ? context.currentTime - since : 0)) % buffer.duration : 0;

  function stop() {
    if (!source) return;
    offset = position();
    const ending = source;
    buses.forEach((_, index) => fade(index, 0));
    source = null;
    ending.stop(context.currentTime + FADE);
  }

  function start() {
    if (!buffer || !splitter || source) return;
    source = context.createBufferSource();
    source.buffer = buffer;
    source.loop = true;
    source.connect(splitter);
    source.start(context.currentTime, offset);
    since = context.currentTime;
    fade(audible, 1);
  }

  return {
    /** A channel for each of the sounds. @param {AudioBuffer} sounds */
    load(sounds) {
      stop();
      for (const { node } of buses) node.disconnect();
      splitter?.disconnect();
      buffer = sounds;
      offset = 0;
      const split = context.createChannelSplitter(sounds.numberOfChannels);
      splitter = split;
      buses = Array.from({ length: sounds.numberOfChannels }, (_, index) => {
        const node = context.createGain();
        node.gain.value = 0;
        split.connect(node, index);
        node.connect(context.destination);
        return { node, from: 0, to: 0, at: -FADE };
      });
    },
    /** Hear one of the sounds, from where the others are. @param {number} index */
    choose(index) {
      audible = index;
      if (source) buses.forEach((_, each) => fade(each, each === index ? 1 : 0));
      else start();
    },
    start,
    stop,
    /** @param {Seconds} seconds */
    seek(seconds) {
      const playing = source !== null;
      stop();
      offset = seconds;
      if (playing) start();
    },
    position,
    duration: () => buffer?.duration ?? 0,
    playing: () => source !== null,
    audible: () => audible,
  };
}
