// @ts-check
/** Words on a map: each takes the best place that is still free. */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box   on the screen, CSS pixels */

/**
 * @typedef {object} Word
 * @property {{box: Box, price?: number}[]} options     where it could stand, each with what it costs to stand there
 */

/** @param {Box} p @param {Box} q square pixels in common */
export const overlap = (p, q) =>
  Math.max(0, Math.min(p.right, q.right) - Math.max(p.left, q.left)) *
  Math.max(0, Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top));

/** @param {number} cx @param {number} cy @param {number} w @param {number} h @returns {Box} */
export const boxAround = (cx, cy, w, h) => ({
  left: cx - w / 2,
  right: cx + w / 2,
  top: cy - h / 2,
  bottom: cy + h / 2,
});

/**
 * @param {Word[]} words the most important first
 * @param {Box[]} covered what must not be covered
 * @param {Box} bounds
 * @returns {number[]} for each word which of its places it got
 */
export function layOut(words, covered, bounds) {
  const occupied = [...covered];
  return words.map(({ options }) => {
    let best = 0;
    let least = Infinity;
    options.forEach(({ box, price = 0 }, i) => {
      const area = (box.right - box.left) * (box.bottom - box.top);
      const outside = 1 - overlap(box, bounds) / area;
      const covered = occupied.reduce((sum, other) => sum + overlap(box, other), 0) / area;
      const cost = price + 10 * covered + 30 * outside;
      if (cost < least - 1e-9) {
        least = cost;
        best = i;
      }
    });
    occupied.push(options[best].box);
    return best;
  });
}
