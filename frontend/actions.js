// @ts-check
/** What one can do, whichever way: by mouse, finger, key, or table. */

import { PATHS, STEPS, comparisonOf, sameAnchor, stepAt, voiceOf } from "./core/state.js";

const MOST_MARKED = 16;

/** @typedef {import("./core/state.js").Anchor} Anchor */
/** @typedef {import("./core/state.js").State} State */

/**
 * @param {object} parts
 * @param {import("./core/store.js").Store<import("./core/state.js").State>} parts.store
 * @param {import("./playback.js").Playback} parts.playback
 * @param {Performance} parts.performance
 */
export function createActions({ store, playback, performance }) {
  /** @param {"a" | "b"} end @param {Anchor} anchor @param {boolean} [isSounding] already */
  function setEnd(end, anchor, isSounding = false) {
    const state = store.get();
    const other = end === "a" ? "b" : "a";
    const patch = { [end]: anchor, pointed: null, progress: 0, operation: null };
    // the sound that was the other end: the two change places rather than meet
    if (sameAnchor(state[other], anchor)) patch[other] = state[end];
    const complete = end === "a" ? (patch.b ?? state.b) : (patch.a ?? state.a);
    if (sameAnchor(state[end], anchor)) return void playback.audition(anchor);
    playback.pause();
    if (complete) {
      performance.mark("sonifold:second-click");
      playback.soon();
      void playback.unlock();
    }
    store.set(patch);
    if (!complete && !isSounding) void playback.audition(anchor);
  }

  return {
    setEnd,
    /** The first sound is A; every later one is somewhere to go. @param {Anchor} anchor */
    pick(anchor) {
      const { a } = store.get();
      if (a && sameAnchor(a, anchor)) void playback.audition(anchor);
      else setEnd(a ? "b" : "a", anchor);
    },
    /** Marked, or not any more: what an average or an analogy is to take. @param {Anchor} anchor */
    mark(anchor) {
      const { marked } = store.get();
      const rest = marked.filter((other) => !sameAnchor(other, anchor));
      if (rest.length === marked.length && marked.length >= MOST_MARKED) {
        store.set({
          notice: {
            text: `${MOST_MARKED} sounds are marked; that is as many as an average takes.`,
            kind: "news",
          },
        });
        return;
      }
      store.set({ marked: rest.length < marked.length ? rest : [...marked, anchor], operation: null });
    },
    unmark: () => store.set({ marked: [], operation: null }),

    /** The named sliders, from here. @param {State["subject"]} subject */
    shape(subject) {
      store.set({ subject, shape: null, panel: "shape" });
    },
    /** @param {number} from @param {number} to */
    morph(from, to) {
      const { library } = store.get();
      if (!library) return;
      performance.mark("sonifold:second-click");
      playback.pause();
      playback.soon();
      void playback.unlock();
      store.set({
        a: { sound: library.id[from] },
        b: { sound: library.id[to] },
        progress: 0,
        pointed: null,
        operation: null,
      });
    },
    swap() {
      const { a, b, progress, playing } = store.get();
      playback.pause();
      if (playing) playback.soon();
      store.set({ a: b, b: a, progress: 1 - progress, operation: null });
    },
    startOver() {
      playback.silence();
      store.set({
        a: null,
        b: null,
        progress: 0,
        pointed: null,
        view: null,
        notice: null,
        marked: [],
        operation: null,
        newSounds: [],
        drawing: null,
        seed: null,
        shape: null,
        subject: "a",
      });
    },
    /** @param {number} by steps */
    step(by) {
      const at = Math.min(STEPS - 1, Math.max(0, stepAt(store.get().progress) + by));
      void playback.seek(at / (STEPS - 1));
    },
    /** @param {number} nth */
    choosePath: (nth) => PATHS[nth] && store.set({ path: PATHS[nth] }),
    /** Before or after: the one that is not heard. */
    compare() {
      const both = comparisonOf(store.get());
      if (both) store.set({ hear: voiceOf(store.get()) === both.after ? "before" : "after" });
    },
    toggleTheme() {
      const dark = document.documentElement.dataset.theme === "dark";
      store.set({ theme: dark ? "light" : "dark" });
    },
    /** @param {string} name */
    togglePanel: (name) => store.set({ panel: store.get().panel === name ? null : name }),
  };
}

/** @typedef {ReturnType<typeof createActions>} Actions */
