// @ts-check
/** The folders that were taken in: how much is in each, and whether what changes in them is taken in. */

import { h } from "../core/dom.js";
import { count, lastPart } from "../core/text.js";

/** @typedef {import("./requests.js").Collection["folders"][number]} Folder */

/**
 * @param {HTMLElement} root
 * @param {(id: number, followed: boolean) => Promise<unknown>} change
 */
export function mountFolders(root, change) {
  const list = h("ul.folders", { "aria-label": "Folders that were taken in" });
  root.append(list);
  let lastState = "";

  /** @param {Folder} folder */
  const row = ({ id, path, sounds, missing, followed }) => {
    const box = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "checkbox",
        checked: followed,
        "aria-label": `Follow changes in ${path}`,
        onchange: () => void change(id, box.checked),
      })
    );
    const facts = `${count(sounds)} ${sounds === 1 ? "file" : "files"}${missing ? `, ${count(missing)} missing` : ""}`;
    return h(
      "li",
      {},
      h("span.what", { title: path }, h("b", {}, lastPart(path) || path), h("small", {}, facts)),
      h("label.check", {}, box, h("span", {}, "Follow changes")),
    );
  };

  return {
    /** @param {Folder[]} folders */
    show(folders) {
      const state = JSON.stringify(folders);
      if (state === lastState || list.contains(document.activeElement)) return;
      lastState = state;
      list.replaceChildren(...folders.map(row));
    },
  };
}
