// @ts-check
/** What was made in a visit and not kept in the library: still there after a reload, as long as the tab is. */

import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Found} Found */

const NAME = "sonifold.made";

/** @param {unknown} entry @returns {entry is Found} */
const isFound = (entry) => {
  const { code, name, position, point, courses, notes } = /** @type {Partial<Found>} */ (entry ?? {});
  return (
    typeof code === "string" &&
    typeof name === "string" &&
    [position, point, courses, notes].every(Array.isArray)
  );
};

/** @param {Pick<Storage, "getItem"> | null} storage @param {string} model @returns {Found[]} oldest first */
export function readMade(storage, model) {
  try {
    const kept = JSON.parse(storage?.getItem(NAME) ?? "null");
    if (kept?.model !== model || !Array.isArray(kept.made)) return [];
    return kept.made.filter(isFound).map((/** @type {Found} */ one) => ({ ...one, url: null })); // what was rendered may be gone
  } catch {
    return []; // somebody else's, or cut off
  }
}

/** @param {import("../core/store.js").Store<State>} store @param {Pick<Storage, "getItem" | "setItem"> | null} storage */
export function keepMade(store, storage) {
  let read = ""; // the model whose list has been read
  return watch(
    store,
    ({ model, library, found }) => [model?.id, library !== null, found],
    ({ model, library, found }) => {
      if (!model || !library) return;
      if (read !== model.id) {
        read = model.id;
        const known = new Set(found.map(({ made }) => made));
        const earlier = readMade(storage, model.id).filter(({ made }) => !known.has(made));
        if (earlier.length) return store.set({ found: [...earlier, ...found] });
      }
      try {
        storage?.setItem(NAME, JSON.stringify({ model: model.id, made: found }));
      } catch {
        // no room: the list lasts until the page is left
      }
    },
  );
}
