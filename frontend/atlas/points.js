// @ts-check
/**
 * The sounds as points, each family in its colour and its shape, on one canvas of ours.
 *
 * Not plotly's scattergl: its shaders are compiled with eval, which our content security policy forbids; without a GPU
 * it takes more than a second to start, and it draws nothing at all where there is no WebGL. Stamping ready-made
 * shapes on a canvas takes some milliseconds for thousands of sounds, on every machine.
 */

import { sharp } from "../core/dom.js";
import { FAMILY_OUTLINES, USER_OUTLINES } from "../core/shapes.js";

/** @typedef {import("../core/sounds.js").Library} Library */
/** @typedef {import("../core/colour.js").Palette} Palette */
/** @typedef {import("../core/view.js").View} View */

/** @param {Palette} palette @param {number} family */
const familyColour = (palette, family) => palette[/** @type {"f0"} */ (`f${family % 8}`)];

/**
 * As large as there is room for a point, so that shapes can be told apart; a little larger close up.
 * @param {number} room square pixels of the whole map for each point @param {number} zoom @param {number} unit
 */
export const pointSize = (room, zoom, unit) =>
  Math.min(7.5 * unit, Math.max(4.8 * unit * Math.min(1, room / 30), 0.42 * Math.sqrt(room), 2)) *
  Math.min(1.9, Math.max(1, zoom) ** 0.3);

const SHAPED = 3; // pixels; a smaller point has no shape that anyone could see
const HEAVY = 14; // ms of drawing from which on a moving map is only shifted, and drawn when it rests
const REST = 120; // ms

/**
 * @typedef {{palette: Palette, size: number, opacity: number, visible: Set<number> | null, hidden: Set<number>}} Look
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Library} library
 */
export function createPoints(canvas, library) {
  const outlines = FAMILY_OUTLINES.map((d) => new Path2D(d));
  const members = (/** @type {(i: number) => boolean} */ belongs) =>
    Array.from({ length: library.count }, (_, i) => i).filter(belongs);
  const byFamily = library.family_names.map((_, family) =>
    members((i) => library.family[i] === family && library.kindOf(i) === "library"),
  );
  const userSounds = Object.entries(USER_OUTLINES).map(([kind, d]) => ({
    outline: new Path2D(d),
    rows: members((i) => library.kindOf(i) === kind),
  }));
  /** @type {View | null} */
  let drawnKey = null;
  let took = 0; // ms
  let later = 0;

  /** A shape to stamp with. @param {number} family @param {string} colour @param {number} size @param {number} ratio */
  function stamp(family, colour, size, ratio) {
    const tile = document.createElement("canvas");
    // the outlines fill some 10 of a box of 12
    const scale = (size * ratio) / 10;
    tile.width = tile.height = Math.ceil(12 * scale) + 2;
    const c = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
    c.translate(1, 1);
    c.scale(scale, scale);
    c.fillStyle = colour;
    if (size < SHAPED) c.fillRect(2, 2, 8, 8);
    else c.fill(outlines[family % outlines.length]);
    return tile;
  }

  /**
   * What was kept: in ink, its outline with a dot in it.
   * @param {Path2D} outline
   * @param {Palette} palette
   * @param {number} size
   * @param {number} ratio
   */
  function userStamp(outline, palette, size, ratio) {
    const tile = document.createElement("canvas");
    const scale = (size * ratio) / 10;
    tile.width = tile.height = Math.ceil(14 * scale) + 2;
    const c = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
    c.translate(1 + scale, 1 + scale);
    c.scale(scale, scale);
    c.lineJoin = "round";
    c.fillStyle = c.strokeStyle = palette.halo;
    c.lineWidth = 3.6;
    c.stroke(outline);
    c.fill(outline);
    c.strokeStyle = c.fillStyle = palette.ink;
    c.lineWidth = 1.5;
    c.stroke(outline);
    c.beginPath();
    c.arc(6, 6, 1.7, 0, 2 * Math.PI);
    c.fill();
    return tile;
  }

  /** @param {View} view @param {Look} look */
  function draw(view, { palette, size, opacity, visible, hidden }) {
    const since = performance.now();
    const { c, w, h, ratio } = sharp(canvas);
    c.setTransform(1, 0, 0, 1, 0, 0);
    const stampAll = (
      /** @type {number[]} */ rows,
      /** @type {HTMLCanvasElement} */ shape,
      /** @type {number} */ alpha,
    ) => {
      const half = shape.width / 2;
      const edge = half / ratio;
      for (const i of rows) {
        const x = view.width / 2 + (library.x[i] - view.x) * view.k;
        const y = view.height / 2 - (library.y[i] - view.y) * view.k;
        if (x < -edge || y < -edge || x > w + edge || y > h + edge || hidden.has(i)) continue;
        c.globalAlpha = visible ? (visible.has(i) ? 1 : 0.12) : alpha;
        c.drawImage(shape, Math.round(x * ratio - half), Math.round(y * ratio - half));
      }
    };
    byFamily.forEach((rows, family) =>
      stampAll(rows, stamp(family, familyColour(palette, family), size, ratio), opacity),
    );
    for (const { outline, rows } of userSounds)
      if (rows.length) stampAll(rows, userStamp(outline, palette, Math.max(11, 1.5 * size), ratio), 1);
    c.globalAlpha = 1;
    canvas.style.transform = "";
    drawnKey = view;
    took = performance.now() - since;
  }

  return {
    /** @param {View} view @param {Look} look @param {boolean} [moving] the next view is on its way */
    draw(view, look, moving = false) {
      clearTimeout(later);
      if (!moving || took < HEAVY || !drawnKey) return draw(view, look);
      const scale = view.k / drawnKey.k;
      const dx = (drawnKey.x - view.x) * view.k;
      const dy = (view.y - drawnKey.y) * view.k;
      canvas.style.transform = `translate(${dx}px,${dy}px) scale(${scale})`;
      later = window.setTimeout(() => draw(view, look), REST);
    },
    destroy: () => clearTimeout(later),
  };
}
