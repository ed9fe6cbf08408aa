// @ts-check
/** The sentences on the page. All of them are computed; none of them says which way sounds better. */

import { isLearning } from "./state.js";

/** @typedef {import("./state.js").Path} Path */
/** @typedef {import("./state.js").Anchor} Anchor */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./library/sounds.js").Library} Library */

const ALIKE = 0.02; // of the length: nearer than that the two ways are about as long
const EVEN = 0.1; // speed variation (CV) up to which a path keeps one speed

/** 1284 -> "1 284", with a space that does not break. @param {number} n */
export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** @param {number} seconds */
export const duration = (seconds) => `${seconds < 1 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;

/** Three digits are enough for an ear. @param {number} value */
export const amount = (value) => (value < 1 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));

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

/** Share of a way, as it is drawn, above which it is said to cross water; below, it has touched the shore. */
const WET = 0.02;
/** Difference of two such shares that is worth a word. */
const WETTER = 0.08;

/** Whether the way leads over what the model does not know. @param {Path} path */
export const crossesWater = ({ water }) => water > WET;

/**
 * What is known about the two ways, in at most two sentences.
 *
 * @param {Path} bent    the geodesic, or the graph path
 * @param {Path} straight
 * @param {string} unit
 * @returns {{lengths: [string, string][], more: string}} lengths: pairs of a number and what it is of
 */
export function comparison(bent, straight, unit) {
  const along = bent.kind === "graph" ? "through known sounds" : "along the geodesic";
  /** @type {[string, string][]} */
  const lengths = [[`${amount(bent.length)} ${unit}`, ` ${along}, `], [amount(straight.length), " straight."]];
  const alike = Math.abs(bent.length - straight.length) <= ALIKE * straight.length;
  const [bentWet, straightWet] = [crossesWater(bent), crossesWater(straight)];
  const ground =
    bentWet && straightWet && straight.water - bent.water > WETTER ? "Straight on crosses more water." :
    bentWet && straightWet ? "Both ways cross water." :
    straightWet ? "Straight on crosses water." :
    bentWet ? `The ${bent.kind === "graph" ? `way ${along}` : "geodesic"} crosses water.` :
    "Both ways stay on land.";
  if (!alike) return { lengths, more: ground };
  const both = ground.startsWith("Both ways ");
  return { lengths, more: both ? `Both ways are about as long and ${ground.slice("Both ways ".length)}` : `Both ways are about as long. ${ground}` };
}

/**
 * How fast the sound changes along a path.
 * @param {Path} path @param {string} name @param {string} unit
 */
export function speedWords({ speed, speed_variation: variation }, name, unit) {
  const mean = speed.reduce((sum, v) => sum + v, 0) / speed.length;
  if (variation <= EVEN) return `${name} keeps ${amount(mean)}`;
  return `${name} races to ${amount(Math.max(...speed))} ${unit} a step`;
}

/** For those who do not see the curve. @param {Path} path @param {string} name @param {string} unit */
export function speedDescription({ speed }, name, unit) {
  const low = amount(Math.min(...speed));
  const high = amount(Math.max(...speed));
  return low === high ? `${name}: ${low} ${unit} a step throughout` : `${name}: ${low} to ${high} ${unit} a step`;
}

/** What a new sound is, beside its name. @param {import("./state.js").Found} found @param {Library} library @param {string} unit */
export function foundWords({ near, known, notes }, library, unit) {
  const nearest = near && library.indexOf(near.id) >= 0 ? `${amount(near.distance)} ${unit} from ${library.name[library.indexOf(near.id)]}` : "a new sound";
  return known || notes.length ? nearest : `${nearest}, beyond what is known`;
}

/** One honest line on each metric. @type {Record<import("./state.js").Metric, [name: string, meaning: string]>} */
export const METRIC_WORDS = {
  blend: ["Blend", "What can be heard, plus a pull towards known sounds: the slider says how strong."],
  pullback: ["Pull-back", "Only what can be heard: the shortest way for the ear, wherever it leads."],
  kernel: ["Kernel", "Only nearness to known sounds. What is heard on the way does not count."],
  flat: ["Flat", "Neither: straight inside the model, at an even pace to the ear."],
};

/** What the samplers are, for who has not met their names. @type {Record<string, [name: string, meaning: string]>} */
export const SAMPLER_WORDS = {
  hmc: ["Known land", "By the metric’s volume, most where it knows most: Hamiltonian Monte Carlo"],
  importance: ["Known land, quick", "The same density in one pass. It draws some sounds more than once, and says so"],
  mixture: ["Near the library", "From a Gaussian mixture fitted to its sounds"],
  aggregated: ["On the library", "One of its sounds, blurred as the encoder is unsure (aggregated posterior)"],
  prior: ["Anywhere", "Straight from the prior; expect surprises"],
  walk: ["Wander from a sound", "A random walk that keeps to the land (Riemannian walk)"],
};

/**
 * What is to be known about sounds that were drawn, in plain words. Only what was measured is said.
 * @param {import("./state.js").Draw} draw
 * @returns {string[]} sentences
 */
export function drawWords({ samples, diagnostics, warnings }) {
  const among = samples.filter(({ known }) => known).length;
  const { acceptance, effective, escapes } = diagnostics;
  const all = samples.length;
  const different = new Set(samples.map(({ code }) => code)).size;
  return [
    among === all ? `All ${all} lie among known sounds.` : among === 0 ? `None of the ${all} lies among known sounds.` : `${among} of ${all} lie among known sounds.`,
    ...(different < all ? [`${different === 1 ? "All are the same sound." : `Only ${different} of them differ.`}`] : []),
    ...(typeof effective === "number" ? [`Worth ${amount(effective)} independent ones (effective sample size).`] : []),
    ...(typeof acceptance === "number" ? [`${Math.round(100 * acceptance)} of 100 proposed moves were taken (acceptance).`] : []),
    ...(typeof escapes === "number" ? [escapes === 0 ? "None escaped from where the sampler may go." : `${escapes} escaped from where the sampler may go.`] : []),
    ...warnings,
  ];
}

/** In the unit of a descriptor; what is kept as a logarithm is told as what it is one of. @param {number} value @param {string} unit */
export function measured(value, unit) {
  if (unit === "log10 s") return seconds(10 ** value);
  if (unit === "s") return seconds(value);
  if (unit === "Hz" && Math.abs(value) >= 1000) return `${(value / 1000).toFixed(2)} kHz`;
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  const name = { "ERB-rate": " ERB", "0-1": "", "1": "", "": "" }[unit] ?? ` ${unit}`;
  return value.toFixed(digits) + name;
}

/** @param {number} value */
const seconds = (value) => (Math.abs(value) < 1 ? `${amount(1000 * value)} ms` : `${value.toFixed(2)} s`);

/** @param {string} id */
export const descriptorTitle = (id) => id[0].toUpperCase() + id.slice(1).replaceAll("_", " ");

/** Where a slider stands, for those who do not see it. @param {number} steps from the sound itself @param {import("./state.js").Descriptor} descriptor */
export function shapeWords(steps, { more, less }) {
  if (steps === 0) return "the sound itself";
  return `${Math.abs(steps)} ${Math.abs(steps) === 1 ? "step" : "steps"} ${steps > 0 ? more : less}`;
}

/** As a sentence stands in a text. @param {string} text */
export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** "Kick 1, Snare and Hat" @param {string[]} names */
export const list = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`);

