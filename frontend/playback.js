// @ts-check
/** Play, pause, scrub, point: the gestures that are heard. Keeps the players in step with the store. */

import { isAborted } from "./core/api.js";
import { stepsAsPlayed } from "./listen/timing.js";
import { safeGain } from "./listen/level.js";
import { PATHS, STEPS, keyOf, pointedAnchor, stepAt, voiceOf } from "./core/state.js";
import { watch } from "./core/store.js";

/** @typedef {import("./core/state.js").State} State */
/** @typedef {import("./core/state.js").Anchor} Anchor */
/** @typedef {import("./core/state.js").PathKind} PathKind */

const DWELL = 60; // ms a sound is pointed at before it is heard
const KEPT = 96; // sounds in memory

/**
 * @param {object} parts
 * @param {import("./core/store.js").Store<State>} parts.store
 * @param {import("./core/api.js").Api} parts.api
 * @param {import("./listen/listen.js").Listen} parts.listen
 * @param {(bytes: ArrayBuffer) => AudioBuffer} parts.toAudioBuffer
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createPlayback({ store, api, listen, toAudioBuffer, complain }) {
  /** @type {Map<string, Promise<AudioBuffer>>} */
  const sounds = new Map();
  /** @type {Map<string, string>} where points can be heard that have been rendered */
  const urls = new Map();
  /** @type {Set<(place: number) => void>} */
  const watchers = new Set();
  let loaded = ""; // the journey whose tracks are in the players
  let playWhenReady = false;
  let dragging = false;
  let goOn = false; // after the thumb is let go
  let asked = 0; // numbers the requests to sound something: the newest wins
  let frame = 0;

  const parts = () => listen.parts();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const glides = () => store.get().mode === "glide" && !dragging;
  const player = () => (glides() ? parts()?.glide : parts()?.steps);

  // ── what is pointed at ──

  /** A recording is the same whoever is heard; a place is not. @param {string} key @param {string} voice */
  const heardAs = (key, voice) => `${voice} ${key}`;

  /** Where an anchor can be heard. @param {Anchor} anchor @returns {Promise<string>} */
  async function urlOf(anchor) {
    const model = /** @type {import("./core/state.js").Model} */ (store.get().model);
    if (anchor.sound) return api.soundUrl(model.id, anchor.sound);
    const voice = voiceOf(store.get());
    const known = urls.get(heardAs(keyOf(anchor), voice));
    if (known) return known;
    const [{ audio }] = await api.decodings(voice, [anchor]);
    urls.set(heardAs(keyOf(anchor), voice), audio.url);
    return audio.url;
  }

  /** The sound of an anchor, from memory or from the engine. @param {Anchor} anchor @returns {Promise<AudioBuffer>} */
  function soundOf(anchor) {
    const key = anchor.sound ?? heardAs(keyOf(anchor), voiceOf(store.get()));
    const known = sounds.get(key);
    if (known) {
      sounds.delete(key);
      sounds.set(key, known);
      return known;
    }
    const sound = urlOf(anchor)
      .then((there) => api.bytes(there))
      .then(toAudioBuffer);
    sounds.set(key, sound);
    sound.catch(() => sounds.delete(key));
    for (const old of [...sounds.keys()].slice(0, -KEPT)) sounds.delete(old);
    return sound;
  }

  /** @param {Anchor} anchor @param {number} [dwell] ms */
  async function sound(anchor, dwell = 0) {
    const turn = ++asked;
    try {
      const buffer = soundOf(anchor);
      buffer.catch(() => {});
      if (dwell) await new Promise((resolve) => setTimeout(resolve, dwell));
      if (turn !== asked) return;
      const ready = await buffer;
      if (turn === asked && listen.running() && !store.get().playing && !dragging) {
        parts()?.travel?.pause();
        parts()?.voice.play(ready);
      }
    } catch (error) {
      if (turn === asked && !isAborted(error)) complain(error, () => void sound(anchor));
    }
  }

  function hush() {
    asked++;
    parts()?.voice.stop();
  }

  // ── the journey ──

  async function unlock() {
    const on = await listen.unlock();
    if (on && store.get().sound === "off") {
      loaded = "";
      store.set({ sound: "on" });
    }
    // the browser knows how late it is only after it has played for a moment
    if (on) setTimeout(() => store.set({ latency: listen.latency() }), 600);
    return on;
  }

  async function play() {
    const { journey, place } = store.get();
    if (!journey) return;
    if (!(await unlock())) return;
    if (store.get().journey?.phase !== "ready") {
      playWhenReady = true;
      return;
    }
    hush();
    parts()?.travel?.pause();
    const from = place >= 1 ? 0 : place;
    store.set({ playing: true, place: from });
    begin(from);
  }

  /** @param {number} from */
  function begin(from) {
    const now = parts();
    if (!now) return;
    if (glides()) {
      now.steps.pause();
      if (now.glide.has(store.get().path)) now.glide.play(from);
    } else {
      now.glide.pause();
      now.steps.play(stepAt(from));
    }
    run();
  }

  function pause() {
    playWhenReady = false;
    const place = position();
    parts()?.steps.pause();
    parts()?.glide.pause();
    if (store.get().playing) store.set({ playing: false, place: settle(place) });
  }

  /** Steps stand on a step; a glide can stand anywhere. @param {number} place */
  const settle = (place) => (store.get().mode === "glide" ? place : stepAt(place) / (STEPS - 1));

  /** Where on the journey the sound is now: 0 at A, 1 at B. */
  function position() {
    const { place, playing, mode } = store.get();
    const now = parts();
    if (!now) return place;
    if (dragging) return place;
    if (playing && mode === "glide") return now.glide.sounding() ? now.glide.position() : place;
    if (now.steps.sounding()) return now.steps.position() / (STEPS - 1);
    return place;
  }

  /** Tells everyone who moves with the sound, once a frame, as long as it sounds. */
  function run() {
    frame ||= requestAnimationFrame(tick);
  }
  function tick() {
    frame = 0;
    const place = position();
    const { playing, place: told } = store.get();
    if (playing && !dragging && stepAt(place) !== stepAt(told)) store.set({ place });
    const shown = playing && still.matches ? settle(place) : place; // who wants no motion sees the traveller jump
    for (const watcher of watchers) watcher(shown);
    if (store.get().playing || dragging || parts()?.steps.sounding()) run();
  }

  function ended() {
    if (store.get().playing) store.set({ playing: false, place: 1 });
  }

  const unsubscribe = [
    // tracks into the players
    watch(
      store,
      ({ journey, sound: on }) => [journey?.key, journey?.phase, journey?.paths, on],
      ({ journey }) => {
        const now = parts();
        if (!journey || journey.phase === "failed") {
          loaded = "";
          pause();
          now?.steps.unload();
          now?.glide.unload();
          return;
        }
        if (!now || journey.phase !== "ready") return;
        const ends = journey.key.split(" ").slice(0, 2).join(" ");
        if (loaded.split(" ").slice(0, 2).join(" ") !== ends) {
          now.steps.unload();
          now.glide.unload();
        } else if (loaded !== journey.key) now.glide.unload();
        const fresh = loaded !== journey.key;
        loaded = journey.key;
        const { geodesic, linear } = journey.paths;
        const durations = stepsAsPlayed(journey);
        if (fresh && durations && geodesic && linear) {
          now.steps.setDurations(durations);
          const buffers = [geodesic, linear].map(({ sounds: { buffer } }) => buffer);
          now.journeys.gain.value = Math.min(
            ...buffers.map((buffer) => safeGain(buffer.getChannelData(0), buffer.sampleRate)),
          );
        }
        for (const kind of PATHS) {
          const morph = journey.paths[kind];
          if (morph) now.steps.load(kind, morph.sounds);
        }
        followPath();
        if (playWhenReady) {
          playWhenReady = false;
          void play();
        } else if (fresh && store.get().playing && !player()?.sounding()) begin(store.get().place);
      },
    ),
    watch(
      store,
      ({ journey, sound: on }) => [journey?.glides, on],
      ({ journey, path, playing, mode, place }) => {
        const now = parts();
        if (!now || !journey) return;
        for (const kind of PATHS) {
          const glide = journey.glides[kind];
          if (glide) now.glide.load(kind, glide.buffer);
        }
        if (playing && mode === "glide" && !now.glide.sounding() && now.glide.has(path)) begin(place);
      },
    ),
    watch(
      store,
      ({ path, mode, sound: on, journey }) => [path, mode, on, journey?.paths, journey?.glides],
      followPath,
    ),
    watch(
      store,
      ({ loop, sound: on }) => [loop, on],
      ({ loop }) => {
        parts()?.steps.setLoop(loop);
        parts()?.glide.setLoop(loop);
      },
    ),
    // steps <-> glide while it plays: goes on at the same place
    watch(
      store,
      ({ mode }) => [mode],
      ({ playing, place }) => {
        if (playing) begin(place);
      },
    ),
    // pointing
    watch(
      store,
      ({ pointed }) => [pointed?.sound, pointed?.found, pointed?.by],
      (state) => {
        const { pointed, playing, carried } = state;
        const anchor = pointedAnchor(state);
        if (!pointed || !anchor) return hush();
        if (playing || dragging || carried || (pointed.by === "keys" && !state.walkSounds)) return; // the morph is not talked over
        void sound(anchor, pointed.by === "touch" ? 0 : DWELL);
      },
    ),
  ];

  /** The path that is heard; re-timed is heard as soon as it is there. */
  function followPath() {
    const now = parts();
    const { path, journey, mode } = store.get();
    if (!now) return;
    const there = mode === "glide" && !dragging ? journey?.glides : journey?.paths;
    if (there?.[path]) return now.mixer.choose(path);
    // until it is there: the same line, not re-timed; or whatever sounds now
    if (path === "retimed" && there?.linear) now.mixer.choose("linear");
  }

  return {
    unlock,
    play,
    pause,
    toggle: () => (store.get().playing || playWhenReady ? pause() : void play()),
    /** The journey that is being made is to be heard when it is there. */
    soon: () => void (playWhenReady = true),

    /** Jump: goes on from there if it plays, else sounds that step once. @param {number} place */
    async seek(place) {
      store.set({ place });
      for (const watcher of watchers) watcher(place);
      if (store.get().playing) return begin(place);
      if (store.get().journey?.phase !== "ready" || !(await unlock())) return;
      hush();
      parts()?.steps.audition(stepAt(place));
      run();
    },

    /** @param {number} place */
    scrub(place) {
      if (!dragging) {
        dragging = true;
        goOn = store.get().playing;
        hush();
        parts()?.glide.pause();
        void unlock();
        followPath(); // the steps may be there where the glide is not
      }
      store.set({ place });
      for (const watcher of watchers) watcher(place);
      if (store.get().journey?.phase === "ready" && listen.running())
        parts()?.steps.scrub(place * (STEPS - 1));
      run();
    },
    release() {
      if (!dragging) return;
      dragging = false;
      const place = settle(store.get().place);
      store.set({ place });
      followPath();
      if (goOn && store.get().mode === "glide") {
        parts()?.steps.pause();
        begin(place);
      } else parts()?.steps.release(goOn);
      run();
    },

    /** @param {Anchor} anchor */
    async audition(anchor) {
      if (!(await unlock())) return;
      if (store.get().playing) pause();
      await sound(anchor);
    },
    soundOf,
    urlOf,
    /** A point has been rendered: nobody need ask for it again. @param {string} code @param {string} url @param {string} voice whose */
    learn: (code, url, voice) => void urls.set(heardAs(code, voice), url),
    /** Silence, at once. */
    silence() {
      pause();
      hush();
      parts()?.travel?.pause();
    },
    hush,
    /** Is there anything to be heard? */
    sounding: () =>
      store.get().playing ||
      ["steps", "glide", "travel", "voice"].some((name) =>
        parts()?.[/** @type {"voice"} */ (name)]?.sounding(),
      ),
    position,
    ended,
    /** @param {(place: number) => void} watcher called in every frame in which something moves */
    onFrame(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    destroy() {
      cancelAnimationFrame(frame);
      for (const stop of unsubscribe) stop();
    },
  };
}

/** @typedef {ReturnType<typeof createPlayback>} Playback */
