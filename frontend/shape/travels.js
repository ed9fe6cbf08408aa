// @ts-check
/** From a sound towards more or less of something: asks once, then plays what came while it is pulled. */

import { isAborted, latest } from "../core/api.js";
import { spoken } from "../compare/anchors.js";
import { writePoint } from "../core/latent.js";
import { audibleSeconds, safeGain, stepSeconds } from "../listen/level.js";
import { keyOf, measureKey, measureOf, stepAt, voiceOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { createOrigins, endOf } from "./origin.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("../core/state.js").Travel} Travel */
/** @typedef {import("../core/state.js").TravelReply} TravelReply */
/** @typedef {import("../core/state.js").StepSounds} StepSounds */

const ASKED = 9; // steps, the sound itself among them
const KEPT = 12; // travels; each is some 2 MB of samples
const DWELL = 120; // ms a slider is pointed at before its sounds are asked for

/** From where the sliders start: which sound, or which step of the way; "": from nowhere yet. @param {State} state */
export function subjectKey(state) {
  const { subject, journey, path, place, a, b } = state;
  if (typeof subject !== "string") return keyOf(subject);
  if (subject !== "here") return keyOf(endOf(subject, { a, b }));
  return journey?.phase === "ready" ? `${journey.key} ${path} ${stepAt(place)}` : "";
}

/** Where a place between two steps lies, by its neighbours. @param {number[]} values @param {number} at */
export function valueAt(values, at) {
  const i = Math.max(0, Math.min(values.length - 2, Math.floor(at)));
  return values.length < 2 ? values[0] : values[i] + (at - i) * (values[i + 1] - values[i]);
}

/** The new sound under the thumb. @param {Travel} travel @param {string} from @param {string} towards @returns {import("../core/state.js").Found | null} null: it is the sound itself, or not there yet */
export function foundOn({ reply, at, key }, from, towards) {
  if (!reply) return null;
  const step = Math.round(at);
  if (step === reply.origin) return null;
  const position = reply.positions[step];
  const point = reply.points[step];
  return {
    code: writePoint(position, point),
    kind: "travel",
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
    made: `${key} ${step}`,
  };
}

/** @param {Pick<import("../parts.js").Parts, "store" | "api" | "listen" | "playback" | "toAudioBuffer" | "complain">} parts */
export function createTravels({ store, api, listen, playback, toAudioBuffer, complain }) {
  /** @type {Map<string, Promise<{reply: TravelReply, sounds: StepSounds}>>} */
  const known = new Map();
  const originOf = createOrigins(api);
  /** @type {Anchor | null} */
  let origin = null;
  let originKey = "";
  let loaded = ""; // the travel whose sounds are in the player
  let held = false;
  let turn = 0; // numbers the drags: the newest wins
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pointing;
  /** @type {Promise<void>} until it is known where the sliders start now */
  let settled = Promise.resolve();
  let release = () => {};
  /** @type {Set<(anchor: Anchor | null, values: Record<string, number> | null) => void>} */
  const watchers = new Set();

  const voice = () => voiceOf(store.get());
  const player = () => listen.parts()?.travel;

  // ── where it starts ──

  const settle = latest(async (signal, /** @type {string} */ key) => {
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
      if (!isAborted(error) && !signal.aborted) complain(error, () => void settle(key));
    }
  });

  // ── the way there ──

  /** @param {string} descriptor */
  const travelKey = (descriptor) =>
    `${originKey} ${descriptor} ${measureKey(store.get())} ${store.get().hold} ${voice()}`;

  /** @param {string} descriptor @returns {Promise<{reply: TravelReply, sounds: StepSounds}>} */
  function fetchTravel(descriptor) {
    const key = travelKey(descriptor);
    const there = known.get(key);
    if (there) return there;
    const start = /** @type {Anchor} */ (origin);
    const asked = (async () => {
      const [known] = await spoken(api, store.get(), voice(), [start]);
      const {
        audio,
        step_samples: stepSamples,
        ...reply
      } = await api.travel(voice(), known, {
        descriptor,
        steps: ASKED,
        hold: store.get().hold,
        ...measureOf(store.get()),
      });
      const buffer = toAudioBuffer(await api.bytes(audio.url));
      return { reply, sounds: { buffer, stepSamples, steps: reply.values.length } };
    })();
    known.set(key, asked);
    asked.catch(() => known.delete(key));
    for (const old of [...known.keys()].slice(0, -KEPT)) known.delete(old);
    return asked;
  }

  /** This slider is the one. @param {string} descriptor @param {number} [at] step, from the sound itself */
  async function choose(descriptor, at) {
    for (let seen; seen !== settled;) await (seen = settled);
    if (!origin) return null;
    const key = travelKey(descriptor);
    const { travel, shape } = store.get();
    if (travel?.key === key && travel.phase === "ready") return travel;
    if (travel?.key !== key)
      store.set({ travel: { key, descriptor, phase: "asking", at: 0, reply: null, sounds: null } });
    try {
      const { reply, sounds } = await fetchTravel(descriptor);
      if (store.get().travel?.key !== key) return null;
      const by = at ?? (shape?.descriptor === descriptor ? shape.by : 0);
      const step = Math.min(reply.values.length - 1, Math.max(0, reply.origin + by));
      /** @type {Travel} */
      const ready = { key, descriptor, phase: "ready", at: step, reply, sounds };
      store.set({ travel: ready });
      return ready;
    } catch (error) {
      if (store.get().travel?.key !== key) return null;
      store.set({ travel: { key, descriptor, phase: "failed", at: 0, reply: null, sounds: null } });
      if (!isAborted(error)) complain(error, () => void choose(descriptor, at));
      return null;
    }
  }

  /** @param {Travel} travel */
  function load({ key, sounds }) {
    const now = listen.parts();
    if (!now || !sounds || loaded === key) return now?.travel;
    const { buffer, stepSamples, steps } = sounds;
    const samples = buffer.getChannelData(0);
    now.travel.unload();
    now.travel.setDurations(
      Array.from({ length: steps }, (_, i) =>
        stepSeconds(
          audibleSeconds(samples.subarray(i * stepSamples, (i + 1) * stepSamples), buffer.sampleRate),
        ),
      ),
    );
    now.travels.gain.value = safeGain(samples, buffer.sampleRate);
    now.travel.load("geodesic", sounds);
    loaded = key;
    return now.travel;
  }

  /** @param {Travel} travel */
  function note({ descriptor, at, reply }) {
    const by = reply ? Math.round(at) - reply.origin : 0;
    store.set({ shape: by ? { descriptor, by } : null });
  }

  /** On a step, and heard once. @param {Travel} travel @param {number} step */
  function rest(travel, step) {
    const at = Math.min((travel.reply?.values.length ?? 1) - 1, Math.max(0, step));
    store.set({ travel: { ...travel, at } });
    note({ ...travel, at });
    if (listen.running()) load(travel)?.audition(at);
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
      if (key === originKey && state.travel?.key === travelKey(state.travel?.descriptor ?? "")) return;
      if (state.travel) store.set({ travel: null });
      if (key !== originKey && originKey && state.shape) store.set({ shape: null });
      for (const watcher of watchers) watcher(origin, null); // what was said of the one before is not said of this one
      release();
      settled = new Promise((done) => (release = done));
      const done = release;
      timer = setTimeout(() => void settle(key).then(done, done), 40);
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
        if (origin) fetchTravel(descriptor).catch(() => {}); // whoever pulls it is told why
      }, DWELL);
    },

    /** @param {string} descriptor @param {number} at step, with a fraction */
    async drag(descriptor, at) {
      const mine = ++turn;
      if (!held) playback.silence();
      held = true;
      void playback.unlock();
      const travel = await choose(descriptor);
      if (!travel || mine !== turn) return;
      if (!held) return rest(travel, Math.round(at)); // let go before it was there
      store.set({ travel: { ...travel, at } });
      if (listen.running()) load(travel)?.scrub(at);
    },
    release() {
      if (!held) return;
      held = false;
      player()?.release(false);
      const { travel } = store.get();
      if (!travel?.reply) return;
      const rested = { ...travel, at: Math.round(travel.at) };
      store.set({ travel: rested });
      note(rested);
    },
    /** @param {string} descriptor @param {number} by steps @param {boolean} [absolute] from the sound itself */
    async step(descriptor, by, absolute = false) {
      playback.silence();
      const [travel] = await Promise.all([choose(descriptor), playback.unlock()]);
      if (!travel?.reply) return;
      const now = store.get().travel?.at ?? travel.at;
      rest(travel, (absolute ? travel.reply.origin : Math.round(now)) + by);
    },
    destroy() {
      stop();
      clearTimeout(timer);
      clearTimeout(pointing);
      settle.cancel();
      player()?.unload();
    },
  };
}
