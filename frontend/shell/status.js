// @ts-check
/**
 * The corner that says how the server is, and how late sound comes. To be looked at: what matters is said by live.js.
 */

import { h } from "../core/dom.js";
import { statusWords } from "../core/text.js";

/** @param {HTMLElement} root @param {import("../core/store.js").Store<import("../core/state.js").State>} store */
export function mountStatus(root, store) {
  const dot = h("span.dot", { "aria-hidden": "true" });
  const words = h("b");
  const device = h("span.device");
  const latency = h("span.latency");
  root.append(dot, words, device, latency);
  const stop = store.subscribe(show);
  function show() {
    const state = store.get();
    const text = statusWords(state);
    if (words.textContent !== text) words.textContent = text;
    const off = state.server.phase !== "ready" || state.sound === "off";
    root.classList.toggle("off", off && state.morph?.phase !== "solving");
    root.classList.toggle("busy", state.morph?.phase === "solving" || state.server.phase === "waking");
    device.textContent = state.model?.device ?? "";
    latency.textContent = state.latency ? `Delay ${Math.round(state.latency * 1000)} ms` : "";
  }
  show();
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
