// @ts-check
/** Every screen is a link: one table reads and writes the state; a bad link is explained, not ignored. */

import { readPoint } from "./latent.js";
import { PATHS } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Anchor} Anchor */

/**
 * @template T
 * @typedef {object} Field
 * @property {keyof State} state
 * @property {(text: string) => T} read     throws a RangeError that says what would have worked
 * @property {(value: any) => string} write
 * @property {(state: State) => readonly string[]} [offered]     the names that the model takes, its default first;
 *   the state has null for that
 */

/** @param {string[]} names */
export const oneOf =
  (...names) =>
  (/** @type {string} */ text) => {
    if (names.includes(text)) return /** @type {any} */ (text);
    throw new RangeError(`it can be ${listed(names)}`);
  };

/** @param {readonly string[]} names */
const listed = (names) =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;

/** @param {string} name @param {string} text @param {string} reason */
const problemOf = (name, text, reason) => `The link says ${name}=${text}; ${reason}.`;

/** @param {number} low @param {number} high */
export const within = (low, high) => (/** @type {string} */ text) => {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= low && value <= high) return value;
  throw new RangeError(`it can be a number from ${low} to ${high}`);
};

/** @param {string} text @returns {Anchor} */
export function readAnchor(text) {
  if (/^([0-9a-f]{12}|u[\w-]{4,62})$/.test(text)) return { sound: text }; // of the library, or kept here
  const point = readPoint(text);
  if (point) return { code: text, ...point };
  const parts = text.startsWith("@") ? text.slice(1).split(",") : [];
  const [x, y] = parts.map(Number);
  if (
    parts.length === 2 &&
    parts.every((part) => part.trim() !== "") &&
    Number.isFinite(x) &&
    Number.isFinite(y)
  )
    return { position: [x, y] };
  throw new RangeError("it can be a sound's id, a place as @x,y, or a point as ~ and its code");
}

/** @param {Anchor} anchor */
export const writeAnchor = (anchor) =>
  anchor.sound ?? anchor.code ?? `@${anchor.position.map((v) => +v.toFixed(4)).join()}`;

/** @param {(text: string) => number} read */
export const whole = (read) => (/** @type {string} */ text) => {
  const value = read(text);
  if (Number.isInteger(value)) return value;
  throw new RangeError("it can be a whole number");
};

/** How a field that is on or off stands in the link. */
export const onOff = {
  read: (/** @type {string} */ text) => oneOf("on", "off")(text) === "on",
  write: (/** @type {boolean} */ value) => (value ? "on" : "off"),
};

const weight = within(0, 10);

/** What the link says of the page itself; a panel brings the fields of its own. @type {Record<string, Field<any>>} */
export const coreFields = {
  model: { state: "modelId", read: String, write: String },
  a: { state: "a", read: readAnchor, write: writeAnchor },
  b: { state: "b", read: readAnchor, write: writeAnchor },
  path: { state: "path", read: oneOf(...PATHS), write: String },
  w: {
    state: "weight",
    read(text) {
      if (text === "graph") return Infinity;
      try {
        return weight(text);
      } catch (error) {
        throw new RangeError(`${/** @type {Error} */ (error).message}, or graph`);
      }
    },
    write: (value) => (value === Infinity ? "graph" : String(+value.toFixed(3))),
  },
  metric: { state: "metric", read: String, write: String, offered: ({ model }) => model?.metrics ?? [] },
  mode: { state: "mode", read: oneOf("steps", "glide"), write: String },
  t: { state: "progress", read: within(0, 1), write: (value) => String(+value.toFixed(4)) },
  loop: { state: "loop", ...onOff },
  curve: { state: "curve", read: String, write: String },
  ellipses: { state: "ellipses", ...onOff },
  shade: { state: "shaded", ...onOff },
  hear: { state: "hear", read: oneOf("before", "after"), write: String },
  theme: { state: "theme", read: oneOf("dark", "light"), write: (value) => value ?? "" },
  view: {
    state: "view",
    read(text) {
      const parts = text.split(",").map(Number);
      if (parts.length === 3 && parts.every(Number.isFinite) && parts[2] > 0)
        return { x: parts[0], y: parts[1], zoom: parts[2] };
      throw new RangeError("it can be x,y,zoom");
    },
    write: ({ x, y, zoom }) => [x.toFixed(4), y.toFixed(4), zoom.toFixed(3)].map(Number).join(),
  },
};

/** What is said of a link that asks for something in vain. @param {string[]} sentences @returns {State["notice"]} */
export const troubleOf = (sentences) =>
  sentences.length ? { text: sentences.join(" "), kind: "trouble" } : null;

/** What makes a new entry in the browser's history: going somewhere, not fiddling. @param {State} state */
const landmark = (state) =>
  [state.a && writeAnchor(state.a), state.b && writeAnchor(state.b), state.panel].join();

