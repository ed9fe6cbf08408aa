// @ts-check
/**
 * The map before plotly is there, drawn in a few milliseconds on one canvas: land, sea and points. It stays in place of
 * what plotly cannot draw (points, where there is no WebGL).
 */

import { parseHex } from "../colour.js";
import { sharp } from "../dom.js";
import { bandColours, toBands } from "./land.js";
import { familyColour } from "./points.js";
import { OUTLINES } from "./shapes.js";
import { toMap, toScreen } from "./view.js";

/** @typedef {import("./view.js").View} View */

const COARSE = 3; // CSS pixels a sample of the land

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("../library/sounds.js").Library} library
 * @param {import("../state.js").Field} field
 */
export function createSketch(canvas, library, field) {
  const ground = toBands(field);
  const small = document.createElement("canvas");
  const outlines = OUTLINES.map((d) => new Path2D(d));

  /** @param {View} view @param {import("../colour.js").Palette} palette */
  function paintLand(view, palette) {
    const w = Math.ceil(view.width / COARSE);
    const h = Math.ceil(view.height / COARSE);
    small.width = w;
    small.height = h;
    const c = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d"));
    const image = c.createImageData(w, h);
    const colours = bandColours(ground.lines, ground.coast, palette).map(toRGB);
    const sea = toRGB(palette.sea);
    for (let j = 0; j < h; j++)
      for (let i = 0; i < w; i++) {
        const [x, y] = toMap(view, [(i + 0.5) * COARSE, (j + 0.5) * COARSE]);
        const band = sample(ground, x, y);
        const colour = band === null ? sea : colours[Math.max(0, Math.min(colours.length - 1, Math.floor(band) + 1))];
        const at = 4 * (j * w + i);
        image.data[at] = colour[0];
        image.data[at + 1] = colour[1];
        image.data[at + 2] = colour[2];
        image.data[at + 3] = 255;
      }
    c.putImageData(image, 0, 0);
  }

  return {
    /**
     * @param {View} view
     * @param {import("./points.js").Look} look
     * @param {{land: boolean, points: boolean}} what
     */
    draw(view, { palette, size, opacity, shown, hidden }, what) {
      const { c, w, h } = sharp(canvas);
      if (what.land) {
        paintLand(view, palette);
        c.imageSmoothingEnabled = true;
        c.drawImage(small, 0, 0, small.width * COARSE, small.height * COARSE);
      }
      if (!what.points) return;
      const scale = size / 10; // outlines are drawn in a box of 12, some 10 wide
      for (let family = 0; family < library.family_names.length; family++) {
        c.fillStyle = familyColour(palette, family);
        const outline = outlines[family % outlines.length];
        for (let i = 0; i < library.count; i++) {
          if (library.family[i] !== family || hidden.has(i)) continue;
          const [x, y] = toScreen(view, [library.x[i], library.y[i]]);
          if (x < -9 || y < -9 || x > w + 9 || y > h + 9) continue;
          c.globalAlpha = shown ? (shown.has(i) ? 1 : 0.12) : opacity;
          c.save();
          c.translate(x - 6 * scale, y - 6 * scale);
          c.scale(scale, scale);
          c.fill(outline);
          c.restore();
        }
      }
      c.globalAlpha = 1;
    },
  };
}

/** @param {string} colour "#rrggbb" or "rgb(r,g,b)" */
const toRGB = (colour) => (colour.startsWith("#") ? parseHex(colour) : (colour.match(/\d+/g) ?? []).map(Number));

/** Bilinear. @param {ReturnType<typeof toBands>} ground @param {number} x @param {number} y @returns {number | null} */
function sample({ x: xs, y: ys, bands }, x, y) {
  const u = ((x - xs[0]) / (xs[xs.length - 1] - xs[0])) * (xs.length - 1);
  const v = ((y - ys[0]) / (ys[ys.length - 1] - ys[0])) * (ys.length - 1);
  if (!(u >= 0 && v >= 0 && u < xs.length - 1 && v < ys.length - 1)) return null;
  const i = Math.floor(u);
  const j = Math.floor(v);
  const [p, q] = [u - i, v - j];
  return (
    (bands[j][i] * (1 - p) + bands[j][i + 1] * p) * (1 - q) + (bands[j + 1][i] * (1 - p) + bands[j + 1][i + 1] * p) * q
  );
}
