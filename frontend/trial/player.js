// @ts-check
/** The sounds of a trial, all running at once in step; choosing one only moves gains, so the position stays. */

import { createFader, equalGain } from "../listen/fader.js";

/** @typedef {import("../core/state.js").Seconds} Seconds */

const FADE = 0.005; // Seconds

/** @param {BaseAudioContext} context */
export function createPlayer(context) {
  /** @type {AudioBuffer | null} */
  let buffer = null;
  /** @type {AudioBufferSourceNode | null} */
  let source = null;
  /** @type {ChannelSplitterNode | null} */
  let splitter = null;
  /** @type {import("../listen/fader.js").Fader[]} */
  let faders = [];
  let audible = 0;
  let offset = 0; // Seconds into the sound at `since`
  let since = 0;

  const position = () =>
    buffer ? (offset + (source ? context.currentTime - since : 0)) % buffer.duration : 0;

  function stop() {
    if (!source) return;
    offset = position();
    const ending = source;
    for (const fader of faders) fader.fadeTo(0);
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
    faders[audible].fadeTo(1);
  }

  return {
    /** A channel for each of the sounds. @param {AudioBuffer} sounds */
    load(sounds) {
      stop();
      for (const { node } of faders) node.disconnect();
      splitter?.disconnect();
      buffer = sounds;
      offset = 0;
      const split = context.createChannelSplitter(sounds.numberOfChannels);
      splitter = split;
      faders = Array.from({ length: sounds.numberOfChannels }, (_, index) => {
        const fader = createFader(context, 0, FADE, equalGain);
        split.connect(fader.node, index);
        fader.node.connect(context.destination);
        return fader;
      });
    },
    /** Hear one of the sounds, from where the others are. @param {number} index */
    choose(index) {
      audible = index;
      if (source) faders.forEach((fader, each) => fader.fadeTo(each === index ? 1 : 0));
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
