// @ts-check
/** What belongs to who listens, and not to what is seen: kept in this browser, in no link. */

import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */

const NAME = "sonifold.preferences";

/**
 * What was kept, as far as it makes sense.
 * @param {Pick<Storage, "getItem"> | null} storage
 * @returns {Partial<Pick<State, "volume" | "walkSounds" | "saving">>}
 */
export function readPreferences(storage) {
  let stored;
  try {
    stored = JSON.parse(storage?.getItem(NAME) ?? "{}") ?? {};
  } catch {
    return {}; // somebody else's, or cut off
  }
  const { volume, walkSounds, saving } = stored;
  return {
    ...(typeof volume === "number" && volume >= 0 && volume <= 1 && { volume }),
    ...(typeof walkSounds === "boolean" && { walkSounds }),
    ...(isSaving(saving) && { saving }),
  };
}

/** @param {any} stored @returns {stored is import("../core/state.js").Saving} */
const isSaving = (stored) =>
  Number.isInteger(stored?.steps) &&
  stored.steps >= 2 &&
  stored.steps <= 33 &&
  typeof stored.format === "string" &&
  [null, 16, 24, 32].includes(stored.depth) &&
  ["keep", "normalise"].includes(stored.level) &&
  typeof stored.trim === "boolean" &&
  ["string", "undefined"].includes(typeof stored.instrument) &&
  ["boolean", "undefined"].includes(typeof stored.download);

/** @param {import("../core/store.js").Store<State>} store @param {Pick<Storage, "setItem"> | null} storage */
export const keepPreferences = (store, storage) =>
  watch(
    store,
    ({ volume, walkSounds, saving }) => [volume, walkSounds, saving],
    ({ volume, walkSounds, saving }) => {
      try {
        storage?.setItem(NAME, JSON.stringify({ volume, walkSounds, saving }));
      } catch {
        // no room, or not allowed: it lasts for this visit
      }
    },
  );

/** What a browser may refuse: then nothing is kept. @param {() => Storage} open @returns {Storage | null} */
export function storageOf(open) {
  try {
    return open();
  } catch {
    return null;
  }
}
