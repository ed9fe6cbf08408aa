// @ts-check
/** How fast the sound changes along the path: one curve a path, over the same axis as slices and scrubber. */

import { overlap } from "../core/labels.js";
import { dusk, readPalette } from "../core/colour.js";
import { h, inNextFrame, sharp, unit } from "../core/dom.js";
import { STEPS } from "../core/state.js";
import { watch } from "../core/store.js";
import { amount, pathName, speedDescription, speedWords } from "../core/text.js";
import { drawProfile, profileWords } from "./profile.js";

/** @typedef {import("../core/state.js").State} State */

/** @param {HTMLElement} root @param {import("../core/store.js").Store<State>} store */
export function mountSpeed(root, store) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img" }));
  root.append(canvas);

  const draw = inNextFrame(() => {
    const { morph, path, model, choices, dark, curve } = store.get();
    const palette = readPalette(document.documentElement);
    const { c, w, h: tall } = sharp(canvas);
    const { geodesic, linear, retimed } = morph?.paths ?? {};
    if (!geodesic || !linear || !model || w < 2)
      return void canvas.setAttribute("aria-label", "Perceptual speed: no morph yet");
    const u = unit();
    const other = path === "retimed" && retimed ? retimed : linear;
    const name = pathName(other, choices.path_kinds).toLowerCase();
    const bentName = pathName(geodesic, choices.path_kinds).toLowerCase();
    const descriptor = curve ? model.descriptors?.find(({ id }) => id === curve) : undefined;
    const [bentValues, otherValues] = [geodesic, other].map(({ descriptors }) => descriptors?.[curve ?? ""]);
    if (descriptor && bentValues && otherValues) {
      const profile = {
        id: descriptor.id,
        unit: descriptor.unit,
        bent: bentValues,
        other: otherValues,
        bentName,
        otherName: name,
        dotted: other === retimed,
        onBent: path === "geodesic",
      };
      canvas.setAttribute("aria-label", profileWords(profile));
      return drawProfile({ c, w, h: tall }, profile, { palette, unit: u });
    }
    canvas.setAttribute(
      "aria-label",
      `Perceptual speed. ${speedDescription(geodesic, bentName, model.unit)}; ` +
        `${speedDescription(other, name, model.unit)}.`,
    );

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
    stroke(
      other.speed,
      palette.straight,
      (on ? 1.6 : 2.5) * u,
      other === retimed ? [0.1, 6.5 * u] : [5 * u, 4 * u],
      other === retimed ? 3 * u : undefined,
    );
    stroke(geodesic.speed, across, (on ? 2.5 : 1.6) * u, []);

    /**
     * @param {number[]} speed
     * @param {string | CanvasGradient} colour
     * @param {number} width
     * @param {number[]} dash
     * @param {number} [dots]
     */
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

    // each curve says its name beside itself, where no other curve is in the way
    const size = 12 * u;
    c.font = `500 ${size}px "Hanken Grotesk", system-ui, sans-serif`;
    c.fillStyle = palette.ink2;
    const small = w < 520 * u;
    /** @type {import("../core/labels.js").Box[]} */
    const covered = [];
    const curves = [
      {
        values: other.speed,
        rest: geodesic.speed,
        text: small ? amount(Math.max(...other.speed)) : speedWords(other, name),
      },
      ...(small ? [] : [{ values: geodesic.speed, rest: other.speed, text: speedWords(geodesic, bentName) }]),
    ];
    for (const { values, rest, text } of curves) {
      const box = besideCurve(values, rest, c.measureText(text).width, covered);
      if (!box) continue; // no room: the curve has to speak for itself
      // readable where it touches a curve
      Object.assign(c, { strokeStyle: palette.bg, lineWidth: 4 * u, lineJoin: "round" });
      c.strokeText(text, box.left, box.bottom - 3 * u);
      c.fillText(text, box.left, box.bottom - 3 * u);
      covered.push(box);
    }

    /**
     * @param {number[]} values
     * @param {number[]} rest
     * @param {number} wide
     * @param {import("../core/labels.js").Box[]} full
     */
    function besideCurve(values, rest, wide, full) {
      const peak = values.indexOf(Math.max(...values));
      /** @type {{box: import("../core/labels.js").Box, cost: number} | null} */
      let best = null;
      for (let s = 0; s < values.length; s++)
        for (const above of [true, false]) {
          const left = Math.min(w - wide - 2 * u, Math.max(2 * u, x(s + 0.5) - wide / 2));
          const under = values.map((_, i) => i).filter((i) => x(i + 1) > left && x(i) < left + wide);
          const tops = under.map((i) => y(values[i]));
          const bottom = above ? Math.min(...tops) - 3 * u : Math.max(...tops) + 4 * u + size;
          const box = { left, right: left + wide, top: bottom - size - u, bottom };
          if (box.top < 0 || box.bottom > tall) continue;
          const hit = under.some((i) => y(rest[i]) > box.top - 2 * u && y(rest[i]) < box.bottom + 2 * u);
          // a label must not stand nearer to the other curve than to its own
          const between = under.some((i) =>
            above
              ? y(rest[i]) < y(values[i]) && y(rest[i]) > box.top - 6 * u
              : y(rest[i]) > y(values[i]) && y(rest[i]) < box.bottom + 6 * u,
          );
          if (hit || between || full.some((each) => overlap(each, box) > 0)) continue;
          const cost = Math.abs(s - peak) + (above ? 0 : 3) + (Math.max(...tops) - Math.min(...tops)) / u;
          if (!best || cost < best.cost) best = { box, cost };
        }
      return best?.box ?? null;
    }
  });

  const stop = watch(store, ({ morph, path, dark, curve }) => [morph?.paths, path, dark, curve], draw);
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
    c.bezierCurveTo(
      x(i - 0.5 + third),
      y(speed[i - 1] + slope[i - 1] * third),
      x(i + 0.5 - third),
      y(speed[i] - slope[i] * third),
      x(i + 0.5),
      y(speed[i]),
    );
  }
  c.lineTo(x(n), y(speed[n - 1]));
}
