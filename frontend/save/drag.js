// @ts-check
/**
 * Sounds dragged out of the window, into a folder or a DAW. Only Chromium hands on more than a link: where the drag ends
 * it fetches the file that `DownloadURL` names.
 */

import { anchorName } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

export const canDragOut = /Chrom(e|ium)\//.test(globalThis.navigator?.userAgent ?? "");

/** Of a button that saves: that it can be dragged, and says so. @param {string} label */
export const dragged = (label) =>
  canDragOut ? { draggable: "true", title: `${label}, or drag it into a folder or a DAW` } : {};

/**
 * What is dragged with a button that saves: a sound of the row that it stands in, else the steps as they are played.
 * @param {Pick<State, "model" | "library" | "morph" | "path" | "a" | "b">} state
 * @param {string | undefined} id @param {(model: string, id: string) => string} soundUrl
 * @returns {{name: string, url: string} | null}
 */
export function fileOf({ model, library, morph, path, a, b }, id, soundUrl) {
  if (!model || !library) return null;
  if (id) return { name: anchorName({ sound: id }, library), url: soundUrl(model.id, id) };
  const url = morph?.paths[path]?.audio?.url;
  if (!url || !a || !b) return null;
  return { name: `${anchorName(a, library)} to ${anchorName(b, library)}`, url: `${url}?format=wav` };
}

/** As Chromium wants it: kind, name, full address. @param {{name: string, url: string}} file @param {string} page */
export const downloadUrl = ({ name, url }, page) =>
  `audio/wav:${name.replace(/[\\/:*?"<>|]/g, "-")}.wav:${new URL(url, page).href}`;

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 */
export function mountDragOut(root, { store, api }) {
  /** @param {DragEvent} event */
  function begin({ target, dataTransfer }) {
    const button = target instanceof Element && target.closest("button[draggable]");
    if (!button || !dataTransfer) return;
    const id = /** @type {HTMLElement | null} */ (button.closest("[data-id]"))?.dataset.id;
    const file = fileOf(store.get(), id, api.soundUrl);
    if (!file) return;
    dataTransfer.effectAllowed = "copy";
    dataTransfer.setData("DownloadURL", downloadUrl(file, location.href));
  }
  root.addEventListener("dragstart", begin);
  return { destroy: () => root.removeEventListener("dragstart", begin) };
}
