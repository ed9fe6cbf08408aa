// @ts-check
/** The cloud on the map: drawn over the land, pointed at, picked, selected. */

import { clamp } from "../core/colour.js";
import { coloured, idsInside, litRows } from "../core/cloud.js";
import { h, icon, s, setAll, unit } from "../core/dom.js";
import { watch } from "../core/store.js";
import { count } from "../core/text.js";
import { toMap, toScreen } from "../core/view.js";
import { createLasso } from "./lasso.js";
import { createPainter } from "./painter.js";
import { mountCloudTip } from "./tip.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {import("../core/view.js").View} View */

const LEAST = 1.6; // CSS pixels of a point, at most crowded
const LARGEST = 8;
const HEAVY = 24; // ms of drawing from which on a moving cloud is only shifted, and drawn when it rests
const REST = 120; // ms

/**
 * As large as there is room for a point.
 * @param {number} room square pixels of the map for each, as it is seen @param {number} unit
 */
export const cloudPointSize = (room, unit) => clamp(0.8 * Math.sqrt(room), LEAST, LARGEST) * unit;

/** How much of what is below shows through: crowded points add up. @param {number} size CSS pixels */
export const cloudOpacity = (size) => clamp(0.45 + 0.1 * size, 0.55, 0.95);

/**
 * @param {HTMLElement} root the map
 * @param {HTMLCanvasElement} canvas
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("./files.js").Files} parts.files
 * @param {import("./requests.js").CloudApi} parts.api
 * @param {() => View} parts.view
 * @param {() => void} parts.redraw
 */