/** @param {number} weight @param {{min: number, max: number}} [range] */
export function weightWords(weight, range = { min: 0, max: 10 }) {
  if (weight === Infinity) return "goes from known sound to known sound";
  if (weight <= range.min) return "is as short as can be";
  return `keeps to known sounds with weight ${+weight.toPrecision(2)}`;
}

/** The name of a file that holds this journey. @param {string} from @param {string} to @param {string} path @param {string} mode */
export function fileName(from, to, path, mode) {
  return `${plain(from)}-to-${plain(to)}-${path}-${mode}.wav`;
}

/** @param {string} name */
export const soundFile = (name) => `${plain(name)}.wav`;

/** @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").toLowerCase().slice(0, 40) || "sound";

/** @param {State} state @returns {string} what the corner of the map says */
export function statusWords({ server, sound, playing, place, journey, mode, path, job }) {
  if (server.phase === "waking") return "Waking up";
  if (server.phase === "away") return "The engine is away";
  if (server.phase === "broken") return "Nothing to play";
  if (playing && mode === "steps") return `Playing ${Math.round(place * 16) + 1} of 17`;
  if (journey?.phase === "solving") return "Finding the way";
  if (playing) return journey?.glides[path] ? "Gliding" : "Making the glide";
  return `${sound === "on" ? "Ready" : "Sound is off"}${isLearning({ job }) ? ", learning" : ""}`;
}
