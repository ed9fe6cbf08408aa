// @ts-check
/** Your sounds: dropped or picked, split, kept; and what is to be known of them. */

import { fingers, h, icon, setAll } from "../dom.js";
import { noteName } from "../library/sounds.js";
import { keptGlyph } from "../made/shapes.js";
import { watch } from "../store.js";
import { amount, duration } from "../words.js";
import { mountRefine } from "./refine.js";
import { makeRecording } from "./recording.js";
import { createUploads } from "./uploads.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Cut} Cut */

/** @param {HTMLElement} root @param {import("../shell/panels.js").Parts} parts */
export function mount(root, parts) {
  const { store, api, actions, playback, made, listen, toAudioBuffer, complain } = parts;
  const uploads = createUploads({ store, api, refresh: parts.refresh, complain });
  const picker = /** @type {HTMLInputElement} */ (h("input.vh", { type: "file", multiple: true, accept: "audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff", "aria-label": "Sound files" }));
  const zone = h("label.drop", {}, icon("upload"), h("b", {}, fingers() ? "Pick sound files" : "Drop sounds here, or pick files"), h("span"), picker);
  const limits = /** @type {HTMLElement} */ (zone.querySelector("span"));
  const busy = h("p.note", { role: "status" });
  const editor = h("div.editor", { hidden: true });
  const summary = h("p.note.summary", { role: "status" });
  const list = h("ul.finds", { role: "list" });
  const learning = h("div.learning");
  const models = h("div.models");
  root.append(
    h("h2", {}, "Your sounds"),
    h("button.icon.close", { "aria-label": "Close your sounds", onclick: () => store.set({ panel: null }) }, icon("close")),
    h("p.lede", {}, "They land on the map, can be played and be ends of a journey at once. They stay on this machine."),
    zone, busy, editor, summary, list, learning, models);
  const refine = mountRefine(learning, parts);
  picker.addEventListener("change", () => {
    if (picker.files?.length) void uploads.take([...picker.files]);
    picker.value = "";
  });

  // ── what was found in recordings ──

  /** @type {Map<string, AudioBuffer>} */
  const heard = new Map();
  /** A part of a recording, as it is cut now. @param {number} nth */
  async function hear(nth) {
    const { uploading } = store.get();
    const cut = uploading?.cuts[nth];
    const url = cut && uploading?.reply?.files[cut.file].audio_url;
    if (!cut || !url || !(await listen.unlock())) return;
    try {
      let buffer = heard.get(url);
      if (!buffer) heard.set(url, (buffer = toAudioBuffer(await api.bytes(`${url}?format=wav`))));
      const rate = buffer.sampleRate;
      const samples = buffer.getChannelData(0).slice(Math.floor(cut.start * rate), Math.ceil(cut.end * rate));
      const part = new AudioBuffer({ length: Math.max(1, samples.length), numberOfChannels: 1, sampleRate: rate });
      part.copyToChannel(samples, 0);
      playback.silence();
      listen.parts()?.voice.play(part);
    } catch (error) {
      complain(error, () => void hear(nth));
    }
  }

  /** @type {{root: HTMLElement, show: (cuts: {cut: Cut, nth: number}[]) => void, destroy: () => void}[]} */
  let recordings = [];
  /** @type {import("../api.js").UploadReply | null} */
  let edited = null;
  const rows = h("ol.cuts");
  const fine = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: 0, max: 20, step: 1, "aria-label": "How many sounds to find: more to the right" }));
  const keep = h("button.btn.solid", { onclick: () => void uploads.keep() });
  const cancel = h("button.btn.ghost", { onclick: uploads.cancel }, "Cancel");
  // thresholds in equal ratios: from 1 on the left to 0.01 on the right
  const thresholdAt = (/** @type {number} */ stop) => 10 ** (-stop / 10);
  fine.addEventListener("change", () => void uploads.split(thresholdAt(Number(fine.value))));

  /** @param {Cut} cut @param {number} nth */
  function cutRow(cut, nth) {
    const on = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", "aria-label": `Keep ${cut.name}`, onchange: () => uploads.correct(nth, { on: on.checked }) }));
    on.checked = cut.on;
    const name = /** @type {HTMLInputElement} */ (h("input", { type: "text", value: cut.name, maxlength: 120, "aria-label": `Name of sound ${nth + 1}`, onchange: () => name.value.trim() && uploads.correct(nth, { name: name.value.trim() }) }));
    const edge = (/** @type {"start" | "end"} */ which) => {
      const input = /** @type {HTMLInputElement} */ (h("input", { type: "number", step: 0.01, min: 0, value: cut[which].toFixed(2), "aria-label": `${which === "start" ? "Beginning" : "End"} of sound ${nth + 1}, seconds`, onchange: () => uploads.correct(nth, { [which]: Number(input.value) }) }));
      return input;
    };
    return h("li", { "data-nth": nth }, on, h("i.order", { "aria-hidden": "true" }, String(nth + 1)), name, edge("start"), edge("end"),
      h("button.icon.small", { "aria-label": `Play ${cut.name}`, onclick: () => void hear(nth) }, icon("play")));
  }

  /** @param {State} state */
  function edit({ uploading }) {
    const reply = uploading?.phase === "sending" ? null : uploading?.reply ?? null;
    const plain = !reply || reply.files.every(({ sounds }) => sounds.length === 1);
    editor.hidden = plain && uploading?.phase !== "choosing";
    zone.hidden = !editor.hidden;
    busy.textContent = uploading?.phase === "sending" ? `Listening to ${uploading.count} ${uploading.count === 1 ? "file" : "files"}.` : uploading?.phase === "keeping" ? "Finding their places on the map." : "";
    if (!uploading || !reply || editor.hidden) {
      edited = null;
      return;
    }
    const { cuts } = uploading;
    if (edited !== reply) {
      edited = reply;
      for (const recording of recordings) recording.destroy();
      recordings = reply.files.map((file) => makeRecording(file, { correct: uploads.correct, hear: (nth) => void hear(nth) }));
      editor.replaceChildren(
        ...reply.files.flatMap((file, i) => [h("h3", {}, file.name, h("span", {}, duration(file.seconds))), recordings[i].root]),
        h("label.field", {}, h("span", {}, "Find fewer"), h("span", {}, "more"), fine), rows, h("div.row", {}, keep, cancel));
      rows.replaceChildren(...cuts.map(cutRow));
      if (uploading.threshold === null) fine.value = "13";
    }
    recordings.forEach((recording, file) => recording.show(cuts.map((cut, nth) => ({ cut, nth })).filter(({ cut }) => cut.file === file)));
    cuts.forEach((cut, nth) => {
      const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (rows.children[nth]?.querySelectorAll("input[type=number]"));
      [cut.start, cut.end].forEach((value, k) => {
        if (inputs[k] && document.activeElement !== inputs[k]) inputs[k].value = value.toFixed(2);
      });
    });
    const many = cuts.filter(({ on }) => on).length;
    keep.textContent = many ? `Keep ${many} ${many === 1 ? "sound" : "sounds"}` : "Nothing chosen";
    setAll(keep, { disabled: !many || uploading.phase === "keeping" });
    fine.style.setProperty("--at", `${Number(fine.value) * 5}%`);
  }

  // ── what is there ──

  /** @param {State} state */
  function show({ library, model, check, a, b }) {
    if (model) limits.textContent = `Up to ${model.limits.upload_files} files; best are 5 to 20 short sounds, 30 s in all. Long recordings are split.`;
    if (!library) return;
    const focused = root.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const kept = focused && { id: focused.closest("li")?.dataset.id, act: focused.dataset.act };
    const own = library.id.map((id, i) => ({ id, i })).filter(({ i }) => library.kindOf(i) === "uploaded");
    const facts = new Map(check?.sounds.map((one) => [one.id, one]));
    const seconds = own.reduce((sum, { i }) => sum + library.seconds[i], 0);
    summary.textContent = own.length ? [`${own.length} ${own.length === 1 ? "sound" : "sounds"}, ${duration(seconds)}.`, ...(check?.warnings ?? []).map(({ text }) => sentence(text))].join(" ") : "";
    list.replaceChildren(...own.map(({ id, i }) => {
      const name = library.name[i];
      const fact = facts.get(id);
      const near = fact?.nearest[0];
      const nearest = near && library.indexOf(near.id) >= 0 ? `${amount(near.distance)} ${model?.unit} from ${library.name[library.indexOf(near.id)]}` : "";
      const end = (/** @type {"a" | "b"} */ which, /** @type {boolean} */ on) =>
        h(`button.ab${on ? `.is${which.toUpperCase()}` : ""}`, { "data-act": which, "aria-label": `${name} as ${which.toUpperCase()}`, "aria-pressed": String(on) }, which.toUpperCase());
      const key = (/** @type {string} */ act, /** @type {string} */ label, /** @type {string} */ picture) => h("button.icon.small", { "data-act": act, "aria-label": `${label} ${name}`, title: label }, icon(picture));
      const pitch = library.pitch[i] ? noteName(library.pitch[i]) : "";
      const same = fact?.duplicate_of ? library.name[library.indexOf(fact.duplicate_of.id)] : null;
      const notes = [...(same ? [`the same sound as ${same}`] : []), ...(fact?.warnings ?? []).map(({ text }) => text)];
      return h("li.find", { "data-id": id },
        h("button.sound", { "data-act": "play" }, keptGlyph("uploaded"), h("span.what", {}, h("b", {}, name), h("small", {}, [duration(library.seconds[i]), pitch, nearest].filter(Boolean).join(", ")))),
        h("span.acts", {}, end("a", a?.sound === id), end("b", b?.sound === id), key("shape", "Shape", "shape"), key("rename", "Rename", "edit"), key("delete", "Delete", "bin")),
        ...notes.map((text) => h("p.note", {}, sentence(text))));
    }));
    const again = kept?.id ? [...list.querySelectorAll("li")].find(({ dataset }) => dataset.id === kept.id) : null;
    /** @type {HTMLElement | null} */ (again?.querySelector(`[data-act="${kept?.act}"]`) ?? null)?.focus({ preventScroll: true });
  }
  /** @param {Event} event */
  const rowAt = (event) => (event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("li[data-id]")) : null);
  list.addEventListener("click", (event) => {
    const id = rowAt(event)?.dataset.id;
    const act = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-act]"))?.dataset.act : undefined;
    if (!id || !act) return;
    if (act === "play") void playback.audition({ sound: id });
    else if (act === "a" || act === "b") actions.setEnd(act, { sound: id });
    else if (act === "shape") actions.shape({ sound: id });
    else if (act === "rename") store.set({ panel: "library", query: "", families: [], editing: id });
    else if (act === "delete") made.remove(id);
  });
  /** @param {string | undefined} id */
  const point = (id) => {
    const { library, pointed } = store.get();
    const sound = id && library ? library.indexOf(id) : -1;
    if (sound >= 0 && pointed?.sound !== sound) store.set({ pointed: { sound, by: "table" } });
    else if (sound < 0 && pointed?.by === "table") store.set({ pointed: null });
  };
  list.addEventListener("pointerover", (event) => event.pointerType !== "touch" && point(rowAt(event)?.dataset.id));
  list.addEventListener("pointerleave", () => point(undefined));
  list.addEventListener("focusin", (event) => point(rowAt(event)?.dataset.id));
  list.addEventListener("focusout", () => point(undefined));

  const stops = [
    watch(store, ({ models: all, model }) => [all, model], ({ models: all, model }) => {
      models.hidden = all.length < 2;
      models.replaceChildren(h("h3", {}, "Models"), h("ul", {}, ...all.map(({ id, title }) =>
        h("li", {}, h("a", { href: `?model=${encodeURIComponent(id)}`, "aria-current": id === model?.id ? "true" : null }, title)))));
    }),
    watch(store, ({ uploading }) => [uploading], edit),
    watch(store, ({ library, model, check, a, b }) => [library, model, check, a, b], show),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      for (const recording of recordings) recording.destroy();
      uploads.destroy();
      refine.destroy();
      root.replaceChildren();
    },
  };
}

/** @param {string} text */
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
