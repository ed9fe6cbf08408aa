// @ts-check
/** Sounds out of the page, as files: what is heard, steps one by one, glides, any sound of the library. */

import { wire } from "../core/api.js";
import { isAborted } from "../core/client.js";
import { spoken } from "../compare/anchors.js";
import { stepsAsPlayed } from "../listen/timing.js";
import { STEPS, geodesicQueryOf, voiceOf } from "../core/state.js";
import { anchorName } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("../core/state.js").Saving} Saving */
/**
 * @typedef {"step" | "steps" | "sequence" | "glide" | "instrument" | "a" | "b"} What step: where the morph stands;
 *   sequence: the steps in one file; instrument: the steps under the keys and the modulation wheel of a sampler
 */

/** Which of so many steps is nearest to a place, from 1. @param {number} progress @param {number} steps */
export const stepNumber = (progress, steps) => 1 + Math.round(progress * (steps - 1));

/** The kind of file, as the service takes it. @param {Saving} saving */
const fileOf = ({ format, depth, level, trim }) => ({ format, ...(depth && { depth }), level, trim });

/**
 * An instrument of the steps, with the bits and the kind of sound that its sampler usually has.
 * @param {Pick<State, "saving" | "choices">} state
 */
export const instrumentOf = ({ saving, choices }) => ({
  instrument: { kind: kindOf(saving, choices.instruments) },
  level: saving.level,
  trim: saving.trim,
});

/**
 * The kind of instrument that was chosen, as long as there is such a kind.
 * @param {Saving} saving @param {readonly {id: string}[]} instruments
 */
export const kindOf = (saving, instruments) =>
  (instruments.find(({ id }) => id === saving.instrument) ?? instruments[0])?.id ?? "";

/** Where the export goes, as the service takes it. @param {Pick<State, "saving" | "exportFolder">} state */
export const destinationOf = ({ saving, exportFolder }) =>
  exportFolder && !saving.download ? { destination: "folder" } : {};

/**
 * The path that is heard, as an export of it.
 * @param {State} state @param {What} content @param {Anchor[]} anchors
 */
export function morphOf(state, content, anchors) {
  const { path, saving, seconds, morph, library, a, b } = state;
  const query = geodesicQueryOf(state);
  const { steps } = saving;
  const names = [a, b].map((end) =>
    anchorName(/** @type {Anchor} */ (end), /** @type {import("../core/sounds.js").Library} */ (library)),
  );
  const durations = steps === STEPS && morph && stepsAsPlayed(morph);
  return {
    anchors: anchors.map(wire),
    names,
    kind: path === "geodesic" ? query.kind : path,
    ...(path === "geodesic" && query.measure),
    ...(content === "glide" ? { mode: "glide", seconds } : { steps }),
    ...(content === "step" && { only: stepNumber(state.progress, steps) }),
    ...(content === "sequence" && { joined: true, ...(durations && { durations }) }),
  };
}

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createSaver({ store, api, complain }) {
  let controller = new AbortController();

  /** @param {(signal: AbortSignal) => Promise<import("../core/api.js").Exported>} run */
  async function save(run) {
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    store.set({ exporting: true });
    try {
      const saved = await run(signal);
      if (signal.aborted) return;
      if ("blob" in saved) download(saved.blob, saved.name);
      store.set({ notice: noticeOf(saved) });
    } catch (error) {
      if (!isAborted(error) && !signal.aborted) complain(error, () => void save(run));
    } finally {
      if (!signal.aborted) store.set({ exporting: false });
    }
  }

  /**
   * Sounds of the library, one's own, and new ones, by their anchors.
   * @param {{anchor: Anchor, name?: string}[]} sounds
   */
  const sounds = (sounds) =>
    save(async (signal) => {
      const state = store.get();
      const voice = voiceOf(state);
      const names = sounds.map(
        ({ anchor, name }) =>
          name ?? anchorName(anchor, /** @type {import("../core/sounds.js").Library} */ (state.library)),
      );
      // recordings are the map's own, whoever is heard
      const model = sounds.every(({ anchor }) => anchor.sound)
        ? /** @type {import("../core/state.js").Model} */ (state.model).id
        : voice;
      const anchors = await spoken(
        api,
        state,
        model,
        sounds.map(({ anchor }) => anchor),
      );
      const query = { sounds: anchors.map(wire), names, ...fileOf(state.saving), ...destinationOf(state) };
      return api.exported(model, query, signal);
    });

  /** @param {What} content */
  function morph(content) {
    const { a, b } = store.get();
    const end = content === "a" ? a : content === "b" ? b : null;
    if (end) return sounds([{ anchor: end }]);
    if (!a || !b) return Promise.resolve();
    return save(async (signal) => {
      const state = store.get();
      const voice = voiceOf(state);
      const anchors = await spoken(api, state, voice, [a, b]);
      const file = content === "instrument" ? instrumentOf(state) : fileOf(state.saving);
      const query = { morph: morphOf(state, content, anchors), ...file, ...destinationOf(state) };
      return api.exported(voice, query, signal);
    });
  }

  /** @param {import("../core/api.js").Exported} saved @returns {import("../core/state.js").Notice} */
  function noticeOf(saved) {
    if ("blob" in saved) return { text: `Saved ${saved.name}.`, kind: "news" };
    const { name, path, revealable } = saved;
    const actions = [
      ...(path ? [{ label: "Copy path", run: () => void copyPath(path) }] : []),
      ...(revealable ? [{ label: "Reveal in folder", run: () => void reveal() }] : []),
    ];
    return { text: `Saved ${name} in the export folder.`, kind: "news", actions };
  }

  async function reveal() {
    try {
      await api.revealExports();
    } catch (error) {
      complain(error, () => void reveal());
    }
  }

  /** @param {string} path */
  async function copyPath(path) {
    try {
      await navigator.clipboard.writeText(path);
      store.set({ notice: { text: "The path is copied.", kind: "news" } });
    } catch {
      // a page without HTTPS may not write to the clipboard
      store.set({
        notice: { text: `The browser did not allow copying. The path is ${path}`, kind: "trouble" },
      });
    }
  }

  return {
    sounds,
    morph,
    /** What is heard now: the whole path, as steps or as a glide. */
    heard: () => morph(store.get().mode === "glide" ? "glide" : "sequence"),
    destroy: () => controller.abort(),
  };
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it when it likes
}

/** @typedef {ReturnType<typeof createSaver>} Saver */
