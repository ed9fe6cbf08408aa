// @ts-check
/** From two anchors to something that can be heard: asks for the paths, keeps what was asked before, newest wins. */

import { isAborted, isAway, latest } from "../core/client.js";
import { spoken } from "../compare/anchors.js";
import {
  PATHS,
  geodesicKey,
  geodesicQueryOf,
  comparisonOf,
  keyOf,
  otherVoice,
  pointedAnchor,
  voiceOf,
} from "../core/state.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("../core/state.js").RenderedPath} Morph */
/** @typedef {import("../core/state.js").PathKind} PathKind */
/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/state.js").GeodesicQuery} GeodesicQuery */

const CACHED = 6; // morphs; each is some 10 MB of samples
const PREVIEW_DWELL = 120; // ms, so that crossing the map asks for nothing
const PREFETCH_DWELL = 220; // ms: rendering costs the engine more than a line does

/**
 * @param {Anchor} a
 * @param {Anchor} b
 * @param {GeodesicQuery} query
 * @param {string} [voice] the model it is heard with, where that is not the map's
 */
const morphKey = (a, b, query, voice = "") =>
  [keyOf(a), keyOf(b), geodesicKey(query), voice].join(" ").trimEnd();

/** The voice as a part of a key: "" for the model's own. @param {State} state */
const voiceKey = (state) => (voiceOf(state) === state.model?.id ? "" : voiceOf(state));

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {(bytes: ArrayBuffer) => AudioBuffer} parts.toAudioBuffer
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createMorphs({ store, api, toAudioBuffer, complain }) {
  /** @type {Map<string, Shared<Partial<Record<PathKind, Morph>>>>} */
  const cache = new Map();

  /**
   * @param {Anchor[]} anchors
   * @param {import("../core/api.js").Measure & {kinds: string[]}} options
   * @param {AbortSignal} signal
   * @param {string} [voice] id of the model
   * @returns {Promise<Morph[]>}
   */
  async function render(anchors, options, signal, voice = voiceOf(store.get())) {
    const ends = spoken(api, store.get(), voice, anchors);
    const reply = await api.morphs(voice, Array.isArray(ends) ? ends : await ends, options, signal);
    return Promise.all(
      reply.morphs.map(async (path) => {
        const buffer = toAudioBuffer(await api.bytes(path.audio.url, signal));
        return { ...path, sounds: { buffer, stepSamples: reply.step_samples, steps: reply.steps } };
      }),
    );
  }

  /**
   * Both paths at once; asked for before, not asked again.
   * @param {Anchor} a
   * @param {Anchor} b
   * @param {GeodesicQuery} query
   * @param {AbortSignal} signal
   * @param {string} [voice]
   */
  function both(a, b, query, signal, voice = voiceOf(store.get())) {
    const key = morphKey(a, b, query, voice === store.get().model?.id ? "" : voice);
    const cached = cache.get(key);
    if (cached) {
      keep(key, cached);
      return cached.join(signal);
    }
    /** @type {Shared<Partial<Record<PathKind, Morph>>>} */
    const fresh = share(
      async (everyoneLeft) => {
        const [geodesic, linear] = await render(
          [a, b],
          { kinds: [query.kind, "linear"], ...query.measure },
          everyoneLeft,
          voice,
        );
        return { geodesic, linear };
      },
      () => void (cache.get(key) === fresh && cache.delete(key)),
    );
    keep(key, fresh);
    return fresh.join(signal);
  }

  /**
   * The youngest stands last; the oldest has to go.
   * @param {string} key
   * @param {Shared<Partial<Record<PathKind, Morph>>>} shared
   */
  function keep(key, shared) {
    cache.delete(key);
    cache.set(key, shared);
    for (const old of [...cache.keys()].slice(0, -CACHED)) cache.delete(old);
  }

  /** @param {string} key */
  const stillWanted = (key) => store.get().morph?.key === key;

  let voiced = ""; // the voice of the paths that are there
  const requestMorph = latest(
    async (signal, /** @type {Anchor} */ a, /** @type {Anchor} */ b, /** @type {GeodesicQuery} */ query) => {
      const voice = voiceKey(store.get());
      const key = morphKey(a, b, query, voice);
      const { morph } = store.get();
      const sameEnds = morph !== null && morph.key.startsWith(`${keyOf(a)} ${keyOf(b)} `);
      const sameVoice = sameEnds && voice === voiced;
      // only the metric or the voice changed: the old path stays on the map, and sounds, until the new one is there
      const paths = sameEnds ? morph.paths : {};
      store.set({ morph: { key, phase: "solving", paths, glides: {} } });
      try {
        const linear = paths.linear;
        const rendered =
          sameVoice && linear && !cache.has(key)
            ? await render([a, b], { kinds: [query.kind], ...query.measure }, signal).then(([geodesic]) => ({
                geodesic,
                linear,
              }))
            : await both(a, b, query, signal);
        if (signal.aborted) return;
        const complete = { ...(sameVoice && paths.retimed && { retimed: paths.retimed }), ...rendered };
        keep(key, ready(complete));
        voiced = voice;
        store.set({ morph: { key, phase: "ready", paths: complete, glides: {} } });
        await fetchRest(key, [a, b], signal);
        await prepare(a, b, query, signal);
      } catch (error) {
        if (isAborted(error) || signal.aborted || !stillWanted(key)) return;
        store.set({ morph: { key, phase: "failed", paths: {}, glides: {} } });
        complain(error, () => void requestMorph(a, b, query));
      }
    },
  );

  /**
   * The fair opponent comes after the two that were asked for.
   * @param {string} key
   * @param {Anchor[]} anchors
   * @param {AbortSignal} signal
   */
  async function fetchRest(key, anchors, signal) {
    if (store.get().morph?.paths.retimed) return;
    const [retimed] = await render(anchors, { kinds: ["retimed"] }, signal);
    const { morph } = store.get();
    if (!morph || morph.key !== key) return;
    const paths = { ...morph.paths, retimed };
    keep(key, ready(paths));
    store.set({ morph: { ...morph, paths } });
  }

  /**
   * What would be heard after a switch between before and after, so that the switch is heard at once.
   * @param {Anchor} a
   * @param {Anchor} b
   * @param {GeodesicQuery} query
   * @param {AbortSignal} signal
   */
  async function prepare(a, b, query, signal) {
    const voice = otherVoice(store.get());
    if (!voice || signal.aborted) return;
    try {
      await both(a, b, query, signal, voice);
    } catch {
      // whoever switches is told why
    }
  }
  const ahead = latest(
    async (signal, /** @type {Anchor} */ a, /** @type {Anchor} */ b, /** @type {GeodesicQuery} */ query) =>
      prepare(a, b, query, signal),
  );

  /** Glides are asked for when somebody wants to hear one: the chosen path first, the others behind it. */
  const glide = latest(async (signal, /** @type {string} */ key) => {
    const { model, a, b, path, seconds } = store.get();
    const [query, voice] = [geodesicQueryOf(store.get()), voiceOf(store.get())];
    if (!model || !a || !b) return;
    try {
      const ends = await spoken(api, store.get(), voice, [a, b]);
      for (const kind of [path, ...PATHS.filter((other) => other !== path)]) {
        if (store.get().morph?.glides[kind]) continue;
        const kinds = [kind === "geodesic" ? query.kind : kind];
        const options = {
          kinds,
          ...(kind === "geodesic" ? query.measure : {}),
          mode: /** @type {const} */ ("glide"),
          seconds,
        };
        const { url } = (await api.morphs(voice, ends, options, signal)).morphs[0].audio;
        const buffer = toAudioBuffer(await api.bytes(url, signal));
        const { morph } = store.get();
        if (!morph || morph.key !== key) return;
        store.set({ morph: { ...morph, glides: { ...morph.glides, [kind]: { url, buffer } } } });
      }
    } catch (error) {
      if (isAborted(error) || !stillWanted(key)) return;
      complain(error, () => void glide(key));
    }
  });

  /** The dotted path to what is pointed at, or to where an anchor is being carried. */
  const look = latest(
    async (
      signal,
      /** @type {Anchor} */ from,
      /** @type {Anchor} */ to,
      /** @type {number} */ dwell,
      /** @type {boolean} */ prefetch,
    ) => {
      await pause(dwell, signal);
      const { model } = store.get();
      if (!model || signal.aborted) return;
      const query = geodesicQueryOf(store.get());
      try {
        const startedAt = Date.now();
        const voice = voiceOf(store.get());
        const { path } = await api.path(
          voice,
          await spoken(api, store.get(), voice, [from, to]),
          { kind: query.kind, ...query.measure },
          signal,
        );
        if (signal.aborted) return;
        store.set({ preview: { from, to, path } });
        if (!prefetch) return;
        await pause(PREFETCH_DWELL - dwell - (Date.now() - startedAt), signal);
        if (!signal.aborted) await both(from, to, query, signal);
      } catch (error) {
        if (!isAborted(error) && !isAway(error)) store.set({ preview: null });
      }
    },
  );

  const unsubscribe = [
    watch(
      store,
      (state) => [
        keyOf(state.a),
        keyOf(state.b),
        geodesicKey(geodesicQueryOf(state)),
        state.library,
        voiceKey(state),
      ],
      (state) => {
        const { a, b, library, morph } = state;
        if (!library) return;
        if (!a || !b) {
          requestMorph.cancel();
          ahead.cancel();
          if (morph) store.set({ morph: null });
          return;
        }
        // a library that has grown by a sound is no reason to travel again
        const query = geodesicQueryOf(state);
        if (morph?.key !== morphKey(a, b, query, voiceKey(state)) || morph.phase === "failed")
          void requestMorph(a, b, query);
      },
    ),
    // something to compare with has come while the morph stood
    watch(
      store,
      (state) => [comparisonOf(state)?.before, comparisonOf(state)?.after],
      (state) => {
        const { a, b, morph } = state;
        if (a && b && morph?.phase === "ready") void ahead(a, b, geodesicQueryOf(state));
      },
    ),
    watch(
      store,
      ({ seconds }) => [seconds],
      ({ morph }) => {
        if (morph) store.set({ morph: { ...morph, glides: {} } }); // they are of another length
      },
    ),
    watch(
      store,
      ({ mode, path, morph, seconds }) => [mode, path, morph?.key, morph?.phase, seconds],
      ({ mode, morph }) => {
        glide.cancel();
        if (mode === "glide" && morph?.phase === "ready") void glide(morph.key);
      },
    ),
    watch(
      store,
      ({ a, b, pointed, carried, library, morph }) => [
        keyOf(a),
        keyOf(b),
        pointed,
        carried,
        library,
        morph?.phase,
      ],
      (state) => {
        const { a, b, pointed, carried, library, preview } = state;
        const target = destination(state);
        if (!target) {
          look.cancel();
          // the path that was pointed at is now being made: its dots stay until it is there
          const making =
            preview &&
            a &&
            b &&
            state.morph?.phase === "solving" &&
            keyOf(preview.from) === keyOf(a) &&
            keyOf(preview.to) === keyOf(b);
          if (preview && !making) store.set({ preview: null });
          return;
        }
        if (
          preview &&
          (keyOf(preview.from) !== keyOf(target.from) || keyOf(preview.to) !== keyOf(target.to)) &&
          !carried
        )
          store.set({ preview: null });
        if (library && (a || b) && (pointed || carried))
          void look(target.from, target.to, carried ? 20 : PREVIEW_DWELL, !carried);
      },
    ),
  ];

  return {
    /** After a failure, or when the weight slider is let go. */
    again() {
      const { a, b } = store.get();
      if (a && b) void requestMorph(a, b, geodesicQueryOf(store.get()));
    },
    destroy() {
      requestMorph.cancel();
      ahead.cancel();
      glide.cancel();
      look.cancel();
      for (const stop of unsubscribe) stop();
    },
  };
}

