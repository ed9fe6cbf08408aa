// @ts-check
/** Draws new sounds as the link says: the sampler that was asked for, and beside it the two everyone compares with. */

import { isAborted, latest } from "../core/client.js";
import { writePoint } from "../core/latent.js";
import { anchorOf, keyOf, voiceOf } from "../core/state.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").NewSound} NewSound */
/** @typedef {import("../core/state.js").Draw} Draw */

const REST = 180; // ms: a slider that is being pulled draws when it rests
const AT_ONCE = 8; // sounds rendered in one request, so that pointing at one has not to wait for all

/** Whom the chosen sampler is seen beside. @type {Record<string, NewSound["shape"]>} */
export const BESIDE = { prior: "triangle", mixture: "square" };

/** The sampler that is in force. @param {State} state */
export const samplerOf = ({ sampler, model }) => sampler ?? model?.samplers?.[0]?.id ?? "";

/** Does it need a place to begin? @param {State} state @param {string} sampler */
export const needsStart = ({ model }, sampler) =>
  model?.samplers?.find(({ id }) => id === sampler)?.start ?? false;

/**
 * The metric by whose volume a sampler draws; null: it knows of none, or the model has no choice.
 * @param {State} state @param {string} sampler
 */
export function volumeOf({ model, volumeMetric }, sampler) {
  const metrics = model?.volume_metrics ?? [];
  const isByVolume = model?.samplers?.find(({ id }) => id === sampler)?.volume ?? false;
  return isByVolume && metrics.length > 1 ? (volumeMetric ?? metrics[0]) : null;
}

/** What is drawn, as one text; "": nothing. @param {State} state */
export function drawingKey(state) {
  const { model, count, temperature, seed, beside, volumeMetric, a } = state;
  const sampler = samplerOf(state);
  if (!model || seed === null) return "";
  const start = needsStart(state, sampler) ? keyOf(a) : "";
  return [sampler, volumeMetric, count, temperature, seed, beside, start].join(" ");
}

/**
 * @param {import("../core/api.js").Samples} reply
 * @param {NewSound["shape"]} shape
 * @returns {Draw}
 */
export function drawOf({ sampler, seed, temperature, diagnostics, warnings, samples }, shape) {
  return {
    sampler,
    seed,
    temperature,
    diagnostics,
    warnings: warnings.map(({ text }) => text),
    samples: samples.map(({ point, x, y, in_distribution, nearest }, i) => ({
      code: writePoint([x, y], point),
      kind: "sample",
      shape,
      sampler,
      name: `Sample ${seed}-${i + 1}`,
      position: [x, y],
      point,
      inDistribution: in_distribution,
      near: nearest,
      url: null,
      courses: [],
      notes: [],
      recipe: `${sampler} ${seed} ${temperature} ${i}`,
    })),
  };
}

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {import("../playback.js").Playback} parts.playback
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createSampling({ store, api, playback, complain }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const draw = latest(async (signal, /** @type {string} */ key) => {
    const state = store.get();
    const { model, count, temperature, seed, beside, a } = state;
    const sampler = samplerOf(state);
    if (!model || seed === null) return;
    const names = [sampler, ...(beside ? Object.keys(BESIDE).filter((other) => other !== sampler) : [])];
    store.set({ drawing: { key, phase: "drawing", draws: state.drawing?.draws ?? [] } });
    try {
      const draws = await Promise.all(
        names.map(async (name) => {
          const start = needsStart(state, name) && a ? { start: a } : {};
          const metric = volumeOf(state, name);
          const reply = await api.samples(
            model.id,
            {
              sampler: name,
              count,
              seed,
              ...(hasTemperature(state, name) && { temperature }),
              ...(metric && { metric }),
              ...start,
            },
            signal,
          );
          return drawOf(reply, name === sampler ? "ring" : BESIDE[name]);
        }),
      );
      if (signal.aborted) return;
      store.set({ drawing: { key, phase: "ready", draws } });
      await render(draws[0], signal);
    } catch (error) {
      if (isAborted(error) || signal.aborted) return;
      store.set({ drawing: { key, phase: "failed", draws: [] } });
      complain(error, () => void draw(key));
    }
  });

  /** Ahead of whoever points at one. @param {Draw} drawn @param {AbortSignal} signal */
  async function render({ samples }, signal) {
    const voice = voiceOf(store.get());
    for (let i = 0; i < samples.length && !signal.aborted; i += AT_ONCE) {
      const some = samples.slice(i, i + AT_ONCE);
      const sounds = await api.decodings(voice, some.map(anchorOf), signal);
      sounds.forEach(({ audio }, k) => playback.learn(some[k].code, audio.url, voice));
    }
  }

  const stop = watch(
    store,
    (state) => [drawingKey(state), state.library !== null],
    (state) => {
      clearTimeout(timer);
      const key = drawingKey(state);
      if (!state.library) return;
      if (!key || (needsStart(state, samplerOf(state)) && !state.a)) {
        draw.cancel();
        if (state.drawing) store.set({ drawing: null });
      } else if (key !== state.drawing?.key)
        timer = setTimeout(() => void draw(key), state.drawing ? REST : 0);
    },
  );

  return {
    destroy() {
      stop();
      clearTimeout(timer);
      draw.cancel();
    },
  };
}

/** @param {State} state @param {string} sampler */
export const hasTemperature = ({ model }, sampler) =>
  model?.samplers?.find(({ id }) => id === sampler)?.temperature ?? true;
