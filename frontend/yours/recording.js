// @ts-check
/** A recording as a picture with its cuts: an edge can be dragged, a cut pressed to hear it, a new one drawn. */

import { readPalette } from "../core/colour.js";
import { h, inNextFrame, sharp, unit } from "../core/dom.js";
import { moved } from "./cuts.js";

/** @typedef {import("./state.js").Cut} Cut */
/** @typedef {import("../core/state.js").Seconds} Seconds */
/** @typedef {{cut: Cut, nth: number}} Numbered */

const GRIP = 7; // pixels around an edge
const DRAWN = 8; // pixels that a new cut is drawn over, at least

/**
 * @param {import("../core/api.js").UploadedFile} file
 * @param {object} hands
 * @param {import("./cuts.js").Range} hands.range
 * @param {(nth: number, change: Partial<Cut>) => void} hands.correct
 * @param {(where: {start: Seconds, end: Seconds}) => void} hands.add
 * @param {(nth: number) => void} hands.hear
 */
export function makeRecording({ seconds, overview }, { range, correct, add, hear }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const root = h("div.recording", {}, canvas);
  /** @type {Numbered[]} */
  let cuts = [];
  /** @type {{nth: number, edge: "start" | "end"} | null} */
  let dragged = null;
  /** @type {{from: Seconds, to: Seconds} | null} */
  let drawnKey = null;

  const draw = inNextFrame(() => {
    const palette = readPalette(document.documentElement);
    const { c, w, h: tall } = sharp(canvas);
    const u = unit();
    const x = (/** @type {number} */ t) => (w * t) / seconds;
    for (const { cut, nth } of cuts) {
      c.globalAlpha = cut.on ? 1 : 0.35;
      c.fillStyle = palette.high;
      c.fillRect(x(cut.start), 0, Math.max(1, x(cut.end) - x(cut.start)), tall);
      c.fillStyle = palette.ink;
      c.fillRect(x(cut.start), 0, 1.5 * u, tall);
      c.fillRect(x(cut.end) - u, 0, u, tall);
      c.font = `600 ${11 * u}px "Hanken Grotesk", system-ui, sans-serif`;
      if (x(cut.end) - x(cut.start) > 16 * u) c.fillText(String(nth + 1), x(cut.start) + 5 * u, 12 * u);
    }
    if (drawnKey) {
      c.globalAlpha = 0.6;
      c.fillStyle = palette.high;
      c.fillRect(x(Math.min(drawnKey.from, drawnKey.to)), 0, x(Math.abs(drawnKey.to - drawnKey.from)), tall);
    }
    c.globalAlpha = 1;
    c.fillStyle = palette.ink2;
    const step = w / overview.length;
    overview.forEach(([low, high], i) => {
      const top = tall / 2 - (high * tall) / 2.1;
      c.fillRect(i * step, top, Math.max(1, step), Math.max(1, ((high - low) * tall) / 2.1));
    });
  });

  /** @param {PointerEvent} event */
  const timeOf = (event) =>
    Math.min(
      seconds,
      Math.max(0, ((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * seconds),
    );
  /** @param {number} pixels */
  const secondsIn = (pixels) => (pixels * unit() * seconds) / canvas.clientWidth;
  /** @param {number} t */
  function edgeAt(t) {
    const near = secondsIn(GRIP);
    for (const { cut, nth } of cuts)
      for (const edge of /** @type {const} */ (["start", "end"]))
        if (Math.abs(cut[edge] - t) < near) return { nth, edge };
    return null;
  }
  /** @param {{from: Seconds, to: Seconds}} drawn */
  const spanOf = ({ from, to }) => ({
    start: Math.min(from, to),
    end: Math.min(Math.max(from, to), Math.min(from, to) + range.max),
  });
  /** @param {number} t */
  const cutAt = (t) => cuts.find(({ cut }) => t >= cut.start && t <= cut.end);

  root.addEventListener("pointerdown", (event) => {
    const t = timeOf(event);
    dragged = edgeAt(t);
    drawnKey = dragged || cutAt(t) || event.pointerType === "touch" ? null : { from: t, to: t }; // a finger scrolls
    if (dragged || drawnKey) root.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    const t = timeOf(event);
    root.classList.toggle("edge", dragged !== null || edgeAt(t) !== null);
    if (drawnKey) {
      drawnKey.to = t;
      draw();
    }
    const cut = dragged && cuts.find(({ nth }) => nth === dragged?.nth);
    if (!dragged || !cut) return;
    const { start, end } = moved(cut.cut, dragged.edge, t, seconds, range);
    correct(dragged.nth, { start, end });
  });
  root.addEventListener("pointerup", (event) => {
    const t = timeOf(event);
    const created = drawnKey && Math.abs(drawnKey.to - drawnKey.from) > secondsIn(DRAWN) ? drawnKey : null;
    const inside = dragged || created ? null : cutAt(t);
    [dragged, drawnKey] = [null, null];
    draw();
    if (created) add(spanOf(created));
    else if (inside) hear(inside.nth);
  });
  root.addEventListener("pointercancel", () => {
    [dragged, drawnKey] = [null, null];
    draw();
  });
  const resized = new ResizeObserver(draw);
  resized.observe(root);
  return {
    root,
    /** @param {Numbered[]} now */
    show(now) {
      cuts = now;
      draw();
    },
    destroy() {
      resized.disconnect();
      draw.cancel();
    },
  };
}
