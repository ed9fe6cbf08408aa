// @ts-check
/**
 * Plays the steps of a morph, one after another, on all paths at once; scrubs them.
 *
 * A *slot* is one step for one stretch of time. In it every loaded path has a source of its own, started at the same
 * sample, each into its path's bus (mixer.js); a path that arrives late joins in at the right phase. So switching paths
 * never restarts anything.
 *
 * Scrubbing: the two steps around the thumb loop in phase, with equal gain between them, as long as the thumb is held.
 */

/** @typedef {import("../core/state.js").PathKind} PathKind */
/** @typedef {import("../core/state.js").StepSounds} StepSounds */
/** @typedef {import("../core/state.js").Seconds} Seconds */

const FADE = 0.015; // Seconds; a harder stop clicks on sustained tones
const SOON = 0.02; // Seconds; what should start later than now, together, must be asked for that much before
const LATE = 0.06; // Seconds; the same after the heavy work of receiving a path
const AHEAD = 0.6; // Seconds; a timer of a busy page may be late by that
const MOVE = 0.16; // Seconds; the traveller leaves a step this long before the next one sounds
const CROSSFADE = 0.012; // Seconds, time constant: 40 ms until the neighbour has taken over
const LONGEST_LOOP = 0.6; // Seconds; a thumb that is held wants to hear attacks

/**
 * @typedef {object} Voice
 * @property {AudioBufferSourceNode} source
 * @property {GainNode} gain
 */

/**
 * @typedef {object} Slot
 * @property {number} step
 * @property {number} at       context time of its first sample
 * @property {number} until
 * @property {Map<PathKind, Voice>} voices
 */

/**
 * @param {BaseAudioContext} context
 * @param {import("./mixer.js").Mixer} mixer
 * @param {{ended: () => void}} hear
 */
