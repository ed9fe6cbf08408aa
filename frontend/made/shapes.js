// @ts-check
/** The shapes of sounds that no library came with: outlines, where the library's are filled. Never colour alone. */

import { s } from "../dom.js";

/** @typedef {import("../state.js").Found["shape"]} Shape */

/** In a box of 12, the middle at 6,6, as the families' are. @type {Record<Shape, string>} */
export const OUTLINES = {
  ring: "M10.4 6A4.4 4.4 0 1 1 1.6 6A4.4 4.4 0 1 1 10.4 6z",
  triangle: "M1.2 2.2h9.6L6 10.8z",
  square: "M2 2h8v8H2z",
  diamond: "M6 .4L11.6 6L6 11.6L.4 6z",
};

/** A sound that was kept: its outline with a dot in it. @type {Record<string, string>} */
export const KEPT = { made: OUTLINES.ring, uploaded: OUTLINES.square, learned: OUTLINES.square };

/** @param {Shape} shape */
export const outline = (shape) =>
  s(
    "svg",
    { viewBox: "0 0 12 12", "aria-hidden": "true", class: "glyph outline" },
    s("path", { d: OUTLINES[shape] }),
  );

/** @param {string} kind */
export const keptGlyph = (kind) =>
  s(
    "svg",
    { viewBox: "0 0 12 12", "aria-hidden": "true", class: "glyph outline" },
    s("path", { d: KEPT[kind] ?? KEPT.made }),
    s("circle", { cx: 6, cy: 6, r: 1.6, fill: "currentColor" }),
  );
