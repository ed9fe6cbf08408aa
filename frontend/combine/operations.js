// @ts-check
/** Averages, analogies, what lies beyond B: asks for them, and puts what comes on the map. */

import { isAborted, latest } from "../core/client.js";
import { spoken } from "../compare/anchors.js";
import { writePoint } from "../core/latent.js";
import { anchorOf, keyOf, measureKey, measureOf, voiceOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { anchorName } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("../core/state.js").NewSound} NewSound */
/** @typedef {import("../core/state.js").Operation} Operation */
/** @typedef {import("../core/state.js").Course} Course */
/** @typedef {import("../core/state.js").Position} Position */

const MOST = 24; // results on the map; the oldest go

/**
 * What an operation still lacks; null: nothing.
 * @param {Operation} operation
 * @param {Pick<State, "a" | "b" | "marked">} state
 */
export function lacking(operation, { a, b, marked }) {
  if (operation === "mean")
    return marked.length < 2 ? "Mark two sounds or more: Shift and click, or M." : null;
  if (!a || !b) return "Pick A and B first.";
  if (operation === "analogy") return marked.length ? null : "Mark a third sound: Shift and click, or M.";
  return null;
}

/**
 * What a result is made from, so that the same again is not asked twice.
 * @param {Operation} operation
 * @param {State} state
 */
export function recipeOf(operation, state) {
  const { a, b, marked, reach } = state;
  const ends = [keyOf(a), keyOf(b)];
  const from = {
    mean: marked.map(keyOf).sort(),
    analogy: [...ends, keyOf(marked[marked.length - 1] ?? null)],
    beyond: [...ends, reach],
  }[operation];
  return [operation, ...from, measureKey(state)].join(" ");
}

/**
 * The part of the path from A through B that is new, and where on it the data end.
 * @param {{course: Position[], times: number[], left: number | null}} reply
 * @returns {Course[]}
 */
export function coursesBeyond({ course, times, left }) {
  const start = Math.max(
    0,
    times.findIndex((t) => t >= 1),
  );
  const end = left === null ? -1 : times.findIndex((t, i) => i > start && t >= left);
  const shore = end < 0 ? course.length - 1 : end;
  const onLand = { line: course.slice(start, shore + 1) };
  return shore < course.length - 1 ? [onLand, { line: course.slice(shore), guess: true }] : [onLand];
}

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {import("../playback.js").Playback} parts.playback
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createOperations({ store, api, playback, complain }) {
  let playResult = false; // somebody pressed a key, and wants to hear what comes

  /**
   * @param {Operation} operation
   * @param {State} state
   * @param {AbortSignal} signal
   * @returns {Promise<{point: import("../core/api.js").PointReply, name: string, courses: Course[]}>}
   */
  async function ask(operation, state, signal) {
    const { a, b, marked, reach } = state;
    const voice = voiceOf(state);
    const as = async (/** @type {Anchor[]} */ ...anchors) => spoken(api, state, voice, anchors);
    const library = /** @type {import("../core/sounds.js").Library} */ (state.library);
    const measure = measureOf(state);
    if (operation === "mean") {
      const point = await api.mean(voice, await as(...marked), measure, signal);
      return { point, name: `Average of ${marked.length}`, courses: point.spokes.map((line) => ({ line })) };
    }
    const [from, to] = /** @type {[Anchor, Anchor]} */ ([a, b]);
    if (operation === "analogy") {
      const c = marked[marked.length - 1];
      const point = await api.analogy(
        voice,
        /** @type {[Anchor, Anchor, Anchor]} */ (await as(from, to, c)),
        measure,
        signal,
      );
      return { point, name: `${anchorName(c, library)}, as A to B`, courses: [{ line: point.course }] };
    }
    const point = await api.beyond(voice, await as(from, to), { to: reach, ...measure }, signal);
    return { point, name: `Beyond ${anchorName(to, library)}`, courses: coursesBeyond(point) };
  }

  const compute = latest(async (signal, /** @type {Operation} */ operation) => {
    const state = store.get();
    store.set({ working: operation });
    try {
      const { point, name, courses } = await ask(operation, state, signal);
      if (signal.aborted) return;
      const position = /** @type {Position} */ ([point.x, point.y]);
      const code = writePoint(position, point.point);
      playback.learn(code, point.audio.url, voiceOf(state));
      /** @type {NewSound} */
      const newSound = {
        code,
        kind: operation,
        shape: "diamond",
        name,
        position,
        point: point.point,
        inDistribution: point.in_distribution,
        near: point.nearest[0] ?? null,
        url: point.audio.url,
        courses,
        notes: point.warnings.map(({ text }) => text),
        recipe: recipeOf(operation, state),
      };
      store.set({ working: null, newSounds: [...store.get().newSounds, newSound].slice(-MOST) });
      if (playResult) void playback.audition(anchorOf(newSound));
      playResult = false;
    } catch (error) {
      if (isAborted(error) || signal.aborted) return;
      store.set({ working: null, operation: null });
      complain(error, () => run(operation));
    }
  });

  /** @param {Operation} operation */
  function run(operation) {
    const state = store.get();
    const missing = lacking(operation, state);
    if (missing) {
      store.set({ panel: "combine", notice: { text: missing, kind: "news" } });
      return;
    }
    void playback.unlock();
    const existing = state.newSounds.find(({ recipe }) => recipe === recipeOf(operation, state));
    if (existing) {
      store.set({
        operation,
        newSounds: [...state.newSounds.filter((newSound) => newSound !== existing), existing],
      });
      void playback.audition(anchorOf(existing));
      return;
    }
    playResult = true;
    store.set({ operation });
  }

  const stop = watch(
    store,
    (state) => [state.operation, state.library !== null, state.operation && recipeOf(state.operation, state)],
    (state) => {
      const { operation, library, model } = state;
      const { newSounds } = store.get(); // what was made earlier in this visit has just come back
      if (!operation || !library || !model || lacking(operation, state)) {
        compute.cancel();
        if (state.working) store.set({ working: null });
        return;
      }
      if (newSounds.some(({ recipe }) => recipe === recipeOf(operation, state))) return;
      void compute(operation);
    },
  );

  return {
    run,
    /** @param {NewSound} newSound */
    drop(newSound) {
      const { pointed, operation, newSounds: all } = store.get();
      store.set({
        newSounds: all.filter((other) => other !== newSound),
        ...(pointed?.newSound === newSound && { pointed: null }),
        ...(newSound.kind === operation && { operation: null }),
      });
    },
    destroy() {
      stop();
      compute.cancel();
    },
  };
}

/** @typedef {ReturnType<typeof createOperations>} Operations */
