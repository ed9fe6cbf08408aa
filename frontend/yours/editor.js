// @ts-check
/** What was found in recordings: seen, heard, corrected, chosen. */

import { h, setAll } from "../core/dom.js";
import { watch } from "../core/store.js";
import { duration } from "../core/text.js";
import { makeCutRow } from "./cut-row.js";
import { added, corrected, oneOfEach, ticked, troubleOf } from "./cuts.js";
import { kindsOf } from "./kinds.js";
import { makeRecording } from "./recording.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("./state.js").Cut} Cut */
/** @typedef {import("./state.js").Recording} Recording */
/**
 * @typedef {{root: HTMLElement, tally: HTMLElement, picture: ReturnType<typeof makeRecording>, list: HTMLElement}}
 *   Section
 */

const FEW = 8; // sounds: a list that short needs no search

// thresholds in equal ratios: from 1 on the left to 0.01 on the right
const thresholdAt = (/** @type {number} */ stop) => 10 ** (-stop / 10);
const USUAL = "13"; // the server's own

/**
 * @param {HTMLElement} root
 * @param {import("../parts.js").Parts} parts
 * @param {import("./uploads.js").Uploads} uploads
 */
export function mountEditor(root, { store, api, playback, listen, toAudioBuffer, complain }, uploads) {
  /** @type {Map<string, Promise<AudioBuffer>>} */
  const buffers = new Map();
  /** @param {Recording} recording */
  function bufferOf({ audio_url: url }) {
    let buffer = buffers.get(url);
    if (!buffer) {
      buffer = api.bytes(`${url}?format=wav`).then(toAudioBuffer);
      buffer.catch(() => buffers.delete(url));
      buffers.set(url, buffer);
    }
    return buffer;
  }

  /** The samples of a cut, as it is now. @param {Cut} cut */
  async function soundOf(cut) {
    const buffer = await bufferOf(
      /** @type {import("./state.js").Uploading} */ (store.get().uploading).recordings[cut.file],
    );
    const rate = buffer.sampleRate;
    return {
      rate,
      samples: buffer.getChannelData(0).slice(Math.floor(cut.start * rate), Math.ceil(cut.end * rate)),
    };
  }

  /** @param {number} nth */
  async function hear(nth) {
    const cut = store.get().uploading?.cuts[nth];
    if (!cut || !(await listen.unlock())) return;
    try {
      const { samples, rate } = await soundOf(cut);
      const part = new AudioBuffer({
        length: Math.max(1, samples.length),
        numberOfChannels: 1,
        sampleRate: rate,
      });
      part.copyToChannel(samples, 0);
      playback.silence();
      listen.parts()?.voice.play(part);
    } catch (error) {
      complain(error, () => void hear(nth));
    }
  }

  /** Ticks the first sound of each kind, and no other. */
  async function chooseKinds() {
    const cuts = store.get().uploading?.cuts ?? [];
    setAll(each, { "aria-busy": "true" });
    try {
      const kinds = kindsOf(await Promise.all(cuts.map(soundOf)));
      if (store.get().uploading?.cuts === cuts) uploads.edit(() => oneOfEach(cuts, kinds));
    } catch (error) {
      complain(error, () => void chooseKinds());
    } finally {
      setAll(each, { "aria-busy": null });
    }
  }

  const fine = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "range",
      min: 0,
      max: 20,
      step: 1,
      value: USUAL,
      "aria-label": "How many sounds to find: more to the right",
    })
  );
  const looking = h("span", { role: "status" });
  const finder = h("label.field", {}, h("span", {}, "Find fewer"), h("span", {}, "more"), fine, looking);
  const search = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "search",
      placeholder: "Find by name",
      "aria-label": "Show sounds called",
      autocomplete: "off",
      spellcheck: "false",
    })
  );
  const all = h("button.btn.quiet.small", { onclick: () => tick(true) }, "All");
  const none = h("button.btn.quiet.small", { onclick: () => tick(false) }, "None");
  const each = h(
    "button.btn.quiet.small",
    { onclick: () => void chooseKinds(), title: "Tick the first of those that sound alike" },
    "One of each kind",
  );
  const tools = h(
    "div.row.wrap.tools",
    { role: "group", "aria-label": "Which sounds to keep" },
    all,
    none,
    each,
  );
  const body = h("div.found");
  const keep = h("button.btn.solid", { onclick: () => void uploads.keep() });
  const cancel = h("button.btn.ghost", { onclick: () => void uploads.cancel() }, "Cancel");
  root.append(finder, search, tools, body, h("div.row.end", {}, keep, cancel));
  fine.addEventListener("change", () => void uploads.split(thresholdAt(Number(fine.value))));
  search.addEventListener("input", () => show(store.get()));

  /** @param {Cut} cut */
  const matches = ({ name }) => name.toLowerCase().includes(search.value.trim().toLowerCase());
  /** Those that are shown. @param {boolean} on */
  const tick = (on) => uploads.edit((cuts) => ticked(cuts, (cut) => (matches(cut) ? on : cut.on)));
  const range = () => {
    const limits = store.get().model?.limits;
    return { min: limits?.shortest_seconds ?? 0, max: limits?.upload_seconds ?? Infinity };
  };

  /** @type {Section[]} */
  let sections = [];
  /** @type {ReturnType<typeof makeCutRow>[]} */
  let rows = [];
  let built = ""; // which recordings the sections are of
  let listed = ""; // which cuts the rows are of, by their files
  /** @type {number | null} the row that shows what else can be done with it */
  let opened = null;

  /** @param {Recording} recording @param {number} file @param {number} of how many @returns {Section} */
  function makeSection(recording, file, of) {
    const tally = h("span");
    const list = h("ol.cuts");
    const picture = makeRecording(recording, {
      range: range(),
      correct: (nth, change) => uploads.edit((cuts) => corrected(cuts, nth, change)),
      add: (at) => uploads.edit((cuts) => added(cuts, file, recording, at)),
      hear: (nth) => void hear(nth),
    });
    const only =
      of > 1 &&
      h(
        "button.text",
        { onclick: () => uploads.edit((cuts) => ticked(cuts, (cut) => cut.file === file)) },
        "Only this file",
      );
    const add = h(
      "button.text",
      { onclick: () => uploads.edit((cuts) => added(cuts, file, recording)) },
      "Add a sound",
    );
    const section = h(
      "section",
      { "aria-label": recording.name },
      h("h3", {}, h("b", {}, recording.name), tally),
      picture.root,
      h("div.row.acts", {}, only, add),
      list,
    );
    return { root: section, tally, picture, list };
  }

  /** @param {readonly Recording[]} recordings */
  function build(recordings) {
    for (const { picture } of sections) picture.destroy();
    sections = recordings.map((recording, file) => makeSection(recording, file, recordings.length));
    body.replaceChildren(...sections.map((section) => section.root));
    fine.value = USUAL;
    search.value = "";
    [listed, opened] = ["", null];
  }

  /** @param {readonly Cut[]} cuts */
  function list(cuts) {
    const focused = rows.findIndex(({ root: row }) => row.contains(document.activeElement));
    rows = cuts.map((_, nth) =>
      makeCutRow(nth, {
        edit: uploads.edit,
        hear: (nth) => void hear(nth),
        open: (nth) => ((opened = nth), show(store.get())),
      }),
    );
    sections.forEach((section, file) =>
      section.list.replaceChildren(
        ...rows.filter((_, nth) => cuts[nth].file === file).map((row) => row.root),
      ),
    );
    if (focused >= 0) rows[Math.min(focused, rows.length - 1)]?.more.focus({ preventScroll: true });
  }

  /** @param {State} state */
  function show({ uploading }) {
    root.hidden = !uploading?.recordings.length || uploading.phase === "sending";
    if (!uploading || root.hidden) return void (built = "");
    const { cuts, recordings, phase } = uploading;
    const names = recordings.map(({ upload, nth }) => `${upload} ${nth}`).join();
    if (built !== names) build(recordings);
    built = names;
    const files = cuts.map(({ file }) => file).join();
    if (listed !== files) {
      if (listed) opened = null;
      list(cuts);
    }
    listed = files;
    rows.forEach((row, nth) =>
      row.show(cuts, {
        seconds: recordings[cuts[nth].file].seconds,
        range: range(),
        open: opened === nth,
        visible: matches(cuts[nth]),
      }),
    );
    sections.forEach(({ picture, tally }, file) => {
      const ofFile = cuts.map((cut, nth) => ({ cut, nth })).filter(({ cut }) => cut.file === file);
      picture.show(ofFile);
      const chosen = ofFile.filter(({ cut }) => cut.on).length;
      tally.textContent = `${duration(recordings[file].seconds)}, ${chosen} of ${ofFile.length}`;
    });
    search.hidden = cuts.length <= FEW;
    looking.textContent = uploading.finding ? "Looking" : "";
    setAll(root, { "aria-busy": uploading.finding ? "true" : null });
    fine.style.setProperty("--at", `${Number(fine.value) * 5}%`);
    const selected = cuts.filter(({ on }) => on);
    const wrong = selected.filter((cut) => troubleOf(cut, recordings[cut.file].seconds, range())).length;
    keep.textContent = wrong
      ? `${wrong} ${wrong === 1 ? "has a wrong number" : "have wrong numbers"}`
      : selected.length
        ? `Keep ${selected.length} ${selected.length === 1 ? "sound" : "sounds"}`
        : "Nothing chosen";
    setAll(keep, { disabled: !selected.length || wrong > 0 || phase === "keeping" || uploading.finding });
  }

  const stop = watch(store, ({ uploading }) => [uploading], show);
  return {
    destroy() {
      stop();
      for (const { picture } of sections) picture.destroy();
      root.replaceChildren();
    },
  };
}
