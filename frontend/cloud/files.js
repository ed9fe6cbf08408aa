// @ts-check
/** Sounds of library folders, heard in full and made ends of a morph. */

/** @typedef {import("./requests.js").CloudSound} CloudSound */

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<import("../core/state.js").State>} parts.store
 * @param {import("./requests.js").CloudApi} parts.api
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {() => Promise<void>} parts.refresh      asks for the library again
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createFiles({ store, api, actions, playback, refresh, complain }) {
  const audio = new Audio(); // whole recordings, which may be long: played while they come
  audio.preload = "none";
  /** @type {Set<() => void>} */
  const watchers = new Set();
  /** @type {number | null} the sound that plays */
  let playing = null;
  const tell = () => watchers.forEach((watcher) => watcher());

  /** @param {CloudSound} sound */
  function play(sound) {
    playback.pause();
    playback.hush();
    audio.pause();
    playing = sound.id;
    audio.volume = store.get().volume;
    audio.src = sound.audio_url;
    tell();
    audio.play().catch((error) => {
      if (error.name !== "NotSupportedError" || audio.src.includes("format=wav")) return;
      audio.src = `${sound.audio_url}?format=wav`; // an encoding of WAV that the browser does not know
      audio.play().catch(() => complain(new Error(`${sound.name} cannot be played.`), () => play(sound)));
    });
  }

  function hush() {
    audio.pause();
    playing = null;
    tell();
  }
  audio.addEventListener("ended", hush);
  // a recording may last for minutes: what silences a morph silences it too
  window.addEventListener("keydown", ({ key }) => key === "Escape" && playing !== null && hush());
  store.subscribe((now, before) => now.playing && !before.playing && playing !== null && hush());

  /** @param {number} id @returns {Promise<import("../core/state.js").Anchor | null>} */
  async function anchorOf(id) {
    const model = store.get().model;
    if (!model) return null;
    const sound = await api.use(model.id, id);
    await refresh();
    return { sound: sound.id };
  }

  /** @param {"a" | "b"} end @param {number} id @param {boolean} [isSounding] it plays already */
  async function use(end, id, isSounding = false) {
    try {
      const anchor = await anchorOf(id);
      if (!anchor) return;
      const isComplete = store.get()[end === "a" ? "b" : "a"] !== null;
      if (isComplete || !isSounding) hush(); // the morph is isSounding now
      actions.setEnd(end, anchor, isSounding);
    } catch (error) {
      complain(error, () => void use(end, id, isSounding));
    }
  }

  return {
    play,
    hush,
    use,
    /** What plays. */
    playing: () => playing,
    /** @param {CloudSound} sound */
    toggle: (sound) => (playing === sound.id ? hush() : play(sound)),
    /** As a click on a sound of the library: heard, and A, or where to go from A. @param {number} id */
    async pick(id) {
      try {
        const sound = await api.sound(id);
        play(sound);
      } catch (error) {
        return complain(error, () => {});
      }
      await use(store.get().a ? "b" : "a", id, true);
    },
    /** @param {number} id */
    async mark(id) {
      try {
        const anchor = await anchorOf(id);
        if (anchor) actions.mark(anchor);
      } catch (error) {
        complain(error, () => {});
      }
    },
    /** Called when something begins or ends to play. @param {() => void} watcher */
    onPlaying(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
  };
}

/** @typedef {ReturnType<typeof createFiles>} Files */
