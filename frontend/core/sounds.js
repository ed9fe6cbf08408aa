// @ts-check
/** The sounds of a pack, in columns, with the two look-ups everyone needs: by id, and by place on the map. */

import { createGrid } from "./grid.js";
import { readQuery, searchable } from "./search.js";

/**
 * @typedef {object} Columns            as the service sends them; all in one order
 * @property {string[]} family_names
 * @property {string[]} id
 * @property {string[]} name
 * @property {number[]} family          index into family_names
 * @property {number[]} x
 * @property {number[]} y
 * @property {number[]} seconds
 * @property {(number | null)[]} pitch  Hz
 * @property {string[]} source
 * @property {string[]} licence
 * @property {string[]} credit
 * @property {Kind[]} [kind]
 * @property {number} [provisional]     own sounds whose places are still being found
 */

/**
 * @typedef {"library" | "finetuned" | "made" | "uploaded"} Kind came with the pack, the model was fine-tuned on it,
 *   or it was kept here
 */
/** @typedef {ReturnType<typeof createLibrary>} Library */

/** @param {Columns} columns */
export function createLibrary(columns) {
  const index = new Map(columns.id.map((id, i) => [id, i]));
  return {
    ...columns,
    count: columns.id.length,
    grid: createGrid(columns.x, columns.y),
    /** @param {string} id @returns {number} -1: not here */
    indexOf: (id) => index.get(id) ?? -1,
    /** @param {number} i @returns {import("./state.js").Position} */
    position: (i) => [columns.x[i], columns.y[i]],
    /** @param {number} i */
    familyName: (i) => capital(columns.family_names[columns.family[i]] ?? ""),
    /** Did it come with the pack, or was it kept here? @param {number} i @returns {Kind} */
    kindOf: (i) => columns.kind?.[i] ?? "library",
    /** In which bounds the points lie: x0, x1, y0, y1. @returns {[number, number, number, number]} */
    bounds: () => [...range(columns.x), ...range(columns.y)],
  };
}

/** The ids of what was uploaded here. @param {Library} library */
export const userSoundIds = (library) => library.id.filter((_, i) => library.kindOf(i) === "uploaded");

/** The ids of what a model has learned of one's own. @param {Library} library */
export const learnedSounds = (library) => library.id.filter((_, i) => library.kindOf(i) === "finetuned");

/** @param {string} name */
const capital = (name) => name.slice(0, 1).toUpperCase() + name.slice(1);

/** @param {number[]} values @returns {[number, number]} */
function range(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((p, q) => p - q);
  return sorted[sorted.length >> 1];
}

/** A name that says what one will hear: a few words, no catalogue number. @param {string} name */
const isPlain = (name) => name.length <= 20 && !/_|\d{3}|\d-\d|\(\d+\)/.test(name);

/**
 * Of the dozen sounds in the middle of a family the first with a plain name, else the very middle; -1 for a family
 * with fewer than `least` sounds.
 * @param {Library} library @param {number} family @param {number} [least]
 */
export function heart(library, family, least = 5) {
  const members = [];
  for (let i = 0; i < library.count; i++)
    if (library.family[i] === family && library.kindOf(i) === "library") members.push(i);
  if (members.length < least) return -1;
  const x = median(members.map((i) => library.x[i]));
  const y = median(members.map((i) => library.y[i]));
  const far = (/** @type {number} */ i) => (library.x[i] - x) ** 2 + (library.y[i] - y) ** 2;
  const middle = members.sort((p, q) => far(p) - far(q)).slice(0, 12);
  return middle.find((i) => isPlain(library.name[i])) ?? middle[0];
}

/** Morphs that anybody can imagine before hearing them. @type {[from: string, to: string][]} */
const IMAGINABLE = [
  ["kick 808", "church bell"],
  ["snare, standard", "crash"],
  ["koto", "steel guitar"],
];

/**
 * Of the sounds called so, of those with the shortest name, the one nearest to the middle of all; -1: none.
 * @param {Library} library
 * @param {string} name
 */
function typical(library, name) {
  const all = Array.from({ length: library.count }, (_, i) => i).filter(
    (i) => library.kindOf(i) === "library" && library.name[i].toLowerCase().includes(name),
  );
  const plain = all.filter((i) => isPlain(library.name[i]) || library.name[i].toLowerCase() === name);
  const shortest = Math.min(...plain.map((i) => library.name[i].length));
  return plain.length
    ? middleOf(
        library,
        all,
        plain.filter((i) => library.name[i].length === shortest),
      )
    : -1;
}

