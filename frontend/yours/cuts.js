// @ts-check
/**
 * The sounds found in recordings as a list to choose from and to correct: everything that is done to it, as
 * functions.
 */

import { duration } from "../core/text.js";

/** @typedef {import("./state.js").Cut} Cut */
/** @typedef {import("./state.js").Recording} Recording */
/** @typedef {import("../core/state.js").Seconds} Seconds */
/** @typedef {{min: Seconds, max: Seconds}} Range      of one sound's length */

const SAME_START = 0.03; // Seconds: by so much another threshold moves a beginning
const NEW_LENGTH = 0.5; // Seconds, of a sound that is added by hand

/**
 * What was found in a recording.
 * @param {Recording} recording
 * @param {number} file its place in the list
 * @param {boolean} [on]
 * @returns {Cut[]}
 */
export const cutsOf = ({ sounds }, file, on = true) =>
  sounds.map(({ start, end, name }) => ({ file, start, end, name, on, touched: false }));

/** Nothing to ask: the recording is one sound. @param {{sounds: unknown[]}} recording */
export const isPlain = ({ sounds }) => sounds.length === 1;

/**
 * Other proposals for a recording, with what was done to the old ones: a sound that was renamed, moved, or ticked off
 * keeps that where it is found again, and stays where it is not.
 * @param {readonly Cut[]} before @param {readonly Cut[]} proposed both of the same recording
 * @returns {Cut[]} by their beginnings
 */
export function carriedOver(before, proposed) {
  const touched = before.filter((cut) => cut.touched);
  /** @type {Set<Cut>} */
  const placed = new Set();
  const carried = proposed.flatMap((cut) => {
    const edited = touched.find(
      (old) => !placed.has(old) && Math.abs((old.originalStart ?? old.start) - cut.start) < SAME_START,
    );
    if (edited) placed.add(edited);
    // inside one that was made by hand nothing is found again
    else if (
      touched.some(
        ({ start, end, on }) => on && cut.start >= start - SAME_START && cut.end <= end + SAME_START,
      )
    )
      return [];
    return [edited ?? cut];
  });
  return [...carried, ...touched.filter((cut) => !placed.has(cut))].sort(
    (first, other) => first.start - other.start,
  );
}

/**
 * One cut of the list changed.
 * @param {readonly Cut[]} cuts
 * @param {number} nth
 * @param {Partial<Cut>} change
 * @returns {Cut[]}
 */
export const corrected = (cuts, nth, change) =>
  cuts.map((cut, i) =>
    i === nth ? { ...cut, ...change, touched: true, originalStart: cut.originalStart ?? cut.start } : cut,
  );

/**
 * A cut with another beginning or end, as far as that makes sense.
 * @param {Cut} cut
 * @param {"start" | "end"} edge
 * @param {Seconds} at
 * @param {Seconds} seconds of the recording
 * @param {Range} range
 */
export function moved(cut, edge, at, seconds, { min, max }) {
  const t = Math.min(seconds, Math.max(0, at));
  return edge === "start"
    ? { ...cut, start: Math.max(cut.end - max, Math.min(t, cut.end - min)) }
    : { ...cut, end: Math.min(cut.start + max, Math.max(t, cut.start + min)) };
}

/**
 * What is wrong with a cut's numbers, as a sentence; "": nothing.
 * @param {Cut} cut
 * @param {Seconds} seconds of its recording
 * @param {Range} range
 */
export function troubleOf({ start, end }, seconds, { min, max }) {
  if (!Number.isFinite(start) || !Number.isFinite(end)) return "Write seconds, as 1.25.";
  if (start < 0) return "It cannot begin before the recording.";
  if (start >= seconds || end > seconds + 0.01) return `The recording is ${duration(seconds)} long.`;
  if (end <= start) return "It ends before it begins.";
  if (end - start < min) return `A sound is at least ${min} s long.`;
  return end - start > max ? `A sound is at most ${max} s long.` : "";
}

