// @ts-check
/** From the state to what is to be drawn on the map: ways that start at their sounds, ends, names on the land. */

import { unit } from "../core/dom.js";
import { everyFound, keyOf, stage } from "../core/state.js";
import { anchorName } from "../core/text.js";
import { createCourse, pinned } from "./course.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/sounds.js").Library} Library */
/** @typedef {import("./overlay.js").Way} Way */
/** @typedef {import("./overlay.js").Scene} Scene */

/** @param {Anchor | null} anchor @param {Library} library @returns {Position | null} null: a bare place */
const soundPosition = (anchor, library) =>
  anchor?.sound ? library.position(library.indexOf(anchor.sound)) : null;

/** The same for a point, which knows its place. @param {Anchor | null} anchor @param {Library} library @returns {Position | null} */
const endPlace = (anchor, library) => (anchor?.code ? anchor.position : soundPosition(anchor, library));

/** @type {WeakMap<Path, Way>} */
const drawn = new WeakMap();

/** @param {Path | undefined} path @param {State} state @returns {Way | null} */
function wayOver(path, { a, b, library }) {
  if (!path || !library) return null;
  let way = drawn.get(path);
  if (!way) {
    const pin = pinned(path, endPlace(a, library), endPlace(b, library));
    drawn.set(path, (way = { path: pin, course: createCourse(pin) }));
  }
  return way;
}

/** The three ways, as they are drawn. @param {State} state */
export function waysOf(state) {
  const { geodesic, linear, retimed } = state.journey?.paths ?? {};
  return {
    bent: wayOver(geodesic, state),
    straight: wayOver(linear, state),
    retimed: wayOver(retimed, state),
  };
}

/** Where an end of the journey is on the map. @param {State} state @param {"a" | "b"} which @returns {Position | null} */
export function endPosition(state, which) {
  const { library, journey, [which]: anchor } = state;
  if (!anchor || !library) return null;
  // a bare place is drawn where the sound found there lies: the way back from the plane is not exact
  const map = journey?.paths.linear?.map;
  if (anchor.sound || anchor.code) return placeOf(anchor, library);
  return map?.[which === "a" ? 0 : map.length - 1] ?? anchor.position ?? null;
}

/** @param {State} state @param {"a" | "b"} which @param {(at: Position) => number} snapped @returns {import("./overlay.js").End | null} */
function end(state, which, snapped) {
  const { library, carried, [which]: anchor } = state;
  if (!library) return null;
  if (carried?.end === which) {
    const near = snapped(carried.position);
    return near < 0
      ? { at: carried.position, name: "", bare: true }
      : { at: library.position(near), name: library.name[near], bare: false };
  }
  const at = endPosition(state, which);
  return anchor && at && { at, name: anchorName(anchor, library), bare: !anchor.sound && !anchor.code };
}

/** @param {State["preview"]} preview @param {Library} library */
function ghost(preview, library) {
  if (!preview) return null;
  const { from, to, path } = preview;
  return pinned(path, placeOf(from, library), placeOf(to, library));
}

/** Where a sound, a place or a point is on the map. @param {Anchor} anchor @param {Library} library @returns {Position | null} */
export const placeOf = (anchor, library) => soundPosition(anchor, library) ?? anchor.position ?? null;

/** Where what is pointed at is. @param {Pick<State, "pointed" | "library">} state @returns {Position | null} */
export const pointedPlace = ({ pointed, library }) =>
  !pointed || !library ? null : pointed.found ? pointed.found.position : library.position(pointed.sound);

