// @ts-check
/** How far sending has come, and the way to end it. */

import { h, setAll } from "../core/dom.js";
import { watch } from "../core/store.js";

/** @typedef {import("./state.js").Uploading} Uploading */

/** @param {number} n @param {string} noun */
const some = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/**
 * What is happening to the files, as sentences; "": nothing that is to be waited for.
 * @param {Uploading | null} uploading
 */
export function progressWords(uploading) {
  if (!uploading || uploading.phase === "choosing") return "";
  const { phase, total, done, onMap, waiting, recordings } = uploading;
  if (waiting !== null)
    return `The server is busy or away. Going on in ${Math.max(1, Math.round(waiting))} s.`;
  if (phase === "keeping") return "Finding their places on the map.";
  const far =
    total > 1 && done ? `${done} of ${some(total, "file")}.` : `Listening to ${some(total, "file")}.`;
  const odd = recordings.length ? ` ${some(recordings.length, "recording")} to split.` : "";
  return `${far}${onMap ? ` ${some(onMap, "sound")} kept.` : ""}${odd}`;
}

/**
 * @param {HTMLElement} root
 * @param {import("../parts.js").Parts} parts
 * @param {import("./uploads.js").Uploads} uploads
 */
export function mountProgress(root, { store }, uploads) {
  const text = h("p.note", { role: "status" });
  const fill = h("i");
  const bar = h(
    "div.bar",
    { role: "progressbar", "aria-label": "Files listened to", "aria-valuemin": 0 },
    fill,
  );
  const cancel = h("button.btn.ghost.small", { onclick: () => void uploads.cancel() }, "Cancel");
  root.append(text, h("div.row", {}, bar, cancel));
  const stop = watch(
    store,
    ({ uploading }) => [uploading],
    ({ uploading }) => {
      const words = progressWords(uploading);
      if (text.textContent !== words) text.textContent = words;
      root.hidden = !words;
      if (!uploading) return;
      const sending = uploading.phase === "sending";
      /** @type {HTMLElement} */ (bar.parentElement).hidden = !sending;
      setAll(bar, { "aria-valuemax": uploading.total, "aria-valuenow": uploading.done });
      fill.style.width = `${(100 * uploading.done) / Math.max(1, uploading.total)}%`;
    },
  );
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
