// @ts-check
/** New sounds into the library, other names for them, and out again; saved as files. */

import { anchorOf } from "../state.js";
import { soundFile } from "../words.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Found} Found */

/**
 * @param {object} parts
 * @param {import("../store.js").Store<State>} parts.store
 * @param {import("../api.js").Api} parts.api
 * @param {import("../playback.js").Playback} parts.playback
 * @param {() => Promise<void>} parts.refresh      asks for the library again
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createMade({ store, api, playback, refresh, complain }) {
  const modelId = () => /** @type {import("../state.js").Model} */ (store.get().model).id;

  /** @template T @param {() => Promise<T>} run @returns {Promise<T | undefined>} */
  async function trying(run) {
    try {
      return await run();
    } catch (error) {
      complain(error, () => void trying(run));
    }
  }

  return {
    /** @param {Found} found */
    keep: (found) =>
      trying(async () => {
        const { id } = await api.keep(modelId(), found.point, found.name);
        await refresh();
        store.set({
          kept: { ...store.get().kept, [found.code]: id },
          notice: { text: `Kept as “${found.name}”.`, kind: "news", action: { label: "Rename", run: () => store.set({ panel: "library", query: "", families: [], editing: id }) } },
        });
      }),

    /** Done when the library has the new name. @param {string} id @param {string} name */
    rename: (id, name) =>
      trying(async () => {
        await api.rename(modelId(), id, name);
        await refresh();
      }),

    /** Out of the library. What was made can be made again; an upload is gone, so it is asked about first. @param {string} id */
    remove(id) {
      const { library } = store.get();
      const row = library?.indexOf(id) ?? -1;
      if (!library || row < 0) return;
      const name = library.name[row];
      const made = library.kindOf(row) === "made";
      const out = () =>
        trying(async () => {
          const { z } = await api.sound(modelId(), id);
          await api.remove(modelId(), id);
          forget(id);
          await refresh();
          const back = () => trying(async () => (await api.keep(modelId(), z, name), await refresh()));
          store.set({ notice: { text: `Deleted “${name}”.`, kind: "news", ...(made && { action: { label: "Undo", run: () => void back() } }) } });
        });
      if (made) return void out();
      store.set({ notice: { text: `Delete “${name}”? The upload cannot be brought back.`, kind: "trouble", action: { label: "Delete", run: () => void out() } } });
    },

    /** As a WAV file. @param {Found} found */
    save: (found) =>
      trying(async () => {
        const url = await playback.urlOf(anchorOf(found));
        const name = soundFile(found.name);
        const link = Object.assign(document.createElement("a"), { href: `${url}?format=wav&download=${encodeURIComponent(name)}`, download: name });
        link.click();
      }),
  };

  /** Nothing on the page stands on a sound that is gone. @param {string} id */
  function forget(id) {
    const { a, b, marked, kept, subject } = store.get();
    store.set({
      ...(a?.sound === id && { a: null }),
      ...(b?.sound === id && { b: null }),
      ...(typeof subject !== "string" && subject.sound === id && { subject: /** @type {const} */ ("a"), shape: null }),
      marked: marked.filter(({ sound }) => sound !== id),
      kept: Object.fromEntries(Object.entries(kept).filter(([, one]) => one !== id)),
    });
  }
}

/** @typedef {ReturnType<typeof createMade>} Made */
