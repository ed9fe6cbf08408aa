// @ts-check
/** From one model to another, with what is known in both. */

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Model} Model */
/** @typedef {import("./state.js").Anchor} Anchor */

/** Where a model's library comes from: fine-tuned and adapted ones have that of their base. @param {Model} model */
const origin = ({ id, base }) => base ?? id;

/**
 * The link to another model: the morph goes on there where its ends are known there too.
 * @param {(state: State) => string} linkOf
 * @param {State} state
 * @param {Model} model
 * @param {{has: (id: string) => boolean}} [sounds] of the other model; by default those of this one, where both have
 *   the library of one base
 */
export function linkTo(linkOf, state, model, sounds) {
  const { library } = state;
  const isRelated = !state.model || origin(state.model) === origin(model);
  const isThere = (/** @type {string} */ id) => {
    if (model.id === state.model?.id) return true;
    const isLibrarys = !library || library.kindOf(library.indexOf(id)) === "library";
    return isLibrarys && (sounds ? sounds.has(id) : isRelated);
  };
  const keep = (/** @type {Anchor | null} */ end) => {
    if (!end?.sound) return isRelated ? end : null; // a point means something else in another space
    return isThere(end.sound) ? end : null;
  };
  const [a, b] = [keep(state.a), keep(state.b)];
  return (
    linkOf({
      ...state,
      modelId: model.id,
      a,
      b,
      metric: state.metric && model.metrics?.includes(state.metric) ? state.metric : null,
      progress: a && b ? state.progress : 0,
      hear: null,
      amounts: {},
      marked: [],
      operation: null,
      seed: null,
      volumeMetric: null,
      shape: null,
      subject: "a",
      families: [],
      view: null,
    }) || "?"
  );
}

/**
 * Goes to another model, once it is known which of the sounds on the page that one has.
 * @param {object} parts
 * @param {import("./store.js").Store<State>} parts.store
 * @param {Pick<import("./api.js").Api, "sounds">} parts.api
 * @param {(state: State) => string} parts.linkOf
 * @param {(link: string) => void} parts.go
 */
export const createOpenModel =
  ({ store, api, linkOf, go }) =>
  /** @param {Model} model @param {MouseEvent} [event] of the link that leads there; others are left to the browser */
  async (model, event) => {
    if (event && (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)) return;
    event?.preventDefault();
    const { a, b } = store.get();
    const sounds = a?.sound || b?.sound ? await api.sounds(model.id).catch(() => null) : null;
    go(linkTo(linkOf, store.get(), model, sounds ? new Set(sounds.id) : undefined));
  };
