// @ts-check
/** Which sound is here? A grid of buckets: as quick with 100,000 points as with a thousand. */

/**
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 */
export function createGrid(x, y) {
  const n = x.length;
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    x0 = Math.min(x0, x[i]);
    x1 = Math.max(x1, x[i]);
    y0 = Math.min(y0, y[i]);
    y1 = Math.max(y1, y[i]);
  }
  const side = Math.max(1, Math.ceil(Math.sqrt(n / 2))); // about two points a bucket
  const cell = Math.max((x1 - x0) / side, (y1 - y0) / side) || 1;
  const columns = Math.floor((x1 - x0) / cell || 0) + 1;
  const rows = Math.floor((y1 - y0) / cell || 0) + 1;
  const column = (/** @type {number} */ v) => Math.min(columns - 1, Math.max(0, Math.floor((v - x0) / cell)));
  const row = (/** @type {number} */ v) => Math.min(rows - 1, Math.max(0, Math.floor((v - y0) / cell)));

  // counting sort: the points of bucket b are order[starts[b]] ... order[starts[b + 1] - 1]
  const starts = new Uint32Array(columns * rows + 1);
  const bucket = (/** @type {number} */ i) => row(y[i]) * columns + column(x[i]);
  for (let i = 0; i < n; i++) starts[bucket(i) + 1]++;
  for (let b = 0; b < columns * rows; b++) starts[b + 1] += starts[b];
  const order = new Uint32Array(n);
  const next = starts.slice();
  for (let i = 0; i < n; i++) order[next[bucket(i)]++] = i;

  return {
    /**
     * @param {number} px @param {number} py
     * @param {number} radius how far a point may be
     * @param {(i: number) => boolean} [counts] whether a point does; all do
     * @returns {number} the index of the nearest point, -1 when none is that near
     */
    nearest(px, py, radius, counts) {
      let best = -1;
      let least = radius * radius;
      if (n === 0) return best;
      const right = column(px + radius);
      const top = row(py + radius);
      for (let r = row(py - radius); r <= top; r++)
        for (let c = column(px - radius); c <= right; c++) {
          const b = r * columns + c;
          for (let k = starts[b]; k < starts[b + 1]; k++) {
            const i = order[k];
            const far = (x[i] - px) ** 2 + (y[i] - py) ** 2;
            if (far <= least && (!counts || counts(i))) {
              least = far;
              best = i;
            }
          }
        }
      return best;
    },

    /**
     * The nearest point in a direction: see `towards`.
     * @param {number} from
     * @param {number} dx
     * @param {number} dy
     * @returns {number} -1: none
     */
    towards: (from, dx, dy) => towards(x, y, [x[from], y[from]], dx, dy, from).index,

    /**
     * How many points lie in a box.
     * @param {number} left
     * @param {number} right
     * @param {number} low
     * @param {number} high
     */
    count(left, right, low, high) {
      let inside = 0;
      if (n === 0 || right < x0 || left > x1 || high < y0 || low > y1) return inside;
      for (let r = row(low); r <= row(high); r++)
        for (let c = column(left); c <= column(right); c++) {
          const b = r * columns + c;
          for (let k = starts[b]; k < starts[b + 1]; k++) {
            const i = order[k];
            if (x[i] >= left && x[i] <= right && y[i] >= low && y[i] <= high) inside++;
          }
        }
      return inside;
    },
  };
}

/** @typedef {ReturnType<typeof createGrid>} Grid */

/**
 * For the arrow keys: the nearest point in a direction. What lies off the axis counts as farther: its distance is
 * divided by the cosine, squared; more than 60 degrees off is another direction.
 *
 * @param {ArrayLike<number>} x @param {ArrayLike<number>} y
 * @param {readonly [number, number]} from @param {number} dx @param {number} dy
 * @param {number} [skip] the point that one comes from
 * @returns {{index: number, cost: number}} index -1 when there is nothing that way
 */
export function towards(x, y, from, dx, dy, skip = -1) {
  let index = -1;
  let cost = Infinity;
  for (let i = 0; i < x.length; i++) {
    const u = x[i] - from[0];
    const v = y[i] - from[1];
    const far = Math.hypot(u, v);
    if (i === skip || far === 0) continue;
    const cosine = (u * dx + v * dy) / (far * Math.hypot(dx, dy));
    if (cosine < 0.5) continue;
    const detour = far / cosine ** 2;
    if (detour < cost) {
      cost = detour;
      index = i;
    }
  }
  return { index, cost };
}
