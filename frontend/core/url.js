// @ts-check
/** Every screen is a link: one table reads and writes the state; a bad link is explained, not ignored. */

import { readPoint } from "./latent.js";
import { METRICS, initial } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Anchor} Anchor */

/**
 * @template T
 * @typedef {object} Field
 * @property {keyof State} state
 * @property {(text: string) => T} read     throws a RangeError that says what would have worked
 * @property {(value: any) => string} write
 */

/** @param {string[]} names */
const oneOf =
  (...names) =>
  (/** @type {string} */ text) => {
    if (names.includes(text)) return /** @type {any} */ (text);
    throw new RangeError(`it can be ${listed(names)}`);
  };

/** @param {string[]} names */
const listed = (names) => `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;

/** @param {number} low @param {number} high */
const within = (low, high) => (/** @type {string} */ text) => {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= low && value <= high) return value;
  throw new RangeError(`it can be a number from ${low} to ${high}`);
};

/** @param {string} text @returns {Anchor} */
function readAnchor(text) {
  if (/^([0-9a-f]{12}|u[\w-]{4,62})$/.test(text)) return { sound: text }; // of the library, or kept here
  const found = readPoint(text);
  if (found) return { code: text, ...found };
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
const writeAnchor = (anchor) =>
  anchor.sound ?? anchor.code ?? `@${anchor.position.map((v) => +v.toFixed(4)).join()}`;

const MOST_MARKED = 16;
const SEEDS = 2 ** 31 - 1;

/** @param {(text: string) => number} read */
const whole = (read) => (/** @type {string} */ text) => {
  const value = read(text);
  if (Number.isInteger(value)) return value;
  throw new RangeError("it can be a whole number");
};

/** @param {string} text @returns {NonNullable<State["shape"]>} */
function readShape(text) {
  const [, descriptor, by] = /^([a-z_]+)\.(-?\d{1,2})$/.exec(text) ?? [];
  if (descriptor && Number(by)) return { descriptor, by: Number(by) };
  throw new RangeError("it can be a slider and its steps, as brightness.-2");
}

/** @param {string} text @returns {State["amounts"]} */
function readAmounts(text) {
  const parts = text.split("!").map((part) => /^([a-z][a-z0-9-]*)\.(-?\d{1,2}(?:\.\d{1,2})?)$/.exec(part));
  if (parts.every((part) => part !== null))
    return Object.fromEntries(parts.map(([, name, amount]) => [name, Number(amount)]));
  throw new RangeError("it can be sliders and their amounts, as common.0.5!own-1.-1");
}

const weight = within(0, 10);

/** @type {Record<string, Field<any>>} */
export const FIELDS = {
  model: { state: "modelId", read: String, write: String },
  a: { state: "a", read: readAnchor, write: writeAnchor },
  b: { state: "b", read: readAnchor, write: writeAnchor },
  path: { state: "path", read: oneOf("geodesic", "linear", "retimed"), write: String },
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
  metric: { state: "metric", read: oneOf(...METRICS), write: String },
  mode: { state: "mode", read: oneOf("steps", "glide"), write: String },
  t: { state: "place", read: within(0, 1), write: (value) => String(+value.toFixed(4)) },
  loop: {
    state: "loop",
    read: (text) => oneOf("on", "off")(text) === "on",
    write: (value) => (value ? "on" : "off"),
  },
  panel: {
    state: "panel",
    read: oneOf("library", "combine", "sample", "shape", "yours", "none"),
    write: (value) => value ?? "none",
  },
  curve: { state: "curve", read: String, write: String },
  ellipses: {
    state: "ellipses",
    read: (text) => oneOf("on", "off")(text) === "on",
    write: (value) => (value ? "on" : "off"),
  },
  marked: {
    state: "marked",
    read: (text) => text.split("!").slice(0, MOST_MARKED).map(readAnchor),
    write: (value) => value.map(writeAnchor).join("!"),
  },
  op: { state: "operation", read: oneOf("mean", "analogy", "beyond"), write: String },
  to: { state: "reach", read: within(1.05, 3), write: (value) => String(+value.toFixed(2)) },
  sampler: { state: "sampler", read: String, write: String },
  n: { state: "count", read: whole(within(1, 64)), write: String },
  temp: { state: "temperature", read: within(0.1, 2), write: (value) => String(+value.toFixed(2)) },
  seed: { state: "seed", read: whole(within(0, SEEDS)), write: String },
  beside: {
    state: "beside",
    read: (text) => oneOf("on", "off")(text) === "on",
    write: (value) => (value ? "on" : "off"),
  },
  of: {
    state: "subject",
    read: (text) => (["a", "b", "here"].includes(text) ? text : readAnchor(text)),
    write: (value) => (typeof value === "string" ? value : writeAnchor(value)),
  },
  shape: { state: "shape", read: readShape, write: ({ descriptor, by }) => `${descriptor}.${by}` },
  hold: {
    state: "hold",
    read: (text) => oneOf("on", "off")(text) === "on",
    write: (value) => (value ? "on" : "off"),
  },
  hear: { state: "hear", read: oneOf("before", "after"), write: String },
  more: {
    state: "amounts",
    read: readAmounts,
    write: (value) =>
      Object.entries(value)
        .filter(([, amount]) => amount)
        .map(([name, amount]) => `${name}.${+amount.toFixed(2)}`)
        .join("!"),
  },
  q: { state: "query", read: String, write: String },
  families: {
    state: "families",
    read: (text) => text.split("-").map(within(0, 99)),
    write: (value) => value.join("-"),
  },
  sort: {
    state: "sort",
    read: (text) => ({
      by: oneOf("name", "family", "seconds", "pitch", "distance")(text.replace(/^-/, "")),
      down: text.startsWith("-"),
    }),
    write: ({ by, down }) => (down ? "-" : "") + by,
  },
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

/**
 * @param {string} search
 * @returns {{state: Partial<State>, problems: string[]}} what could be read, and a sentence for what could not
 */
export function readLink(search) {
  /** @type {Record<string, unknown>} */
  const state = {};
  /** @type {string[]} */
  const problems = [];
  for (const [name, text] of new URLSearchParams(search)) {
    const field = FIELDS[name];
    if (!field || text === "") continue;
    try {
      state[field.state] = field.read(text);
    } catch (error) {
      problems.push(`The link says ${name}=${text}; ${/** @type {Error} */ (error).message}.`);
    }
  }
  if (state.panel === "none") state.panel = null;
  return { state, problems };
}

/** @param {State} state @returns {string} "" or "?a=..." : only what differs from a fresh page */
export function writeLink(state) {
  const parts = [];
  for (const [name, field] of Object.entries(FIELDS)) {
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

/** What makes a new entry in the browser's history: going somewhere, not fiddling. @param {State} state */
const landmark = (state) =>
  [state.a && writeAnchor(state.a), state.b && writeAnchor(state.b), state.panel].join();

/**
 * Keeps the address bar in step with the store, and the store with the back button.
 *
 * @param {import("./store.js").Store<State>} store
 * @param {Window} window
 */
export function followLink(store, window) {
  let written = window.location.search;
  let place = landmark(store.get());
  let timer = 0;

  /** While it plays, the link goes on saying where it stood before: an address that runs along helps nobody. */
  let stood = store.get().place;
  const linked = () => {
    const state = store.get();
    if (!state.playing) stood = state.place;
    return { ...state, place: stood };
  };

  function write() {
    const state = linked();
    const link = writeLink(state);
    const here = landmark(state);
    if (link !== written) {
      const url = window.location.pathname + link + window.location.hash;
      window.history[here === place ? "replaceState" : "pushState"](null, "", url);
      written = link;
    }
    place = here;
  }

  /** @param {number} delay */
  function schedule(delay) {
    window.clearTimeout(timer);
    timer = window.setTimeout(write, delay);
  }

  const stop = store.subscribe(({ a, b, carried }, before) => {
    if (a !== before.a || b !== before.b) stood = 0;
    if (!carried) schedule(150);
  });
  const back = () => {
    const { state } = readLink(window.location.search);
    written = window.location.search;
    const fresh = Object.fromEntries(
      Object.values(FIELDS).map((field) => [field.state, initial[field.state]]),
    );
    store.set({ ...fresh, modelId: store.get().modelId, ...state, playing: false });
    place = landmark(store.get());
  };
  window.addEventListener("popstate", back);
  return {
    link: () => window.location.origin + window.location.pathname + writeLink(linked()),
    destroy() {
      stop();
      window.clearTimeout(timer);
      window.removeEventListener("popstate", back);
    },
  };
}
