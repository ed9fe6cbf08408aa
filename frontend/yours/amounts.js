// @ts-check
/**
 * "More of your sounds": what one's own sounds have and the model had not, added to A, to B, or to a step of the path.
 */

import { createOrigins } from "../shape/origin.js";
import { subjectKey } from "../shape/traversals.js";
import { h, radioGroup, setAll } from "../core/dom.js";
import { pointOf } from "../compare/anchors.js";
import { stepAt } from "../core/state.js";
import { watch } from "../core/store.js";
import { anchorName, soundFile } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").OwnSlider} OwnSlider */

const STEP = 0.05;

/**
 * What a slider is called, and its two ends.
 * @param {OwnSlider} slider
 * @returns {{title: string, label: string, less: string, more: string}}
 */
export function sliderWords({ id, title }) {
  const [, nth] = /^own-(\d+)$/.exec(id) ?? [];
  const ends = title.split(" - ");
  const capital = title.slice(0, 1).toUpperCase() + title.slice(1);
  if (!nth || ends.length !== 2) return { title: capital, label: capital, less: "less", more: "more" };
  return {
    title: `${ends[0]} – ${ends[1]}`,
    label: `From ${ends[0]} to ${ends[1]}`,
    less: ends[0],
    more: ends[1],
  };
}

