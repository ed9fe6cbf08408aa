// @ts-check
/** Naming a folder, and how far taking it in is: pause, go on, cancel. */

import { h, setAll } from "../core/dom.js";
import { mountFolders } from "./followed.js";
import { ingestWords, isUnderWay, withinWords } from "./words.js";

const POLL = 1000; // milliseconds

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("./requests.js").CollectionApi} parts.api
 * @param {() => string} parts.model                   to analyse by
 * @param {(error: unknown, again: () => void) => void} parts.complain
 * @param {(collection: import("./requests.js").Collection) => void} parts.changed
 */
export function mountTakingIn(root, { api, model, complain, changed }) {
  const path = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "text",
      name: "folder",
      "aria-label": "Folder to take in",
      placeholder: "/samples",
      autocomplete: "off",
      spellcheck: "false",
    })
  );
  const hint = h("p.note");
  const rescan = h(
    "button.text",
    { type: "button", hidden: true, onclick: () => void start([]) },
    "Look for changes",
  );
  const form = h(
    "form.row.take",
    { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void named()) },
    path,
    h("button.btn.quiet", { type: "submit" }, "Take in"),
  );
  const words = h("p.note", { role: "status" });
  const fill = h("i");
  const bar = h(
    "div.bar",
    { role: "progressbar", "aria-label": "Sounds analysed", "aria-valuemin": 0 },
    fill,
  );
  const rest = h("button.btn.ghost.small", { onclick: () => void change("pause") }, "Pause");
  const goOn = h("button.btn.ghost.small", { onclick: () => void change("resumption") }, "Go on");
  const cancel = h("button.btn.ghost.small", { onclick: () => void change("cancellation") }, "Cancel");
  const progress = h("div.progress", { hidden: true }, h("div.row", {}, bar, rest, goOn, cancel));
  const folders = h("div");
  root.append(hint, form, words, progress, folders, rescan);
  const followed = mountFolders(folders, (id, follow) =>
    trying(async () => {
      await api.follow(id, follow);
      await look();
    }),
  );

  /** @type {import("./requests.js").Ingest | null} */
  let ingest = null;
  let timer = 0;
  let isDestroyed = false;

  /** @param {() => Promise<unknown>} run */
  async function trying(run) {
    try {
      await run();
    } catch (error) {
      complain(error, () => void trying(run));
    }
  }
  /** @param {string[]} folders */
  const start = (folders) =>
    trying(async () => {
      await api.ingest(folders, model());
      path.value = "";
      await look();
    });
  const named = () => (path.value.trim() ? start([path.value.trim()]) : path.focus());
  /** @param {"pause" | "resumption" | "cancellation"} step */
  const change = (step) =>
    trying(async () => {
      if (ingest) await api.change(ingest.id, step);
      await look();
    });

  async function look() {
    clearTimeout(timer);
    const collection = await api.collection();
    if (isDestroyed) return;
    show(collection);
    changed(collection);
    if (isUnderWay(ingest)) timer = setTimeout(() => void look().catch(later), POLL);
  }
  const later = () => void (timer = setTimeout(() => void look().catch(later), 5 * POLL)); // the server is away

  /** @param {import("./requests.js").Collection} collection */
  function show(collection) {
    ingest = collection.ingest;
    const busy = isUnderWay(ingest);
    hint.textContent = withinWords(collection);
    followed.show(collection.folders);
    form.hidden = busy || collection.within?.length === 0;
    rescan.hidden = busy || !collection.folders.length;
    progress.hidden = !busy;
    const text = ingestWords(ingest);
    if (words.textContent !== text) words.textContent = text;
    if (!ingest) return;
    const { analysed, remaining } = ingest.progress;
    setAll(bar, { "aria-valuemax": analysed + remaining, "aria-valuenow": analysed });
    fill.style.width = `${(100 * analysed) / Math.max(1, analysed + remaining)}%`;
    const paused = ingest.state === "paused" || ingest.wish === "pause";
    const focused = document.activeElement === rest || document.activeElement === goOn;
    rest.hidden = paused;
    goOn.hidden = !paused;
    if (focused) (paused ? goOn : rest).focus();
  }

  return {
    look: () => look().catch(later),
    destroy() {
      isDestroyed = true;
      clearTimeout(timer);
      root.replaceChildren();
    },
  };
}
