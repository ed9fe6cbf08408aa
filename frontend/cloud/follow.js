// @ts-check
/** Keeps the cloud in step with the service: all of it once, then what changed. */

import { isAborted, latest } from "../core/client.js";
import { createCloud, mergedColumns, readColumns } from "../core/cloud.js";
import { watch } from "../core/store.js";

const GROWING = 3000; // ms between looks while sounds are being taken in
const AGAIN = 15_000; // ms until a look that failed is tried again

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<import("../core/state.js").State>} parts.store
 * @param {import("./requests.js").CloudApi} parts.api
 */
export function followCloud({ store, api }) {
  let timer = 0;

  const look = latest(async (signal) => {
    clearTimeout(timer);
    const { model } = store.get();
    if (!model) return;
    const before = store.get().cloud?.model === model.id ? store.get().cloud : null;
    try {
      const newer = readColumns(await api.positions(model.id, before?.columns.version ?? null, signal));
      if (newer.growing) timer = window.setTimeout(look, GROWING);
      if (before && !newer.whole && !newer.id.length) return;
      const columns = before && !newer.whole ? mergedColumns(before.columns, newer) : newer;
      store.set({
        cloud: columns.id.length || before ? createCloud(model.id, columns) : null,
        cloudPointed: null,
      });
    } catch (error) {
      if (!isAborted(error)) timer = window.setTimeout(look, AGAIN); // nobody asked: nothing is said
    }
  });

  const stop = watch(
    store,
    ({ model, library }) => [model?.id, library !== null],
    ({ model, library, cloud }) => {
      if (cloud && cloud.model !== model?.id) store.set({ cloud: null, matches: null, selection: null });
      if (model && library) requestAnimationFrame(() => void look()); // the first map comes first
    },
  );
  return {
    /** Something may have changed. */
    look: () => void look(),
    destroy() {
      stop();
      look.cancel();
      clearTimeout(timer);
    },
  };
}