/**
 * How the state of the page is written as a link, read from one, and kept in step with the address bar.
 * @param {Record<string, Field<any>>} fields
 * @param {State} initial as a fresh page has it: what is the same is not written
 */
export function createLinks(fields, initial) {
  /**
   * @param {string} search
   * @returns {{state: Partial<State>, problems: string[]}} what could be read, and a sentence for what could not
   */
  function read(search) {
    /** @type {Record<string, unknown>} */
    const state = {};
    /** @type {string[]} */
    const problems = [];
    for (const [name, text] of new URLSearchParams(search)) {
      const field = fields[name];
      if (!field || text === "") continue;
      try {
        state[field.state] = field.read(text);
      } catch (error) {
        problems.push(problemOf(name, text, /** @type {Error} */ (error).message));
      }
    }
    if (state.panel === "none") state.panel = null;
    return { state, problems };
  }

  /**
   * What a link names can only be checked once the model and its library are there.
   * @param {State} state
   * @returns {{state: Partial<State>, problems: string[]}} the default for what it does not offer, and a sentence each
   */
  function check(state) {
    /** @type {Record<string, unknown>} */
    const changes = {};
    /** @type {string[]} */
    const problems = [];
    for (const [name, { state: key, offered }] of Object.entries(fields)) {
      const names = offered?.(state) ?? [];
      const value = /** @type {string | null} */ (state[key]);
      if (value === null || !names.length) continue;
      if (value === names[0] || !names.includes(value)) changes[key] = null;
      if (!names.includes(value)) problems.push(problemOf(name, value, `it can be ${listed(names)}`));
    }
    for (const end of /** @type {const} */ (["a", "b"])) {
      const sound = state[end]?.sound;
      if (sound === undefined || !state.library || state.library.indexOf(sound) >= 0) continue;
      changes[end] = null;
      problems.push(
        `The link names a sound that is not in this library (${end}=${sound}). ` +
          `Pick another one for ${end.toUpperCase()}.`,
      );
    }
    return { state: changes, problems };
  }

  /** @param {State} state @returns {string} "" or "?a=..." : only what differs from a fresh page */
  function write(state) {
    const parts = [];
    for (const [name, field] of Object.entries(fields)) {
      const value = state[field.state];
      if (value === null || value === undefined) continue;
      const text = field.write(value);
      const fresh = initial[field.state];
      if (text === "" || (fresh !== null && text === field.write(fresh))) continue;
      // commas and @ are legal in a query and easier to read unescaped
      parts.push(`${name}=${encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%40", "@")}`);
    }
    return parts.length ? `?${parts.join("&")}` : "";
  }

  /**
   * Keeps the address bar in step with the store, and the store with the back button.
   * @param {import("./store.js").Store<State>} store
   * @param {Window} window
   */
  function follow(store, window) {
    let written = window.location.search;
    let landmarkBefore = landmark(store.get());
    let timer = 0;

    /** While it plays, the link goes on saying where it stood before: an address that runs along helps nobody. */
    let stood = store.get().progress;
    const linked = () => {
      const state = store.get();
      if (!state.playing) stood = state.progress;
      return { ...state, progress: stood };
    };

    function note() {
      const state = linked();
      const link = write(state);
      const landmarkNow = landmark(state);
      if (link !== written) {
        const url = window.location.pathname + link + window.location.hash;
        window.history[landmarkNow === landmarkBefore ? "replaceState" : "pushState"](null, "", url);
        written = link;
      }
      landmarkBefore = landmarkNow;
    }

    /** @param {number} delay */
    function schedule(delay) {
      window.clearTimeout(timer);
      timer = window.setTimeout(note, delay);
    }

    const stop = store.subscribe(({ a, b, carried }, before) => {
      if (a !== before.a || b !== before.b) stood = 0;
      if (!carried) schedule(150);
    });
    const back = () => {
      const { state, problems } = read(window.location.search);
      written = window.location.search;
      const fresh = Object.fromEntries(
        Object.values(fields).map((field) => [field.state, initial[field.state]]),
      );
      const now = { ...fresh, modelId: store.get().modelId, ...state, playing: false };
      const checked = check({ ...store.get(), ...now });
      const sentences = [...problems, ...checked.problems];
      store.set({ ...now, ...checked.state, ...(sentences.length && { notice: troubleOf(sentences) }) });
      landmarkBefore = landmark(store.get());
    };
    window.addEventListener("popstate", back);
    return {
      link: () => window.location.origin + window.location.pathname + write(linked()),
      destroy() {
        stop();
        window.clearTimeout(timer);
        window.removeEventListener("popstate", back);
      },
    };
  }

  return { read, check, write, follow };
}
