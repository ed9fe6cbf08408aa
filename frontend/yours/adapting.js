// @ts-check
/** One's own sounds taken into the model, in closed form: made anew whenever they are others, taken back on demand. */

import { latest, isAborted } from "../core/client.js";
import { userSoundIds } from "../core/sounds.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Adaptation} Adaptation */
/** @typedef {import("../core/api.js").AdaptationReply} AdaptationReply */

const MOST = 100; // sounds that one model learns from

/**
 * Those of one's own sounds that a model can learn from at once: the first, where they are more.
 * @param {import("../core/sounds.js").Library} library
 */
export const learnable = (library) => userSoundIds(library).slice(0, MOST);

/** @param {readonly string[]} first @param {readonly string[]} other in whichever order */
const same = (first, other) => first.length === other.length && first.every((id) => other.includes(id));

/** @param {AdaptationReply} reply @returns {Adaptation} */
const adaptationOf = ({ model, result, sounds, forecast, carries, sliders }) => ({
  phase: "ready",
  base: model,
  sounds,
  result,
  text: forecast.text,
  carries,
  sliders,
});

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createAdapting({ store, api, complain }) {
  let looked = ""; // the model whose adaptations have been asked for
  /** @type {readonly string[]} the sounds that were there then */
  let lastIds = [];

  /** @param {readonly string[]} sounds @param {string} base @returns {Adaptation} */
  const offer = (sounds, base) => ({
    phase: "offered",
    base,
    sounds,
    result: null,
    text: "",
    carries: true,
    sliders: [],
  });

  /** Takes the sounds in; hears them if `hear`. What was made from others before goes. */
  const adapt = latest(
    async (
      signal,
      /** @type {string} */ model,
      /** @type {readonly string[]} */ sounds,
      /** @type {boolean} */ hear,
    ) => {
      const before = store.get().adaptation;
      const old = before?.base === model ? before.result : null;
      store.set({
        adaptation: { ...((old ? before : null) ?? offer(sounds, model)), phase: old ? "ready" : "adapting" },
      });
      try {
        const ready = adaptationOf(await api.adapt(model, [...sounds], signal));
        if (signal.aborted) return;
        const sliderIds = new Set(ready.sliders.map(({ id }) => id));
        const { amounts } = store.get();
        store.set({
          adaptation: ready,
          amounts: Object.fromEntries(Object.entries(amounts).filter(([id]) => sliderIds.has(id))),
          ...(hear && { hear: /** @type {const} */ ("after") }),
        });
        if (old && old !== ready.result) void api.unadapt(old).catch(() => {}); // nobody hears it any more
      } catch (error) {
        if (isAborted(error) || signal.aborted) return;
        store.set({ adaptation: offer(sounds, model), hear: null });
        complain(error, () => void adapt(model, sounds, hear));
      }
    },
  );

  /**
   * As it was left, here or in another window: in use, or taken back.
   * @param {State} state
   * @param {readonly string[]} sounds
   */
  async function look({ model, hear }, sounds) {
    const id = /** @type {import("../core/state.js").Model} */ (model).id;
    looked = id;
    lastIds = sounds;
    try {
      const inUse = (await api.adaptations(id)).some((adaptation) => same(adaptation.sounds, sounds));
      const now = store.get();
      if (now.model?.id !== id || now.adaptation) return;
      if (!now.library || !same(learnable(now.library), sounds)) return; // they have been adapted to since, or are gone
      // a link, or the page before a reload, may ask to hear what none of these sounds is there for any more
      if (!sounds.length) return store.set({ hear: null });
      if (inUse || hear === "after") void adapt(id, sounds, false);
      else store.set({ adaptation: offer(sounds, id) });
    } catch (error) {
      looked = "";
      complain(error, () => void look(store.get(), sounds));
    }
  }

  const stop = watch(
    store,
    ({ library, model }) => [library, model],
    (state) => {
      const { library, model, adaptation } = state;
      if (!library || !model) return;
      const sounds = learnable(library);
      if (looked !== model.id) return void look(state, sounds);
      if (same(adaptation?.sounds ?? lastIds, sounds)) return;
      if (sounds.length) return void adapt(model.id, sounds, true);
      adapt.cancel();
      if (adaptation?.result) void api.unadapt(adaptation.result).catch(() => {});
      lastIds = [];
      store.set({ adaptation: null, hear: null, amounts: {} });
    },
  );

  return {
    /** Takes the sounds in, though they had been taken back. */
    again() {
      const { adaptation } = store.get();
      if (adaptation) void adapt(adaptation.base, adaptation.sounds, true);
    },
    /** The model as it was, to the last bit: it had never been touched. */
    async undo() {
      const { adaptation } = store.get();
      if (!adaptation?.result) return;
      adapt.cancel();
      store.set({ adaptation: offer(adaptation.sounds, adaptation.base), hear: null, amounts: {} });
      try {
        await api.unadapt(adaptation.result);
      } catch (error) {
        complain(error, () => void api.unadapt(/** @type {string} */ (adaptation.result)).catch(() => {}));
      }
    },
    destroy() {
      stop();
      adapt.cancel();
    },
  };
}

/** @typedef {ReturnType<typeof createAdapting>} Adapting */
