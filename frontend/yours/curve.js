// @ts-check
/** The error as it falls: on what is learned from, on what is held back, and the best step so far. */

import { readPalette } from "../core/colour.js";
import { sharp, unit } from "../core/dom.js";
import { amount } from "../core/text.js";

/** @typedef {import("./state.js").Job} Job */

const SHARE = 0.68; // of the width; behind it stand the words

/** Round numbers between two others. @param {number} low @param {number} high */
export function ticks(low, high) {
  const rough = (high - low) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5, 10].find((k) => k * size >= rough) ?? 10);
  const values = [];
  for (let v = Math.ceil(low / step) * step; v <= high + 1e-9; v += step) values.push(+v.toPrecision(6));
  return values;
}

/** @param {HTMLCanvasElement} canvas @param {Job} job @param {string} name @param {string} measure */
export function drawCurve(canvas, { curve, progress }, name, measure) {
  const { c, w, h: tall } = sharp(canvas);
  if (curve.length < 2) return;
  const palette = readPalette(document.documentElement);
  const u = unit();
  const values = curve.flatMap(({ train, held }) => (held === null ? [train] : [train, held]));
  const margin = 0.06 * (Math.max(...values) - Math.min(...values)) || 0.1;
  const [low, high] = [Math.min(...values) - margin, Math.max(...values) + margin];
  const last = curve[curve.length - 1];
  const left = 28 * u;
  // two runs one after the other: the first leaves some out, the second has all
  const steps = Math.max(1, progress?.steps ?? last.step);
  const runs = curve.some(({ phase }) => phase === "trial") ? ["trial", "final"] : ["final"];
  const x = (/** @type {{phase: string, step: number}} */ p) =>
    left +
    ((w * SHARE - left) * (steps * Math.max(0, runs.indexOf(p.phase)) + p.step)) / (steps * runs.length);
  const y = (/** @type {number} */ v) =>
    6 * u + (1 - (v - low) / Math.max(1e-9, high - low)) * (tall - 14 * u);
  c.font = `500 ${12 * u}px "Hanken Grotesk", system-ui, sans-serif`;
  c.lineWidth = u;
  for (const v of ticks(low, high)) {
    c.strokeStyle = palette.dark ? "#F2EFE81C" : "#17181C1F"; // --hair
    c.beginPath();
    c.moveTo(left, y(v));
    c.lineTo(w, y(v));
    c.stroke();
    c.fillStyle = palette.ink2;
    c.fillText(String(v), 0, y(v) + 4 * u);
  }
  /** @type {{text: string, colour: string, at: number}[]} */
  const words = [];
  for (const [
    label,
    of,
    dash,
    colour,
    width,
  ] of /** @type {[string, (p: Job["curve"][0]) => number | null, number[], string, number][]} */ ([
    ["training", (p) => p.train, [2 * u, 3 * u], palette.ink2, 1.5],
    ["held back", (p) => p.held, [], palette.ink, 2.2],
  ])) {
    const points = curve.filter((p) => of(p) !== null);
    if (!points.length) continue;
    c.beginPath();
    points.forEach((p, i) =>
      c[i && points[i - 1].phase === p.phase ? "lineTo" : "moveTo"](x(p), y(/** @type {number} */ (of(p)))),
    );
    Object.assign(c, { strokeStyle: colour, lineWidth: width * u, lineJoin: "round" });
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
    const end = /** @type {number} */ (of(points[points.length - 1]));
    words.push({ text: `${label} ${amount(end)}`, colour, at: y(end) });
  }
  const best = progress?.best_step;
  const bestPoint =
    best === null || best === undefined
      ? undefined
      : curve.find(({ step, held }) => held !== null && step === best);
  if (bestPoint && bestPoint.held !== null) {
    c.beginPath();
    c.arc(x(bestPoint), y(bestPoint.held), 5 * u, 0, 2 * Math.PI);
    Object.assign(c, { fillStyle: palette.bg, strokeStyle: palette.ink, lineWidth: 2 * u });
    c.fill();
    c.stroke();
  }
  const lastHeld = [...curve].reverse().find(({ held }) => held !== null);
  words.sort((p, q) => p.at - q.at);
  words.forEach((word, i) => i && (word.at = Math.max(word.at, words[i - 1].at + 16 * u)));
  const over = Math.max(0, ...words.map(({ at }) => at - (tall - 4 * u)));
  for (const { text, colour, at } of words) {
    c.fillStyle = colour;
    c.fillText(text, w * SHARE + 12 * u, at - over + 4 * u);
  }
  canvas.setAttribute(
    "aria-label",
    `${name}, ${measure}: training ${amount(curve[0].train)} to ${amount(last.train)}` +
      (lastHeld === undefined || curve[0].held === null
        ? ""
        : `, held back ${amount(curve[0].held)} to ${amount(/** @type {number} */ (lastHeld.held))}`) +
      (bestPoint ? `, best at step ${best}` : ""),
  );
}
