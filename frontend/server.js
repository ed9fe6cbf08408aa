// @ts-check
/** From an empty page to a map: asks the engine for its models, the library and the atlas, as often as it takes. */

import { ApiError, isAway } from "./api.js";
import { createLibrary } from "./library/sounds.js";

const WAITS = [1, 2, 4, 8, 15]; // Seconds between tries

/**
 * @param {object} parts
 * @param {import("./store.js").Store<import("./state.js").State>} parts.store
 * @param {import("./api.js").Api} parts.api
 * @param {Window} parts.window
 */
export function createServer({ store, api, window }) {
  let tries = 0;
  let timer = 0;

  async function load() {
    clearTimeout(timer);
    try {
      const { models, unusable } = await api.models();
      const asked = models.find(({ id }) => id === store.get().modelId);
      // what was adapted at once is heard over the map of its base
      const home = asked?.kind === "adapted" ? models.find(({ id }) => id === asked.base) : undefined;
      if (home) store.set({ modelId: home.id, hear: store.get().hear ?? "after" });
      const model = home ?? asked ?? models[0];
      if (!model) {
        const why = unusable.length ? `No model could be loaded. ${unusable[0].problem}` : "The engine has no models. Put one under models/ and start it again.";
        store.set({ server: { phase: "broken", why } });
        return;
      }
      const [columns, atlas] = await Promise.all([api.sounds(model.id), api.atlas(model.id)]);
      const library = createLibrary(columns);
      tries = 0;
      explain(model.id, library, unusable);
      store.set({ server: { phase: "ready" }, models, model, library, atlas });
    } catch (error) {
      later(error);
    }
  }

  /** A link may name what is not here. @param {string} model @param {import("./library/sounds.js").Library} library @param {{id: string, problem: string}[]} unusable */
  function explain(model, library, unusable) {
    const { a, b, modelId, notice } = store.get();
    const problems = notice ? [notice.text] : [];
    if (modelId && modelId !== model) problems.push(`The link asks for the model ${modelId}, which is not here; this is ${model}.`);
    const lost = /** @type {const} */ (["a", "b"]).filter((end) => {
      const sound = { a, b }[end]?.sound;
      return sound !== undefined && library.indexOf(sound) < 0;
    });
    for (const end of lost) problems.push(`The link names a sound that is not in this library (${end}=${{ a, b }[end]?.sound}). Pick another one for ${end.toUpperCase()}.`);
    if (!notice && !problems.length && unusable.length) problems.push(`The pack ${unusable[0].id} could not be loaded. ${unusable[0].problem}`);
    store.set({
      modelId: modelId ? model : null,
      ...Object.fromEntries(lost.map((end) => [end, null])),
      notice: problems.length ? { text: problems.join(" "), kind: "trouble" } : null,
    });
  }

  /** @param {unknown} error */
  function later(error) {
    const wait = WAITS[Math.min(tries++, WAITS.length - 1)];
    const why = error instanceof ApiError && error.status === 503 ? "The engine is still waking up." : error instanceof ApiError ? error.message : "The engine sent something that cannot be read.";
    if (!(error instanceof ApiError)) console.error(error);
    store.set({ server: { phase: "away", why, retryAt: Date.now() + wait * 1000 } });
    timer = window.setTimeout(back, wait * 1000);
  }

  /** Something else could not reach it: is it still there? */
  function lost() {
    if (store.get().server.phase === "away") return;
    tries = 0;
    later(new ApiError("The engine is away.", "away", 0));
  }

  async function back() {
    clearTimeout(timer);
    if (!store.get().library) return load();
    try {
      await api.models();
      tries = 0;
      store.set({ server: { phase: "ready" } });
    } catch (error) {
      later(error);
    }
  }
  const now = () => void back();
  window.addEventListener("sonifold:try", now);

  return {
    load,
    /** The library has changed: a sound was kept, renamed or taken out. */
    async refresh() {
      const { model } = store.get();
      if (model) store.set({ library: createLibrary(await api.sounds(model.id)), pointed: null });
    },
    /**
     * One place for all complaints: a sentence and a way on.
     * @param {unknown} error @param {() => void} again
     */
    complain(error, again) {
      if (isAway(error)) return lost();
      if (!(error instanceof ApiError)) console.error(error);
      const text = error instanceof Error ? error.message : String(error);
      store.set({ notice: { text, kind: "trouble", action: { label: "Try again", run: again } } });
    },
    destroy() {
      clearTimeout(timer);
      window.removeEventListener("sonifold:try", now);
    },
  };
}
