// @ts-check
/** How fast the sound changes on the way: one curve a path, over the same axis as slices and scrubber. */

import { dusk, readPalette } from "../colour.js";
import { h, inNextFrame, sharp, unit } from "../dom.js";
import { STEPS } from "../state.js";
import { watch } from "../store.js";
import { amount, speedDescription, speedWords } from "../words.js";

/** @typedef {import("../state.js").State} State */

/** @param {HTMLElement} root @param {import("../store.js").Store<State>} store */
export function mountSpeed(root, store) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img" }));
  root.append(canvas);

  const draw = inNextFrame(() => {
    const { journey, path, model, dark } = store.get();
    const palette = readPalette(document.documentElement);
    const { c, w, h: tall } = sharp(canvas);
    const { geodesic, linear, retimed } = journey?.paths ?? {};
    if (!geodesic || !linear || !model || w < 2) return void canvas.setAttribute("aria-label", "Perceptual speed: no journey yet");
    const u = unit();
    const other = path === "retimed" && retimed ? retimed : linear;
    const name = other === retimed ? "re-timed" : "straight";
    const bentName = geodesic.kind === "graph" ? "through sounds" : "geodesic";
    canvas.setAttribute("aria-label", `Perceptual speed. ${speedDescription(geodesic, bentName, model.unit)}; ${speedDescription(other, name, model.unit)}.`);

    const most = Math.max(...geodesic.speed, ...linear.speed, ...other.speed) * 1.06;
    const room = 17 * u; // for words above the curves
    const x = (/** @type {number} */ step) => (w * (step + 0.5)) / STEPS;
    const y = (/** @type {number} */ v) => tall - 2 * u - (v / most) * (tall - room - 2 * u);
    const across = c.createLinearGradient(x(0), 0, x(STEPS - 1), 0);
    for (const t of [0, 0.25, 0.5, 0.75, 1]) across.addColorStop(t, dusk(t, dark));
    const on = path === "geodesic";

    trace(c, geodesic.speed, x, y);
    if (on) {
      c.lineTo(x(STEPS - 1), tall);
      c.lineTo(x(0), tall);
      c.globalAlpha = 0.22;
      c.fillStyle = across;
      c.fill();
      c.globalAlpha = 1;
    }
    stroke(other.speed, palette.straight, (on ? 1.6 : 2.5) * u, other === retimed ? [0.1, 6.5 * u] : [5 * u, 4 * u], other === retimed ? 3 * u : undefined);
    stroke(geodesic.speed, across, (on ? 2.5 : 1.6) * u, []);

    /** @param {number[]} speed @param {string | CanvasGradient} colour @param {number} width @param {number[]} dash @param {number} [dots] */
    function stroke(speed, colour, width, dash, dots) {
      trace(c, speed, x, y);
      c.strokeStyle = colour;
      c.lineWidth = dots ?? width;
      c.lineCap = dots ? "round" : "butt";
      c.lineJoin = "round";
      c.setLineDash(dash);
      c.stroke();
      c.setLineDash([]);
    }

    // each curve says its name where it stands out most from the other, above both
    c.font = `500 ${12 * u}px "Hanken Grotesk", system-ui, sans-serif`;
    c.fillStyle = palette.ink2;
    const small = w < 520 * u;
    const top = (/** @type {number} */ s) => Math.min(y(geodesic.speed[s]), y(other.speed[s]));
    /** @type {{left: number, right: number, at: number} | null} */
    let taken = null;
    const peak = (/** @type {number[]} */ mine, /** @type {number[]} */ rest) =>
      mine.reduce((best, v, s) => (v - rest[s] > mine[best] - rest[best] ? s : best), 0);
    const labels = [
      { way: other, text: small ? amount(Math.max(...other.speed)) : speedWords(other, name, model.unit), s: peak(other.speed, geodesic.speed) },
      ...(small ? [] : [{ way: geodesic, text: speedWords(geodesic, bentName, model.unit), s: peak(geodesic.speed, other.speed) }]),
    ];
    for (const { text, s } of labels) {
      const wide = c.measureText(text).width;
      let left = Math.min(w - wide - 4 * u, Math.max(4 * u, x(s + 0.5) - wide / 2));
      if (taken && left < taken.right + 14 * u && left + wide > taken.left - 14 * u)
        left = taken.left - 14 * u - wide > 0 ? taken.left - 14 * u - wide : taken.right + 14 * u;
      if (left + wide > w) continue; // no room left: the curve has to speak for itself
      const first = Math.max(0, Math.floor((left / w) * STEPS - 1));
      const last = Math.min(STEPS - 2, Math.ceil(((left + wide) / w) * STEPS));
      const at = Math.max(11 * u, Math.min(...Array.from({ length: last - first + 1 }, (_, i) => top(first + i))) - 6 * u);
      c.fillText(text, left, at);
      taken ??= { left, right: left + wide, at };
    }
  });

  const stop = watch(store, ({ journey, path, dark }) => [journey?.paths, path, dark], draw);
  const resized = new ResizeObserver(draw);
  resized.observe(root);
  void document.fonts.ready.then(draw);
  return {
    destroy() {
      stop();
      resized.disconnect();
      draw.cancel();
      root.replaceChildren();
    },
  };
}

/**
 * A smooth line through the speeds; each stands between its two steps. Fritsch-Carlson slopes: it never overshoots, so
 * that it shows no speed that was not there.
 *
 * @param {CanvasRenderingContext2D} c @param {number[]} speed
 * @param {(step: number) => number} x @param {(v: number) => number} y
 */
function trace(c, speed, x, y) {
  const n = speed.length;
  const slope = Array.from({ length: n }, (_, i) => {
    if (i === 0 || i === n - 1) return 0;
    const [before, after] = [speed[i] - speed[i - 1], speed[i + 1] - speed[i]];
    return before * after <= 0 ? 0 : (2 * before * after) / (before + after);
  });
  c.beginPath();
  c.moveTo(x(0), y(speed[0]));
  c.lineTo(x(0.5), y(speed[0]));
  for (let i = 1; i < n; i++) {
    const third = 1 / 3;
    c.bezierCurveTo(x(i - 0.5 + third), y(speed[i - 1] + slope[i - 1] * third), x(i + 0.5 - third), y(speed[i] - slope[i] * third), x(i + 0.5), y(speed[i]));
  }
  c.lineTo(x(n), y(speed[n - 1]));
}
