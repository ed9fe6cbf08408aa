// @ts-check
/** Plays the glides of all paths in phase: one sound that travels from A to B while it sounds. */

/** @typedef {import("../core/state.js").PathKind} PathKind */

const FADE = 0.015; // Seconds
const SOON = 0.01;

/**
 * @param {BaseAudioContext} context
 * @param {import("./mixer.js").Mixer} mixer
 * @param {{ended: () => void}} hear
 */
export function createGlidePlayer(context, mixer, hear) {
  /** @type {Map<PathKind, AudioBuffer>} */
  const buffers = new Map();
  /** @type {Map<PathKind, {source: AudioBufferSourceNode, gain: GainNode}>} */
  const voices = new Map();
  let origin = 0; // context time at which the glide is, or was, at A
  let running = false;
  let looping = false;
  let started = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const seconds = () => Math.max(0.01, ...[...buffers.values()].map((buffer) => buffer.duration));

  /** @param {PathKind} kind */
  function join(kind) {
    const buffer = buffers.get(kind);
    if (!buffer) return;
    const source = context.createBufferSource();
    const gain = context.createGain();
    source.buffer = buffer;
    source.loop = looping;
    const startAt = context.currentTime + SOON;
    const phase = (startAt - origin) % seconds();
    gain.gain.setValueAtTime(0, startAt);
    gain.gain.linearRampToValueAtTime(1, startAt + (phase > SOON ? FADE : 0.001));
    source.connect(gain).connect(mixer.bus(kind));
    source.start(startAt, phase);
    started++;
    voices.set(kind, { source, gain });
  }

  function stop() {
    const now = context.currentTime;
    for (const { source, gain } of voices.values()) {
      const level = gain.gain.value;
      gain.gain.cancelScheduledValues(0);
      gain.gain.setValueAtTime(level, now);
      gain.gain.linearRampToValueAtTime(0, now + FADE);
      source.stop(now + FADE + 0.001);
      source.onended = () => gain.disconnect();
    }
    voices.clear();
  }

  function awaitEnd() {
    clearTimeout(timer);
    if (!running || looping) return;
    const remaining = seconds() - ((context.currentTime - origin) % seconds());
    timer = setTimeout(() => {
      if (!running || looping) return;
      stop();
      running = false;
      hear.ended();
    }, remaining * 1000);
  }

  return {
    /** @param {PathKind} kind @param {AudioBuffer} buffer */
    load(kind, buffer) {
      if (buffers.get(kind) === buffer) return;
      buffers.set(kind, buffer);
      if (running) join(kind);
    },
    unload() {
      this.pause();
      buffers.clear();
    },
    has: (/** @type {PathKind} */ kind) => buffers.has(kind),
    /** @param {boolean} on */
    setLoop(on) {
      looping = on;
      for (const { source } of voices.values()) source.loop = on;
      awaitEnd();
    },
    /** @param {number} progress 0 at A, 1 at B */
    play(progress) {
      stop();
      running = true;
      origin = context.currentTime + SOON - progress * seconds();
      for (const kind of buffers.keys()) join(kind);
      awaitEnd();
    },
    pause() {
      stop();
      running = false;
      clearTimeout(timer);
    },
    /** 0 at A, 1 at B. */
    position() {
      const progress = Math.max(0, context.currentTime - origin) / seconds();
      return looping ? progress % 1 : Math.min(1, progress);
    },
    sounding: () => running,
    started: () => started,
    dispose() {
      stop();
      clearTimeout(timer);
    },
  };
}

/** @typedef {ReturnType<typeof createGlidePlayer>} GlidePlayer */
