// @ts-check
/** Files can be dropped anywhere on the page. */

import { h } from "../dom.js";

/** @param {Window} window @param {import("../store.js").Store<import("../state.js").State>} store */
export function watchDrops(window, store) {
  const veil = h("div.veil", { hidden: true, "aria-hidden": "true" }, h("p", {}, "Drop your sounds anywhere"));
  document.body.append(veil);
  const files = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;

  /** @param {DragEvent} event */
  function over(event) {
    if (!files(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    veil.hidden = false;
  }
  /** @param {DragEvent} event */
  function leave(event) {
    if (!event.relatedTarget) veil.hidden = true;
  }
  /** @param {DragEvent} event */
  function drop(event) {
    veil.hidden = true;
    if (!files(event) || !event.dataTransfer) return;
    event.preventDefault();
    store.set({ panel: "yours", dropped: [...event.dataTransfer.files] });
  }
  window.addEventListener("dragover", over);
  window.addEventListener("dragleave", leave);
  window.addEventListener("drop", drop);
  return {
    destroy() {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
      veil.remove();
    },
  };
}