export function mountCloudLayer(root, canvas, { store, files, api, view, redraw }) {
  const path = /** @type {SVGPathElement} */ (s("path"));
  const svg = s("svg", { class: "cloud-lasso", "aria-hidden": "true" }, path);
  const select = h(
    "button.icon",
    {
      "aria-label": "Select sounds by drawing around them",
      title: "Select: draw around sounds. Shift and drag: a rectangle",
      hidden: true,
      onclick: () => store.set({ lassoing: !store.get().lassoing }),
    },
    icon("lasso"),
  );
  root.querySelector(".zoom")?.prepend(select);
  const words = h("span", { role: "status" });
  const chip = h(
    "div.filter.selection",
    { role: "group", "aria-label": "Selection", hidden: true },
    words,
    h("button.text", { onclick: () => store.set({ selection: null }) }, "Clear", icon("close")),
  );
  root.append(svg, chip);
  const lasso = createLasso(path);
  const tip = mountCloudTip(root, api);
  const painter = createPainter(canvas, redraw);

  /** @type {Uint8Array | null} */
  let lit = null;
  let took = 0; // ms of drawing, the last time
  let later = 0;
  /** @type {View | null} */
  let paintedView = null;

  const visible = () => {
    const { cloud, cloudShown } = store.get();
    return cloudShown && cloud?.count ? cloud : null;
  };

  function load() {
    const cloud = visible();
    canvas.hidden = select.hidden = !cloud;
    if (!cloud) return store.get().lassoing && store.set({ lassoing: false });
    const { colouring, families, matches, selection } = store.get();
    lit = litRows(cloud, { families, matches, selection });
    painter.load(cloud, { kind: coloured(cloud, colouring).kind, lit });
    store.set({ cloudDrawn: painter.drawn(cloud.count) });
    redraw();
  }

  /** @param {View} now @param {import("../core/colour.js").Palette} palette */
  function paint(now, palette) {
    const cloud = visible();
    if (!cloud) return;
    const since = performance.now();
    const [x0, x1, y0, y1] = cloud.columns.extent;
    // sounds lie on about a third of the map
    const room = ((x1 - x0) * (y1 - y0) * now.k ** 2) / 3 / cloud.count;
    const size = cloudPointSize(room, unit());
    const { colouring } = store.get();
    painter.draw(now, { palette, colouring, size, opacity: cloudOpacity(size / unit()) });
    canvas.style.transform = "";
    paintedView = now;
    const isOver = painter.finished();
    const look = () => {
      took = performance.now() - since;
      if (!isOver() && took < 10 * HEAVY) setTimeout(look);
    };
    look();
  }

  const stops = [
    watch(
      store,
      (/** @type {State} */ state) => [
        state.cloud,
        state.cloudShown,
        state.colouring,
        state.families,
        state.matches,
        state.selection,
      ],
      load,
    ),
    watch(
      store,
      ({ selection, cloud }) => [selection, cloud],
      ({ selection, cloud }) => {
        chip.hidden = !selection || !cloud;
        if (selection && cloud)
          words.textContent = `${count(selection.length)} of ${count(cloud.count)} selected`;
      },
    ),
    watch(
      store,
      ({ lassoing }) => [lassoing],
      ({ lassoing }) => {
        setAll(select, { "aria-pressed": String(lassoing) });
        root.classList.toggle("lassoing", lassoing);
      },
    ),
    watch(store, ({ cloudPointed, a, b }) => [cloudPointed, a, b], put),
  ];

  /** Ring and name where what is pointed at is now. */
  function put() {
    const { cloudPointed, a } = store.get();
    const cloud = visible();
    const now = view();
    if (!cloud || !cloudPointed || cloudPointed.row >= cloud.count) return tip.show(null, now);
    tip.show(
      {
        id: cloud.columns.id[cloudPointed.row],
        at: toScreen(now, cloud.position(cloudPointed.row)),
        use: a ? "click to hear, and morph to here" : "click to hear, and morph from here",
        worded: cloudPointed.by === "pointer",
      },
      now,
    );
  }

  return {
    /** @param {import("../core/colour.js").Palette} palette @param {boolean} moving the next view is on its way */
    draw(palette, moving) {
      const now = view();
      clearTimeout(later);
      put();
      if (!moving || took < HEAVY || !paintedView) return paint(now, palette);
      const scale = now.k / paintedView.k;
      const dx = (paintedView.x - now.x) * now.k;
      const dy = (now.y - paintedView.y) * now.k;
      canvas.style.transform = `translate(${dx}px,${dy}px) scale(${scale})`;
      later = window.setTimeout(() => paint(view(), palette), REST);
    },

    /** Whether only some of it is lit. */
    filtered: () => lit !== null && visible() !== null,

    /**
     * The nearest point that is lit. @param {Position} at on the screen @param {number} radius pixels
     * @returns {{row: number, far: number} | null}
     */
    nearest(at, radius) {
      const cloud = visible();
      if (!cloud) return null;
      const now = view();
      const [x, y] = toMap(now, at);
      const row = cloud.grid.nearest(
        x,
        y,
        radius / now.k,
        lit ? (/** @type {number} */ i) => !!lit?.[i] : undefined,
      );
      return row < 0 ? null : { row, far: Math.hypot(cloud.x[row] - x, cloud.y[row] - y) * now.k };
    },

    /** @param {number | null} row */
    point(row) {
      const { cloudPointed } = store.get();
      if (row === null) cloudPointed && store.set({ cloudPointed: null });
      else if (cloudPointed?.row !== row || cloudPointed.by !== "pointer")
        store.set({ cloudPointed: { row, by: "pointer" } });
    },

    /** @param {number} row @param {boolean} shift */
    tap(row, shift) {
      const id = store.get().cloud?.columns.id[row];
      if (id === undefined) return;
      void (shift ? files.mark(id) : files.pick(id));
    },

    /** Silence, where a recording plays. @returns {boolean} did one? */
    hush() {
      const isPlaying = files.playing() !== null;
      if (isPlaying) files.hush();
      return isPlaying;
    },

    /** Whether a hand that moves draws an outline. @param {boolean} shift */
    draws: (shift) => visible() !== null && (shift || store.get().lassoing),
    /** @param {Position} at @param {boolean} shift a rectangle */
    begin: (at, shift) => lasso.begin(at, shift),
    /** @param {Position} at */
    to: lasso.to,
    /** @param {boolean} broken off */
    end(broken) {
      const outline = lasso.end();
      const cloud = visible();
      if (broken || !cloud) return;
      const now = view();
      const { families, matches } = store.get();
      const among = litRows(cloud, { families, matches, selection: null });
      const ids = idsInside(
        cloud,
        outline.map((at) => toMap(now, at)),
        among,
      );
      store.set({ selection: ids.length ? ids : null, lassoing: false });
      if (!ids.length)
        store.set({ notice: { text: "No sound of your folders lies in there.", kind: "news" } });
    },

    destroy() {
      for (const stop of stops) stop();
      clearTimeout(later);
      tip.destroy();
      painter.destroy();
      for (const part of [svg, chip, select]) part.remove();
    },
  };
}

/** @typedef {ReturnType<typeof mountCloudLayer>} CloudLayer */
