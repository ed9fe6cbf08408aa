// @ts-check
/** The one voice that sounds what is pointed at. It never stacks: a new sound fades the one before. */

import { safeGain } from "./level.js";

const FADE = 0.012; // Seconds

/**
 * @param {BaseAudioContext} context
 * @param {AudioNode} output
 */
export function createVoice(context, output) {
  /** @type {{source: AudioBufferSourceNode, gain: GainNode} | null} */
  let sounding = null;

  function stop() {
    if (!sounding) return;
    const { source, gain } = sounding;
    const now = context.currentTime;
    const level = gain.gain.value;
    gain.gain.cancelScheduledValues(0);
    gain.gain.setValueAtTime(level, now);
    gain.gain.linearRampToValueAtTime(0, now + FADE);
    source.stop(now + FADE + 0.001);
    sounding = null;
  }

  return {
    /** @param {AudioBuffer} buffer */
    play(buffer) {
      stop();
      const source = context.createBufferSource();
      const gain = context.createGain();
      source.buffer = buffer;
      gain.gain.value = safeGain(buffer.getChannelData(0), buffer.sampleRate);
      source.connect(gain).connect(output);
      source.onended = () => {
        gain.disconnect();
        if (sounding?.source === source) sounding = null;
      };
      source.start();
      sounding = { source, gain };
    },
    stop,
    sounding: () => sounding !== null,
  };
}
