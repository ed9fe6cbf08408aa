// @ts-check
/** From where sliders start: A, B, the step of the path that is chosen, or a sound of one's own choice. */

import { spoken } from "../compare/anchors.js";
import { writePoint } from "../core/latent.js";
import { STEPS, geodesicQueryOf, stepAt, voiceOf } from "../core/state.js";
import { anchorName } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */

const CACHED = 12; // paths whose points are remembered

/**
 * The end that is meant; where there is only one, that one.
 * @param {"a" | "b"} end
 * @param {Pick<State, "a" | "b">} state
 */
export const endOf = (end, { a, b }) => (end === "a" ? (a ?? b) : (b ?? a));

/** @param {import("../core/api.js").Api} api */
export function createOrigins(api) {
  /** @type {Map<string, Promise<number[][]>>} the latent points of a path's steps */
  const nodes = new Map();

  /**
   * @param {State} state
   * @param {Anchor[]} ends
   * @param {import("../core/api.js").Measure & {kind: string}} query
   * @param {AbortSignal} [signal]
   */
  const pathOf = async (state, ends, query, signal) =>
    (await api.path(voiceOf(state), await spoken(api, state, voiceOf(state), ends), query, signal)).path
      .nodes;

  /** @param {State} state @param {AbortSignal} [signal] @returns {Promise<Anchor | null>} null: nowhere yet */
  async function originOf(state, signal) {
    const { subject, a, b, path, progress, morph, library } = state;
    if (typeof subject !== "string") return subject;
    if (subject !== "here") return endOf(subject, { a, b });
    const step = stepAt(progress);
    if (step === 0) return a;
    if (step === STEPS - 1) return b;
    if (!a || !b || !morph || !library) return null;
    const { kind, measure } = path === "geodesic" ? geodesicQueryOf(state) : { kind: path, measure: {} };
    const key = `${morph.key} ${path}`;
    let request = nodes.get(key);
    if (!request) {
      nodes.set(key, (request = pathOf(state, [a, b], { kind, ...measure }, signal)));
      request.catch(() => nodes.delete(key));
      for (const old of [...nodes.keys()].slice(0, -CACHED)) nodes.delete(old);
    }
    const point = (await request)[step];
    const position = morph.paths[path]?.step_positions[step] ?? [0, 0];
    return {
      code: writePoint(position, point),
      point,
      position,
      name: `${anchorName(a, library)} to ${anchorName(b, library)}, ${step + 1}`,
    };
  }
  return originOf;
}
