// @ts-check
/** The spectrograms of all steps, in one row from A to B; the one that sounds is lit. */

import { duskRGB, mix, parseHex, readPalette } from "../core/colour.js";
import { h, inNextFrame, sharp } from "../core/dom.js";
import { audibleSteps } from "../listen/timing.js";
import { STEPS, chosenPath, isReady, stepAt } from "../core/state.js";
import { watch } from "../core/store.js";
import { glidePicture, stepPictures } from "./pictures.js";
import { paint, strength } from "../core/spectrogram.js";

/** @typedef {import("../core/state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {{store: import("../core/store.js").Store<State>, playback: import("../playback.js").Playback}} parts
 */
export function mountStrip(root, { store, playback }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img" }));
  const lit = h("i.lit");
  const ahead = h("i.ahead");
  root.append(canvas, ahead, lit);
  let turn = 0;

  const draw = inNextFrame(() => void paintAll());
  async function paintAll() {
    const thisTurn = ++turn;
    const state = store.get();
    const { mode, morph, path, dark } = state;
    const palette = readPalette(document.documentElement);
    const ground = parseHex(palette.raised);
    const rendered = isReady(state) || morph?.paths.geodesic ? chosenPath(state) : null;
    const glide = mode === "glide" ? morph?.glides[path] : undefined;
    root.classList.toggle("whole", glide !== undefined);
    canvas.setAttribute(
      "aria-label",
      rendered
        ? glide
          ? "Spectrogram of the glide from A to B"
          : "Spectrograms of the 17 steps from A to B"
        : "No morph yet",
    );
    if (glide) {
      const [image] = await glidePicture(glide.buffer, 360);
      if (thisTurn !== turn) return;
      const { c } = sharp(canvas);
      paint(c, { x: 0, y: 0, w: canvas.width, h: canvas.height }, (x, y) =>
        tint(ground, duskRGB(x, dark), strength(image, x, y, image.peak)),
      );
      return;
    }
    if (!rendered) {
      const { c } = sharp(canvas);
      for (let i = 0; i < STEPS; i++) paint(c, cell(canvas, i), () => ground);
      return;
    }
    const seconds = Math.min(1.4, Math.max(0.12, ...audibleSteps(rendered)));
    const pictures = await stepPictures(rendered, seconds);
    if (thisTurn !== turn) return;
    const { c } = sharp(canvas);
    const peak = Math.max(...pictures.map((picture) => picture.peak));
    pictures.forEach((picture, i) => {
      const colour = duskRGB(i / (STEPS - 1), dark);
      const loud = Math.max(peak - 14, picture.peak); // a soft step is softer, and still seen
      paint(c, cell(canvas, i), (x, y) => tint(ground, colour, strength(picture, x, y, loud)));
    });
  }

  /** @param {number} progress */
  function light(progress) {
    const state = store.get();
    const on = isReady(state) && (state.playing || progress > 0);
    const step = stepAt(progress);
    lit.style.display = ahead.style.display = on ? "" : "none";
    if (!on) return;
    const whole = state.mode === "glide" && state.morph?.glides[state.path] !== undefined;
    lit.style.left = whole
      ? `${((0.5 + progress * (STEPS - 1)) / STEPS) * 100}%`
      : `${(step / STEPS) * 100}%`;
    ahead.style.left = whole ? lit.style.left : `${((step + 1) / STEPS) * 100}%`;
    lit.style.setProperty("--here", `rgb(${duskRGB(progress, state.dark)})`);
  }

  /** Pressing a slice goes there. @param {PointerEvent} event */
  function press(event) {
    if (!isReady(store.get())) return;
    const box = canvas.getBoundingClientRect();
    const step = Math.min(
      STEPS - 1,
      Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * STEPS)),
    );
    void playback.seek(step / (STEPS - 1));
  }
  root.addEventListener("pointerdown", press);

  const stops = [
    watch(
      store,
      ({ morph, path, mode, dark }) => [morph?.paths, morph?.glides, morph?.phase, path, mode, dark],
      draw,
    ),
    watch(
      store,
      ({ progress, playing, morph, mode }) => [progress, playing, morph?.phase, mode],
      () => light(playback.position()),
    ),
    playback.onFrame(light),
  ];
  const resized = new ResizeObserver(draw);
  resized.observe(root);
  return {
    destroy() {
      for (const stop of stops) stop();
      resized.disconnect();
      draw.cancel();
      root.removeEventListener("pointerdown", press);
      root.replaceChildren();
    },
  };
}

/**
 * The box of slice i, in device pixels, with a gap between slices.
 * @param {HTMLCanvasElement} canvas
 * @param {number} i
 */
function cell({ width, height }, i) {
  const gap = Math.max(1, Math.round((width / STEPS) * 0.035));
  const left = Math.round((width * i) / STEPS) + gap;
  return { x: left, y: 0, w: Math.round((width * (i + 1)) / STEPS) - gap - left, h: height };
}

/** @param {number[]} ground @param {readonly number[]} colour @param {number} e */
const tint = (ground, colour, e) => [
  mix(ground[0], colour[0], e),
  mix(ground[1], colour[1], e),
  mix(ground[2], colour[2], e),
];
