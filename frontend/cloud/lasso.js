// @ts-check
/** An outline drawn by hand or a rectangle, on the screen: what it holds is selected. */

/** @typedef {import("../core/state.js").Position} Position */

const NEAR = 3; // pixels between corners

/** @param {SVGPathElement} path shows it */
export function createLasso(path) {
  /** @type {Position[]} */
  let corners = [];
  let isBox = false;

  const outline = () => {
    if (!isBox || corners.length < 2) return corners;
    const [[x, y], [u, v]] = [corners[0], corners[corners.length - 1]];
    return /** @type {Position[]} */ ([
      [x, y],
      [u, y],
      [u, v],
      [x, v],
    ]);
  };
  const show = () => {
    const d = outline().map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`);
    path.setAttribute("d", d.length > 1 ? `M${d.join("L")}z` : "");
  };

  return {
    /** @param {Position} at @param {boolean} box a rectangle */
    begin(at, box) {
      corners = [at];
      isBox = box;
    },
    /** @param {Position} at */
    to(at) {
      const last = corners[corners.length - 1];
      if (!last || Math.hypot(at[0] - last[0], at[1] - last[1]) < NEAR) return;
      corners.push(at);
      show();
    },
    /** Its corners on the screen; fewer than three: it holds nothing. */
    end() {
      const ended = outline();
      corners = [];
      show();
      return ended;
    },
  };
}
