// @ts-check
/** From the state to what is to be drawn on the map: paths that start at their sounds, ends, names on the land. */

import { unit } from "../core/dom.js";
import { everyNewSound, keyOf, stage } from "../core/state.js";
import { anchorName } from "../core/text.js";
import { createCourse, pinned } from "./course.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Anchor} Anchor */
/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/sounds.js").Library} Library */
/** @typedef {import("./overlay.js").DrawnPath} DrawnPath */
/** @typedef {import("./overlay.js").Scene} Scene */

/** @param {Anchor | null} anchor @param {Library} library @returns {Position | null} null: a bare place */
const soundPosition = (anchor, library) =>
  anchor?.sound ? library.position(library.indexOf(anchor.sound)) : null;

/**
 * The same for a point, which knows its place.
 * @param {Anchor | null} anchor
 * @param {Library} library
 * @returns {Position | null}
 */
const anchoredAt = (anchor, library) => (anchor?.code ? anchor.position : soundPosition(anchor, library));

/** @type {WeakMap<Path, DrawnPath>} */
const drawnPaths = new WeakMap();

/** @param {Path | undefined} path @param {State} state @returns {DrawnPath | null} */
function drawn(path, { a, b, library }) {
  if (!path || !library) return null;
  let drawnPath = drawnPaths.get(path);
  if (!drawnPath) {
    const pin = pinned(path, anchoredAt(a, library), anchoredAt(b, library));
    drawnPaths.set(path, (drawnPath = { path: pin, course: createCourse(pin) }));
  }
  return drawnPath;
}

/** The three paths, as they are drawn. @param {State} state */
export function drawnPathsOf(state) {
  const { geodesic, linear, retimed } = state.morph?.paths ?? {};
  return {
    bent: drawn(geodesic, state),
    straight: drawn(linear, state),
    retimed: drawn(retimed, state),
  };
}

/**
 * Where an end of the morph is on the map.
 * @param {State} state
 * @param {"a" | "b"} which
 * @returns {Position | null}
 */
export function endPosition(state, which) {
  const { library, morph, [which]: anchor } = state;
  if (!anchor || !library) return null;
  // a bare place is drawn where the sound found there lies: the way back from the plane is not exact
  const map = morph?.paths.linear?.map;
  if (anchor.sound || anchor.code) return anchorPosition(anchor, library);
  return map?.[which === "a" ? 0 : map.length - 1] ?? anchor.position ?? null;
}

/**
 * @param {State} state
 * @param {"a" | "b"} which
 * @param {(at: Position) => number} snapped
 * @returns {import("./overlay.js").End | null}
 */
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
  return pinned(path, anchorPosition(from, library), anchorPosition(to, library));
}

/**
 * Where a sound, a place or a point is on the map.
 * @param {Anchor} anchor
 * @param {Library} library
 * @returns {Position | null}
 */
const anchorPosition = (anchor, library) => soundPosition(anchor, library) ?? anchor.position ?? null;

/** Where what is pointed at is. @param {Pick<State, "pointed" | "library">} state @returns {Position | null} */
export const pointedPosition = ({ pointed, library }) =>
  !pointed || !library
    ? null
    : pointed.newSound
      ? pointed.newSound.position
      : library.position(pointed.sound);

/** @param {State & {library: Library}} state @returns {import("./finds.js").Finds} */
function findsOf(state) {
  const { library, newSounds, drawing, marked, traversal, pointed, a, b, panel } = state;
  const newest = newSounds[newSounds.length - 1];
  const shownSounds = [newest, pointed?.newSound].filter(
    (sound, i, all) => sound && all.indexOf(sound) === i,
  );
  const ends = [keyOf(a), keyOf(b)];
  const chief = drawing?.draws[0];
  return {
    points: everyNewSound(state)
      .filter(({ code }) => !ends.includes(code))
      .map(({ position, shape, kind, sampler }) => ({
        at: position,
        shape,
        strong: kind !== "sample" || sampler === chief?.sampler,
      }))
      .sort((p, q) => Number(p.strong) - Number(q.strong)),
    courses: shownSounds.flatMap((newSound) => newSound?.courses ?? []),
    marks: marked.flatMap((anchor, i) => {
      const at = anchorPosition(anchor, library);
      return at ? [{ at, text: String(i + 1) }] : [];
    }),
    traversal:
      traversal?.reply && panel === "shape"
        ? {
            line: traversal.reply.positions,
            inDistribution: traversal.reply.in_distribution,
            at: between(traversal.reply.positions, traversal.at),
          }
        : null,
    label: newest && !ends.includes(newest.code) ? { at: newest.position, name: newest.name } : null,
    ellipses: state.ellipses ? state.indicatrices : [],
  };
}

/**
 * A place on a line, between its points.
 * @param {Position[]} line
 * @param {number} at index, with a fraction
 * @returns {Position}
 */
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
 * @param {Scene["covered"]} surroundings.covered
 * @param {Scene["crowd"]} surroundings.crowd
 * @param {(at: Position) => number} surroundings.snapped     the sound that a carried end would land on; -1: none
 * @returns {Scene}
 */
export function sceneOf(state, { palette, isles, covered, crowd, snapped }) {
  const { library, choices, morph, path, preview, carried } = state;
  return {
    palette,
    covered,
    crowd,
    unit: unit(),
    a: end(state, "a", snapped),
    b: end(state, "b", snapped),
    ...drawnPathsOf(state),
    chosenPath: path,
    kinds: choices.path_kinds,
    dim: carried !== null || morph?.phase === "solving",
    ghost: ghost(preview, library),
    ring: pointedPosition(state),
    finds: findsOf(state),
    userSounds: userPosition(library),
    families: stage(state) === "both" ? [] : isles, // then the legend has their names
  };
}

/** @type {WeakMap<Library, Scene["userSounds"]>} */
const userPositions = new WeakMap();

/**
 * Where one's own sounds lie: that of them from which the others are least far.
 * @param {Library} library
 * @returns {Scene["userSounds"]}
 */
function userPosition(library) {
  let centre = userPositions.get(library);
  if (centre === undefined) {
    /** @type {number[]} */
    const rows = [];
    for (let i = 0; i < library.count; i++)
      if (["uploaded", "finetuned"].includes(library.kindOf(i))) rows.push(i);
    const far = (/** @type {number} */ i) =>
      rows.reduce((sum, j) => sum + Math.hypot(library.x[i] - library.x[j], library.y[i] - library.y[j]), 0);
    const middle = rows.reduce((best, i) => (best < 0 || far(i) < far(best) ? i : best), -1);
    centre = middle < 0 ? null : { at: library.position(middle), count: rows.length };
    userPositions.set(library, centre);
  }
  return centre;
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
    return [{ name: name.toLowerCase(), at: library.position(crest), extent: 0.75 * near }];
  });
}
