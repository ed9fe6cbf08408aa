// @ts-check
/** New sounds into the library, other names for them, and out again; saved as files. */

import { anchorOf } from "../core/state.js";
import { deletedWords } from "./deleting.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").NewSound} NewSound */

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {import("./deleting.js").Deleting} parts.deleting
 * @param {import("../save/saver.js").Saver} parts.saver
 * @param {() => Promise<void>} parts.refresh      asks for the library again
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createUserSounds({ store, api, deleting, saver, refresh, complain }) {
  const modelId = () => /** @type {import("../core/state.js").Model} */ (store.get().model).id;

  /** @template T @param {() => Promise<T>} run @returns {Promise<T | undefined>} */
  async function trying(run) {
    try {
      return await run();
    } catch (error) {
      complain(error, () => void trying(run));
    }
  }

  return {
    /** @param {NewSound} newSound */
    keep: (newSound) =>
      trying(async () => {
        const { id } = await api.keep(modelId(), newSound.point, newSound.name);
        await refresh();
        store.set({
          storedAs: { ...store.get().storedAs, [newSound.code]: id },
          notice: {
            text: `Kept as “${newSound.name}”.`,
            kind: "news",
            actions: [
              {
                label: "Rename",
                run: () => store.set({ panel: "library", query: "", families: [], editing: id }),
              },
            ],
          },
        });
      }),

    /** Done when the library has the new name. @param {string} id @param {string} name */
    rename: (id, name) =>
      trying(async () => {
        await api.rename(modelId(), id, name);
        await refresh();
      }),

    /** Out of the library; for a while they can be taken back. @param {...string} ids */
    async remove(...ids) {
      const { library } = store.get();
      if (!library) return;
      const sounds = ids
        .filter((id) => library.indexOf(id) >= 0)
        .map((id) => ({ id, name: library.name[library.indexOf(id)] }));
      if (!sounds.length) return;
      for (const id of ids) forget(id);
      await deleting.remove(sounds);
      store.set({
        notice: {
          text: `Deleted ${deletedWords(sounds)}.`,
          kind: "news",
          actions: [{ label: "Undo", run: () => void deleting.undo() }],
        },
      });
    },

    /** What was deleted last, and is not gone for good. */
    undoRemove: () => void deleting.undo(),

    /** As a file. @param {NewSound} newSound */
    save: (newSound) => saver.sounds([{ anchor: anchorOf(newSound), name: newSound.name }]),
  };

  /** Nothing on the page stands on a sound that is gone. @param {string} id */
  function forget(id) {
    const { a, b, marked, storedAs, subject } = store.get();
    store.set({
      ...(a?.sound === id && { a: null }),
      ...(b?.sound === id && { b: null }),
      ...(typeof subject !== "string" &&
        subject.sound === id && { subject: /** @type {const} */ ("a"), shape: null }),
      marked: marked.filter(({ sound }) => sound !== id),
      storedAs: Object.fromEntries(Object.entries(storedAs).filter(([, stored]) => stored !== id)),
    });
  }
}

/** @typedef {ReturnType<typeof createUserSounds>} UserSounds */
