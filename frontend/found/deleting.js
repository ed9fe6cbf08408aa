// @ts-check
/**
 * Sounds that are deleted, but can still be taken back: gone from the page at once, from the server a while later. The
 * browser remembers them, so that a reload, or another window, shows the same.
 */

import { ApiError } from "../core/client.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Deleted} Deleted */

const GRACE = 30_000; // ms that a deletion can be taken back
const AGAIN = 10_000; // ms until a server that did not answer is asked again
const KEY = "sonifold:deleted";

/** @param {Pick<Storage, "getItem">} storage @returns {Deleted[]} */
export function remembered(storage) {
  try {
    const entries = JSON.parse(storage.getItem(KEY) ?? "[]");
    return Array.isArray(entries)
      ? entries.filter(
          (entry) =>
            typeof entry?.id === "string" &&
            typeof entry.model === "string" &&
            typeof entry.until === "number",
        )
      : [];
  } catch {
    return []; // no storage, or something else wrote there
  }
}

/**
 * The service as if what is deleted were gone already.
 * @param {import("../core/api.js").Api} api @param {() => readonly Deleted[]} deleted
 * @returns {import("../core/api.js").Api}
 */
export function hidingDeleted(api, deleted) {
  /** @type {Map<string, boolean[]>} of each model, which of its sounds are shown */
  const visible = new Map();
  return {
    ...api,
    async sounds(model) {
      const before = deleted(); // one may be gone for good while the list is on its way, and still be in it
      const columns = await api.sounds(model);
      const deletedIds = new Set([...before, ...deleted()].map(({ id }) => id));
      const visibleRows = columns.id.map((id) => !deletedIds.has(id));
      visible.set(model, visibleRows);
      return without(columns, visibleRows);
    },
    async distances(model, id, signal) {
      const { distance, distances } = await api.distances(model, id, signal);
      const visibleRows = visible.get(model);
      const filtered = visibleRows?.length === distances.length;
      return { distance, distances: filtered ? distances.filter((_, i) => visibleRows[i]) : distances };
    },
  };
}

/**
 * @param {import("../core/sounds.js").Columns} columns
 * @param {readonly boolean[]} visibleRows
 * @returns {import("../core/sounds.js").Columns}
 */
function without(columns, visibleRows) {
  const { family_names, ...rows } = columns;
  const some = Object.entries(rows).map(([name, values]) => [
    name,
    Array.isArray(values) ? values.filter((_, i) => visibleRows[i]) : values,
  ]);
  return { family_names, ...Object.fromEntries(some) };
}

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {Pick<import("../core/api.js").Api, "remove">} parts.api
 * @param {Pick<Storage, "getItem" | "setItem"> | null} parts.storage null: the browser has none, a reload shows them
 *   again
 * @param {() => Promise<void>} parts.refresh
 * @param {(error: unknown, again: () => void) => void} parts.complain
 * @param {number} [parts.grace] ms
 */
export function createDeleting({ store, api, storage, refresh, complain, grace = GRACE }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let committing = false; // one after the other, and none twice
  const entries = () => (storage ? remembered(storage) : [...store.get().deleted]); // other windows delete too

  /** @param {Deleted[]} deleted */
  function remember(deleted) {
    storage?.setItem(KEY, JSON.stringify(deleted));
    store.set({ deleted });
    schedule();
  }

  function schedule() {
    clearTimeout(timer);
    if (committing) return;
    const next = Math.min(...store.get().deleted.map(({ until }) => until));
    if (Number.isFinite(next)) timer = setTimeout(() => void commit(), Math.max(0, next - Date.now()));
  }

  /** For good: those whose time is over. */
  async function commit() {
    if (committing) return;
    committing = true;
    const all = await removeDue();
    committing = false;
    if (all) schedule();
    else timer = setTimeout(() => void commit(), AGAIN);
  }

  /** Whether all that were due are gone. */
  async function removeDue() {
    for (const { model, id } of entries().filter(({ until }) => until <= Date.now())) {
      if (!entries().some((entry) => entry.id === id)) continue; // taken back meanwhile
      try {
        await api.remove(model, id);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) return false;
      }
      remember(entries().filter((entry) => entry.id !== id));
    }
    return true;
  }

  async function show() {
    try {
      await refresh();
    } catch (error) {
      complain(error, () => void show());
    }
  }

  store.set({ deleted: entries() });
  schedule();
  return {
    /** @param {readonly {id: string, name: string}[]} sounds */
    async remove(sounds) {
      const model = /** @type {import("../core/state.js").Model} */ (store.get().model).id;
      const until = Date.now() + grace;
      remember([...entries(), ...sounds.map(({ id, name }) => ({ model, id, name, until }))]);
      await show();
    },
    /** All that can be. */
    async undo() {
      remember([]);
      await show();
    },
    destroy: () => clearTimeout(timer),
  };
}

/** "Kick 1", "3 sounds" @param {readonly {name: string}[]} deleted */
export const deletedWords = (deleted) =>
  deleted.length === 1 ? `“${deleted[0].name}”` : `${deleted.length} sounds`;

/** @typedef {ReturnType<typeof createDeleting>} Deleting */
