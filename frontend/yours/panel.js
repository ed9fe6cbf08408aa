// @ts-check
/** Your sounds: dropped or picked, split, kept, taken in at once, learned from; and the models that came of it. */

import { mountCollection } from "../collection/section.js";
import { fingers, h, icon } from "../core/dom.js";
import { userSoundIds } from "../core/sounds.js";
import { watch } from "../core/store.js";
import { mountAdapted } from "./adapted.js";
import { mountEditor } from "./editor.js";
import { mountLeftOut } from "./left-out.js";
import { mountList } from "./list.js";
import { mountModels } from "./models.js";
import { mountProgress } from "./progress.js";
import { mountFinetune } from "./finetune.js";
import { createUploads } from "./uploads.js";

/** @typedef {import("../core/state.js").State} State */

const LIMITS =
  "Any number. The model learns best from 5 to 20 short sounds, 30 s in all. Long recordings are split.";

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mount(root, parts) {
  const { store } = parts;
  const picker = /** @type {HTMLInputElement} */ (
    h("input.vh", {
      type: "file",
      multiple: true,
      accept: "audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff,.m4a",
      "aria-label": "Sound files",
    })
  );
  const folder = /** @type {HTMLInputElement} */ (
    h("input.vh", { type: "file", webkitdirectory: true, "aria-label": "A folder of sounds" })
  );
  const zone = h(
    "label.drop",
    {},
    icon("upload"),
    h("b", {}, fingers() ? "Pick sound files" : "Drop sounds or folders here, or pick files"),
    h("span", {}, LIMITS),
    picker,
  );
  const whole = h("label.text.folder", {}, "Pick a whole folder", folder);
  const progress = h("div.progress");
  const leftOut = h("div.left-out", { hidden: true });
  const editor = h("div.editor", { hidden: true });
  const adapted = h("div.adapted", { hidden: true });
  const list = h("div");
  const offer = h("div.offer");
  const models = h("div.models");
  const collection = h("section.collection", { "aria-label": "Library folders" });
  const lede = h(
    "p.lede",
    {},
    "They appear on the map at once, and you can play them and morph between them. They stay on this machine.",
  );
  const calm = h(
    "div.calm",
    {},
    h("h2", {}, "Your sounds"),
    lede,
    zone,
    whole,
    progress,
    leftOut,
    editor,
    adapted,
    offer,
    list,
    collection,
    models,
  );
  const run = h("div.run", { hidden: true });
  root.append(
    calm,
    run,
    h(
      "button.icon.close",
      { "aria-label": "Close your sounds", onclick: () => store.set({ panel: null }) },
      icon("close"),
    ),
  );

  const modelList = mountModels(models, parts); // before the uploads: a model that is dropped is no sound
  const uploads = createUploads(parts);
  const views = [
    mountProgress(progress, parts, uploads),
    mountLeftOut(leftOut, parts, uploads),
    mountEditor(editor, parts, uploads),
    mountAdapted(adapted, parts),
    mountList(list, parts),
    mountFinetune(offer, run, parts, () => void modelList.refresh()),
    mountCollection(collection, parts),
    modelList,
  ];
  for (const input of [picker, folder])
    input.addEventListener("change", () => {
      if (input.files?.length) void uploads.take([...input.files]);
      input.value = "";
    });

  /** @param {State} state */
  function show({ library, uploading, job }) {
    const some = library !== null && userSoundIds(library).length > 0;
    zone.classList.toggle("brief", some);
    lede.hidden = some;
    zone.hidden = uploading !== null && uploading.phase !== "sending";
    whole.hidden = zone.hidden || fingers(); // no phone has a picker for folders
    calm.hidden = job !== null; // one thing at a time
  }

  const stops = [
    watch(store, ({ library, uploading, job }) => [library, uploading, job !== null], show),
    // who pressed a key that is gone goes on where it led
    watch(
      store,
      ({ job }) => [job?.id],
      ({ panel }) => {
        if (panel !== "yours" || !root.contains(document.activeElement)) return;
        requestAnimationFrame(() => root.focus({ preventScroll: true }));
      },
    ),
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