/** The next sound of the same recording. @param {readonly Cut[]} cuts @param {number} nth */
export const nextOf = (cuts, nth) => cuts.findIndex(({ file }, i) => i > nth && file === cuts[nth].file);

/** A cut and the one after it as one. @param {readonly Cut[]} cuts @param {number} nth @returns {Cut[]} */
export function joined(cuts, nth) {
  const next = nextOf(cuts, nth);
  if (next < 0) return [...cuts];
  const joined = {
    ...cuts[nth],
    end: Math.max(cuts[nth].end, cuts[next].end),
    on: true,
    touched: true,
    found: cuts[nth].originalStart ?? cuts[nth].start,
  };
  return cuts.flatMap((cut, i) => (i === nth ? [joined] : i === next ? [] : [cut]));
}

/** A cut in two, in its middle. @param {readonly Cut[]} cuts @param {number} nth @returns {Cut[]} */
export function halved(cuts, nth) {
  const { start, end, name } = cuts[nth];
  const middle = (start + end) / 2;
  const half = { ...cuts[nth], touched: true };
  return cuts.flatMap((cut, i) =>
    i === nth
      ? [
          { ...half, end: middle },
          { ...half, start: middle, name: `${name} b`, originalStart: middle },
        ]
      : [cut],
  );
}

/** @param {readonly Cut[]} cuts @param {number} nth @returns {Cut[]} */
export const removed = (cuts, nth) => cuts.filter((_, i) => i !== nth);

/**
 * A sound that was not found, where there is most room for it, or between two places.
 * @param {readonly Cut[]} cuts @param {number} file @param {Recording} recording
 * @param {{start: Seconds, end: Seconds}} [gap]
 * @returns {Cut[]}
 */
export function added(
  cuts,
  file,
  recording,
  gap = widestGap(
    cuts.filter((cut) => cut.file === file),
    recording.seconds,
  ),
) {
  const { start, end } = gap;
  const stem = recording.name.replace(/\.[^.]{1,5}$/, "") || recording.name;
  const names = new Set(cuts.map(({ name }) => name));
  let number = cuts.filter((cut) => cut.file === file).length + 1;
  while (names.has(`${stem} ${number}`)) number++;
  const cut = { file, start, end, name: `${stem} ${number}`, on: true, touched: true, found: start };
  return [...cuts, cut].sort((first, other) => first.file - other.file || first.start - other.start);
}

/** @param {readonly Cut[]} cuts of one recording @param {Seconds} seconds its length */
function widestGap(cuts, seconds) {
  const edges = [0, ...cuts.map(({ end }) => end)];
  const gaps = edges.map((start) => ({
    start,
    end: Math.min(seconds, ...cuts.filter((cut) => cut.end > start).map((cut) => Math.max(start, cut.start))),
  }));
  const widest = gaps.reduce((most, gap) => (gap.end - gap.start > most.end - most.start ? gap : most));
  const { start, end } = widest.end - widest.start > 0.02 ? widest : { start: 0, end: seconds };
  return { start, end: Math.min(end, start + NEW_LENGTH) };
}

/**
 * Ticks set for those that a question holds for.
 * @param {readonly Cut[]} cuts
 * @param {(cut: Cut, nth: number) => boolean} on
 * @returns {Cut[]}
 */
export const ticked = (cuts, on) =>
  cuts.map((cut, nth) =>
    cut.on === on(cut, nth)
      ? cut
      : { ...cut, on: !cut.on, touched: true, originalStart: cut.originalStart ?? cut.start },
  );

/**
 * The first of each kind.
 * @param {readonly Cut[]} cuts
 * @param {readonly number[]} kinds of each cut; equal numbers are alike
 * @returns {Cut[]}
 */
export function oneOfEach(cuts, kinds) {
  const first = new Map();
  kinds.forEach((kind, nth) => !first.has(kind) && first.set(kind, nth));
  const selected = new Set(first.values());
  return ticked(cuts, (_, nth) => selected.has(nth));
}
