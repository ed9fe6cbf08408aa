// @ts-check
/** One store; everything the page shows is a function of it. */

/**
 * @template {object} S
 * @typedef {object} Store
 * @property {() => S} get
 * @property {(patch: Partial<S>) => void} set          changes that change nothing wake nobody
 * @property {(listener: (now: S, before: S) => void) => () => void} subscribe
 */

/**
 * @template {object} S
 * @param {S} initial
 * @returns {Store<S>}
 */
export function createStore(initial) {
  let state = initial;
  let shown = initial; // the state the listeners have seen
  let telling = false;
  /** @type {Set<(now: S, before: S) => void>} */
  const listeners = new Set();

  function tell() {
    if (telling) return; // a listener changed something: the loop below goes round once more
    telling = true;
    try {
      while (shown !== state) {
        const before = shown;
        const now = (shown = state);
        for (const listener of [...listeners]) if (listeners.has(listener)) listener(now, before);
      }
    } finally {
      telling = false;
    }
  }

  return {
    get: () => state,
    set(patch) {
      const keys = /** @type {(keyof S)[]} */ (Object.keys(patch));
      if (keys.every((key) => Object.is(patch[key], state[key]))) return;
      state = { ...state, ...patch };
      tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * Calls `run` now, and again whenever one of the picked values is another one.
 *
 * @template {object} S
 * @param {Store<S>} store
 * @param {(state: S) => readonly unknown[]} pick
 * @param {(state: S) => void} run
 * @returns {() => void} stop watching
 */
export function watch(store, pick, run) {
  let picked = pick(store.get());
  const stop = store.subscribe((state) => {
    const now = pick(state);
    if (now.every((value, i) => Object.is(value, picked[i]))) return;
    picked = now;
    run(state);
  });
  run(store.get());
  return stop;
}
