// @ts-check
/** Sounds that the model before does not have, because they were learned later, are places to it. */

import { writePoint } from "../core/latent.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */

/** @type {WeakMap<object, Map<string, Promise<Anchor>>>} */
const points = new WeakMap();

/**
 * Is the voice that of the model before, which knows only what came with it?
 * @param {Pick<State, "model" | "library">} state
 * @param {string} voice
 * @param {Anchor} anchor
 */
const strange = ({ model, library }, voice, anchor) =>
  anchor.sound !== undefined &&
  library !== null &&
  model !== null &&
  voice === model.base &&
  library.kindOf(library.indexOf(anchor.sound)) !== "library";

/**
 * Where the model of the map has a sound.
 * @param {Pick<import("../core/api.js").Api, "sound">} api
 * @param {string} model
 * @param {string} id
 * @returns {Promise<Anchor>}
 */
export function pointOf(api, model, id) {
  let requests = points.get(api);
  if (!requests) points.set(api, (requests = new Map()));
  const key = `${model} ${id}`;
  let request = requests.get(key);
  if (!request) {
    const pending = requests;
    pending.set(
      key,
      (request = api.sound(model, id).then(({ z, x, y, name }) => ({
        code: writePoint([x, y], z),
        point: z,
        position: /** @type {[number, number]} */ ([x, y]),
        name,
      }))),
    );
    request.catch(() => pending.delete(key));
  }
  return request;
}

/**
 * Anchors expressed for the model being played; sounds it does not have become latent points.
 * @param {Pick<import("../core/api.js").Api, "sound">} api
 * @param {State} state
 * @param {string} voice
 * @param {Anchor[]} anchors
 * @returns {Anchor[] | Promise<Anchor[]>}
 */
export function spoken(api, state, voice, anchors) {
  const { model } = state;
  if (!model || !anchors.some((anchor) => strange(state, voice, anchor))) return anchors;
  return Promise.all(
    anchors.map((anchor) =>
      anchor.sound && strange(state, voice, anchor) ? pointOf(api, model.id, anchor.sound) : anchor,
    ),
  );
}