/**
 * A request that several wait for, and that is broken off when the last of them has lost interest.
 *
 * @template T
 * @typedef {{join: (signal: AbortSignal) => Promise<T>}} Shared
 */

/**
 * @template T
 * @param {(everyoneLeft: AbortSignal) => Promise<T>} run
 * @param {() => void} failed or broken off: not to be joined any more
 * @returns {Shared<T>}
 */
export function share(run, failed) {
  const controller = new AbortController();
  let waiting = 0;
  let isDone = false;
  const promise = run(controller.signal);
  promise.then(() => (isDone = true), failed);
  return {
    join(signal) {
      waiting++;
      const leave = () => {
        if (--waiting > 0 || isDone) return;
        failed();
        controller.abort();
      };
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true });
      return promise;
    },
  };
}

/** @template T @param {T} value @returns {Shared<T>} */
const ready = (value) => ({ join: () => Promise.resolve(value) });

/** From where to where a dotted path would go. @param {State} state @returns {{from: Anchor, to: Anchor} | null} */
export function destination({ a, b, pointed, carried, library }) {
  if (!library) return null;
  if (carried) {
    const other = carried.end === "a" ? b : a;
    if (!other) return null;
    const dropped = { position: carried.position };
    return carried.end === "a" ? { from: dropped, to: other } : { from: other, to: dropped };
  }
  const target = pointedAnchor({ pointed, library });
  if (!target || (a && b) || (!a && !b)) return null;
  const from = a ?? target;
  const to = a ? target : /** @type {Anchor} */ (b);
  return keyOf(from) === keyOf(to) ? null : { from, to };
}

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.max(0, ms));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("a newer gesture", "AbortError"));
    });
  }).catch((error) => {
    if (!signal.aborted) throw error;
  });
