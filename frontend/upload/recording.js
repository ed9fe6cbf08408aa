// @ts-check
/** A recording as a picture with its cuts: an edge can be dragged, a cut pressed to hear it. */

import { readPalette } from "../colour.js";
import { h, inNextFrame, sharp, unit } from "../dom.js";
import { moved } from "./uploads.js";

/** @typedef {import("../state.js").Cut} Cut */
/** @typedef {{cut: Cut, nth: number}} Numbered */

const GRIP = 7; // pixels around an edge

/**
 * @param {import("../api.js").UploadedFile} file
 * @param {object} hands
 * @param {(nth: number, change: Partial<Cut>) => void} hands.correct
 * @param {(nth: number) => void} hands.hear
 */
export function makeRecording({ seconds, overview }, { correct, hear }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const root = h("div.recording", {}, canvas);
  /** @type {Numbered[]} */
  let cuts = [];
  /** @type {{nth: number, edge: "start" | "end"} | null} */
  let held = null;

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
    c.globalAlpha = 1;
    c.fillStyle = palette.ink2;
    const step = w / overview.length;
    overview.forEach(([low, high], i) => {
      const top = tall / 2 - (high * tall) / 2.1;
      c.fillRect(i * step, top, Math.max(1, step), Math.max(1, ((high - low) * tall) / 2.1));
    });
  });

  /** @param {PointerEvent} event */
  const timeOf = (event) => ((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * seconds;
  /** @param {number} t */
  function edgeAt(t) {
    const near = (GRIP * unit() * seconds) / canvas.clientWidth;
    for (const { cut, nth } of cuts)
      for (const edge of /** @type {const} */ (["start", "end"])) if (Math.abs(cut[edge] - t) < near) return { nth, edge };
    return null;
  }
  root.addEventListener("pointerdown", (event) => {
    held = edgeAt(timeOf(event));
    if (held) root.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    const t = timeOf(event);
    root.classList.toggle("edge", held !== null || edgeAt(t) !== null);
    const one = held && cuts.find(({ nth }) => nth === held?.nth);
    if (!held || !one) return;
    const { start, end } = moved(one.cut, held.edge, t, seconds);
    correct(held.nth, { start, end });
  });
  root.addEventListener("pointerup", (event) => {
    const t = timeOf(event);
    if (held) held = null;
    else {
      const inside = cuts.find(({ cut }) => t >= cut.start && t <= cut.end);
      if (inside) hear(inside.nth);
    }
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
