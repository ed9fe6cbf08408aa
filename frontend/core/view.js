// @ts-check
/** Where the map is looked at from: plain arithmetic between map and screen. */

import { clamp } from "./colour.js";

/**
 * @typedef {object} View
 * @property {number} x   the map position in the middle of the screen
 * @property {number} y
 * @property {number} k   CSS pixels per map unit
 * @property {number} width   of the screen, CSS pixels
 * @property {number} height
 */

/** @typedef {import("./labels.js").Box} Box */
/** @typedef {import("./state.js").Position} Position */

/** @param {View} view @param {Position} p @returns {Position} */
export const toScreen = (view, [x, y]) => [
  view.width / 2 + (x - view.x) * view.k,
  view.height / 2 - (y - view.y) * view.k,
];

/** @param {View} view @param {Position} p @returns {Position} */
export const toMap = (view, [px, py]) => [
  view.x + (px - view.width / 2) / view.k,
  view.y - (py - view.height / 2) / view.k,
];

/** @param {View} view @param {number} dx @param {number} dy pixels @returns {View} */
export const panned = (view, dx, dy) => ({ ...view, x: view.x - dx / view.k, y: view.y + dy / view.k });

/**
 * The same place stays under the pointer.
 * @param {View} view
 * @param {number} factor
 * @param {Position} at
 * @returns {View}
 */
export function zoomed(view, factor, at) {
  const [x, y] = toMap(view, at);
  const k = view.k * factor;
  return { ...view, k, x: x - (at[0] - view.width / 2) / k, y: y + (at[1] - view.height / 2) / k };
}

/**
 * Keeps the zoom between two thirds and 24 times the fitted one, and the middle of the screen over the bounds.
 * @param {View} view @param {View} fitted @param {readonly [number, number, number, number]} bounds @returns {View}
 */
export const bounded = (view, fitted, [x0, x1, y0, y1]) => ({
  ...view,
  k: clamp(view.k, fitted.k / 1.5, fitted.k * 24),
  x: clamp(view.x, x0, x1),
  y: clamp(view.y, y0, y1),
});

/**
 * @param {readonly [number, number, number, number]} bounds x0, x1, y0, y1 on the map
 * @param {{width: number, height: number}} size
 * @param {Box} insets pixels to keep free on each side
 * @returns {View}
 */
export function fit([x0, x1, y0, y1], { width, height }, insets) {
  const w = Math.max(40, width - insets.left - insets.right);
  const h = Math.max(40, height - insets.top - insets.bottom);
  const k = Math.min(w / (x1 - x0 || 1), h / (y1 - y0 || 1));
  const cx = insets.left + w / 2;
  const cy = insets.top + h / 2;
  return {
    width,
    height,
    k,
    x: (x0 + x1) / 2 - (cx - width / 2) / k,
    y: (y0 + y1) / 2 + (cy - height / 2) / k,
  };
}

/**
 * As large as the map can be with hardly a point under the words that lie on it: tries the sides that would clear each
 * box, and keeps the largest scale, less a price for what is covered.
 *
 * @param {readonly [number, number, number, number]} bounds
 * @param {{width: number, height: number}} size
 * @param {Box} margin
 * @param {Box[]} words boxes of text on the map
 * @param {{count: (left: number, right: number, low: number, high: number) => number}} points
 * @param {number} total how many points there are
 */
export function fitAround(bounds, size, margin, words, points, total) {
  /** @type {Box[]} */
  const insets = [margin];
  for (const box of words)
    for (const start of [...insets]) {
      if (box.top < size.height / 2) insets.push({ ...start, top: Math.max(start.top, box.bottom) });
      else insets.push({ ...start, bottom: Math.max(start.bottom, size.height - box.top) });
      if (box.left < size.width / 2) insets.push({ ...start, left: Math.max(start.left, box.right) });
      else insets.push({ ...start, right: Math.max(start.right, size.width - box.left) });
    }
  const plain = fit(bounds, size, margin);
  let best = plain;
  let most = -Infinity;
  for (const inset of insets) {
    const view = fit(bounds, size, inset);
    let covered = 0;
    for (const box of words) {
      const [left, high] = toMap(view, [box.left, box.top]);
      const [right, low] = toMap(view, [box.right, box.bottom]);
      covered += points.count(left, right, low, high);
    }
    // one in a hundred points under the words costs as much as a map that is 5 % smaller, or a seventh off the middle
    const aside =
      Math.abs(view.x - plain.x) / (size.width / view.k) +
      Math.abs(view.y - plain.y) / (size.height / view.k) / 4;
    const worth = view.k * (1 - (5 * covered) / Math.max(1, total) - 0.35 * aside);
    if (worth > most) {
      most = worth;
      best = view;
    }
  }
  return best;
}
