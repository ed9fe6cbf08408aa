// @ts-check
/**
 * How much of one thing that has a name there is along the path: brightness, attack. One line a path, over the one
 * axis.
 */

import { dusk } from "../core/colour.js";
import { STEPS } from "../core/state.js";
import { descriptorTitle, measured } from "../core/text.js";

/**
 * @typedef {object} Profile
 * @property {string} id
 * @property {string} unit
 * @property {number[]} bent         per step, of the geodesic
 * @property {number[]} other        of the straight line, or the re-timed
 * @property {string} bentName
 * @property {string} otherName
 * @property {boolean} dotted        the other one is re-timed
 * @property {boolean} onBent        the geodesic is the one that is heard
 */

/** For those who do not see it. @param {Profile} profile */
export function profileWords({ id, unit, bent, other, bentName, otherName }) {
  const run = (/** @type {number[]} */ values, /** @type {string} */ name) =>
    `${name}: ${measured(values[0], unit)} to ${measured(values[values.length - 1], unit)}, ` +
    `between ${measured(Math.min(...values), unit)} and ${measured(Math.max(...values), unit)}`;
  return `${descriptorTitle(id)}. ${run(bent, bentName)}; ${run(other, otherName)}.`;
}

/**
 * @param {{c: CanvasRenderingContext2D, w: number, h: number}} sheet
 * @param {Profile} profile
 * @param {{palette: import("../core/colour.js").Palette, unit: number}} look
 */
export function drawProfile({ c, w, h }, { id, unit, bent, other, dotted, onBent }, { palette, unit: u }) {
  const all = [...bent, ...other];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = 17 * u; // for words above the lines
  const x = (/** @type {number} */ step) => (w * (step + 0.5)) / STEPS;
  const y = (/** @type {number} */ v) =>
    high > low ? h - 4 * u - ((v - low) / (high - low)) * (h - room - 6 * u) : (h + room) / 2;
  const across = c.createLinearGradient(x(0), 0, x(STEPS - 1), 0);
  for (const t of [0, 0.25, 0.5, 0.75, 1]) across.addColorStop(t, dusk(t, palette.dark));
  /** @param {number[]} values @param {string | CanvasGradient} colour @param {number} width @param {number[]} dash */
  const stroke = (values, colour, width, dash) => {
    c.beginPath();
    values.forEach((v, i) => c[i ? "lineTo" : "moveTo"](x(i), y(v)));
    Object.assign(c, {
      strokeStyle: colour,
      lineWidth: width,
      lineJoin: "round",
      lineCap: dash.length && dotted ? "round" : "butt",
    });
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  };
  stroke(
    other,
    palette.straight,
    (dotted ? 3 : onBent ? 1.6 : 2.5) * u,
    dotted ? [0.1, 6.5 * u] : [5 * u, 4 * u],
  );
  stroke(bent, across, (onBent ? 2.5 : 1.6) * u, []);

  const size = 12 * u;
  c.font = `500 ${size}px "Hanken Grotesk", system-ui, sans-serif`;
  c.fillStyle = palette.ink2;
  const [first, title, last] = [
    measured(bent[0], unit),
    descriptorTitle(id),
    measured(bent[bent.length - 1], unit),
  ];
  c.textAlign = "left";
  c.fillText(first, Math.max(0, x(0) - 8 * u), size);
  c.textAlign = "right";
  c.fillText(last, Math.min(w, x(STEPS - 1) + 8 * u), size);
  c.textAlign = "center";
  c.fillText(title, w / 2, size);
  c.textAlign = "left";
}
