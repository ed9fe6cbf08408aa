// @ts-check
/** The land before plotly is there: painted in a few milliseconds on a coarse canvas, without contour lines. */

import { parseHex } from "../core/colour.js";
import { bandColours, toBands } from "./land.js";

/** @typedef {import("../core/view.js").View} View */

const COARSE = 2; // CSS pixels a sample

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("../core/state.js").Field} field
 */
export function createSketch(canvas, field) {
  const ground = toBands(field);
  return {
    /** @param {View} view @param {import("../core/colour.js").Palette} palette */
    draw(view, palette) {
      const w = Math.ceil(view.width / COARSE);
      const h = Math.ceil(view.height / COARSE);
      Object.assign(canvas, { width: w, height: h });
      const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      const image = c.createImageData(w, h);
      const colours = bandColours(ground.lines, ground.coast, palette).map(toRGB);
      const sea = toRGB(palette.sea);
      for (let j = 0; j < h; j++) {
        const y = view.y - ((j + 0.5) * COARSE - view.height / 2) / view.k;
        for (let i = 0; i < w; i++) {
          const x = view.x + ((i + 0.5) * COARSE - view.width / 2) / view.k;
          const band = sample(ground, x, y);
          const colour =
            band === null ? sea : colours[Math.max(0, Math.min(colours.length - 1, Math.floor(band) + 1))];
          const at = 4 * (j * w + i);
          image.data[at] = colour[0];
          image.data[at + 1] = colour[1];
          image.data[at + 2] = colour[2];
          image.data[at + 3] = 255;
        }
      }
      c.putImageData(image, 0, 0);
    },
  };
}

/** @param {string} colour "#rrggbb" or "rgb(r,g,b)" */
const toRGB = (colour) =>
  colour.startsWith("#") ? parseHex(colour) : (colour.match(/\d+/g) ?? []).map(Number);

/** Bilinear. @param {ReturnType<typeof toBands>} ground @param {number} x @param {number} y @returns {number | null} */
function sample({ x: xs, y: ys, bands }, x, y) {
  const u = ((x - xs[0]) / (xs[xs.length - 1] - xs[0])) * (xs.length - 1);
  const v = ((y - ys[0]) / (ys[ys.length - 1] - ys[0])) * (ys.length - 1);
  if (!(u >= 0 && v >= 0 && u < xs.length - 1 && v < ys.length - 1)) return null;
  const i = Math.floor(u);
  const j = Math.floor(v);
  const [p, q] = [u - i, v - j];
  return (
    (bands[j][i] * (1 - p) + bands[j][i + 1] * p) * (1 - q) +
    (bands[j + 1][i] * (1 - p) + bands[j + 1][i + 1] * p) * q
  );
}
