// @ts-check
/** Land and sea: the magnification field as filled contours. Low is what the model knows. */

import { mix, parseHex } from "../core/colour.js";

/** @typedef {import("../core/state.js").Field} Field */
/** @typedef {import("../core/colour.js").Palette} Palette */

const SHALLOWS = 3; // bands between the coast and the open sea

/**
 * The field in units of contour bands: band j lies between lines j - 1 and j, and the coast is a line. The server's
 * levels need not be even, but plotly's contours are: so the values are bent, piecewise linearly, until the levels are.
 *
 * @param {Field} field
 * @returns {{x: number[], y: number[], bands: number[][], lines: number, coast: number}} with a rim one cell wide that
 *   is all open sea, so that a field that ends on land does not end in a straight edge
 */
export function toBands({ x, y, values, coast, levels }) {
  const land = levels.filter((level) => level < coast);
  const gap = land.length > 1 ? (coast - land[0]) / land.length : 1;
  const beyond = levels.filter((level) => level > coast).slice(0, SHALLOWS - 1);
  while (beyond.length < SHALLOWS - 1) beyond.push((beyond[beyond.length - 1] ?? coast) + gap);
  const lines = [...land, coast, ...beyond];
  const top = lines.length - 1;

  const compress = (/** @type {number} */ value) => {
    if (value <= lines[0]) return Math.max(-1, (value - lines[0]) / gap);
    for (let i = 1; i <= top; i++)
      if (value <= lines[i]) return i - 1 + (value - lines[i - 1]) / (lines[i] - lines[i - 1]);
    return Math.min(top + 1, top + (value - lines[top]) / gap);
  };
  const sea = top + 1;
  const rim = (/** @type {number[]} */ axis) => [
    2 * axis[0] - axis[1],
    ...axis,
    2 * axis[axis.length - 1] - axis[axis.length - 2],
  ];
  const shore = new Array(x.length + 2).fill(sea);
  const rows = values.map((row) => [sea, ...row.map(compress), sea]);
  return { x: rim(x), y: rim(y), bands: [shore, ...rows, shore], lines: lines.length, coast: land.length };
}

/**
 * In which bounds there is land; none: null.
 * @param {Field} field @returns {[number, number, number, number] | null} x0, x1, y0, y1
 */
export function landBounds({ x, y, values, coast }) {
  /** @type {[number, number, number, number]} */
  const bounds = [Infinity, -Infinity, Infinity, -Infinity];
  values.forEach((row, j) =>
    row.forEach((value, i) => {
      if (value > coast) return;
      bounds[0] = Math.min(bounds[0], x[i]);
      bounds[1] = Math.max(bounds[1], x[i]);
      bounds[2] = Math.min(bounds[2], y[j]);
      bounds[3] = Math.max(bounds[3], y[j]);
    }),
  );
  return bounds[0] === Infinity ? null : bounds;
}

/**
 * The colour of each band, from the middle of the land to the open sea.
 * @param {number} lines
 * @param {number} coast
 * @param {Palette} palette
 */
export function bandColours(lines, coast, palette) {
  const [shore, sea] = [parseHex(palette.shore), parseHex(palette.sea)];
  return Array.from({ length: lines + 1 }, (_, band) => {
    if (band <= coast) return palette.land;
    const t = (band - coast - 1) / Math.max(1, lines - coast - 1);
    return `rgb(${[0, 1, 2].map((c) => Math.round(mix(shore[c], sea[c], t)))})`;
  });
}

/**
 * Plotly draws the land once; moving over it is a CSS transform, because drawing it again takes 50 to 100 ms.
 *
 * @param {HTMLElement} root
 */
export function createLand(root) {
  /** @type {ReturnType<typeof toBands> | null} */
  let ground = null;
  let scale = 1; // CSS pixels a map unit, as drawn

  return {
    /** @param {Field} field @param {Palette} palette @param {number} k pixels per map unit it will mostly be seen at */
    async draw(field, palette, k) {
      ground = toBands(field);
      scale = k;
      const { x, y, bands, lines, coast } = ground;
      const colours = bandColours(lines, coast, palette);
      const width = (x[x.length - 1] - x[0]) * k;
      const height = (y[y.length - 1] - y[0]) * k;
      const trace = {
        type: "contour",
        x,
        y,
        z: bands,
        showscale: false,
        hoverinfo: "skip",
        contours: { coloring: "fill", start: 0, end: lines - 1, size: 1, showlines: true },
        colorscale: colours.map((colour, i) => [i / lines, colour]),
        line: { color: palette.coast, width: 1, smoothing: 1.3 },
      };
      await Plotly.react(
        root,
        [trace],
        {
          width,
          height,
          margin: { l: 0, r: 0, t: 0, b: 0 },
          paper_bgcolor: "rgba(0,0,0,0)",
          plot_bgcolor: "rgba(0,0,0,0)",
          xaxis: { range: [x[0], x[x.length - 1]], visible: false },
          yaxis: { range: [y[0], y[y.length - 1]], visible: false },
        },
        { staticPlot: true, displayModeBar: false },
      );
    },

    /** @param {import("../core/view.js").View} view */
    look(view) {
      if (!ground) return;
      const { x, y } = ground;
      const left = view.width / 2 + (x[0] - view.x) * view.k;
      const top = view.height / 2 - (y[y.length - 1] - view.y) * view.k;
      root.style.transform = `translate(${left}px,${top}px) scale(${view.k / scale})`;
      root.style.setProperty("--scale", (view.k / scale).toFixed(3)); // lines keep their width
    },

    destroy() {
      if (ground) Plotly.purge(root);
    },
  };
}