/** @param {State & {library: Library}} state @returns {import("./finds.js").Finds} */
function findsOf(state) {
  const { library, found, drawing, marked, travel, pointed, a, b, panel } = state;
  const newest = found[found.length - 1];
  const told = [newest, pointed?.found].filter((one, i, all) => one && all.indexOf(one) === i);
  const ends = [keyOf(a), keyOf(b)];
  const chief = drawing?.draws[0];
  return {
    points: everyFound(state)
      .filter(({ code }) => !ends.includes(code))
      .map(({ position, shape, kind, sampler }) => ({
        at: position,
        shape,
        strong: kind !== "sample" || sampler === chief?.sampler,
      }))
      .sort((p, q) => Number(p.strong) - Number(q.strong)),
    courses: told.flatMap((one) => one?.courses ?? []),
    marks: marked.flatMap((anchor, i) => {
      const at = placeOf(anchor, library);
      return at ? [{ at, text: String(i + 1) }] : [];
    }),
    travel:
      travel?.reply && panel === "shape"
        ? {
            line: travel.reply.positions,
            inDistribution: travel.reply.in_distribution,
            at: between(travel.reply.positions, travel.at),
          }
        : null,
    label: newest && !ends.includes(newest.code) ? { at: newest.position, name: newest.name } : null,
    ellipses: state.ellipses ? state.indicatrices : [],
  };
}

/** A place on a line, between its points. @param {Position[]} line @param {number} at index, with a fraction @returns {Position} */
function between(line, at) {
  const i = Math.max(0, Math.min(line.length - 2, Math.floor(at)));
  const t = at - i;
  return line.length < 2
    ? line[0]
    : [line[i][0] + t * (line[i + 1][0] - line[i][0]), line[i][1] + t * (line[i + 1][1] - line[i][1])];
}

/**
 * @param {State & {library: Library}} state
 * @param {object} surroundings
 * @param {import("../core/colour.js").Palette} surroundings.palette
 * @param {Scene["families"]} surroundings.isles
 * @param {Scene["taken"]} surroundings.taken
 * @param {Scene["crowd"]} surroundings.crowd
 * @param {(at: Position) => number} surroundings.snapped     the sound that a carried end would land on; -1: none
 * @returns {Scene}
 */
export function sceneOf(state, { palette, isles, taken, crowd, snapped }) {
  const { library, journey, path, preview, carried } = state;
  return {
    palette,
    taken,
    crowd,
    unit: unit(),
    a: end(state, "a", snapped),
    b: end(state, "b", snapped),
    ...waysOf(state),
    chosen: path,
    dim: carried !== null || journey?.phase === "solving",
    ghost: ghost(preview, library),
    ring: pointedPlace(state),
    finds: findsOf(state),
    own: ownPlace(library),
    families: stage(state) === "both" ? [] : isles, // then the legend has their names
  };
}

/** @type {WeakMap<Library, Scene["own"]>} */
const ownPlaces = new WeakMap();

/** Where one's own sounds lie: that of them from which the others are least far. @param {Library} library @returns {Scene["own"]} */
export function ownPlace(library) {
  let place = ownPlaces.get(library);
  if (place === undefined) {
    /** @type {number[]} */
    const own = [];
    for (let i = 0; i < library.count; i++)
      if (["uploaded", "finetuned"].includes(library.kindOf(i))) own.push(i);
    const far = (/** @type {number} */ i) =>
      own.reduce((sum, j) => sum + Math.hypot(library.x[i] - library.x[j], library.y[i] - library.y[j]), 0);
    const middle = own.reduce((best, i) => (best < 0 || far(i) < far(best) ? i : best), -1);
    place = middle < 0 ? null : { at: library.position(middle), count: own.length };
    ownPlaces.set(library, place);
  }
  return place;
}

/**
 * Where each family is densest, and how far it spreads around there: its name stands near.
 * @param {Library} library
 */
export function islesOf(library) {
  const [x0, x1, y0, y1] = library.bounds();
  const near = 0.07 * Math.hypot(x1 - x0, y1 - y0);
  return library.family_names.flatMap((name, family) => {
    const members = [];
    for (let i = 0; i < library.count; i++)
      if (library.family[i] === family && library.kindOf(i) === "library") members.push(i);
    if (!members.length) return [];
    const some = members.filter((_, k) => k % Math.ceil(members.length / 400) === 0);
    const far = (/** @type {number} */ i, /** @type {number} */ j) =>
      Math.hypot(library.x[i] - library.x[j], library.y[i] - library.y[j]);
    const around = some.map((i) => some.filter((j) => far(i, j) < near).length);
    const crest = some[around.indexOf(Math.max(...around))];
    return [{ name: name.toLowerCase(), at: library.position(crest), spread: 0.75 * near }];
  });
}
