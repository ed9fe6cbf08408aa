// @ts-check
/** What is pointed at: a tooltip beside the pointer, a card under a finger. */

import { clamp, duskRGB, mix, parseHex, readPalette } from "../core/colour.js";
import { h, inNextFrame, unit } from "../core/dom.js";
import { audibleSeconds } from "../listen/level.js";
import { paint, spectrogram, strength } from "../core/spectrogram.js";
import { keyOf, pointedAnchor, sameAnchor, stage } from "../core/state.js";
import { amount, duration, newSoundWords } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 */
export function mountTip(root, { store, actions, playback }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const name = h("b");
  const detail = h("span");
  const hint = h("span.hint");
  const fromHere = h("button.btn.quiet", { onclick: () => choose("a") }, "From here");
  const toHere = h("button.btn.solid", { onclick: () => choose("b") }, "Morph to here");
  const mark = h("button.btn.ghost", { onclick: markIt }, "Mark");
  const choices = h("span.choices", {}, mark, fromHere, toHere);
  const tip = h(
    "div.tip",
    { hidden: true },
    canvas,
    h("span.what", {}, name, h("span.about", {}, detail, hint)),
    choices,
  );
  root.append(tip);
  let pictureKey = ""; // whose picture is on the canvas

  /** @param {"a" | "b"} end */
  function choose(end) {
    const anchor = pointedAnchor(store.get());
    if (anchor) actions.setEnd(end, anchor);
  }
  function markIt() {
    const anchor = pointedAnchor(store.get());
    if (anchor) actions.mark(anchor);
  }

  /** @param {import("../core/state.js").Anchor} anchor */
  async function picture(anchor) {
    const { dark } = store.get();
    canvas.style.visibility = pictureKey === keyOf(anchor) ? "" : "hidden";
    let buffer;
    try {
      buffer = await playback.soundOf(anchor);
    } catch {
      return; // whoever wanted to hear it complains
    }
    if (!sameAnchor(pointedAnchor(store.get()), anchor)) return;
    const samples = buffer.getChannelData(0);
    const seconds = clamp(audibleSeconds(samples, buffer.sampleRate), 0.1, 1.5);
    const image = spectrogram(samples, buffer.sampleRate, { columns: 32, bands: 32, seconds });
    const size = Math.round(44 * unit() * Math.min(2, devicePixelRatio));
    Object.assign(canvas, { width: size, height: size });
    const ground = parseHex(readPalette(document.documentElement).high);
    const colour = duskRGB(store.get().a ? 0.7 : 0, dark);
    paint(
      /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")),
      { x: 0, y: 0, w: size, h: size },
      (x, y) => {
        const e = strength(image, x, y, image.peak);
        return ground.map((g, k) => mix(g, colour[k], e));
      },
    );
    canvas.style.visibility = "";
    pictureKey = keyOf(anchor);
  }

  const draw = inNextFrame(() => {
    const state = store.get();
    const { pointed, library, distances, model, a, b, marked } = state;
    const isShown = pointed !== null && library !== null && pointed.by !== "table";
    tip.hidden = !isShown;
    if (!isShown) return;
    const { sound, newSound, by } = pointed;
    const anchor = /** @type {import("../core/state.js").Anchor} */ (pointedAnchor(state));
    const card = by === "touch";
    tip.className = card ? "tip card" : "tip";
    name.textContent = newSound ? newSound.name : library.name[sound];
    const far =
      distances?.values[sound] !== undefined &&
      distances.from === a?.sound &&
      sound !== library.indexOf(a.sound)
        ? `, ${amount(distances.values[sound])} ${model?.unit} from A`
        : "";
    detail.textContent = newSound
      ? newSoundWords(newSound, library)
      : `${library.familyName(sound)}, ${duration(library.seconds[sound])}${far}`;
    choices.hidden = !card;
    hint.hidden = card;
    const picked = stage(state);
    fromHere.hidden = picked === "a" && a !== null;
    toHere.hidden = picked === "first";
    mark.textContent = marked.some((other) => sameAnchor(other, anchor)) ? "Unmark" : "Mark";
    hint.replaceChildren(
      ...(state.sound === "off"
        ? ["click once to hear"]
        : sameAnchor(anchor, a)
          ? ["this is A"]
          : sameAnchor(anchor, b)
            ? ["this is B"]
            : picked === "first"
              ? [h("kbd", {}, "A"), " morph from here"]
              : picked === "a"
                ? [h("kbd", {}, a ? "B" : "A"), a ? " morph to here" : " morph from here"]
                : [h("kbd", {}, "A"), " ", h("kbd", {}, "B"), " set an end"]),
    );
    void picture(anchor);
  });

  const unsubscribe = store.subscribe((now, before) => {
    if (
      now.pointed !== before.pointed ||
      now.distances !== before.distances ||
      now.a !== before.a ||
      now.b !== before.b ||
      now.marked !== before.marked ||
      now.dark !== before.dark ||
      now.sound !== before.sound
    ) {
      if (now.dark !== before.dark) pictureKey = "";
      draw();
    }
  });
  draw();

  return {
    /**
     * Beside a point of the screen, where there is room.
     * @param {number} x
     * @param {number} y
     * @param {{width: number, height: number}} size
     */
    put(x, y, { width, height }) {
      if (tip.hidden || tip.classList.contains("card")) return void tip.removeAttribute("style");
      const u = unit();
      const [w, tall] = [tip.offsetWidth, tip.offsetHeight];
      const right = x + 20 * u + w < width - 12;
      const below = y + 18 * u + tall < height - 12;
      tip.style.left = `${clamp(right ? x + 20 * u : x - 20 * u - w, 12, Math.max(12, width - w - 12))}px`;
      tip.style.top = `${below ? y + 18 * u : y - 18 * u - tall}px`;
    },
    destroy() {
      unsubscribe();
      draw.cancel();
      tip.remove();
    },
  };
}
