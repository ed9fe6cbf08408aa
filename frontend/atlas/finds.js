// @ts-check
/** What was found or is being tried, drawn over the land: new sounds, how they were come to, marks, ellipses. */

import { POINT_OUTLINES } from "../core/shapes.js";

/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {import("../core/state.js").NewSound} NewSound */
/** @typedef {(p: Position) => Position} ToScreen */

/**
 * @typedef {object} Finds
 * @property {{at: Position, shape: NewSound["shape"], strong: boolean}[]} points
 * @property {import("../core/state.js").Course[]} courses
 * @property {{at: Position, text: string}[]} marks
 * @property {{line: Position[], inDistribution: boolean[], at: Position} | null} traversal
 * @property {{at: Position, name: string} | null} label       of the newest
 * @property {readonly import("../core/state.js").Ellipse[]} ellipses
 */

/** @typedef {{palette: import("../core/colour.js").Palette, unit: number, xy: ToScreen}} Pen */

/** @param {Position[]} points @param {ToScreen} xy */
const line = (points, xy) =>
  "M" +
  points
    .map((p) =>
      xy(p)
        .map((v) => v.toFixed(1))
        .join(" "),
    )
    .join("L");

/** @param {Finds["ellipses"]} ellipses @param {Pen} pen */
export const ellipsesMarkup = (ellipses, { palette, unit: u, xy }) =>
  ellipses
    .map(
      ({ x, y, outline }) =>
        `<path d="${line(
          outline.map(([dx, dy]) => /** @type {Position} */ ([x + dx, y + dy])),
          xy,
        )}z" fill="none" stroke="${palette.ink}" stroke-opacity=".36" stroke-width="${1.1 * u}"/>`,
    )
    .join("");

/** @param {Finds} finds @param {Pen} pen */
export function coursesMarkup({ courses, traversal }, { palette, unit: u, xy }) {
  let out = "";
  for (const { line: points, guess } of courses) {
    if (points.length < 2) continue;
    const d = line(points, xy);
    out +=
      `<path d="${d}" fill="none" stroke="${palette.halo}" stroke-opacity=".7" stroke-width="${6 * u}"/>` +
      `<path d="${d}" fill="none" stroke="${palette.ink}" ` +
      `stroke-width="${(guess ? 2.2 : 2) * u}"${guess ? ` stroke-dasharray="${0.1 * u} ${5.5 * u}"` : ""}/>`;
  }
  if (!traversal) return out;
  const d = line(traversal.line, xy);
  out +=
    `<path d="${d}" fill="none" stroke="${palette.halo}" stroke-opacity=".7" stroke-width="${8 * u}"/>` +
    `<path d="${d}" fill="none" stroke="${palette.ink}" stroke-width="${2 * u}"/>`;
  traversal.line.forEach((p, i) => {
    const [x, y] = xy(p).map((v) => v.toFixed(1));
    // a hollow bead is at sea
    out +=
      `<circle cx="${x}" cy="${y}" r="${3.6 * u}" ` +
      `fill="${traversal.inDistribution[i] ? palette.ink : palette.halo}" ` +
      `stroke="${traversal.inDistribution[i] ? palette.halo : palette.ink}" stroke-width="${1.6 * u}"/>`;
  });
  const [x, y] = xy(traversal.at);
  return (
    out +
    `<circle cx="${x}" cy="${y}" r="${8.5 * u}" fill="${palette.halo}" stroke="${palette.ink}" ` +
    `stroke-width="${3 * u}"/>`
  );
}

/** @param {Finds} finds @param {Pen} pen */
export function pointsMarkup({ points, marks }, { palette, unit: u, xy }) {
  let out = "";
  for (const { at, shape, strong } of points) {
    const [x, y] = xy(at);
    const scale = (strong ? 1.35 : 1) * u * (shape === "diamond" ? 1.15 : 1);
    const stroke = (strong ? 2 : 1.4) / (scale / u);
    const transform =
      `translate(${(x - 6 * scale).toFixed(1)} ${(y - 6 * scale).toFixed(1)}) ` +
      `scale(${scale.toFixed(3)})`;
    out +=
      `<path d="${POINT_OUTLINES[shape]}" transform="${transform}" fill="${palette.halo}" ` +
      `fill-opacity="${strong ? 0.75 : 0.3}" stroke="${palette.halo}" stroke-opacity=".6" ` +
      `stroke-width="${stroke + 2.4}"/>` +
      `<path d="${POINT_OUTLINES[shape]}" transform="${transform}" fill="none" ` +
      `stroke="${strong ? palette.ink : palette.ink2}" stroke-width="${stroke}"/>`;
  }
  for (const { at, text } of marks) {
    const [x, y] = xy(at);
    out +=
      `<circle cx="${x}" cy="${y}" r="${9 * u}" fill="${palette.ink}" stroke="${palette.halo}" ` +
      `stroke-width="${2.5 * u}"/>` +
      `<text class="letter" x="${x}" y="${y + 3.8 * u}" font-size="${11 * u}" fill="${palette.bg}">${text}</text>`;
  }
  return out;
}