/** @param {number} amount */
const signed = (amount) =>
  Math.abs(amount) < STEP / 2
    ? "0"
    : `${amount > 0 ? "+" : "−"}${Math.abs(amount).toFixed(2).replace(/0$/, "")}`;

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mountAmounts(root, { store, api, listen, playback, toAudioBuffer, complain }) {
  const originOf = createOrigins(api);
  const from = h(
    "div.seg",
    { role: "radiogroup", "aria-label": "Add it to" },
    ...[
      ["a", "A"],
      ["b", "B"],
      ["here", "Here"],
      ["other", "This"],
    ].map(([value, label]) => h("button", { role: "radio", "data-value": value }, label)),
  );
  const to = h("span.sum");
  const hint = h("p.note", {}, "Pick a sound first: what your sounds have can be added to any.");
  const rows = h("div.sliders");
  const play = h("button.btn.quiet", { onclick: () => void hear() }, "Play");
  const save = h("button.btn.ghost", { onclick: () => void saveFile() }, "Save as WAV");
  const reset = h("button.btn.ghost", { onclick: () => store.set({ amounts: {} }) }, "Reset");
  const acts = h("div.row", {}, play, save, reset);
  root.append(h("div.row", {}, from, to), hint, rows, acts);
  const group = radioGroup(from, (value) => {
    if (value !== "other") store.set({ subject: /** @type {"a" | "b" | "here"} */ (value), shape: null });
  });

  /** @type {Map<string, {slider: OwnSlider, input: HTMLInputElement, output: HTMLElement, row: HTMLElement}>} */
  const sliders = new Map();
  let going = false; // one is being made
  let playNext = false; // and another one is to be heard after it
  let dirty = ""; // what was heard last

  /** Where the sound with these amounts is. @returns {Promise<{url: string, name: string} | null>} */
  async function make() {
    const state = store.get();
    const { adaptation, amounts, library } = state;
    const anchor = await originOf(state);
    if (!anchor || !adaptation?.result || !library) return null;
    const start = anchor.sound ? await pointOf(api, adaptation.result, anchor.sound) : anchor;
    const [{ audio }] = await api.decodings(adaptation.result, [start], undefined, amounts);
    return { url: audio.url, name: anchorName(anchor, library) };
  }

  /** While a slider is pulled one sound is made after the other: always the newest, never two at a time. */
  async function hear() {
    playNext = true;
    void playback.unlock();
    if (going) return;
    going = true;
    try {
      while (playNext) {
        playNext = false;
        const rendered = await make();
        if (!rendered || !(await listen.unlock())) continue;
        const buffer = toAudioBuffer(await api.bytes(rendered.url));
        playback.silence();
        listen.parts()?.voice.play(buffer);
        dirty = key(store.get());
      }
    } catch (error) {
      complain(error, () => void hear());
    } finally {
      going = false;
      root.dataset.heard = dirty;
    }
  }

  async function saveFile() {
    try {
      const rendered = await make();
      if (!rendered) return;
      const name = soundFile(
        `${rendered.name} ${Object.entries(store.get().amounts)
          .map(([id, amount]) => `${id} ${amount}`)
          .join(" ")}`,
      );
      Object.assign(document.createElement("a"), {
        href: `${rendered.url}?format=wav&download=${encodeURIComponent(name)}`,
        download: name,
      }).click();
    } catch (error) {
      complain(error, () => void saveFile());
    }
  }

  /** What is to be heard, as one text. @param {State} state */
  const key = (state) => `${subjectKey(state)} ${JSON.stringify(state.amounts)}`;

  /** @param {OwnSlider} slider */
  function row(slider) {
    const { id, low, high, share } = slider;
    const { title, label, less, more } = sliderWords(slider);
    const input = /** @type {HTMLInputElement} */ (
      h("input", { type: "range", min: low, max: high, step: STEP, "aria-label": label })
    );
    const output = h("output");
    const part = share >= 0.005 ? `${Math.round(100 * share)} % of what was new` : "";
    const element = h(
      "div.slider",
      { "data-amount": id },
      h("div.what", {}, h("span", {}, title), output),
      input,
      h(
        "div.words",
        { "aria-hidden": "true" },
        h("span", {}, less),
        h("span", { title: "How much of what the model lacked of your sounds lies along this slider" }, part),
        h("span", {}, more),
      ),
    );
    input.addEventListener("input", () => {
      const { amounts } = store.get();
      const value = Math.abs(Number(input.value)) < STEP / 2 ? 0 : Number(Number(input.value).toFixed(2));
      const rest = Object.fromEntries(Object.entries(amounts).filter(([other]) => other !== id));
      store.set({ amounts: value ? { ...rest, [id]: value } : rest });
      void hear();
    });
    element.addEventListener("dblclick", () => {
      const { amounts } = store.get();
      store.set({ amounts: Object.fromEntries(Object.entries(amounts).filter(([other]) => other !== id)) });
      void hear();
    });
    sliders.set(id, { slider, input, output, row: element });
    return element;
  }

  /** @param {State} state */
  function show(state) {
    const { subject, library, a, b, morph, progress, amounts } = state;
    const hasSubject = subjectKey(state) !== "";
    group.show(typeof subject === "string" ? subject : "other");
    for (const radio of /** @type {NodeListOf<HTMLButtonElement>} */ (
      from.querySelectorAll("[role=radio]")
    )) {
      radio.hidden = !{
        a: a !== null,
        b: b !== null,
        here: morph?.phase === "ready",
        other: typeof subject !== "string",
      }[radio.dataset.value ?? ""];
      if (radio.dataset.value === "here") radio.textContent = `Step ${stepAt(progress) + 1}`;
    }
    from.hidden = !a && !b;
    const end =
      typeof subject !== "string" ? subject : subject === "a" ? (a ?? b) : subject === "b" ? (b ?? a) : null;
    to.textContent = end && library ? anchorName(end, library) : "";
    hint.hidden = hasSubject;
    rows.hidden = acts.hidden = !hasSubject;
    for (const [
      id,
      {
        slider: { low, high },
        input,
        output,
        row: element,
      },
    ] of sliders) {
      const value = amounts[id] ?? 0;
      output.textContent = signed(value);
      if (Number(input.value) !== value) input.value = String(value);
      const at = (/** @type {number} */ v) => `${(100 * (v - low)) / (high - low)}%`;
      input.style.setProperty("--low", at(Math.min(0, value)));
      input.style.setProperty("--high-end", at(Math.max(0, value)));
      element.classList.toggle("on", value !== 0);
      setAll(input, {
        "aria-valuetext": value
          ? `${signed(value)}; 1 is as much as your sounds have`
          : "0, the sound itself",
      });
    }
    reset.hidden = !Object.values(amounts).some(Boolean);
  }

  const stops = [
    watch(
      store,
      ({ adaptation }) => [adaptation?.result, adaptation?.sliders],
      ({ adaptation }) => {
        sliders.clear();
        rows.replaceChildren(...(adaptation?.sliders ?? []).map(row));
        root.hidden = !adaptation?.sliders.length;
        show(store.get());
      },
    ),
    watch(
      store,
      (state) => [
        state.subject,
        state.library,
        state.a,
        state.b,
        state.morph?.phase,
        stepAt(state.progress),
        state.amounts,
      ],
      show,
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
