// @ts-check
/** From a sound towards more or less of something: asks once, then plays what came while it is pulled. */

import { isAborted, latest } from "../core/client.js";
import { spoken } from "../compare/anchors.js";
import { writePoint } from "../core/latent.js";
import { audibleSeconds, safeGain, stepSeconds } from "../listen/level.js";
import { keyOf, measureKey, measureOf, stepAt, voiceOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { createOrigins, endOf } from "./origin.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("./state.js").Traversal} Traversal */
/** @typedef {import("../core/state.js").TraversalReply} TraversalReply */
/** @typedef {import("../core/state.js").StepSounds} StepSounds */

const ASKED = 9; // steps, the sound itself among them
const CACHED = 12; // travels; each is some 2 MB of samples
const DWELL = 120; // ms a slider is pointed at before its sounds are asked for

/** From where the sliders start: which sound, or which step of the path; "": from nowhere yet. @param {State} state */
export function subjectKey(state) {
  const { subject, morph, path, progress, a, b } = state;
  if (typeof subject !== "string") return keyOf(subject);
  if (subject !== "here") return keyOf(endOf(subject, { a, b }));
  return morph?.phase === "ready" ? `${morph.key} ${path} ${stepAt(progress)}` : "";
}

/** Where a place between two steps lies, by its neighbours. @param {number[]} values @param {number} at */
export function valueAt(values, at) {
  const i = Math.max(0, Math.min(values.length - 2, Math.floor(at)));
  return values.length < 2 ? values[0] : values[i] + (at - i) * (values[i + 1] - values[i]);
}

/**
 * The new sound under the thumb.
 * @param {Traversal} traversal
 * @param {string} from
 * @param {string} towards
 * @returns {import("../core/state.js").NewSound | null} null: it is the sound itself, or not there yet
 */
export function newSoundOn({ reply, at, key }, from, towards) {
  if (!reply) return null;
  const step = Math.round(at);
  if (step === reply.origin) return null;
  const position = reply.positions[step];
  const point = reply.points[step];
  return {
    code: writePoint(position, point),
    kind: "traversal",
    shape: "diamond",
    name: `${from}, ${towards}`,
    position,
    point,
    inDistribution: reply.in_distribution[step],
    near: null,
    url: null,
    courses: [
      { line: reply.positions.slice(Math.min(step, reply.origin), Math.max(step, reply.origin) + 1) },
    ],
    notes: [],
    recipe: `${key} ${step}`,
  };
}

/**
 * @param {Pick<import("../parts.js").Parts, "store" | "api" | "listen" | "playback" | "toAudioBuffer" | "complain">}
 *   parts
 */
export function createTraversals({ store, api, listen, playback, toAudioBuffer, complain }) {
  /** @type {Map<string, Promise<{reply: TraversalReply, sounds: StepSounds}>>} */
  const cache = new Map();
  const originOf = createOrigins(api);
  /** @type {Anchor | null} */
  let origin = null;
  let originKey = "";
  let loaded = ""; // the traversal whose sounds are in the player
  let dragging = false;
  let turn = 0; // numbers the drags: the newest wins
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pointing;
  /** @type {Promise<void>} until it is known where the sliders start now */
  let idle = Promise.resolve();
  let release = () => {};
  /** @type {Set<(anchor: Anchor | null, values: Record<string, number> | null) => void>} */
  const watchers = new Set();

  const voice = () => voiceOf(store.get());
  const player = () => listen.parts()?.traversal;

  // ── where it starts ──

  const measureOrigin = latest(async (signal, /** @type {string} */ key) => {
    try {
      const anchor = await originOf(store.get(), signal);
      if (signal.aborted) return;
      origin = anchor;
      originKey = key;
      for (const watcher of watchers) watcher(origin, null);
      if (!anchor) return;
      const { descriptors } = await api.descriptions(
        voice(),
        await spoken(api, store.get(), voice(), [anchor]),
        signal,
      );
      if (signal.aborted) return;
      const values = Object.fromEntries(Object.entries(descriptors).map(([name, [value]]) => [name, value]));
      for (const watcher of watchers) watcher(origin, values);
      const { shape } = store.get();
      if (shape) void choose(shape.descriptor);
    } catch (error) {
      if (!isAborted(error) && !signal.aborted) complain(error, () => void measureOrigin(key));
    }
  });

  // ── the traversal ──

  /** @param {string} descriptor */
  const traversalKey = (descriptor) =>
    `${originKey} ${descriptor} ${measureKey(store.get())} ${store.get().hold} ${voice()}`;

  /** @param {string} descriptor @returns {Promise<{reply: TraversalReply, sounds: StepSounds}>} */
  function fetchTraversal(descriptor) {
    const key = traversalKey(descriptor);
    const cached = cache.get(key);
    if (cached) return cached;
    const start = /** @type {Anchor} */ (origin);
    const request = (async () => {
      const [anchor] = await spoken(api, store.get(), voice(), [start]);
      const {
        audio,
        step_samples: stepSamples,
        ...reply
      } = await api.traversal(voice(), anchor, {
        descriptor,
        steps: ASKED,
        hold: store.get().hold,
        ...measureOf(store.get()),
      });
      const buffer = toAudioBuffer(await api.bytes(audio.url));
      return { reply, sounds: { buffer, stepSamples, steps: reply.values.length } };
    })();
    cache.set(key, request);
    request.catch(() => cache.delete(key));
    for (const old of [...cache.keys()].slice(0, -CACHED)) cache.delete(old);
    return request;
  }

  /** This slider is the one. @param {string} descriptor @param {number} [at] step, from the sound itself */
  async function choose(descriptor, at) {
    for (let awaited; awaited !== idle;) await (awaited = idle);
    if (!origin) return null;
    const key = traversalKey(descriptor);
    const { traversal, shape } = store.get();
    if (traversal?.key === key && traversal.phase === "ready") return traversal;
    if (traversal?.key !== key)
      store.set({ traversal: { key, descriptor, phase: "asking", at: 0, reply: null, sounds: null } });
    try {
      const { reply, sounds } = await fetchTraversal(descriptor);
      if (store.get().traversal?.key !== key) return null;
      const by = at ?? (shape?.descriptor === descriptor ? shape.by : 0);
      const step = Math.min(reply.values.length - 1, Math.max(0, reply.origin + by));
      /** @type {Traversal} */
      const ready = { key, descriptor, phase: "ready", at: step, reply, sounds };
      store.set({ traversal: ready });
      return ready;
    } catch (error) {
      if (store.get().traversal?.key !== key) return null;
      store.set({ traversal: { key, descriptor, phase: "failed", at: 0, reply: null, sounds: null } });
      if (!isAborted(error)) complain(error, () => void choose(descriptor, at));
      return null;
    }
  }

  /** @param {Traversal} traversal */
  function load({ key, sounds }) {
    const now = listen.parts();
    if (!now || !sounds || loaded === key) return now?.traversal;
    const { buffer, stepSamples, steps } = sounds;
    const samples = buffer.getChannelData(0);
    now.traversal.unload();
    now.traversal.setDurations(
      Array.from({ length: steps }, (_, i) =>
        stepSeconds(
          audibleSeconds(samples.subarray(i * stepSamples, (i + 1) * stepSamples), buffer.sampleRate),
        ),
      ),
    );
    now.traversals.gain.value = safeGain(samples, buffer.sampleRate);
    now.traversal.load("geodesic", sounds);
    loaded = key;
    return now.traversal;
  }

  /** @param {Traversal} traversal */
  function note({ descriptor, at, reply }) {
    const by = reply ? Math.round(at) - reply.origin : 0;
    store.set({ shape: by ? { descriptor, by } : null });
  }

  /** On a step, and heard once. @param {Traversal} traversal @param {number} step */
  function rest(traversal, step) {
    const at = Math.min((traversal.reply?.values.length ?? 1) - 1, Math.max(0, step));
    store.set({ traversal: { ...traversal, at } });
    note({ ...traversal, at });
    if (listen.running()) load(traversal)?.audition(at);
  }

  const stop = watch(
    store,
    (state) => [
      state.panel === "shape" && !state.playing,
      subjectKey(state),
      measureKey(state),
      state.hold,
      state.library !== null,
      state.model,
      voiceOf(state),
    ],
    (state) => {
      clearTimeout(timer);
      if (state.panel !== "shape") {
        player()?.pause();
        return;
      }
      const key = subjectKey(state);
      if (!state.library || !state.model || state.playing) return;
      if (key === originKey && state.traversal?.key === traversalKey(state.traversal?.descriptor ?? ""))
        return;
      if (state.traversal) store.set({ traversal: null });
      if (key !== originKey && originKey && state.shape) store.set({ shape: null });
      for (const watcher of watchers) watcher(origin, null); // what was said of the one before is not said of this one
      release();
      idle = new Promise((resolve) => (release = resolve));
      const releaseNow = release;
      timer = setTimeout(() => void measureOrigin(key).then(releaseNow, releaseNow), 40);
    },
  );

  return {
    origin: () => origin,
    /** @param {(anchor: Anchor | null, values: Record<string, number> | null) => void} watcher */
    onOrigin(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },

    /** A slider is pointed at: what it plays is asked for ahead. @param {string} descriptor */
    approach(descriptor) {
      clearTimeout(pointing);
      pointing = setTimeout(() => {
        if (origin) fetchTraversal(descriptor).catch(() => {}); // whoever pulls it is told why
      }, DWELL);
    },

    /** @param {string} descriptor @param {number} at step, with a fraction */
    async drag(descriptor, at) {
      const thisTurn = ++turn;
      if (!dragging) playback.silence();
      dragging = true;
      void playback.unlock();
      const traversal = await choose(descriptor);
      if (!traversal || thisTurn !== turn) return;
      if (!dragging) return rest(traversal, Math.round(at)); // let go before it was there
      store.set({ traversal: { ...traversal, at } });
      if (listen.running()) load(traversal)?.scrub(at);
    },
    release() {
      if (!dragging) return;
      dragging = false;
      player()?.release(false);
      const { traversal } = store.get();
      if (!traversal?.reply) return;
      const rested = { ...traversal, at: Math.round(traversal.at) };
      store.set({ traversal: rested });
      note(rested);
    },
    /** @param {string} descriptor @param {number} by steps @param {boolean} [absolute] from the sound itself */
    async step(descriptor, by, absolute = false) {
      playback.silence();
      const [traversal] = await Promise.all([choose(descriptor), playback.unlock()]);
      if (!traversal?.reply) return;
      const now = store.get().traversal?.at ?? traversal.at;
      rest(traversal, (absolute ? traversal.reply.origin : Math.round(now)) + by);
    },
    destroy() {
      stop();
      clearTimeout(timer);
      clearTimeout(pointing);
      measureOrigin.cancel();
      player()?.unload();
    },
  };
}
