// @ts-check
/** The deck: one row from A to B. Tile, slices, speed, scrubber, tile share one axis. */

import { h } from "../core/dom.js";
import { isReady, stage } from "../core/state.js";
import { watch } from "../core/store.js";
import { mountLens } from "./lens.js";
import { mountPaths } from "./paths.js";
import { mountScrubber } from "./scrubber.js";
import { mountSpeed } from "./speed.js";
import { mountStrip } from "./strip.js";
import { mountTile } from "./tile.js";
import { mountMore, mountTransport } from "./transport.js";
import { mountWeight } from "./weight.js";
import { mountWelcome } from "./welcome.js";

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<import("../core/state.js").State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("../save/saver.js").Saver} parts.saver
 * @param {() => string} parts.link
 */
export function mountDeck(root, parts) {
  const welcome = h("div.welcome");
  const transport = h("div.transport");
  const paths = h("div.paths", { role: "radiogroup", "aria-label": "Path" });
  const more = h("div.more");
  const weight = h("label.weight");
  const extra = h("div.extra", {}, weight, more);
  const a = h("button.tile.a");
  const strip = h("div.strip");
  const speed = h("div.speed");
  const scrub = h("div.scrub");
  const b = h("button.tile.b");
  root.append(welcome, transport, paths, extra, a, strip, speed, scrub, b);
  const views = [
    mountWelcome(welcome, parts),
    mountTransport(transport, parts),
    mountPaths(paths, parts.store),
    mountWeight(weight, parts.store),
    mountLens(more, parts.store),
    mountMore(more, parts),
    mountTile(a, "a", parts),
    mountStrip(strip, parts),
    mountSpeed(speed, parts.store),
    mountScrubber(scrub, parts),
    mountTile(b, "b", parts),
  ];
  const stop = watch(
    parts.store,
    (state) => [stage(state), isReady(state), state.morph?.phase],
    (state) => {
      root.dataset.stage = stage(state);
      // in its final place from the start, so that nothing jumps; but nothing can be pressed before it does something
      const asleep = !state.morph || (!isReady(state) && !state.morph.paths.geodesic);
      for (const part of [transport, paths, extra]) part.toggleAttribute("inert", asleep);
      root.classList.toggle("asleep", asleep);
    },
  );
  return {
    destroy() {
      stop();
      for (const view of views) view.destroy();
      root.replaceChildren();
    },
  };
}
