// @ts-check
/** The map: its layers, what one can do on it, and where it is looked at from. */

import { readPalette } from "../colour.js";
import { h, icon, inNextFrame, s, setAll, unit } from "../dom.js";
import { filtered } from "../library/sounds.js";
import { isReady, stage } from "../state.js";
import { watch } from "../store.js";
import { anchorName, count } from "../words.js";
import { createCourse, pinned } from "./course.js";
import { watchHands } from "./gestures.js";
import { mountHeading } from "./heading.js";
import { createLand, landBounds } from "./land.js";
import { mountLegend } from "./legend.js";
import { createOverlay, wayOf } from "./overlay.js";
import { createPoints, pointSize } from "./points.js";
import { createSketch } from "./sketch.js";
import { mountTip } from "./tip.js";
import { bounded, fit, fitAround, panned, toMap, toScreen, zoomed } from "./view.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Position} Position */
/** @typedef {import("../state.js").Path} Path */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./view.js").Box} Box */

const PICK = 14; // pixels around a point that belong to it
const PICK_FINGER = 26;
const GRIP = 20; // pixels around an end that carry it

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {Promise<unknown>} parts.plotly      when it is there; never, where it cannot be had
 */
export function mountAtlas(root, { store, actions, playback, plotly }) {
  const sketchCanvas = /** @type {HTMLCanvasElement} */ (h("canvas.sketch"));
  const landRoot = h("div.land");
  const pointsCanvas = /** @type {HTMLCanvasElement} */ (h("canvas.points"));
  const svg = s("svg", { class: "over" });
  const layers = h("div.layers", { "aria-hidden": "true" }, sketchCanvas, h("div.landbox", {}, landRoot), pointsCanvas, svg);
  const surface = h("div.surface", { id: "surface", tabindex: 0, role: "application", "aria-roledescription": "map of sounds", "aria-describedby": "map-keys" });
  const help = h("p.vh", { id: "map-keys" }, "Arrow keys move to the nearest sound, Enter plays it, A and B set the ends of the journey.");
  const head = h("header.head");
  const engine = h("div.engine", { role: "status" });
  const legend = h("ul.legend", { "aria-label": "Families of sounds" });
  const scale = h("div.scale", { "aria-hidden": "true" }, h("span", {}, "known"), h("i"), h("span", {}, "guesswork"));
  const fitButton = h("button.icon", { onclick: fitJourney }, icon("fit"));
  const zoom = h("div.zoom", {},
    h("button.icon", { "aria-label": "Zoom in", onclick: () => glideTo(zoomed(view, 1.6, middle())) }, icon("plus")),
    h("button.icon", { "aria-label": "Zoom out", onclick: () => glideTo(zoomed(view, 1 / 1.6, middle())) }, icon("minus")),
    fitButton);
  root.append(layers, surface, help, head, engine, legend, scale, zoom);

  const heading = mountHeading(head, { store, actions });
  const legendView = mountLegend(legend, store);
  const tip = mountTip(root, { store, actions, playback });
  const overlay = createOverlay(svg);

  /** @type {View} */
  let view = { x: 0, y: 0, k: 1, width: 1, height: 1 };
  let fitted = view;
  let moving = false; // by hand, or gliding
  let gliding = 0;
  /** @type {ReturnType<typeof createSketch> | null} */
  let sketch = null;
  /** @type {ReturnType<typeof createLand> | null} */
  let land = null;
  /** @type {ReturnType<typeof createPoints> | null} */
  let points = null;
  let landed = false; // plotly has drawn the land
  let palette = readPalette(document.documentElement);
  /** @type {Set<number> | null} */
  let shown = null; // what the filter lets through
  /** @type {WeakMap<Path, import("./overlay.js").Way>} */
  const ways = new WeakMap();
  /** @type {{name: string, at: Position, spread: number}[]} */
  let isles = [];
  let u = unit();
  let room = 300; // square pixels for each point, when all are seen

  const middle = () => /** @type {Position} */ ([view.width / 2, view.height / 2]);
  /** @param {Path | undefined} path */
  const wayFor = (path) => {
    if (!path) return null;
    let way = ways.get(path);
    if (!way) {
      const { a, b, library } = store.get();
      const at = (/** @type {typeof a} */ end) => (end?.sound && library ? library.position(library.indexOf(end.sound)) : null);
      const drawn = pinned(path, at(a), at(b));
      ways.set(path, (way = { path: drawn, course: createCourse(drawn) }));
    }
    return way;
  };

  // ── what there is to draw ──

  /** @param {State} state @returns {import("./points.js").Look} */
  function look(state) {
    const { library, a, b } = state;
    const hidden = new Set([a, b].map((end) => (end?.sound && library ? library.indexOf(end.sound) : -1)).filter((i) => i >= 0));
    const opacity = a && b ? 0.78 : a || b ? 0.88 : 1;
    return { palette, opacity, shown, hidden, size: pointSize(room, view.k / fitted.k, u) };
  }

  /** @param {State} state @returns {import("./overlay.js").Scene} */
  function scene(state) {
    const { library, journey, path, preview, pointed, carried } = state;
    const lib = /** @type {NonNullable<typeof library>} */ (library);
    const end = (/** @type {"a" | "b"} */ which) => {
      const anchor = state[which];
      if (carried?.end === which) {
        const near = snapped(carried.position);
        return { at: near >= 0 ? lib.position(near) : carried.position, name: near >= 0 ? lib.name[near] : "", bare: near < 0 };
      }
      if (!anchor) return null;
      return { at: endPosition(state, which), name: anchorName(anchor, lib), bare: !anchor.sound };
    };
    const names = stage(state) !== "both";
    return {
      palette, unit: u, a: end("a"), b: end("b"),
      bent: wayFor(journey?.paths.geodesic), straight: wayFor(journey?.paths.linear), retimed: wayFor(journey?.paths.retimed),
      chosen: path, dim: carried !== null || journey?.phase === "solving",
      ghost: preview && pinned(preview.path, ...ghostEnds(preview)),
      ring: pointed ? lib.position(pointed.sound) : null,
      families: names ? isles : [],
      taken: words(),
      crowd: (box) => {
        const [left, high] = toMap(view, [box.left, box.top]);
        const [right, low] = toMap(view, [box.right, box.bottom]);
        return lib.grid.count(left, right, low, high);
      },
    };
  }

  /** @param {NonNullable<State["preview"]>} preview @returns {[Position | null, Position | null]} */
  function ghostEnds({ from, to }) {
    const { library } = store.get();
    const at = (/** @type {import("../state.js").Anchor} */ end) => (end.sound && library ? library.position(library.indexOf(end.sound)) : end.position ?? null);
    return [at(from), at(to)];
  }

  /** @param {State} state @param {"a" | "b"} which @returns {Position} */
  function endPosition(state, which) {
    const { library, journey, [which]: anchor } = state;
    if (anchor?.sound) return library?.position(library.indexOf(anchor.sound)) ?? [0, 0];
    // a bare place is drawn where the sound found there lies: the way back from the plane is not exact
    const map = journey?.paths.linear?.map;
    return map?.[which === "a" ? 0 : map.length - 1] ?? anchor?.position ?? [0, 0];
  }

  /** The words of ours that lie on the map. @returns {Box[]} */
  function words() {
    const frame = root.getBoundingClientRect();
    return [...head.children, engine, legend, scale, zoom]
      .map((element) => element.getBoundingClientRect())
      .filter(({ width, height }) => width && height)
      .map(({ left, top, right, bottom }) => ({ left: left - frame.left - 6, top: top - frame.top - 4, right: right - frame.left + 6, bottom: bottom - frame.top + 4 }));
  }

  const redraw = inNextFrame(() => {
    const state = store.get();
    if (!state.library || view.width < 2) return;
    if (landed) land?.look(view);
    else sketch?.draw(view, palette);
    points?.draw(view, look(state), moving);
    overlay.draw(scene(state), view);
    travel();
    putTip();
  });

  /** Ways, ring and words changed; land and points did not. */
  const retouch = inNextFrame(() => {
    const state = store.get();
    if (!state.library || view.width < 2) return;
    overlay.draw(scene(state), view);
    travel();
    putTip();
  });

  function travel() {
    const state = store.get();
    const place = playback.position();
    const visible = isReady(state) && (state.playing || place > 0 || state.place > 0);
    const again = overlay.travel(visible ? place : null, state.playing, performance.now());
    if (again) requestAnimationFrame(travel);
  }

  function putTip() {
    const { pointed, library } = store.get();
    if (!pointed || !library) return;
    const [x, y] = toScreen(view, library.position(pointed.sound));
    tip.put(x, y, view);
  }

  // ── where it is looked at from ──

  /** The size, and what fits into it. */
  function measure() {
    const { library, atlas } = store.get();
    u = unit();
    const size = { width: root.clientWidth, height: root.clientHeight };
    if (!library || !atlas || size.width < 2 || size.height < 2) return;
    const bounds = library.bounds();
    // the coast lies outside the outermost sounds: as much of it as costs the sounds little room
    const most = 0.1 * Math.max(bounds[1] - bounds[0], bounds[3] - bounds[2]);
    const coast = landBounds(atlas.field) ?? bounds;
    const wide = /** @type {const} */ ([
      Math.min(bounds[0], Math.max(coast[0], bounds[0] - most)), Math.max(bounds[1], Math.min(coast[1], bounds[1] + most)),
      Math.min(bounds[2], Math.max(coast[2], bounds[2] - most)), Math.max(bounds[3], Math.min(coast[3], bounds[3] + most)),
    ]);
    const narrow = size.width < 520 * u;
    const boxes = words();
    const below = Math.max(0, ...boxes.filter(({ top }) => top < size.height / 2).map(({ bottom }) => bottom));
    // a narrow map has its words above and below, a wide one has them beside the land
    fitted = narrow
      ? fit(wide, size, { left: 12 * u, right: 12 * u, top: below, bottom: 36 * u })
      : fitAround(wide, size, { left: 32 * u, right: 32 * u, top: 16 * u, bottom: 16 * u }, boxes, library.grid, library.count);
    room = ((wide[1] - wide[0]) * (wide[3] - wide[2]) * fitted.k ** 2) / library.count;
    const { view: asked } = store.get();
    view = asked
      ? bounded({ ...size, x: asked.x, y: asked.y, k: asked.zoom * fitted.k }, fitted, bounds)
      : fitted;
    redraw();
  }

  /** @param {View} next */
  function lookFrom(next) {
    const { library } = store.get();
    if (!library) return;
    view = bounded(next, fitted, library.bounds());
    moving = true;
    redraw();
  }

  /** Says in the link where it is looked at from. */
  function rest() {
    const near = Math.abs(view.k / fitted.k - 1) < 1e-3 && Math.abs(view.x - fitted.x) * view.k < 1 && Math.abs(view.y - fitted.y) * view.k < 1;
    settled = near ? null : { x: view.x, y: view.y, zoom: view.k / fitted.k };
    store.set({ view: settled });
    moving = false;
    redraw();
  }
  /** @type {State["view"]} */
  let settled = store.get().view;

  /** @param {View} next */
  function glideTo(next) {
    const { library } = store.get();
    if (!library) return;
    const to = bounded(next, fitted, library.bounds());
    const from = view;
    const since = performance.now();
    const time = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 220;
    cancelAnimationFrame(gliding);
    moving = true;
    const go = () => {
      const t = time ? Math.min(1, (performance.now() - since) / time) : 1;
      const ease = 1 - (1 - t) ** 3;
      // the scale in equal ratios: it feels even
      const k = from.k * (to.k / from.k) ** ease;
      view = { ...to, k, x: from.x + (to.x - from.x) * ease, y: from.y + (to.y - from.y) * ease };
      redraw();
      if (t < 1) gliding = requestAnimationFrame(go);
      else rest();
    };
    go();
  }

  function fitJourney() {
    const { journey } = store.get();
    const all = [journey?.paths.geodesic, journey?.paths.linear].flatMap((path) => path?.map ?? []);
    if (!all.length) return glideTo(fitted);
    const xs = all.map(([x]) => x);
    const ys = all.map(([, y]) => y);
    const room = 0.14 * Math.min(view.width, view.height);
    const bounds = /** @type {const} */ ([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]);
    const close = fit(bounds, view, { left: room, right: room, top: room + 60 * u, bottom: room });
    const there = Math.abs(view.k / close.k - 1) < 0.02;
    glideTo(there ? fitted : close); // the second press shows everything again
  }

  // ── hands ──

  /** @param {Position} at on the screen @param {number} radius */
  function soundAt(at, radius) {
    const { library } = store.get();
    const [x, y] = toMap(view, at);
    const found = library ? library.grid.nearest(x, y, (radius * u) / view.k) : -1;
    return found >= 0 && shown && !shown.has(found) ? -1 : found;
  }

  /** The sound an end snaps to when it is dropped here. @param {Position} at on the map */
  function snapped(at) {
    const { library } = store.get();
    return library ? library.grid.nearest(...at, (PICK * u) / view.k) : -1;
  }

  /** @param {Position} at @param {number} radius @returns {"a" | "b" | null} */
  function endAt(at, radius) {
    const { a, b, library } = store.get();
    if (!library) return null;
    for (const [which, end] of /** @type {const} */ ([["b", b], ["a", a]])) {
      if (!end) continue;
      const [x, y] = toScreen(view, endPosition(store.get(), which));
      if (Math.hypot(x - at[0], y - at[1]) <= radius * u) return which;
    }
    return null;
  }

  /** @param {number} sound @param {"pointer" | "touch" | "keys"} by */
  function point(sound, by) {
    const { pointed } = store.get();
    if (sound < 0) pointed && store.set({ pointed: null });
    else if (pointed?.sound !== sound || pointed.by !== by) store.set({ pointed: { sound, by } });
  }

  /** @type {Position | null} */
  let pointer = null;
  const hit = inNextFrame(() => {
    if (!pointer) return;
    const end = endAt(pointer, GRIP - 4);
    surface.classList.toggle("grip", end !== null);
    const found = soundAt(pointer, PICK);
    surface.classList.toggle("over-sound", found >= 0);
    if (found >= 0 || store.get().pointed?.by !== "keys") point(found, "pointer");
  });

  const hands = watchHands(root, {
    point(at) {
      pointer = at;
      if (at) return hit();
      if (store.get().pointed?.by === "pointer") point(-1, "pointer");
    },
    tap(at, touch) {
      const end = endAt(at, touch ? PICK_FINGER : GRIP - 4);
      const { [end ?? "a"]: anchor, library, a } = store.get();
      if (end && anchor && library) return void playback.audition(anchor);
      const found = soundAt(at, touch ? PICK_FINGER : PICK);
      if (found < 0) {
        point(-1, "pointer");
        return playback.silence();
      }
      void playback.unlock();
      if (touch && a) {
        playback.pause(); // a finger hides what it points at: look first, go there then
        return point(found, "touch");
      }
      actions.pick(found);
    },
    grip: (at, touch) => endAt(at, touch ? PICK_FINGER : GRIP),
    carry(end, at) {
      if (store.get().playing) playback.pause();
      store.set({ carried: { end, position: toMap(view, at) } });
    },
    drop(end, at) {
      store.set({ carried: null });
      if (!at) return;
      const near = snapped(toMap(view, at));
      const { library } = store.get();
      if (library) actions.setEnd(end, near >= 0 ? { sound: library.id[near] } : { position: toMap(view, at) });
    },
    pan: (dx, dy) => lookFrom(panned(view, dx, dy)),
    zoom: (factor, at) => lookFrom(zoomed(view, factor, at)),
    rest,
  });

  // ── keys ──

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    const { library, pointed, a } = store.get();
    if (!library || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const key = event.key.toLowerCase();
    if (way && event.shiftKey) lookFrom(panned(view, -way[0] * 60 * u, way[1] * 60 * u)), rest();
    else if (way) {
      const from = pointed?.sound ?? -1;
      const anchor = a?.sound ? library.indexOf(a.sound) : -1;
      const start = anchor >= 0 ? anchor : library.grid.nearest(view.x, view.y, Infinity);
      const to = from < 0 ? start : library.grid.towards(from, way[0], way[1]);
      if (to >= 0) point(to, "keys"), follow(to);
    } else if (event.key === "Enter" && pointed) void playback.audition({ sound: library.id[pointed.sound] });
    else if ((key === "a" || key === "b") && pointed) actions.setEnd(key, { sound: library.id[pointed.sound] });
    else if (key === "+" || key === "=") glideTo(zoomed(view, 1.6, middle()));
    else if (key === "-") glideTo(zoomed(view, 1 / 1.6, middle()));
    else if (key === "0") glideTo(fitted);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Keeps what the keys point at on the screen. @param {number} sound */
  function follow(sound) {
    const { library } = store.get();
    if (!library) return;
    const [x, y] = toScreen(view, library.position(sound));
    const room = 48 * u;
    const dx = x < room ? room - x : x > view.width - room ? view.width - room - x : 0;
    const dy = y < room ? room - y : y > view.height - room ? view.height - room - y : 0;
    if (dx || dy) glideTo(panned(view, dx, dy));
  }
  const blur = () => store.get().pointed?.by === "keys" && store.set({ pointed: null });
  surface.addEventListener("keydown", keydown);
  surface.addEventListener("blur", blur);

  // ── in step with the store ──

  /** @type {Path | undefined} */
  let revealed;
  /** @type {import("./overlay.js").Way | null} */
  let walked = null;
  const stops = [
    watch(store, ({ dark }) => [dark], () => {
      palette = readPalette(document.documentElement);
      if (landed) void drawLand();
      redraw();
    }),
    watch(store, ({ library, atlas }) => [library, atlas], ({ library, atlas }) => {
      if (!library || !atlas) return;
      isles = library.family_names.map((name, f) => ({ name: name.toLowerCase(), ...crest(library, f) })).filter(({ spread }) => spread > 0);
      sketch = createSketch(sketchCanvas, atlas.field);
      points?.destroy();
      points = createPoints(pointsCanvas, library);
      setAll(surface, { "aria-label": `Map of ${count(library.count)} sounds.` });
      measure();
      requestAnimationFrame(() => performance.mark("sonifold:first-map"));
      land = createLand(landRoot);
      void plotly.then(takeOver);
    }),
    watch(store, ({ query, families, library }) => [query, families, library], (state) => {
      if (!state.library) return;
      shown = state.query || state.families.length ? new Set(filtered(state.library, state)) : null;
      redraw();
    }),
    watch(store, ({ a, b, library }) => [a, b, library], redraw),
    watch(store, ({ journey }) => [journey?.phase], ({ journey }) => {
      fitButton.setAttribute("aria-label", journey?.phase === "ready" ? "Fit the journey" : "Show the whole map");
    }),
    watch(store, (state) => [stage(state), state.library], (state) => {
      root.dataset.stage = stage(state);
      measure();
    }),
    watch(store, ({ pointed, preview, carried, journey, path }) => [pointed, preview, carried, journey, path], retouch),
    watch(store, ({ journey, path }) => [journey?.paths, path], (state) => {
      const { geodesic } = state.journey?.paths ?? {};
      const { linear, retimed } = state.journey?.paths ?? {};
      const now = wayOf({ chosen: state.path, bent: wayFor(geodesic), straight: wayFor(linear), retimed: wayFor(retimed) });
      if (walked && now && walked !== now && geodesic && geodesic === revealed)
        overlay.cross(walked.course.at(playback.position()), performance.now());
      walked = now;
      if (geodesic && geodesic !== revealed) requestAnimationFrame(() => requestAnimationFrame(() => overlay.reveal()));
      revealed = geodesic;
    }),
    watch(store, ({ place, playing, journey }) => [place, playing, journey?.phase], travel),
    watch(store, ({ view: asked }) => [asked], ({ view: asked }) => {
      if (asked !== settled) {
        settled = asked;
        measure();
      }
    }),
    playback.onFrame(travel),
  ];

  async function drawLand() {
    const { atlas } = store.get();
    if (atlas && land) await land.draw(atlas.field, palette, fitted.k);
  }

  /** Plotly is there: its land takes the place of the sketch, when nothing else is going on. */
  async function takeOver() {
    await new Promise((done) => ("requestIdleCallback" in window ? requestIdleCallback(done, { timeout: 400 }) : setTimeout(done, 60)));
    await drawLand();
    landed = true;
    redraw();
    requestAnimationFrame(() => {
      sketchCanvas.hidden = true;
      performance.mark("sonifold:full-map");
    });
  }

  const resized = new ResizeObserver(measure);
  resized.observe(root);
  void document.fonts.ready.then(measure);

  return {
    engine,
    /** Where a sound is, in pixels from the window's corner. @param {number} sound @returns {Position} */
    locate(sound) {
      const { library } = store.get();
      const box = root.getBoundingClientRect();
      const [x, y] = toScreen(view, library ? library.position(sound) : [0, 0]);
      return [x + box.left, y + box.top];
    },
    destroy() {
      for (const stop of stops) stop();
      for (const draw of [redraw, retouch, hit]) draw.cancel();
      cancelAnimationFrame(gliding);
      resized.disconnect();
      hands.destroy();
      heading.destroy();
      legendView.destroy();
      tip.destroy();
      land?.destroy();
      points?.destroy();
      root.replaceChildren();
    },
  };
}

/**
 * Where a family is densest, and how far it spreads around there.
 * @param {import("../library/sounds.js").Library} library @param {number} family
 * @returns {{at: Position, spread: number}}
 */
function crest(library, family) {
  const members = [];
  for (let i = 0; i < library.count; i++) if (library.family[i] === family) members.push(i);
  if (!members.length) return { at: [0, 0], spread: 0 };
  const [x0, x1, y0, y1] = library.bounds();
  const near = 0.07 * Math.hypot(x1 - x0, y1 - y0);
  const some = members.filter((_, k) => k % Math.ceil(members.length / 400) === 0);
  const around = (/** @type {number} */ i) => some.filter((j) => Math.hypot(library.x[i] - library.x[j], library.y[i] - library.y[j]) < near).length;
  const counts = some.map(around);
  const top = some[counts.indexOf(Math.max(...counts))];
  return { at: library.position(top), spread: 0.75 * near };
}

