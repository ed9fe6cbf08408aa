// @ts-check
/** Play, pause, scrub, point: the gestures that are heard. Keeps the players in step with the store. */

import { isAborted } from "./core/client.js";
import { stepsAsPlayed } from "./listen/timing.js";
import { safeGain } from "./listen/level.js";
import { PATHS, STEPS, keyOf, pointedAnchor, stepAt, voiceOf } from "./core/state.js";
import { watch } from "./core/store.js";

/** @typedef {import("./core/state.js").State} State */
/** @typedef {import("./core/state.js").Anchor} Anchor */
/** @typedef {import("./core/state.js").PathKind} PathKind */

const DWELL = 60; // ms a sound is pointed at before it is heard
const CACHED = 96; // sounds in memory
const BETWEEN_PICTURES = 30; // ms: sixty a second kept half a core busy where there is no GPU

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
  /** @type {Set<(progress: number) => void>} */
  const watchers = new Set();
  let loaded = ""; // the morph whose tracks are in the players
  let playWhenReady = false;
  let dragging = false;
  let goOn = false; // after the thumb is let go
  let newest = 0; // numbers the requests to sound something: the newest wins
  let frame = 0;
  let shownAt = 0; // when the watchers were last told, as requestAnimationFrame counts

  const parts = () => listen.parts();
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
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
    const url = urls.get(heardAs(keyOf(anchor), voice));
    if (url) return url;
    const [{ audio }] = await api.decodings(voice, [anchor]);
    urls.set(heardAs(keyOf(anchor), voice), audio.url);
    return audio.url;
  }

  /** The sound of an anchor, from memory or from the engine. @param {Anchor} anchor @returns {Promise<AudioBuffer>} */
  function soundOf(anchor) {
    const key = anchor.sound ?? heardAs(keyOf(anchor), voiceOf(store.get()));
    const cached = sounds.get(key);
    if (cached) {
      sounds.delete(key);
      sounds.set(key, cached);
      return cached;
    }
    const sound = urlOf(anchor)
      .then((url) => api.bytes(url))
      .then(toAudioBuffer);
    sounds.set(key, sound);
    sound.catch(() => sounds.delete(key));
    for (const old of [...sounds.keys()].slice(0, -CACHED)) sounds.delete(old);
    return sound;
  }

  /** @param {Anchor} anchor @param {number} [dwell] ms */
  async function sound(anchor, dwell = 0) {
    const turn = ++newest;
    try {
      const buffer = soundOf(anchor);
      buffer.catch(() => {});
      if (dwell) await new Promise((resolve) => setTimeout(resolve, dwell));
      if (turn !== newest) return;
      const ready = await buffer;
      if (turn === newest && listen.running() && !store.get().playing && !dragging) {
        parts()?.traversal?.pause();
        parts()?.voice.play(ready);
      }
    } catch (error) {
      if (turn === newest && !isAborted(error)) complain(error, () => void sound(anchor));
    }
  }

  function hush() {
    newest++;
    parts()?.voice.stop();
  }

  // ── the morph ──

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
    const { morph, progress } = store.get();
    if (!morph) return;
    if (!(await unlock())) return;
    if (store.get().morph?.phase !== "ready") {
      playWhenReady = true;
      return;
    }
    hush();
    parts()?.traversal?.pause();
    const from = progress >= 1 ? 0 : progress;
    store.set({ playing: true, progress: from });
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
    const progress = position();
    parts()?.steps.pause();
    parts()?.glide.pause();
    if (store.get().playing) store.set({ playing: false, progress: atStep(progress) });
  }

  /** Steps stand on a step; a glide can stand anywhere. @param {number} progress */
  const atStep = (progress) => (store.get().mode === "glide" ? progress : stepAt(progress) / (STEPS - 1));

  /** Where on the morph the sound is now: 0 at A, 1 at B. */
  function position() {
    const { progress, playing, mode } = store.get();
    const now = parts();
    if (!now) return progress;
    if (dragging) return progress;
    if (playing && mode === "glide") return now.glide.sounding() ? now.glide.position() : progress;
    if (now.steps.sounding()) return now.steps.position() / (STEPS - 1);
    return progress;
  }

  /** Tells everyone who moves with the sound, as long as it sounds. */
  function run() {
    frame ||= requestAnimationFrame(tick);
  }
  /** @param {number} now */
  function tick(now) {
    frame = 0;
    if (!dragging && now - shownAt < BETWEEN_PICTURES) return run();
    shownAt = now;
    const progress = position();
    const { playing, progress: shown } = store.get();
    if (playing && !dragging && stepAt(progress) !== stepAt(shown)) store.set({ progress });
    // who wants no motion sees the traveller jump
    const visible = playing && reducedMotion.matches ? atStep(progress) : progress;
    for (const watcher of watchers) watcher(visible);
    if (store.get().playing || dragging || parts()?.steps.sounding()) run();
  }

  function ended() {
    if (store.get().playing) store.set({ playing: false, progress: 1 });
  }

  const unsubscribe = [
    // tracks into the players
    watch(
      store,
      ({ morph, sound: on }) => [morph?.key, morph?.phase, morph?.paths, on],
      ({ morph }) => {
        const now = parts();
        if (!morph || morph.phase === "failed") {
          loaded = "";
          pause();
          now?.steps.unload();
          now?.glide.unload();
          return;
        }
        if (!now || morph.phase !== "ready") return;
        const ends = morph.key.split(" ").slice(0, 2).join(" ");
        if (loaded.split(" ").slice(0, 2).join(" ") !== ends) {
          now.steps.unload();
          now.glide.unload();
        } else if (loaded !== morph.key) now.glide.unload();
        const fresh = loaded !== morph.key;
        loaded = morph.key;
        const { geodesic, linear } = morph.paths;
        const durations = stepsAsPlayed(morph);
        if (fresh && durations && geodesic && linear) {
          now.steps.setDurations(durations);
          const buffers = [geodesic, linear].map(({ sounds: { buffer } }) => buffer);
          now.morphs.gain.value = Math.min(
            ...buffers.map((buffer) => safeGain(buffer.getChannelData(0), buffer.sampleRate)),
          );
        }
        for (const kind of PATHS) {
          const rendered = morph.paths[kind];
          if (rendered) now.steps.load(kind, rendered.sounds);
        }
        followPath();
        if (playWhenReady) {
          playWhenReady = false;
          void play();
        } else if (fresh && store.get().playing && !player()?.sounding()) begin(store.get().progress);
      },
    ),
    watch(
      store,
      ({ morph, sound: on }) => [morph?.glides, on],
      ({ morph, path, playing, mode, progress }) => {
        const now = parts();
        if (!now || !morph) return;
        for (const kind of PATHS) {
          const glide = morph.glides[kind];
          if (glide) now.glide.load(kind, glide.buffer);
        }
        if (playing && mode === "glide" && !now.glide.sounding() && now.glide.has(path)) begin(progress);
      },
    ),
    watch(
      store,
      ({ path, mode, sound: on, morph }) => [path, mode, on, morph?.paths, morph?.glides],
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
      ({ playing, progress }) => {
        if (playing) begin(progress);
      },
    ),
    // pointing
    watch(
      store,
      ({ pointed }) => [pointed?.sound, pointed?.newSound, pointed?.by],
      (state) => {
        const { pointed, playing, carried } = state;
        const anchor = pointedAnchor(state);
        if (!pointed || !anchor) return hush();
        // the morph is not talked over
        if (playing || dragging || carried || (pointed.by === "keys" && !state.walkSounds)) return;
        void sound(anchor, pointed.by === "touch" ? 0 : DWELL);
      },
    ),
  ];

  /** The path that is heard; re-timed is heard as soon as it is there. */
  function followPath() {
    const now = parts();
    const { path, morph, mode } = store.get();
    if (!now) return;
    const ready = mode === "glide" && !dragging ? morph?.glides : morph?.paths;
    if (ready?.[path]) return now.mixer.choose(path);
    // until it is there: the same line, not re-timed; or whatever sounds now
    if (path === "retimed" && ready?.linear) now.mixer.choose("linear");
  }

  return {
    unlock,
    play,
    pause,
    toggle: () => (store.get().playing || playWhenReady ? pause() : void play()),
    /** The morph that is being made is to be heard when it is there. */
    soon: () => void (playWhenReady = true),

    /** Jump: goes on from there if it plays, else sounds that step once. @param {number} progress */
    async seek(progress) {
      store.set({ progress });
      for (const watcher of watchers) watcher(progress);
      if (store.get().playing) return begin(progress);
      if (store.get().morph?.phase !== "ready" || !(await unlock())) return;
      hush();
      parts()?.steps.audition(stepAt(progress));
      run();
    },

    /** @param {number} progress */
    scrub(progress) {
      if (!dragging) {
        dragging = true;
        goOn = store.get().playing;
        hush();
        parts()?.glide.pause();
        void unlock();
        followPath(); // the steps may be there where the glide is not
      }
      store.set({ progress });
      for (const watcher of watchers) watcher(progress);
      if (store.get().morph?.phase === "ready" && listen.running())
        parts()?.steps.scrub(progress * (STEPS - 1));
      run();
    },
    release() {
      if (!dragging) return;
      dragging = false;
      const progress = atStep(store.get().progress);
      store.set({ progress });
      followPath();
      if (goOn && store.get().mode === "glide") {
        parts()?.steps.pause();
        begin(progress);
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
    /**
     * A point has been rendered: nobody need ask for it again.
     * @param {string} code
     * @param {string} url
     * @param {string} voice whose
     */
    learn: (code, url, voice) => void urls.set(heardAs(code, voice), url),
    /** Silence, at once. */
    silence() {
      pause();
      hush();
      parts()?.traversal?.pause();
    },
    hush,
    /** Is there anything to be heard? */
    sounding: () =>
      store.get().playing ||
      ["steps", "glide", "traversal", "voice"].some((name) =>
        parts()?.[/** @type {"voice"} */ (name)]?.sounding(),
      ),
    position,
    ended,
    /** @param {(progress: number) => void} watcher called in every frame in which something moves */
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
