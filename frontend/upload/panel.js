// @ts-check
/** Your sounds: dropped or picked, split, kept, taken in at once, learned from; and the models that came of it. */

import { fingers, h, icon } from "../dom.js";
import { ownSounds } from "../library/sounds.js";
import { watch } from "../store.js";
import { mountAdapted } from "./adapted.js";
import { mountEditor } from "./editor.js";
import { mountList } from "./list.js";
import { mountModels } from "./models.js";
import { mountRefine } from "./refine.js";
import { createUploads } from "./uploads.js";

/** @typedef {import("../state.js").State} State */

/** @param {HTMLElement} root @param {import("../shell/panels.js").Parts} parts */
export function mount(root, parts) {
  const { store } = parts;
  const picker = /** @type {HTMLInputElement} */ (h("input.vh", { type: "file", multiple: true, accept: "audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff", "aria-label": "Sound files" }));
  const zone = h("label.drop", {}, icon("upload"), h("b", {}, fingers() ? "Pick sound files" : "Drop sounds here, or pick files"), h("span"), picker);
  const limits = /** @type {HTMLElement} */ (zone.querySelector("span"));
  const busy = h("p.note", { role: "status" });
  const editor = h("div.editor", { hidden: true });
  const adapted = h("div.adapted", { hidden: true });
  const list = h("div");
  const offer = h("div.offer");
  const models = h("div.models");
  const lede = h("p.lede", {}, "They land on the map, can be played and be ends of a journey at once. They stay on this machine.");
  const calm = h("div.calm", {}, h("h2", {}, "Your sounds"), lede, zone, busy, editor, adapted, offer, list, models);
  const run = h("div.run", { hidden: true });
  root.append(calm, run, h("button.icon.close", { "aria-label": "Close your sounds", onclick: () => store.set({ panel: null }) }, icon("close")));

  const brought = mountModels(models, parts); // before the uploads: a model that is dropped is no sound
  const uploads = createUploads(parts);
  const views = [
    mountEditor(editor, parts, uploads),
    mountAdapted(adapted, parts),
    mountList(list, parts),
    mountRefine(offer, run, parts, () => void brought.refresh()),
    brought,
  ];
  picker.addEventListener("change", () => {
    if (picker.files?.length) void uploads.take([...picker.files]);
    picker.value = "";
  });

  /** @param {State} state */
  function show({ model, library, uploading, job }) {
    if (model) limits.textContent = `Up to ${model.limits.upload_files} files; best are 5 to 20 short sounds, 30 s in all. Long recordings are split.`;
    const some = library !== null && ownSounds(library).length > 0;
    zone.classList.toggle("brief", some);
    lede.hidden = some;
    zone.hidden = uploading?.phase === "choosing" && uploading.reply !== null && uploading.reply.files.some(({ sounds }) => sounds.length !== 1);
    busy.textContent = uploading?.phase === "sending" ? `Listening to ${uploading.count} ${uploading.count === 1 ? "file" : "files"}.` : uploading?.phase === "keeping" ? "Finding their places on the map." : "";
    calm.hidden = job !== null; // one thing at a time
  }

  const stops = [
    watch(store, ({ model, library, uploading, job }) => [model, library, uploading, job !== null], show),
    // who pressed a key that is gone goes on where it led
    watch(store, ({ job }) => [job?.id], ({ panel }) => {
      if (panel !== "yours" || !root.contains(document.activeElement)) return;
      requestAnimationFrame(() => root.focus({ preventScroll: true }));
    }),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      uploads.destroy();
      for (const view of views) view.destroy();
      root.replaceChildren();
    },
  };
}
