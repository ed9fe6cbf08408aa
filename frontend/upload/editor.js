// @ts-check
/** What was found in recordings: seen, heard, corrected, chosen. */

import { h, icon, setAll } from "../dom.js";
import { watch } from "../store.js";
import { duration } from "../words.js";
import { makeRecording } from "./recording.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Cut} Cut */

/**
 * @param {HTMLElement} root
 * @param {import("../shell/panels.js").Parts} parts
 * @param {import("./uploads.js").Uploads} uploads
 */
export function mountEditor(root, { store, api, playback, listen, toAudioBuffer, complain }, uploads) {
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
    root.hidden = plain && uploading?.phase !== "choosing";
    if (!uploading || !reply || root.hidden) {
      edited = null;
      return;
    }
    const { cuts } = uploading;
    if (edited !== reply) {
      edited = reply;
      for (const recording of recordings) recording.destroy();
      recordings = reply.files.map((file) => makeRecording(file, { correct: uploads.correct, hear: (nth) => void hear(nth) }));
      root.replaceChildren(
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

  const stop = watch(store, ({ uploading }) => [uploading], edit);
  return {
    destroy() {
      stop();
      for (const recording of recordings) recording.destroy();
      root.replaceChildren();
    },
  };
}
