// @ts-check
/** From an empty page to a map: asks the engine for its models, the library and the atlas, as often as it takes. */

import { ApiError, isAway, isWorthRetrying } from "./core/client.js";
import { createLibrary } from "./core/sounds.js";
import { troubleOf } from "./core/url.js";

const WAITS = [1, 2, 4, 8, 15]; // Seconds between tries
const SETTLING = 3; // Seconds until places that were still being found are asked for again
const LOOKED_LATELY = 1000; // ms: a window that is shown gets the focus too, and looks once

/**
 * Whether two libraries are the same to the eye.
 * @param {import("./core/sounds.js").Library} first
 * @param {import("./core/sounds.js").Columns} other
 */
const sameLibrary = (first, other) =>
  ["id", "name", "kind", "pitch", "x", "y"].every(
    (column) =>
      JSON.stringify(first[/** @type {"id"} */ (column)]) ===
      JSON.stringify(other[/** @type {"id"} */ (column)]),
  );

/**
 * @param {object} parts
 * @param {import("./core/store.js").Store<import("./core/state.js").State>} parts.store
 * @param {import("./core/api.js").Api} parts.api
 * @param {Window} parts.window
 * @param {ReturnType<typeof import("./core/url.js").createLinks>["check"]} parts.check of what the link names
 * @param {Pick<BroadcastChannel, "postMessage" | "addEventListener" | "close">} [parts.windows] the other windows of
 *   this browser
 */
export function createServer({ store, api, window, check, windows }) {
  let tries = 0;
  let timer = 0;
  let settling = 0; // timer

  async function load() {
    clearTimeout(timer);
    try {
      const { models, unusable, choices, export_folder: exportFolder } = await api.models();
      const linked = models.find(({ id }) => id === store.get().modelId);
      // what was adapted at once is heard over the map of its base
      const home = linked?.kind === "adapted" ? models.find(({ id }) => id === linked.base) : undefined;
      if (home) store.set({ modelId: home.id, hear: store.get().hear ?? "after" });
      const model = home ?? linked ?? models[0];
      if (!model) {
        const why = unusable.length
          ? `No model could be loaded. ${unusable[0].problem}`
          : "The server has no models. Put one under models/ and start it again.";
        store.set({ server: { phase: "broken", why } });
        return;
      }
      const [columns, atlas] = await Promise.all([api.sounds(model.id), api.atlas(model.id)]);
      const library = createLibrary(columns);
      lookAgain(columns);
      tries = 0;
      const linkChecked = check({ ...store.get(), model, library });
      explain(model.id, unusable, linkChecked.problems);
      store.set({
        server: { phase: "ready" },
        models,
        model,
        choices,
        exportFolder,
        library,
        atlas,
        ...linkChecked.state,
      });
    } catch (error) {
      later(error);
    }
  }

  /**
   * Some sounds are shown where they were before, until the engine has found their places.
   * @param {import("./core/sounds.js").Columns} columns
   */
  function lookAgain({ provisional }) {
    clearTimeout(settling);
    if (provisional) settling = window.setTimeout(() => look().catch(() => {}), SETTLING * 1000);
  }

  /**
   * A link may name what is not here.
   * @param {string} model
   * @param {{id: string, problem: string}[]} unusable
   * @param {string[]} unoffered a sentence for each name that the model or its library does not have
   */
  function explain(model, unusable, unoffered) {
    const { modelId, notice } = store.get();
    const problems = [...(notice ? [notice.text] : []), ...unoffered];
    if (modelId && modelId !== model)
      problems.push(`The link asks for the model ${modelId}, which is not here; this is ${model}.`);
    if (!notice && !problems.length && unusable.length)
      problems.push(`The pack ${unusable[0].id} could not be loaded. ${unusable[0].problem}`);
    store.set({
      modelId: modelId ? model : null,
      notice: troubleOf(problems),
    });
  }

  /** @param {unknown} error */
  function later(error) {
    const wait = WAITS[Math.min(tries++, WAITS.length - 1)];
    const why =
      error instanceof ApiError && error.status === 503
        ? "The server is still waking up."
        : error instanceof ApiError
          ? error.message
          : "The server sent something that cannot be read.";
    if (!(error instanceof ApiError)) console.error(error);
    store.set({ server: { phase: "away", why, retryAt: Date.now() + wait * 1000 } });
    timer = window.setTimeout(back, wait * 1000);
  }

  /** Something else could not reach it: is it still there? */
  function lost() {
    if (store.get().server.phase === "away") return;
    tries = 0;
    later(new ApiError("The server does not answer.", "away", 0));
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

  /** The library and the models as they are now; nothing changes on the page where nothing has changed. */
  async function look() {
    const { model, library } = store.get();
    if (!model || !library) return;
    const [columns, { models, choices }] = await Promise.all([api.sounds(model.id), api.models()]);
    if (store.get().model?.id !== model.id) return;
    if (JSON.stringify(models) !== JSON.stringify(store.get().models))
      store.set({ models, choices, model: models.find(({ id }) => id === model.id) ?? model });
    lookAgain(columns);
    if (!sameLibrary(library, columns)) replace(createLibrary(columns));
  }

  /** Nothing on the page stands on a sound that is gone. @param {import("./core/sounds.js").Library} library */
  function replace(library) {
    const { a, b, marked, subject, editing } = store.get();
    const isMissing = (/** @type {unknown} */ anchor) => {
      const { sound } = /** @type {{sound?: string}} */ (anchor ?? {});
      return sound !== undefined && library.indexOf(sound) < 0;
    };
    store.set({
      library,
      pointed: null,
      ...(isMissing(a) && { a: null }),
      ...(isMissing(b) && { b: null }),
      ...(isMissing(subject) && { subject: /** @type {const} */ ("a"), shape: null }),
      ...(marked.some(isMissing) && { marked: marked.filter((anchor) => !isMissing(anchor)) }),
      ...(editing && library.indexOf(editing) < 0 && { editing: null }),
    });
  }

  // what another window has brought or deleted: said by it, or seen when one comes back to this one
  let lookedAt = -Infinity; // ms
  function cameBack() {
    if (window.document.hidden || performance.now() - lookedAt < LOOKED_LATELY) return;
    lookedAt = performance.now();
    look().catch(() => {}); // nobody asked
  }
  window.addEventListener("focus", cameBack);
  window.document.addEventListener("visibilitychange", cameBack);
  windows?.addEventListener("message", () => void look().catch(() => {}));

  return {
    load,
    /** The library has changed: a sound was kept, renamed or taken out. */
    async refresh() {
      const { model } = store.get();
      if (model) {
        const columns = await api.sounds(model.id);
        lookAgain(columns);
        replace(createLibrary(columns));
      }
      windows?.postMessage("library");
    },
    /**
     * One place for all complaints: a sentence and a way on.
     * @param {unknown} error @param {() => void} retry
     */
    complain(error, retry) {
      if (isAway(error)) return lost();
      if (!(error instanceof ApiError)) console.error(error);
      const text = error instanceof Error ? error.message : String(error);
      store.set({
        notice: {
          text,
          kind: "trouble",
          ...(isWorthRetrying(error) && { actions: [{ label: "Try again", run: retry }] }),
        },
      });
    },
    destroy() {
      clearTimeout(timer);
      clearTimeout(settling);
      window.removeEventListener("sonifold:try", now);
      window.removeEventListener("focus", cameBack);
      window.document.removeEventListener("visibilitychange", cameBack);
      windows?.close();
    },
  };
}
