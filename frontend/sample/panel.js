// @ts-check
/** New sounds: where from, how varied, how many, by which seed; and what came of it. */

import { h, icon, setAll } from "../core/dom.js";
import { mountRows } from "../found/rows.js";
import { pointGlyph } from "../core/shapes.js";
import { watch } from "../core/store.js";
import { anchorName, drawWords, samplerDetails, wordsOf } from "../core/text.js";
import { BESIDE, createSampling, hasTemperature, needsStart, samplerOf, volumeOf } from "./sampling.js";

/** @typedef {import("../core/state.js").State} State */

const SEEDS = 10_000; // short enough to be read out
const TOP = 2; // of the temperature

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mount(root, parts) {
  const { store } = parts;
  const sampling = createSampling(parts);
  const samplers = h("fieldset.pick", {}, h("legend.vh", {}, "Where from"));
  const daring = h("output");
  const temperature = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: 0.1, max: TOP, step: 0.1, "aria-label": "Variation (temperature)" })
  );
  const field = h("label.field", {}, h("span", {}, "Variation"), daring, temperature);
  const volume = /** @type {HTMLSelectElement} */ (
    h("select", {
      onchange: () =>
        store.set({
          volumeMetric: volume.value === store.get().model?.volume_metrics?.[0] ? null : volume.value,
        }),
    })
  );
  const byVolume = h("label.field", { hidden: true }, h("span", {}, "Where sounds are known"), volume);
  const count = /** @type {HTMLInputElement} */ (
    h("input", { type: "number", min: 1, max: 64, step: 1, inputmode: "numeric" })
  );
  const seed = /** @type {HTMLInputElement} */ (
    h("input", { type: "number", min: 0, max: 2147483647, step: 1, inputmode: "numeric", placeholder: "any" })
  );
  const beside = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
  const go = h("button.btn.solid", { onclick: () => drawNew() });
  const clear = h(
    "button.btn.ghost",
    { onclick: () => store.set({ seed: null, pointed: null }) },
    "Take off the map",
  );
  const words = h("div.outcome", { role: "status" });
  const details = h("p.note");
  const list = h("ul");
  const more = h("p.note", { hidden: true });
  root.append(
    h("h2", {}, "New sounds"),
    h(
      "button.icon.close",
      { "aria-label": "Close new sounds", onclick: () => store.set({ panel: null }) },
      icon("close"),
    ),
    h("p.lede", {}, "Make sounds nobody recorded. They land on the map as rings."),
    samplers,
    byVolume,
    field,
    h("div.row", {}, h("label.field.s", {}, "How many", count), h("label.field.s", {}, "Seed", seed)),
    h(
      "details.more",
      {},
      h("summary", {}, "Details"),
      h(
        "label.check",
        {},
        beside,
        h(
          "span",
          {},
          "For comparison also from: ",
          pointGlyph("triangle"),
          " anywhere (prior), ",
          pointGlyph("square"),
          " near the library (mixture)",
        ),
      ),
      details,
    ),
    h("div.row", {}, go, clear),
    words,
    list,
    more,
  );

  const drawNew = () => store.set({ seed: Math.floor(Math.random() * SEEDS) });

  /** @param {HTMLInputElement} input @param {number} low @param {number} high @param {(value: number) => void} use */
  function number(input, low, high, use) {
    const read = () => {
      const value = Number(input.value);
      return input.value !== "" && Number.isInteger(value) && value >= low && value <= high ? value : null;
    };
    input.addEventListener("input", () => {
      const value = read();
      if (value !== null) use(value);
    });
    input.addEventListener("change", () => read() === null && show(store.get())); // what it was
  }
  number(count, 1, 64, (value) => store.set({ count: value }));
  number(seed, 0, 2147483647, (value) => store.set({ seed: value }));
  temperature.addEventListener("input", () => store.set({ temperature: Number(temperature.value) }));
  beside.addEventListener("change", () => store.set({ beside: beside.checked }));
  samplers.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement)) return;
    const { value } = event.target;
    store.set({ sampler: value === store.get().model?.samplers?.[0]?.id ? null : value });
  });

  /** @param {State} state */
  function offer(state) {
    const { model, choices, a, library } = state;
    for (const old of samplers.querySelectorAll("label")) old.remove();
    volume.replaceChildren(
      ...(model?.volume_metrics ?? []).map((id) => {
        const { label, term } = wordsOf(choices.metrics, id);
        return h("option", { value: id }, `${label} (${term})`);
      }),
    );
    samplers.append(
      ...(model?.samplers ?? []).map(({ id }) => {
        const { label, meaning } = wordsOf(choices.samplers, id);
        const stuck = needsStart(state, id) && !a;
        const start = needsStart(state, id)
          ? a && library
            ? `${meaning}, from ${anchorName(a, library)}`
            : `${meaning}; pick A first`
          : meaning;
        return h(
          `label${stuck ? ".off" : ""}`,
          {},
          h("input", { type: "radio", name: "sampler", value: id, disabled: stuck }),
          h("span", {}, h("b", {}, label), start),
        );
      }),
    );
    show(state);
  }

  /** @param {State} state */
  function show(state) {
    const { count: many, seed: by, temperature: heat, beside: also } = state;
    const sampler = samplerOf(state);
    for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (samplers.querySelectorAll("input")))
      radio.checked = radio.value === sampler;
    const metric = volumeOf(state, sampler);
    byVolume.hidden = metric === null;
    if (metric) volume.value = metric;
    count.value = String(many);
    seed.value = by === null ? "" : String(by);
    temperature.value = String(heat);
    temperature.style.setProperty("--at", `${((heat - 0.1) / (TOP - 0.1)) * 100}%`);
    daring.textContent = heat.toFixed(1);
    field.hidden = !hasTemperature(state, sampler);
    beside.checked = also;
    go.textContent = `Make ${many} ${by === null ? "" : "other "}${many === 1 ? "sound" : "sounds"}`;
    clear.hidden = by === null;
    setAll(go, { disabled: needsStart(state, sampler) && !state.a });
  }

  /** @param {State} state */
  function tell(state) {
    const { drawing, choices } = state;
    const chief = drawing?.draws.find((draw) => draw.sampler === samplerOf(state));
    root.classList.toggle("busy", drawing?.phase === "drawing");
    more.hidden = true;
    details.textContent = "";
    if (!drawing || drawing.phase === "failed") return words.replaceChildren();
    if (!chief) return words.replaceChildren(h("p.note", {}, "Making them."));
    const [first, ...rest] = drawWords(chief);
    details.textContent = samplerDetails(chief, choices.samplers).join(" ");
    words.replaceChildren(
      h("p.note", {}, pointGlyph("ring"), h("b", {}, ` ${first}`), rest.length ? ` ${rest.join(" ")}` : ""),
      ...drawing.draws
        .filter((draw) => draw !== chief)
        .map((draw) =>
          h(
            "p.note",
            {},
            pointGlyph(BESIDE[draw.sampler]),
            ` ${wordsOf(choices.samplers, draw.sampler).label}: `,
            drawWords(draw)[0].replace(/^[A-Z]/, (c) => c.toLowerCase()),
          ),
        ),
    );
  }

  const rows = mountRows(
    list,
    parts,
    (state) => state.drawing?.draws.find((draw) => draw.sampler === samplerOf(state))?.samples ?? [],
  );
  const stops = [
    watch(store, ({ model, choices, a, library }) => [model, choices, a, library], offer),
    watch(
      store,
      ({ sampler, volumeMetric, count, seed, temperature, beside, a }) => [
        sampler,
        volumeMetric,
        count,
        seed,
        temperature,
        beside,
        a,
      ],
      show,
    ),
    watch(store, ({ drawing, sampler }) => [drawing, sampler], tell),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      rows.destroy();
      sampling.destroy();
      root.replaceChildren();
    },
  };
}
