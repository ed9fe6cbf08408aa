// @ts-check
/** The sounds as points: one scattergl trace a family, with a shape of its own. */

/** @typedef {import("../library/sounds.js").Library} Library */
/** @typedef {import("../colour.js").Palette} Palette */
/** @typedef {import("./view.js").View} View */

/** plotly's names; shapes.js draws the same in SVG and on canvases. */
export const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "cross", "star", "x", "pentagon"];

/** @param {Palette} palette @param {number} family */
export const familyColour = (palette, family) => palette[/** @type {"f0"} */ (`f${family % 8}`)];

/** Smaller where there are many, a little larger close up. @param {number} count @param {number} zoom @param {number} unit */
export const pointSize = (count, zoom, unit) =>
  unit * Math.max(2.5, Math.min(7.5, 7.5 * (1400 / Math.max(1400, count)) ** 0.3)) * Math.min(1.9, Math.max(1, zoom) ** 0.3);

/** @typedef {{palette: Palette, size: number, opacity: number, shown: Set<number> | null, hidden: Set<number>}} Look */

/**
 * @param {HTMLElement} root
 * @param {Library} library
 */
export function createPoints(root, library) {
  const families = library.family_names.map((_, family) => {
    const members = [];
    for (let i = 0; i < library.count; i++) if (library.family[i] === family) members.push(i);
    return members;
  });
  let drawn = false;
  let busy = false;
  /** @type {View | null} */
  let next = null;

  /** @param {View} view */
  const ranges = (view) => ({
    x: [view.x - view.width / 2 / view.k, view.x + view.width / 2 / view.k],
    y: [view.y - view.height / 2 / view.k, view.y + view.height / 2 / view.k],
  });

  return {
    /** @param {View} view @param {Look} look */
    async draw(view, { palette, size, opacity, shown, hidden }) {
      const traces = families.map((members, family) => {
        const seen = members.filter((i) => !hidden.has(i));
        return {
          type: "scattergl", mode: "markers", hoverinfo: "none",
          x: seen.map((i) => library.x[i]),
          y: seen.map((i) => library.y[i]),
          marker: {
            size, symbol: SYMBOLS[family % SYMBOLS.length], color: familyColour(palette, family), line: { width: 0 },
            opacity: shown ? seen.map((i) => (shown.has(i) ? 1 : 0.12)) : opacity,
          },
        };
      });
      const { x, y } = ranges(view);
      next = null;
      await Plotly.react(root, traces, {
        width: view.width, height: view.height, // plotly takes 450 px of height by itself
        margin: { l: 0, r: 0, t: 0, b: 0 },
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
        xaxis: { range: x, visible: false }, yaxis: { range: y, visible: false },
      }, { staticPlot: true, displayModeBar: false });
      drawn = true;
    },

    /** Moves; while one move is being drawn only the newest waits. @param {View} view */
    async look(view) {
      next = view;
      if (!drawn || busy) return;
      busy = true;
      while (next) {
        const { x, y } = ranges(next);
        const { width, height } = next;
        next = null;
        await Plotly.relayout(root, { width, height, "xaxis.range": x, "yaxis.range": y });
      }
      busy = false;
    },

    destroy() {
      if (drawn) Plotly.purge(root);
    },
  };
}
