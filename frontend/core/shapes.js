// @ts-check
/** The shapes that tell sounds apart: on the map, in the legend, in the table. Never colour alone. */

import { s } from "./dom.js";

/** @typedef {import("./state.js").NewSound["shape"]} Shape */

/** Of the families. In a box of 12, the middle at 6,6: circle, square, triangle, diamond, plus, star, x, pentagon. */
export const FAMILY_OUTLINES = [
  "M10.4 6A4.4 4.4 0 1 1 1.6 6A4.4 4.4 0 1 1 10.4 6z",
  "M2 2h8v8H2z",
  "M6 1.2L11 10.4H1z",
  "M6 .6L11.4 6L6 11.4L.6 6z",
  "M4.3 1h3.4v3.3H11v3.4H7.7V11H4.3V7.7H1V4.3h3.3z",
  "M6 .4l1.6 3.7 4 .3-3 2.7 .9 4L6 9l-3.5 2.1 .9-4-3-2.7 4-.3z",
  "M2.6 .9L6 4.2L9.4 .9l1.7 1.7L7.8 6l3.3 3.4-1.7 1.7L6 7.8l-3.4 3.3L.9 9.4L4.2 6L.9 2.6z",
  "M6 .8l5.3 3.9-2 6.2H2.7l-2-6.2z",
];

/** Of new sounds: outlines, where the library's are filled. @type {Record<Shape, string>} */
export const POINT_OUTLINES = {
  ring: "M10.4 6A4.4 4.4 0 1 1 1.6 6A4.4 4.4 0 1 1 10.4 6z",
  triangle: "M1.2 2.2h9.6L6 10.8z",
  square: "M2 2h8v8H2z",
  diamond: "M6 .4L11.6 6L6 11.6L.4 6z",
};

/** Of the user's sounds: an outline with a dot in it. @type {Record<string, string>} */
export const USER_OUTLINES = {
  made: POINT_OUTLINES.ring,
  uploaded: POINT_OUTLINES.square,
  learned: POINT_OUTLINES.square,
};

/** @param {number} family */
export const familyGlyph = (family) =>
  s(
    "svg",
    { viewBox: "0 0 12 12", "aria-hidden": "true", class: "glyph", style: `fill:var(--f${family % 8})` },
    s("path", { d: FAMILY_OUTLINES[family % FAMILY_OUTLINES.length] }),
  );

/** @param {Shape} shape */
export const pointGlyph = (shape) =>
  s(
    "svg",
    { viewBox: "0 0 12 12", "aria-hidden": "true", class: "glyph outline" },
    s("path", { d: POINT_OUTLINES[shape] }),
  );

/** @param {string} kind */
export const userGlyph = (kind) =>
  s(
    "svg",
    { viewBox: "0 0 12 12", "aria-hidden": "true", class: "glyph outline" },
    s("path", { d: USER_OUTLINES[kind] ?? USER_OUTLINES.made }),
    s("circle", { cx: 6, cy: 6, r: 1.6, fill: "currentColor" }),
  );
