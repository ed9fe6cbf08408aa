// @ts-check
/** Where the map is looked at from: fits it, moves it, and says in the state where it rests. */

import { unit } from "../core/dom.js";
import { landBounds } from "./land.js";
import { bounded, fit, fitAround, panned, toMap, toScreen, zoomed } from "../core/view.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {import("../core/view.js").View} View */
/** @typedef {import("../core/view.js").Box} Box */

const NARROW = 520; // pixels: below, the words stand over the land, not beside it
const ZOOM = 1.6; // of a key, or a button
const GLIDE = 220; // ms

/**
 * How much of the lower edge a wide line of words takes.
 * @param {Box[]} boxes
 * @param {{width: number, height: number}} size
 */
function lowest(boxes, { width, height }) {
  const wide = boxes.filter(({ left, right, top }) => right - left > width / 3 && top > height / 2);
  return Math.max(0, ...wide.map(({ top }) => height - top));
}

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {() => Box[]} parts.words    what is written on the map, and should not lie on sounds
 * @param {() => void} parts.onMove
 */
export function createCamera(root, { store, words, onMove }) {
  /** @type {View} */
  let view = { x: 0, y: 0, k: 1, width: 1, height: 1 };
  let fitted = view;
  let room = 300;
  let moving = false;
  let gliding = 0;
  let rested = store.get().view;

  /** The bounds that are to be seen: all sounds, and as much of the coast around them as costs little room. */
  function wanted() {
    const { library, atlas } = store.get();
    if (!library || !atlas) return null;
    const sounds = library.bounds();
    const coast = landBounds(atlas.field) ?? sounds;
    const most = 0.1 * Math.max(sounds[1] - sounds[0], sounds[3] - sounds[2]);
    const low = (/** @type {number} */ i) => Math.min(sounds[i], Math.max(coast[i], sounds[i] - most));
    const high = (/** @type {number} */ i) => Math.max(sounds[i], Math.min(coast[i], sounds[i] + most));
    return { library, bounds: /** @type {const} */ ([low(0), high(1), low(2), high(3)]) };
  }

  /** @param {View} next */
  function moveTo(next) {
    const { library } = store.get();
    if (!library) return;
    view = bounded(next, fitted, library.bounds());
    moving = true;
    onMove();
  }

  function rest() {
    const near = (/** @type {number} */ p, /** @type {number} */ q) => Math.abs(p - q) * view.k < 1;
    const home = Math.abs(view.k / fitted.k - 1) < 1e-3 && near(view.x, fitted.x) && near(view.y, fitted.y);
    rested = home ? null : { x: view.x, y: view.y, zoom: view.k / fitted.k };
    moving = false;
    store.set({ view: rested });
    onMove();
  }

  /** @param {View} next */
  function glideTo(next) {
    const { library } = store.get();
    if (!library) return;
    const to = bounded(next, fitted, library.bounds());
    const from = view;
    const since = performance.now();
    const time = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : GLIDE;
    cancelAnimationFrame(gliding);
    const go = () => {
      const t = time ? Math.min(1, (performance.now() - since) / time) : 1;
      const ease = 1 - (1 - t) ** 3;
      // the scale in equal ratios: it feels even
      const k = from.k * (to.k / from.k) ** ease;
      moveTo({ ...to, k, x: from.x + (to.x - from.x) * ease, y: from.y + (to.y - from.y) * ease });
      if (t < 1) gliding = requestAnimationFrame(go);
      else rest();
    };
    go();
  }

  /** The size of the map, and what fits into it. */
  function measure() {
    const size = { width: root.clientWidth, height: root.clientHeight };
    const all = wanted();
    if (!all || size.width < 2 || size.height < 2) return;
    const u = unit();
    const { library, bounds } = all;
    const boxes = words();
    const below = lowest(boxes, size);
    if (size.width < NARROW * u) {
      const top = Math.max(
        0,
        ...boxes.filter((box) => box.top < size.height / 2).map(({ bottom }) => bottom),
      );
      fitted = fit(bounds, size, { left: 12 * u, right: 12 * u, top, bottom: Math.max(36 * u, below) });
    } else {
      const margin = { left: 32 * u, right: 32 * u, top: 16 * u, bottom: Math.max(16 * u, below) };
      fitted = fitAround(bounds, size, margin, boxes, library.grid, library.count);
    }
    room = ((bounds[1] - bounds[0]) * (bounds[3] - bounds[2]) * fitted.k ** 2) / library.count;
    view = rested
      ? bounded({ ...size, x: rested.x, y: rested.y, k: rested.zoom * fitted.k }, fitted, library.bounds())
      : fitted;
    onMove();
  }

  const resized = new ResizeObserver(measure);
  resized.observe(root);

  return {
    view: () => view,
    /** Pixels a map unit when everything is seen. */
    scale: () => fitted.k,
    zoomed: () => view.k / fitted.k,
    /** Square pixels for each sound, when all are seen. */
    room: () => room,
    moving: () => moving,
    measure,
    rest,
    /** @param {number} dx @param {number} dy pixels */
    pan: (dx, dy) => moveTo(panned(view, dx, dy)),
    /** @param {number} factor @param {Position} at on the screen */
    zoom: (factor, at) => moveTo(zoomed(view, factor, at)),
    /** @param {1 | -1} way */
    zoomStep: (way) => glideTo(zoomed(view, ZOOM ** way, [view.width / 2, view.height / 2])),
    home: () => glideTo(fitted),

    /** All of the morph, close; when that is what is seen, everything. */
    fitMorph() {
      const { morph } = store.get();
      const all = [morph?.paths.geodesic, morph?.paths.linear].flatMap((path) => path?.map ?? []);
      if (!all.length) return glideTo(fitted);
      const xs = all.map(([x]) => x);
      const ys = all.map(([, y]) => y);
      const free = 0.14 * Math.min(view.width, view.height);
      const bounds = /** @type {const} */ ([
        Math.min(...xs),
        Math.max(...xs),
        Math.min(...ys),
        Math.max(...ys),
      ]);
      const close = fit(bounds, view, { left: free, right: free, top: free + 60 * unit(), bottom: free });
      glideTo(Math.abs(view.k / close.k - 1) < 0.02 ? fitted : close);
    },

    /** Keeps a place on the screen. @param {Position} position */
    follow(position) {
      const [x, y] = toScreen(view, position);
      const edge = 48 * unit();
      const inside = (/** @type {number} */ v, /** @type {number} */ most) =>
        v < edge ? edge - v : v > most - edge ? most - edge - v : 0;
      const [dx, dy] = [inside(x, view.width), inside(y, view.height)];
      if (dx || dy) glideTo(panned(view, dx, dy));
    },

    /** Somebody else says where to look from: a link, the way back. @param {State["view"]} next */
    take(next) {
      if (next === rested) return;
      rested = next;
      measure();
    },

    /** @param {Box} box on the screen @returns {[left: number, right: number, low: number, high: number]} on the map */
    under(box) {
      const [left, high] = toMap(view, [box.left, box.top]);
      const [right, low] = toMap(view, [box.right, box.bottom]);
      return [left, right, low, high];
    },

    destroy() {
      cancelAnimationFrame(gliding);
      resized.disconnect();
    },
  };
}

/** @typedef {ReturnType<typeof createCamera>} Camera */
