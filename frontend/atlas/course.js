// @ts-check
/** Where on the drawn curve each step lies: between the progress of a morph and the line on the map. */

/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/state.js").Position} Position */

/**
 * The path as it is drawn: from the very points of its two sounds. The placement of latent points on the map misses the
 * library's own positions by a little; what it misses at the ends is taken off along it, less and less.
 *
 * @template {Pick<Path, "map" | "step_positions">} P
 * @param {P} path
 * @param {Position | null} start null: as placed
 * @param {Position | null} end
 * @returns {P}
 */
export function pinned(path, start, end) {
  const { map } = path;
  const off = (/** @type {Position | null} */ target, /** @type {Position} */ placed) =>
    target ? [target[0] - placed[0], target[1] - placed[1]] : [0, 0];
  const [ax, ay] = off(start, map[0]);
  const [bx, by] = off(end, map[map.length - 1]);
  const shifted = (/** @type {Position[]} */ points) =>
    points.map(([x, y], i) => {
      const t = i / (points.length - 1);
      return /** @type {Position} */ ([x + (1 - t) * ax + t * bx, y + (1 - t) * ay + t * by]);
    });
  return { ...path, map: shifted(map), step_positions: shifted(path.step_positions) };
}

/**
 * The fine curve is even in the solver's parameter, the steps are even to the ear. The steps lie on the curve, in
 * order:
 * so each is looked up there, never behind the one before.
 *
 * @param {Path} path
 */
export function createCourse({ map, step_positions: steps }) {
  const last = map.length - 1;
  /** @type {number[]} fractional index on the curve of each step */
  const marks = [];
  steps.forEach((step, s) => {
    if (s === 0) return marks.push(0);
    if (s === steps.length - 1) return marks.push(last);
    let best = marks[s - 1];
    let least = Infinity;
    for (let i = Math.floor(marks[s - 1]); i < last; i++) {
      const [[ax, ay], [bx, by]] = [map[i], map[i + 1]];
      const square = (bx - ax) ** 2 + (by - ay) ** 2;
      const along = square ? ((step[0] - ax) * (bx - ax) + (step[1] - ay) * (by - ay)) / square : 0;
      const t = Math.min(1, Math.max(0, along));
      if (i + t < marks[s - 1]) continue;
      const far = Math.hypot(ax + t * (bx - ax) - step[0], ay + t * (by - ay) - step[1]);
      if (far < least - 1e-12) {
        least = far;
        best = i + t;
      }
    }
    return marks.push(best);
  });

  return {
    /** The place, 0 to 1, of a point of the curve. @param {number} index */
    progressAt(index) {
      let s = 1;
      while (s < marks.length - 1 && marks[s] < index) s++;
      const width = marks[s] - marks[s - 1];
      return (
        (s - 1 + (width > 0 ? Math.min(1, Math.max(0, (index - marks[s - 1]) / width)) : 1)) /
        (marks.length - 1)
      );
    },

    /** Where the traveller is. @param {number} progress 0 to 1 @returns {Position} */
    at(progress) {
      const u = Math.min(1, Math.max(0, progress)) * (marks.length - 1);
      const s = Math.min(marks.length - 2, Math.floor(u));
      const index = marks[s] + (marks[s + 1] - marks[s]) * (u - s);
      const i = Math.min(last - 1, Math.floor(index));
      const t = index - i;
      return [map[i][0] + t * (map[i + 1][0] - map[i][0]), map[i][1] + t * (map[i + 1][1] - map[i][1])];
    },
  };
}

/** @typedef {ReturnType<typeof createCourse>} Course */