/**
 * Which of some sounds lies nearest to the middle of others.
 * @param {Library} library
 * @param {number[]} all
 * @param {number[]} some
 */
function middleOf(library, all, some) {
  const x = median(all.map((i) => library.x[i]));
  const y = median(all.map((i) => library.y[i]));
  const far = (/** @type {number} */ i) => (library.x[i] - x) ** 2 + (library.y[i] - y) ** 2;
  return some.reduce((best, i) => (far(i) < far(best) ? i : best));
}

/**
 * Morphs worth a first click: pairs that anybody can imagine, where the library has them; then from the heart of one
 * family to the heart of another, the two farthest apart first, every family at most once until all have been used.
 *
 * @param {Library} library
 * @param {number} [count]
 * @returns {[number, number][]} pairs of sounds
 */
export function suggestedMorphs(library, count = 3) {
  /** @type {[number, number][]} */
  const pairs = IMAGINABLE.map(
    ([from, to]) => /** @type {[number, number]} */ ([typical(library, from), typical(library, to)]),
  ).filter((pair) => pair.every((i) => i >= 0));
  const hearts = library.family_names.map((_, f) => heart(library, f)).filter((i) => i >= 0);
  const candidates = hearts.flatMap((p, k) =>
    hearts.slice(k + 1).map((q) => /** @type {[number, number]} */ ([p, q])),
  );
  const far = (/** @type {[number, number]} */ [p, q]) =>
    Math.hypot(library.x[p] - library.x[q], library.y[p] - library.y[q]);
  candidates.sort((first, other) => far(other) - far(first));
  for (const fresh of [true, false])
    for (const pair of candidates) {
      const used = pairs.flat();
      if (pairs.length >= count || pairs.includes(pair)) continue;
      if (fresh && pair.some((i) => used.includes(i))) continue;
      pairs.push(pair);
    }
  return pairs.slice(0, count);
}

/** What a sound's origin is looked for as. @type {Record<Kind, string>} */
const KIND_WORDS = { library: "", finetuned: "fine-tuned yours", made: "made", uploaded: "uploaded yours" };

/** @type {WeakMap<Library, import("./search.js").Searchable[]>} */
const searchables = new WeakMap();

/** What each sound can be found by. @param {Library} library */
function searchablesOf(library) {
  let texts = searchables.get(library);
  if (!texts) {
    texts = library.id.map((_, i) =>
      searchable(
        `${library.name[i]} ${library.familyName(i)} ${library.source[i]} ${KIND_WORDS[library.kindOf(i)]}`,
      ),
    );
    searchables.set(library, texts);
  }
  return texts;
}

/**
 * The sounds that the filter lets through, in the order of the table.
 *
 * @param {Library} library
 * @param {{query: string, families: readonly number[]}} filter how the query is read: search.js
 * @returns {number[]}
 */
export function filtered(library, { query, families }) {
  const fits = readQuery(query);
  const texts = searchablesOf(library);
  const rows = [];
  for (let i = 0; i < library.count; i++) {
    if (families.length && !families.includes(library.family[i])) continue;
    if (fits(texts[i])) rows.push(i);
  }
  return rows;
}

/**
 * @param {Library} library
 * @param {number[]} rows
 * @param {import("./state.js").Sorting} sort
 * @param {number[] | null} distances
 */
export function sorted(library, rows, { by, down }, distances) {
  const names = new Intl.Collator("en", { numeric: true });
  /** @type {Record<string, (i: number) => number | null>} */
  const numbers = {
    seconds: (i) => library.seconds[i],
    pitch: (i) => library.pitch[i],
    distance: (i) => distances?.[i] ?? null,
  };
  const number = numbers[by];
  const text = (/** @type {number} */ i) => (by === "family" ? library.familyName(i) : library.name[i]);
  const turn = down ? -1 : 1;
  return [...rows].sort((p, q) => {
    if (number) {
      const u = number(p);
      const v = number(q);
      if (u === null || v === null) return u === v ? 0 : u === null ? 1 : -1; // what is unknown comes last
      if (u !== v) return turn * (u - v);
    } else {
      const order = names.compare(text(p), text(q));
      if (order) return turn * order;
    }
    return names.compare(library.name[p], library.name[q]);
  });
}

const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

/** The nearest note of the equal-tempered scale, A4 = 440 Hz. @param {number | null} hertz */
export function noteName(hertz) {
  if (!hertz) return "–";
  const midi = Math.round(69 + 12 * Math.log2(hertz / 440));
  return NOTES[((midi % 12) + 12) % 12] + (Math.floor(midi / 12) - 1);
}
