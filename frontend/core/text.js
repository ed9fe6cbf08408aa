// @ts-check
/** The sentences on the page. All of them are computed; none of them says which path sounds better. */

import { noteName } from "./sounds.js";
import { isLearning } from "./state.js";

/** @typedef {import("./state.js").Path} Path */
/** @typedef {import("./state.js").Anchor} Anchor */
/** @typedef {import("./state.js").Choice} Choice */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./sounds.js").Library} Library */

const ALIKE = 0.02; // of the length: nearer than that the two paths are about as long
const EVEN = 0.1; // speed variation (CV) up to which a path keeps one speed

/** 1284 -> "1 284", with a space that does not break. @param {number} n */
export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** What a path ends with, of any system. @param {string} path */
export const lastPart = (path) => path.split(/[/\\]/).pop() ?? "";

/** @param {number} seconds */
export const duration = (seconds) => `${seconds < 1 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;

/** Three digits are enough for an ear. @param {number} value */
export const amount = (value) =>
  value < 1 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);

/**
 * @param {Anchor} anchor
 * @param {Library} library
 */
export function anchorName(anchor, library) {
  if (anchor.sound) return library.name[library.indexOf(anchor.sound)] ?? "an unknown sound";
  if (anchor.code && anchor.name) return anchor.name;
  const near = nearestName(anchor, library);
  return near ? `Near ${near}` : "A place on the map";
}

/** @param {Anchor} anchor @param {Library} library */
function nearestName(anchor, library) {
  if (!anchor.position) return null;
  const [x0, x1, y0, y1] = library.bounds();
  const i = library.grid.nearest(...anchor.position, 2 * Math.hypot(x1 - x0, y1 - y0));
  return i < 0 ? null : library.name[i];
}

/** @param {Anchor} anchor @param {Library} library */
export function anchorDetail(anchor, library) {
  const i = anchor.sound ? library.indexOf(anchor.sound) : -1;
  if (i >= 0) return `${library.familyName(i)}, ${duration(library.seconds[i])}`;
  return anchor.code ? "A new sound, no recording" : "A place, no recording";
}

/**
 * The words of a choice; a dash until the service has said them.
 * @param {readonly Choice[]} choices @param {string} id
 * @returns {Choice}
 */
export const wordsOf = (choices, id) =>
  choices.find((choice) => choice.id === id) ?? { id, label: "–", term: "", meaning: "", sentence: "" };

/**
 * How a path is called in a sentence; its term tells it from an earlier kind of the same label.
 * @param {Pick<Path, "kind">} path @param {readonly Choice[]} kinds
 */
export function pathName({ kind }, kinds) {
  const { label, term } = wordsOf(kinds, kind);
  const first = kinds.find((other) => other.label === label);
  return first && first.id !== kind ? `${label}, ${term}` : label;
}

/** 0.123 -> "12 %"; what is there at all is never called nothing. @param {number} share 0 to 1 */
export const percent = (share) => (share > 0 && share < 0.005 ? "under 1 %" : `${Math.round(100 * share)} %`);

/**
 * How much of a path lies outside what the model knows; one from known sound to known sound is not judged.
 * @param {Path} path
 */
export const guessworkWords = ({ kind, guesswork }) =>
  kind === "graph" ? "known sounds" : `${percent(guesswork)} guesswork`;

/**
 * How the curved path compares with the direct one: guesswork, then length.
 *
 * @param {Path} curved    the geodesic, or the graph path
 * @param {Path} direct
 * @returns {{figures: [string, string][], more: string}} figures: pairs of a number and what it is of
 */
export function comparison(curved, direct) {
  const far = lengthWords(curved.length / direct.length);
  if (curved.kind === "graph")
    return {
      figures: [],
      more: `From known sound to known sound, ${far}. The direct path is ${percent(direct.guesswork)} guesswork.`,
    };
  const [curvedShare, directShare] = [curved, direct].map(({ guesswork }) => percent(guesswork));
  if (curvedShare === directShare && curvedShare === "0 %")
    return { figures: [], more: `Both paths keep to known sounds. The curved one is ${far}.` };
  return {
    figures: [
      [curvedShare, " guesswork, against "],
      [directShare, " direct."],
    ],
    more: `The curved path is ${far}.`,
  };
}

/** @param {number} ratio of the curved path's length to the direct one's */
function lengthWords(ratio) {
  if (Math.abs(ratio - 1) <= ALIKE) return "about as long";
  return ratio < 1
    ? `shorter, ${ratio.toFixed(2)} times as far`
    : `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)} times as far`;
}

/**
 * Runs of steps, counted from 1, at which a path is guesswork: "steps 5 to 9 and 12".
 * @param {readonly boolean[]} onLand per step
 */
export function guessedSteps(onLand) {
  /** @type {[first: number, last: number][]} */
  const runs = [];
  onLand.forEach((on, i) => {
    const last = runs[runs.length - 1];
    if (on) return;
    if (last && last[1] === i) last[1] = i + 1;
    else runs.push([i + 1, i + 1]);
  });
  const words = runs.map(([first, last]) => (first === last ? String(first) : `${first} to ${last}`));
  return words.length
    ? `${runs.length === 1 && runs[0][0] === runs[0][1] ? "step" : "steps"} ${list(words)}`
    : "";
}

/**
 * A morph in a few sentences, for those who do not see it: ends, length, pitch, guesswork.
 * @param {{from: string, to: string, path: Path, kinds: readonly Choice[], unit: string,
 *   pitches?: [number | null, number | null]}} morph
 */
export function morphSummary({ from, to, path, kinds, unit, pitches = [null, null] }) {
  const guessed = path.kind === "graph" ? "" : guessedSteps(path.on_land ?? []);
  const [low, high] = pitches.map(noteName);
  return [
    `From ${from} to ${to}, ${pathName(path, kinds).toLowerCase()}: ` +
      `${amount(path.length)} ${unit} in ${path.speed.length + 1} steps.`,
    pitches.every(Boolean)
      ? low === high
        ? `Pitch ${low} at both ends.`
        : `Pitch ${low} to ${high}: the two cross, they do not slide.`
      : "",
    guessed ? `Guesswork at ${guessed}.` : "Known sounds along the whole path.",
  ]
    .filter(Boolean)
    .join(" ");
}

const COMPASS = ["east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east"];

/**
 * The map in words: how many sounds of which family, and where each lies thickest, seen from the middle; north is up.
 * @param {Library} library @param {{name: string, at: import("./state.js").Position}[]} isles
 */
export function mapSummary(library, isles) {
  const [x0, x1, y0, y1] = library.bounds();
  const side = (/** @type {import("./state.js").Position} */ [x, y]) => {
    const [dx, dy] = [(2 * x - x0 - x1) / (x1 - x0 || 1), (2 * y - y0 - y1) / (y1 - y0 || 1)];
    if (Math.hypot(dx, dy) < 0.25) return "middle";
    return COMPASS[(Math.round((4 * Math.atan2(dy, dx)) / Math.PI) + 8) % 8];
  };
  const families = isles.map(({ name, at }) => {
    const family = library.family_names.findIndex((other) => other.toLowerCase() === name);
    return `${library.family.filter((of) => of === family).length} ${name} in the ${side(at)}`;
  });
  return `Map of ${count(library.count)} sounds, north is up: ${list(families)}.`;
}

/**
 * How fast the sound changes along a path.
 * @param {Path} path @param {string} name
 */
export function speedWords({ speed, speed_variation: variation }, name) {
  return variation <= EVEN ? `${name}: even` : `${name}, at most ${amount(Math.max(...speed))} per step`;
}

/** For those who do not see the curve. @param {Path} path @param {string} name @param {string} unit */
export function speedDescription({ speed }, name, unit) {
  const low = amount(Math.min(...speed));
  const high = amount(Math.max(...speed));
  return low === high
    ? `${name}: ${low} ${unit} per step throughout`
    : `${name}: ${low} to ${high} ${unit} per step`;
}

/**
 * What a new sound is, beside its name.
 * @param {import("./state.js").NewSound} found
 * @param {Library} library
 */
export function newSoundWords({ near, inDistribution, notes }, library) {
  const nearest =
    near && library.indexOf(near.id) >= 0
      ? `nearest to ${library.name[library.indexOf(near.id)]}`
      : "a new sound";
  return inDistribution || notes.length ? nearest : `${nearest}, guesswork`;
}

/**
 * What is to be known about sounds that were made, in plain words.
 * @param {import("./state.js").Draw} draw
 * @returns {string[]} sentences
 */
export function drawWords({ samples, warnings }) {
  const among = samples.filter(({ inDistribution }) => inDistribution).length;
  const all = samples.length;
  const different = new Set(samples.map(({ code }) => code)).size;
  return [
    among === all
      ? `All ${all} lie among known sounds.`
      : among === 0
        ? `None of the ${all} lies among known sounds.`
        : `${among} of ${all} lie among known sounds.`,
    ...(different < all
      ? [`${different === 1 ? "All are the same sound." : `Only ${different} of them differ.`}`]
      : []),
    ...warnings,
  ];
}

/**
 * How the sampler fared, for those who know the method.
 * @param {import("./state.js").Draw} draw @param {readonly Choice[]} samplers
 * @returns {string[]} sentences
 */
export function samplerDetails({ sampler, diagnostics: { acceptance, effective, escapes } }, samplers) {
  return [
    `Method: ${wordsOf(samplers, sampler).term}.`,
    ...(typeof effective === "number" ? [`Effective sample size ${amount(effective)}.`] : []),
    ...(typeof acceptance === "number" ? [`Acceptance ${Math.round(100 * acceptance)} %.`] : []),
    ...(typeof escapes === "number"
      ? [
          escapes === 0
            ? "All samples stayed inside the sampling region."
            : `${escapes} left the sampling region.`,
        ]
      : []),
  ];
}

/**
 * The value of a descriptor in a unit that one meets: Hz for the ear's frequency scale, seconds and ratios for their
 * logarithms, per cent.
 * @param {number} value
 * @param {string} unit
 */
export function measured(value, unit) {
  if (unit === "log10 s") return seconds(10 ** value);
  if (unit === "s") return seconds(value);
  if (unit === "ERB-rate") return hertz((10 ** (value / 21.4) - 1) / 0.00437); // Glasberg & Moore 1990, eq. 4
  if (unit === "Hz") return hertz(value);
  if (unit === "0-1") return `${(100 * value).toFixed(0)} %`;
  if (unit === "log10") return amount(10 ** value);
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  return value.toFixed(digits) + (unit === "1" || unit === "" ? "" : ` ${unit}`);
}

/** @param {number} value */
const hertz = (value) =>
  Math.abs(value) >= 1000 ? `${(value / 1000).toFixed(2)} kHz` : `${value.toFixed(0)} Hz`;

/** @param {number} value */
const seconds = (value) => (Math.abs(value) < 1 ? `${amount(1000 * value)} ms` : `${value.toFixed(2)} s`);

/** @param {string} id */
export const descriptorTitle = (id) => capital(id).replaceAll("_", " ");

/**
 * Where a slider stands, for those who do not see it.
 * @param {number} steps from the sound itself
 * @param {import("./state.js").Descriptor} descriptor
 */
export function shapeWords(steps, { more, less }) {
  if (steps === 0) return "the sound itself";
  return `${Math.abs(steps)} ${Math.abs(steps) === 1 ? "step" : "steps"} ${steps > 0 ? more : less}`;
}

/** @param {string} text */
export const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** As a sentence stands in a text. @param {string} text */
export const sentence = (text) => `${capital(text)}${/[.!?]$/.test(text) ? "" : "."}`;

/** "Kick 1, Snare and Hat" @param {string[]} names */
export const list = (names) =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;

/** What the slider makes of the curved path. @param {number} weight @param {{min: number, max: number}} [range] */
export function weightWords(weight, range = { min: 0, max: 10 }) {
  if (weight === Infinity) return "safest: from known sound to known sound";
  if (weight <= range.min) return "shortest for the ear";
  return `keeps near known sounds, weight ${+weight.toPrecision(2)}`;
}

/**
 * What the library is filtered by.
 * @param {Pick<State, "query" | "families" | "library">} state
 * @returns {string} "" : nothing
 */
export function filterWords({ query, families, library }) {
  const names = families.flatMap((family) => library?.family_names[family] ?? []);
  return [query.trim() && `“${query.trim()}”`, ...names].filter(Boolean).join(", ");
}

/** While the server has no time for what was asked. @param {number} seconds until it is asked again */
export const busyWords = (seconds) =>
  `The server has much to do just now. Trying again in ${Math.ceil(seconds)} s; nothing is lost.`;

/** @param {string} name */
export const soundFile = (name) => `${plain(name)}.wav`;

/** @param {string} text */
const plain = (text) =>
  text
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase()
    .slice(0, 40) || "sound";

/** @param {State} state @returns {string} what the corner of the map says */
export function statusWords({ server, sound, playing, progress, morph, mode, path, job }) {
  if (server.phase === "waking") return "Waking up";
  if (server.phase === "away") return "The server does not answer";
  if (server.phase === "broken") return "Nothing to play";
  if (playing && mode === "steps") return `Playing ${Math.round(progress * 16) + 1} of 17`;
  if (morph?.phase === "solving") return "Finding the path";
  if (playing) return morph?.glides[path] ? "Gliding" : "Making the glide";
  return `${sound === "on" ? "Ready" : "Sound is off"}${isLearning({ job }) ? ", fine-tuning" : ""}`;
}
