// @ts-check
/** What was made in a visit and not kept in the library: still there after a reload, as long as the tab is. */

import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").NewSound} NewSound */

const NAME = "sonifold.made";

/** @param {unknown} entry @returns {entry is NewSound} */
const isNewSound = (entry) => {
  const { code, name, position, point, courses, notes } = /** @type {Partial<NewSound>} */ (entry ?? {});
  return (
    typeof code === "string" &&
    typeof name === "string" &&
    [position, point, courses, notes].every(Array.isArray)
  );
};

/** @param {Pick<Storage, "getItem"> | null} storage @param {string} model @returns {NewSound[]} oldest first */
function readNewSounds(storage, model) {
  try {
    const entry = JSON.parse(storage?.getItem(NAME) ?? "null");
    if (entry?.model !== model || !Array.isArray(entry.made)) return [];
    return entry.made
      .filter(isNewSound)
      .map((/** @type {NewSound} */ newSound) => ({ ...newSound, url: null })); // what was rendered may be gone
  } catch {
    return []; // somebody else's, or cut off
  }
}

/**
 * @param {import("../core/store.js").Store<State>} store
 * @param {Pick<Storage, "getItem" | "setItem"> | null} storage
 */
export function keepNewSounds(store, storage) {
  let read = ""; // the model whose list has been read
  return watch(
    store,
    ({ model, library, newSounds }) => [model?.id, library !== null, newSounds],
    ({ model, library, newSounds }) => {
      if (!model || !library) return;
      if (read !== model.id) {
        read = model.id;
        const recipes = new Set(newSounds.map(({ recipe }) => recipe));
        const earlier = readNewSounds(storage, model.id).filter(({ recipe }) => !recipes.has(recipe));
        if (earlier.length) return store.set({ newSounds: [...earlier, ...newSounds] });
      }
      try {
        storage?.setItem(NAME, JSON.stringify({ model: model.id, made: newSounds }));
      } catch {
        // no room: the list lasts until the page is left
      }
    },
  );
}
