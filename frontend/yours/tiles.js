// @ts-check
/** The same sound several times, side by side: before, after, as it was recorded. Each a picture that plays. */

import { isAborted } from "../core/client.js";
import { clamp, mix, parseHex, readPalette } from "../core/colour.js";
import { h, inNextFrame, setAll, sharp } from "../core/dom.js";
import { audibleSeconds } from "../listen/level.js";
import { paint, spectrogram, strength } from "../core/spectrogram.js";
import { watch } from "../core/store.js";

/**
 * @typedef {object} Take
 * @property {string} key       what it was made from: another key, another sound
 * @property {string} label
 * @property {string} detail
 * @property {() => Promise<string>} url
 */

const COLUMNS = 48;
const BANDS = 40;

/**
 * @param {HTMLElement} root
 * @param {Pick<import("../parts.js").Parts, "store" | "api" | "playback" | "listen" | "toAudioBuffer" | "complain">}
 *   parts
 */
export function mountTiles(root, { store, api, playback, listen, toAudioBuffer, complain }) {
  root.classList.add("takes");
  setAll(root, { role: "group" });
  /**
   * @typedef {{take: Take, button: HTMLElement, canvas: HTMLCanvasElement, name: HTMLElement, detail:
   *   HTMLElement, sound: Promise<AudioBuffer> | null, buffer: AudioBuffer | null,
   *   controller: AbortController}}
   *   Tile
   */
  /** @type {Tile[]} */
  let tiles = [];
  let last = -1; // the one that was heard last

  /** @param {number} nth @returns {Tile} */
  function make(nth) {
    const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
    const [name, detail] = [h("b"), h("span")];
    const button = h(
      "button.take",
      { onclick: () => void play(nth) },
      canvas,
      h("span.vh", {}, "Play: "),
      name,
      h("span.vh", {}, ", "),
      detail,
    );
    const take = { key: "", label: "", detail: "", url: async () => "" };
    const controller = new AbortController();
    return { take, button, canvas, name, detail, sound: null, buffer: null, controller };
  }

  /** @param {Tile} tile @returns {Promise<AudioBuffer>} */
  function soundOf(tile) {
    const { take, controller } = tile;
    tile.sound ??= take
      .url()
      .then((url) => api.bytes(url, controller.signal))
      .then(toAudioBuffer);
    const request = tile.sound;
    request.then(
      (buffer) => {
        if (tile.sound !== request) return;
        tile.buffer = buffer;
        draw();
      },
      () => {
        if (tile.sound === request) tile.sound = null; // asked for again when somebody wants to hear it
      },
    );
    return request;
  }

  /** @param {number} nth */
  async function play(nth) {
    if (!(await listen.unlock())) return;
    try {
      playback.silence();
      const buffer = await soundOf(tiles[nth]);
      listen.parts()?.voice.play(buffer);
      last = nth;
      tiles.forEach(({ button }, i) => button.classList.toggle("on", i === last));
    } catch (error) {
      if (!isAborted(error)) complain(error, () => void play(nth));
    }
  }

  const draw = inNextFrame(() => {
    if (!root.clientWidth) return;
    const palette = readPalette(document.documentElement);
    const [ground, ink] = [parseHex(palette.raised), parseHex(palette.ink)];
    const longest = Math.max(
      0.1,
      ...tiles.map(({ buffer }) =>
        buffer ? audibleSeconds(buffer.getChannelData(0), buffer.sampleRate) : 0,
      ),
    );
    for (const { canvas, buffer } of tiles) {
      const { c } = sharp(canvas);
      if (!buffer) continue;
      // one time axis for all, so that they can be compared
      const image = spectrogram(buffer.getChannelData(0), buffer.sampleRate, {
        columns: COLUMNS,
        bands: BANDS,
        seconds: clamp(longest, 0.1, 1.5),
      });
      paint(c, { x: 0, y: 0, w: canvas.width, h: canvas.height }, (x, y) => {
        const e = strength(image, x, y, image.peak);
        return ground.map((g, k) => mix(g, ink[k], e));
      });
    }
  });

  const stop = watch(store, ({ dark }) => [dark], draw);
  const resized = new ResizeObserver(draw);
  resized.observe(root);
  return {
    /** @param {Take[]} takes */
    show(takes) {
      if (tiles.length !== takes.length) {
        tiles = takes.map((_, nth) => make(nth));
        root.replaceChildren(...tiles.map(({ button }) => button));
        last = -1;
      }
      takes.forEach((take, nth) => {
        const tile = tiles[nth];
        tile.name.textContent = take.label;
        tile.detail.textContent = take.detail;
        if (tile.take.key !== take.key) {
          tile.controller.abort();
          // the old picture stays until the new one is there
          Object.assign(tile, { take, sound: null, controller: new AbortController() });
          soundOf(tile).catch(() => {}); // whoever wants to hear it is told why
        } else tile.take = take;
      });
    },
    /** Ask for nothing any more: the model that was heard may be gone in a moment. */
    abort() {
      for (const tile of tiles) {
        if (tile.buffer) continue;
        tile.controller.abort();
        Object.assign(tile, { sound: null, controller: new AbortController() });
      }
    },
    destroy() {
      stop();
      resized.disconnect();
      draw.cancel();
      root.replaceChildren();
    },
  };
}
