// @ts-check
/** One end of the morph: its spectrogram, its name; pressing it plays it. */

import { clamp, duskRGB, mix, parseHex, readPalette } from "../core/colour.js";
import { fingers, h, inNextFrame, sharp } from "../core/dom.js";
import { audibleSeconds } from "../listen/level.js";
import { voiceOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { anchorDetail, anchorName } from "../core/text.js";
import { paint, spectrogram, strength } from "../core/spectrogram.js";

/** @typedef {import("../core/state.js").State} State */

const EMPTY = {
  a: ["From", "a sound"],
  b: ["To", "a second sound"],
};

/**
 * @param {HTMLElement} root a button
 * @param {"a" | "b"} end
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../playback.js").Playback} parts.playback
 */
export function mountTile(root, end, { store, playback }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const name = h("b");
  const detail = h("span");
  const pressed = h("span.vh");
  root.append(canvas, h("span.letter", {}, end.toUpperCase()), h("span.title", {}, name, detail), pressed);
  /** @type {AudioBuffer | null} */
  let buffer = null;

  const draw = inNextFrame(() => {
    const { c } = sharp(canvas);
    if (!buffer) return;
    const { dark } = store.get();
    const samples = buffer.getChannelData(0);
    const seconds = clamp(audibleSeconds(samples, buffer.sampleRate), 0.1, 1.5);
    const image = spectrogram(samples, buffer.sampleRate, { columns: 72, bands: 72, seconds });
    const ground = parseHex(readPalette(document.documentElement).raised);
    const colour = duskRGB(end === "a" ? 0 : 1, dark);
    const floor = canvas.clientWidth > 120 ? 0.38 : 0; // the name stands below
    paint(c, { x: 0, y: 0, w: canvas.width, h: canvas.height }, (x, y) => {
      const e =
        y < floor
          ? strength(image, x, 0, image.peak) * (y / floor) ** 7
          : strength(image, x, (y - floor) / (1 - floor), image.peak);
      return ground.map((g, k) => mix(g, colour[k], e));
    });
  });

  /** @param {State} state */
  async function show({ library, [end]: anchor }) {
    const empty = !anchor || !library;
    root.classList.toggle("empty", empty);
    buffer = null;
    if (empty) {
      const [title, how] = EMPTY[end];
      name.textContent = title;
      detail.textContent = `${fingers() ? "Tap" : "Click"} ${how}`;
      pressed.textContent = "Choose in the library";
      return draw();
    }
    name.textContent = anchorName(anchor, library);
    name.title = name.textContent;
    detail.textContent = anchorDetail(anchor, library);
    pressed.textContent = "Play";
    draw();
    try {
      const decoded = await playback.soundOf(anchor);
      if (store.get()[end] !== anchor) return;
      buffer = decoded;
      draw();
    } catch {
      // without a picture; whoever wants to hear it is told why
    }
  }

  const click = () => {
    const anchor = store.get()[end];
    if (anchor) void playback.audition(anchor);
    else store.set({ panel: "library" });
  };
  root.addEventListener("click", click);
  const stops = [
    watch(
      store,
      (state) => [state.library, state[end], voiceOf(state)],
      (state) => void show(state),
    ),
    watch(store, ({ dark }) => [dark], draw),
  ];
  const resized = new ResizeObserver(draw);
  resized.observe(root);
  return {
    destroy() {
      for (const stop of stops) stop();
      resized.disconnect();
      draw.cancel();
      root.removeEventListener("click", click);
      root.replaceChildren();
    },
  };
}
