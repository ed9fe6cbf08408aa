// @ts-check
/** The map: puts its layers on each other and keeps them in step with the state. */

import { readPalette } from "../core/colour.js";
import { h, icon, inNextFrame, s, setAll, unit } from "../core/dom.js";
import { filtered } from "../core/sounds.js";
import { isReady, stage } from "../core/state.js";
import { watch } from "../core/store.js";
import { count } from "../core/text.js";
import { mountCloudLayer } from "../cloud/layer.js";
import { createCamera } from "./camera.js";
import { mountFilter } from "./filter.js";
import { mountHeading } from "./heading.js";
import { createLand } from "./land.js";
import { mountLegend } from "./legend.js";
import { createOverlay, drawnPathOf } from "./overlay.js";
import { mountPicking } from "./picking.js";
import { createPoints, pointSize } from "./points.js";
import { islesOf, pointedPosition, sceneOf, drawnPathsOf } from "./scene.js";
import { createSketch } from "./sketch.js";
import { mountTip } from "./tip.js";
import { toScreen } from "../core/view.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Position} Position */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {ReturnType<typeof import("../core/model-links.js").createOpenModel>} parts.openModel
 * @param {{files: import("../cloud/files.js").Files, api: import("../cloud/requests.js").CloudApi}} parts.cloud
 * @param {Promise<unknown>} parts.plotly      when it is there; never, where it cannot be had
 */