export function createStepPlayer(context, mixer, hear) {
  /** @type {Map<PathKind, StepSounds>} */
  const tracks = new Map();
  /** @type {Map<PathKind, GainNode>} */
  const gates = new Map();
  /** @type {Seconds[]} */
  let durations = [];
  /** @type {Slot[]} */
  let slots = [];
  /** @type {{origin: number, period: Seconds, at: number, gated: number, voices: Map<string, Voice>} | null} */
  let drag = null;
  let running = false;
  let looping = false;
  let resting = 0; // the step where it stands when nothing sounds
  let started = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  const last = () => durations.length - 1;

  /**
   * @param {PathKind} kind @param {number} step
   * @param {number} at when this step's first sample is, or was
   * @param {{until?: number, period?: Seconds, level?: number, swell?: boolean, lead?: Seconds}} how swell: as its
   *   neighbours fade
   * @returns {Voice | null}
   */
  function start(kind, step, at, { until, period, level = 1, swell = false, lead = SOON }) {
    const track = tracks.get(kind);
    if (!track || step >= track.steps) return null;
    const source = context.createBufferSource();
    const gain = context.createGain();
    source.buffer = track.buffer;
    const first = (step * track.stepSamples) / track.buffer.sampleRate;
    const startAt = Math.max(at, context.currentTime + lead);
    const phase = period ? (startAt - at) % period : startAt - at;
    const late = startAt > at;
    gain.gain.setValueAtTime(late ? 0 : level, startAt);
    if (swell) gain.gain.setTargetAtTime(level, startAt, CROSSFADE);
    else if (late) gain.gain.linearRampToValueAtTime(level, startAt + FADE);
    if (period) {
      source.loop = true;
      source.loopStart = first;
      source.loopEnd = first + period;
      source.start(startAt, first + phase);
      gain.connect(gateOf(kind));
    } else {
      const end = /** @type {number} */ (until);
      if (end <= startAt + FADE) return null;
      gain.gain.setValueAtTime(level, Math.max(startAt + (late ? FADE : 0), end - FADE));
      gain.gain.linearRampToValueAtTime(0, end);
      source.start(startAt, first + phase);
      source.stop(end + 0.001);
      gain.connect(mixer.bus(kind));
    }
    source.connect(gain);
    source.onended = () => gain.disconnect();
    started++;
    return { source, gain };
  }

  /** @param {Voice} voice @param {Seconds} [fade] @param {Seconds} [delay] */
  function silence({ source, gain }, fade = FADE, delay = 0) {
    const now = context.currentTime + delay;
    const level = gain.gain.value;
    gain.gain.cancelScheduledValues(0);
    gain.gain.setValueAtTime(level, now);
    gain.gain.linearRampToValueAtTime(0, now + fade);
    try {
      source.stop(now + fade + 0.001);
    } catch {
      // it has ended already
    }
  }

  /** Where scrubbed voices go through: closed for a moment each time the loop comes round. @param {PathKind} kind */
  function gateOf(kind) {
    let node = gates.get(kind);
    if (!node) {
      node = context.createGain();
      node.connect(mixer.bus(kind));
      gates.set(kind, node);
    }
    return node;
  }

  /** @param {number} step @param {number} at @param {number} [until] */
  function enqueue(step, at, until = at + durations[step]) {
    /** @type {Slot} */
    const slot = { step, at, until, voices: new Map() };
    for (const kind of tracks.keys()) {
      const voice = start(kind, step, at, { until });
      if (voice) slot.voices.set(kind, voice);
    }
    slots.push(slot);
  }

  function clear() {
    for (const slot of slots) for (const voice of slot.voices.values()) silence(voice);
    slots = [];
    if (drag) for (const voice of drag.voices.values()) silence(voice);
    drag = null;
  }

  /** Drops what has not begun: the future changed. */
  function forget() {
    const now = context.currentTime + SOON;
    for (const slot of slots) if (slot.at > now) for (const voice of slot.voices.values()) silence(voice, 0);
    slots = slots.filter((slot) => slot.at <= now);
  }

  function current() {
    const now = context.currentTime;
    return slots.find((slot) => slot.at <= now && now < slot.until);
  }

  /** Sees to it that there is always something to come, and notices the end. */
  function pump() {
    const now = context.currentTime;
    if (drag) {
      closeGates(drag);
      return;
    }
    while (slots.length > 1 && slots[0].until <= now) slots.shift();
    let tail = slots[slots.length - 1];
    while (running && tail && tail.until < now + AHEAD && (tail.step < last() || looping)) {
      enqueue(tail.step < last() ? tail.step + 1 : 0, Math.max(tail.until, now + SOON));
      tail = slots[slots.length - 1];
    }
    if (tail && tail.until > now) return;
    if (tail) resting = tail.step;
    slots = [];
    stopPumping();
    if (running) {
      running = false;
      hear.ended();
    }
  }

  function keepPumping() {
    timer ??= setInterval(pump, 40);
    pump();
  }
  function stopPumping() {
    clearInterval(timer);
    timer = undefined;
  }

  /** @param {NonNullable<typeof drag>} scrub */
  function closeGates(scrub) {
    const horizon = context.currentTime + AHEAD;
    for (let at = scrub.gated + scrub.period; at < horizon; at += scrub.period) {
      for (const node of gates.values()) {
        node.gain.setValueAtTime(1, at - 0.006);
        node.gain.linearRampToValueAtTime(0, at - 0.0005);
        node.gain.setValueAtTime(1, at); // the attack is let through whole
      }
      scrub.gated = at;
    }
  }

  /**
   * Gains of the loops around the thumb.
   * @param {NonNullable<typeof drag>} scrub
   * @param {number} at step, with a fraction
   */
  function blend(scrub, at) {
    scrub.at = at;
    const swell = scrub.voices.size > 0;
    const around = [...new Set([Math.floor(at), Math.ceil(at)])].flatMap((step) =>
      [...tracks.keys()].map((kind) => ({ kind, step, name: `${kind}:${step}` })),
    );
    const missing = around.filter(({ name }) => !scrub.voices.has(name));
    // a new voice cannot start at once: the others wait for it, so that their sum stays one
    const startAt = missing.length ? Math.max(context.currentTime + SOON, scrub.origin) : context.currentTime;
    for (const [name, { gain }] of scrub.voices) {
      const step = Number(name.split(":")[1]);
      const level = gain.gain.value;
      gain.gain.cancelScheduledValues(0);
      gain.gain.setValueAtTime(level, context.currentTime);
      gain.gain.setTargetAtTime(Math.max(0, 1 - Math.abs(at - step)), startAt, CROSSFADE);
    }
    for (const [name, voice] of scrub.voices)
      if (Math.abs(at - Number(name.split(":")[1])) > 2.5) {
        silence(voice, 4 * CROSSFADE);
        scrub.voices.delete(name);
      }
    for (const { kind, step, name } of missing) {
      const level = Math.max(0, 1 - Math.abs(at - step));
      const voice = start(kind, step, scrub.origin, { period: scrub.period, level, swell });
      if (voice) scrub.voices.set(name, voice);
    }
  }

  return {
    /** @param {PathKind} kind @param {StepSounds} track */
    load(kind, track) {
      if (tracks.get(kind) === track) return;
      tracks.set(kind, track);
      for (const slot of slots) {
        const old = slot.voices.get(kind); // the same path, solved anew
        if (old) silence(old, FADE, LATE);
        const voice = start(kind, slot.step, slot.at, { until: slot.until, lead: LATE });
        if (voice) slot.voices.set(kind, voice);
      }
      if (!drag) return;
      for (const [name, voice] of drag.voices)
        if (name.startsWith(`${kind}:`)) {
          silence(voice);
          drag.voices.delete(name);
        }
      blend(drag, drag.at);
    },
    unload() {
      clear();
      stopPumping();
      running = false;
      tracks.clear();
    },
    has: (/** @type {PathKind} */ kind) => tracks.has(kind),
    /** How long each step lasts: the same on all paths, so that they stay together. @param {Seconds[]} seconds */
    setDurations(seconds) {
      durations = seconds;
    },
    /** @param {boolean} on */
    setLoop(on) {
      if (looping === on) return;
      looping = on;
      forget();
      if (timer) pump();
    },

    /** @param {number} step */
    play(step) {
      clear();
      running = true;
      enqueue(step, context.currentTime + SOON);
      keepPumping();
    },
    pause() {
      if (slots.length || drag) resting = Math.round(this.position());
      clear();
      running = false;
      stopPumping();
    },
    /** One step, and no more. @param {number} step */
    audition(step) {
      clear();
      running = false;
      resting = step;
      enqueue(step, context.currentTime + SOON);
      keepPumping();
    },

    /** @param {number} at step, with a fraction */
    scrub(at) {
      if (!drag) {
        const slot = current();
        const period = Math.min(LONGEST_LOOP, Math.max(...durations));
        const origin = slot && context.currentTime - slot.at < period ? slot.at : context.currentTime + SOON;
        for (const each of slots) for (const voice of each.voices.values()) silence(voice, 2 * FADE);
        slots = [];
        for (const node of gates.values()) {
          node.gain.cancelScheduledValues(0);
          node.gain.setValueAtTime(1, context.currentTime);
        }
        drag = { origin, period, at, gated: origin, voices: new Map() };
        keepPumping();
      }
      blend(drag, at);
    },
    /**
     * The thumb is let go: what sounds there sounds to its end, and goes on from there if it was going.
     * @param {boolean} goOn
     */
    release(goOn) {
      if (!drag) return;
      const now = context.currentTime;
      const { origin, period, at } = drag;
      const step = Math.round(at);
      const begun = origin + Math.max(0, Math.floor((now - origin) / period)) * period;
      for (const voice of drag.voices.values()) silence(voice, FADE + SOON);
      drag = null;
      running = goOn;
      resting = step;
      enqueue(step, begun, Math.max(begun + durations[step], now + 2 * SOON + FADE));
      keepPumping();
    },

    /** Which step sounds now, with a fraction while the traveller is under way to the next. */
    position() {
      if (drag) return drag.at;
      const slot = current();
      if (!slot) return slots.length ? slots[0].step : resting;
      const next = slots[slots.indexOf(slot) + 1];
      const remaining = slot.until - context.currentTime;
      if (!next || next.step !== slot.step + 1 || remaining > MOVE) return slot.step;
      const t = 1 - remaining / MOVE;
      return slot.step + t * t * (3 - 2 * t);
    },
    sounding: () => slots.length > 0 || drag !== null,
    /** How many sources were started so far: a switch must not add to it. */
    started: () => started,
    dispose() {
      clear();
      stopPumping();
    },
  };
}

/** @typedef {ReturnType<typeof createStepPlayer>} StepPlayer */
