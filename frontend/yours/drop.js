// @ts-check
/** Files and folders can be dropped anywhere on the page. */

import { h } from "../core/dom.js";
import { filesOf } from "./entries.js";
import { addLeftOut } from "./files.js";

/** @param {Window} window @param {import("../core/store.js").Store<import("../core/state.js").State>} store */
export function watchDrops(window, store) {
  const veil = h(
    "div.veil",
    { hidden: true, "aria-hidden": "true" },
    h("p", {}, "Drop your sounds anywhere"),
  );
  document.body.append(veil);
  const holdsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;

  /** @param {DragEvent} event */
  function over(event) {
    if (!holdsFiles(event)) return;
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
    if (!holdsFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    store.set({ panel: "yours" });
    void take(event.dataTransfer);
  }
  /** @param {DataTransfer} data */
  async function take(data) {
    const { files, unreadable } = await filesOf(data);
    const refused = unreadable.map((name) => ({
      name,
      code: "unreadable",
      detail: "The browser may not read it.",
    }));
    if (refused.length) store.set({ leftOut: addLeftOut(store.get().leftOut, { refused }) });
    if (files.length) store.set({ dropped: [...(store.get().dropped ?? []), ...files] });
    else if (!refused.length)
      store.set({ notice: { text: "There are no files in that folder.", kind: "trouble" } });
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
