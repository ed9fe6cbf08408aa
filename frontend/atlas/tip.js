// @ts-check
/** What is pointed at: a tooltip beside the pointer, a card under a finger. */

import { clamp, duskRGB, mix, parseHex, readPalette } from "../colour.js";
import { h, inNextFrame, unit } from "../dom.js";
import { audibleSeconds } from "../listen/level.js";
import { paint, spectrogram, strength } from "../morph/spectrogram.js";
import { stage } from "../state.js";
import { amount, duration } from "../words.js";

/** @typedef {import("../state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 */
export function mountTip(root, { store, actions, playback }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const name = h("b");
  const detail = h("span");
  const hint = h("span.hint");
  const here = h("button.btn.quiet", { onclick: () => choose("a") }, "Start here");
  const there = h("button.btn.solid", { onclick: () => choose("b") }, "Go there");
  const choices = h("span.choices", {}, here, there);
  const tip = h("div.tip", { hidden: true }, canvas, h("span.what", {}, name, h("span.about", {}, detail, hint)), choices);
  root.append(tip);
  let drawn = -1; // the sound whose picture is on the canvas

  /** @param {"a" | "b"} end */
  function choose(end) {
    const { pointed, library } = store.get();
    if (pointed && library) actions.setEnd(end, { sound: library.id[pointed.sound] });
  }

  /** @param {number} sound */
  async function picture(sound) {
    const { library, dark } = store.get();
    if (!library) return;
    canvas.style.visibility = drawn === sound ? "" : "hidden";
    let buffer;
    try {
      buffer = await playback.soundOf({ sound: library.id[sound] });
    } catch {
      return; // whoever wanted to hear it complains
    }
    if (store.get().pointed?.sound !== sound) return;
    const samples = buffer.getChannelData(0);
    const seconds = clamp(audibleSeconds(samples, buffer.sampleRate), 0.1, 1.5);
    const image = spectrogram(samples, buffer.sampleRate, { columns: 32, bands: 32, seconds });
    const size = Math.round(44 * unit() * Math.min(2, devicePixelRatio));
    Object.assign(canvas, { width: size, height: size });
    const ground = parseHex(readPalette(document.documentElement).high);
    const colour = duskRGB(store.get().a ? 0.7 : 0, dark);
    paint(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), { x: 0, y: 0, w: size, h: size }, (x, y) => {
      const e = strength(image, x, y, image.peak);
      return ground.map((g, k) => mix(g, colour[k], e));
    });
    canvas.style.visibility = "";
    drawn = sound;
  }

  const draw = inNextFrame(() => {
    const state = store.get();
    const { pointed, library, distances, model, a, b } = state;
    const shown = pointed !== null && library !== null && pointed.by !== "table";
    tip.hidden = !shown;
    if (!shown) return;
    const { sound, by } = pointed;
    const card = by === "touch";
    tip.className = card ? "tip card" : "tip";
    name.textContent = library.name[sound];
    const far = distances && distances.from === a?.sound && sound !== library.indexOf(a.sound) ? `, ${amount(distances.values[sound])} ${model?.unit} from A` : "";
    detail.textContent = `${library.familyName(sound)}, ${duration(library.seconds[sound])}${far}`;
    choices.hidden = !card;
    hint.hidden = card;
    const which = stage(state);
    here.hidden = which === "a" && a !== null;
    there.hidden = which === "first";
    const id = library.id[sound];
    hint.replaceChildren(
      ...(id === a?.sound ? ["you are here"] :
        id === b?.sound ? ["you are going here"] :
        which === "first" ? [h("kbd", {}, "A"), " start here"] :
        which === "a" ? [h("kbd", {}, a ? "B" : "A"), a ? " go there" : " start there"] :
        [h("kbd", {}, "A"), " ", h("kbd", {}, "B"), " set an end"]),
    );
    void picture(sound);
  });

  const unsubscribe = store.subscribe((now, before) => {
    if (now.pointed !== before.pointed || now.distances !== before.distances || now.a !== before.a || now.b !== before.b || now.dark !== before.dark) {
      if (now.dark !== before.dark) drawn = -1;
      draw();
    }
  });
  draw();

  return {
    /** Beside a point of the screen, where there is room. @param {number} x @param {number} y @param {{width: number, height: number}} size */
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