export function mountAtlas(root, { store, actions, playback, openModel, cloud, plotly }) {
  const sketchCanvas = /** @type {HTMLCanvasElement} */ (h("canvas.sketch"));
  const landRoot = h("div.land");
  const cloudCanvas = /** @type {HTMLCanvasElement} */ (h("canvas.cloud", { hidden: true }));
  const pointsCanvas = /** @type {HTMLCanvasElement} */ (h("canvas.points"));
  const svg = s("svg", { class: "over" });
  const layers = h(
    "div.layers",
    { "aria-hidden": "true" },
    sketchCanvas,
    h("div.landbox", {}, landRoot),
    cloudCanvas,
    pointsCanvas,
    svg,
  );
  const surface = h("div.surface", {
    id: "surface",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "map of sounds",
    "aria-describedby": "map-keys",
  });
  const keys = h(
    "p.vh",
    { id: "map-keys" },
    "Arrow keys move to the nearest sound, Page Up and Page Down to the next family, " +
      "Home and End to A and B. Enter plays, A and B set the ends of the morph, " +
      "M marks for an average or an analogy, T opens the sliders, H lets sounds play while you walk, " +
      "I says what is on the map, F finds a sound by its name.",
  );
  const head = h("header.head");
  const engine = h("div.engine");
  const legend = h("ul.legend", { "aria-label": "Families of sounds" });
  const scale = h(
    "div.scale",
    { "aria-hidden": "true" },
    h("span", {}, "known"),
    h("i"),
    h("span", {}, "guesswork"),
  );
  const fit = h("button.icon", { onclick: () => camera.fitMorph() }, icon("fit"));
  const zoom = h(
    "div.zoom",
    {},
    h("button.icon", { "aria-label": "Zoom in", onclick: () => camera.zoomStep(1) }, icon("plus")),
    h("button.icon", { "aria-label": "Zoom out", onclick: () => camera.zoomStep(-1) }, icon("minus")),
    fit,
  );
  root.append(layers, surface, keys, head, engine, legend, scale, zoom);

  let palette = readPalette(document.documentElement);
  let landed = false; // plotly has drawn the land
  /** @type {Set<number> | null} */
  let filteredSounds = null; // what the filter lets through
  /** @type {ReturnType<typeof islesOf>} */
  let isles = [];
  /** @type {import("../core/state.js").Field | null} */
  let field = null;
  /** @type {ReturnType<typeof createSketch> | null} */
  let sketch = null;
  /** @type {ReturnType<typeof createPoints> | null} */
  let points = null;
  const land = createLand(landRoot);
  const overlay = createOverlay(svg);

  const redraw = inNextFrame(() => {
    const view = camera.view();
    if (!store.get().library || view.width < 2) return;
    if (landed) land.look(view);
    else sketch?.draw(view, palette);
    cloudLayer.draw(palette, camera.moving());
    points?.draw(view, look(), camera.moving());
    drawOver();
  });
  /** Paths, ring and words changed; land and points did not. */
  const retouch = inNextFrame(() => drawOver());

  const camera = createCamera(root, { store, words, onMove: redraw });
  const cloudLayer = mountCloudLayer(root, cloudCanvas, { store, ...cloud, view: camera.view, redraw });
  const picking = mountPicking(root, surface, {
    store,
    camera,
    actions,
    playback,
    isShown: (sound) => !filteredSounds || filteredSounds.has(sound),
    cloud: cloudLayer,
  });
  const heading = mountHeading(head, { store, actions, openModel });
  const legendView = mountLegend(legend, store);
  const tip = mountTip(root, { store, actions, playback });
  const filter = mountFilter(root, store);

  /** @returns {import("./points.js").Look} */
  function look() {
    const { library, a, b } = store.get();
    // what is an end is drawn as one
    const hidden = new Set(
      [a, b].flatMap((end) => (end?.sound && library ? [library.indexOf(end.sound)] : [])),
    );
    const opacity = cloudLayer.filtered() ? 0.25 : a && b ? 0.78 : a || b ? 0.88 : 1;
    return {
      palette,
      opacity,
      visible: filteredSounds,
      hidden,
      size: pointSize(camera.room(), camera.zoomed(), unit()),
    };
  }

  /** The words of ours that lie on the map. */
  function words() {
    const frame = root.getBoundingClientRect();
    return [
      ...head.children,
      engine,
      legend,
      scale,
      zoom,
      ...root.querySelectorAll(":scope > :is(.hear, .filter)"),
    ]
      .map((element) => element.getBoundingClientRect())
      .filter(({ width, height }) => width && height)
      .map((box) => ({
        left: box.left - frame.left - 6,
        right: box.right - frame.left + 6,
        top: box.top - frame.top - 4,
        bottom: box.bottom - frame.top + 4,
      }));
  }

  function drawOver() {
    const state = store.get();
    const { library } = state;
    const view = camera.view();
    if (!library || view.width < 2) return;
    const crowd = (/** @type {import("../core/view.js").Box} */ box) =>
      library.grid.count(...camera.under(box));
    overlay.draw(
      sceneOf({ ...state, library }, { palette, isles, crowd, covered: words(), snapped: picking.snapped }),
      view,
    );
    moveTraveller();
    const pointed = pointedPosition(state);
    if (pointed) tip.put(...toScreen(view, pointed), view);
  }

  function moveTraveller() {
    const state = store.get();
    const progress = playback.position();
    const visible = isReady(state) && (state.playing || progress > 0 || state.progress > 0);
    if (overlay.move(visible ? progress : null, state.playing, performance.now()))
      requestAnimationFrame(moveTraveller);
  }

  async function drawLand() {
    const { atlas, magnification } = store.get();
    if (atlas) await land.draw(magnification ?? atlas.field, palette, camera.scale());
  }

  /** Plotly is there: its land takes the place of the sketch, when nothing else is going on. */
  async function takeOver() {
    await new Promise((resolve) =>
      "requestIdleCallback" in window
        ? requestIdleCallback(resolve, { timeout: 400 })
        : setTimeout(resolve, 60),
    );
    await drawLand();
    landed = true;
    redraw();
    requestAnimationFrame(() => {
      sketchCanvas.hidden = true;
      performance.mark("sonifold:full-map");
    });
  }

  /** @type {import("../core/state.js").Path | undefined} */
  let revealed;
  /** @type {import("./overlay.js").DrawnPath | null} */
  let walked = null;
  /** A new path draws itself; a traveller who changes the path crosses over. @param {State} state */
  function move(state) {
    const { geodesic } = state.morph?.paths ?? {};
    const now = drawnPathOf({ chosenPath: state.path, ...drawnPathsOf(state) });
    if (walked && now && walked !== now && geodesic && geodesic === revealed)
      overlay.cross(walked.course.at(playback.position()), performance.now());
    if (geodesic && geodesic !== revealed)
      requestAnimationFrame(() => requestAnimationFrame(() => overlay.reveal()));
    walked = now;
    revealed = geodesic;
  }

  const stops = [
    watch(
      store,
      ({ dark }) => [dark],
      () => {
        palette = readPalette(document.documentElement);
        if (landed) void drawLand();
        redraw();
      },
    ),
    watch(
      store,
      ({ library, atlas }) => [library, atlas],
      ({ library, atlas }) => {
        if (!library || !atlas) return;
        setAll(surface, { "aria-label": `Map of ${count(library.count)} sounds.` });
        isles = islesOf(library);
        points?.destroy();
        points = createPoints(pointsCanvas, library);
        camera.measure();
        if (atlas.field === field) return; // the library has grown; the land has not
        field = atlas.field;
        sketch = createSketch(sketchCanvas, field);
        redraw();
        requestAnimationFrame(() => performance.mark("sonifold:first-map"));
        void plotly.then(takeOver);
      },
    ),
    watch(
      store,
      ({ magnification }) => [magnification],
      ({ atlas, magnification }) => {
        const shown = magnification ?? atlas?.field;
        if (!shown) return;
        sketch = createSketch(sketchCanvas, shown);
        if (landed) void drawLand().then(redraw);
        else redraw();
      },
    ),
    watch(
      store,
      ({ query, families, library }) => [query, families, library],
      (state) => {
        const { library, query, families } = state;
        filteredSounds = library && (query || families.length) ? new Set(filtered(library, state)) : null;
        redraw();
      },
    ),
    watch(
      store,
      ({ morph }) => [morph?.phase],
      ({ morph }) => {
        setAll(fit, { "aria-label": morph?.phase === "ready" ? "Fit the morph" : "Show the whole map" });
      },
    ),
    // the map keeps its place under the pointer: nothing is fitted anew because an end was picked
    watch(
      store,
      (state) => [stage(state)],
      (state) => (root.dataset.stage = stage(state)),
    ),
    watch(store, ({ a, b }) => [a, b], redraw),
    watch(
      store,
      ({ pointed, preview, carried, morph, path }) => [pointed, preview, carried, morph, path],
      retouch,
    ),
    watch(
      store,
      ({ newSounds, drawing, marked, traversal, panel, ellipses, indicatrices }) => [
        newSounds,
        drawing,
        marked,
        traversal,
        panel,
        ellipses,
        indicatrices,
      ],
      retouch,
    ),
    watch(store, ({ morph, path }) => [morph?.paths, path], move),
    watch(store, ({ progress, playing, morph }) => [progress, playing, morph?.phase], moveTraveller),
    watch(
      store,
      ({ view }) => [view],
      ({ view }) => camera.take(view),
    ),
    playback.onFrame(moveTraveller),
  ];
  const { a: linked } = store.get();
  void document.fonts.ready.then(() => store.get().a === linked && camera.measure()); // not under somebody's pointer

  return {
    engine,
    /** Where a sound is, in pixels from the window's corner. @param {number} sound @returns {Position} */
    locate(sound) {
      const { library } = store.get();
      const box = root.getBoundingClientRect();
      const [x, y] = toScreen(camera.view(), library ? library.position(sound) : [0, 0]);
      return [x + box.left, y + box.top];
    },
    /** The same of a row of the cloud. @param {number} row @returns {Position} */
    locateRow(row) {
      const box = root.getBoundingClientRect();
      const [x, y] = toScreen(camera.view(), store.get().cloud?.position(row) ?? [0, 0]);
      return [x + box.left, y + box.top];
    },
    destroy() {
      for (const stop of stops) stop();
      for (const part of [camera, picking, cloudLayer, heading, legendView, tip, filter, land])
        part.destroy();
      for (const draw of [redraw, retouch]) draw.cancel();
      points?.destroy();
      root.replaceChildren();
    },
  };
}
