// @ts-check
/** What to save and as what: one step, all of them, the glide, the ends; format, bits, level, silence. */

import { h, icon, setAll, unit } from "../core/dom.js";
import { isReady } from "../core/state.js";
import { watch } from "../core/store.js";
import { anchorName, wordsOf } from "../core/text.js";
import { dragged } from "./drag.js";
import { destinationOf, kindOf, stepNumber } from "./saver.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Saving} Saving */
/** @typedef {import("./saver.js").What} What */

/** @type {[What, string][]} */
const CHOICES = [
  ["step", "This step"],
  ["steps", "Every step, a file each"],
  ["sequence", "All steps in one file, as they are played"],
  ["glide", "The glide"],
  ["instrument", "All steps as an instrument for a sampler"],
  ["a", "A"],
  ["b", "B"],
];

/** @param {number | null} depth */
const depthWords = (depth) => (depth === null ? "–" : depth === 32 ? "32 bit float" : `${depth} bit`);

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("./saver.js").Saver} parts.saver
 */
export function mountSaveDialog(root, { store, saver }) {
  const button = h(
    "button.icon.round.save",
    {
      popovertarget: "save",
      title: "Save as files",
      "aria-label": "Save as files",
      ...dragged("Save as files"),
    },
    icon("save"),
    h("span", {}, "Save"),
  );
  const choices = h("fieldset.pick", {}, h("legend", {}, "Save"));
  /** @type {Map<What, {input: HTMLInputElement, label: HTMLElement, text: HTMLElement}>} */
  const radios = new Map(
    CHOICES.map(([value, words]) => {
      const input = /** @type {HTMLInputElement} */ (
        h("input", { type: "radio", name: "save-what", value, onchange: () => show(store.get()) })
      );
      const text = h("b", {}, words);
      return [value, { input, label: h("label", {}, input, h("span", {}, text)), text }];
    }),
  );
  choices.append(...[...radios.values()].map(({ label }) => label));

  const number = (
    /** @type {string} */ label,
    /** @type {Record<string, number>} */ bounds,
    /** @type {(value: number) => void} */ set,
  ) => {
    const input = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "number",
        ...bounds,
        "aria-label": label,
        onchange: () => (input.checkValidity() && input.value ? set(input.valueAsNumber) : show(store.get())),
      })
    );
    return input;
  };
  const change = (/** @type {Partial<Saving>} */ some) =>
    store.set({ saving: { ...store.get().saving, ...some } });
  const steps = number("Number of steps", { min: 2, max: 33, step: 1 }, (value) => change({ steps: value }));
  const seconds = number("Length of the glide, seconds", { min: 0.5, max: 20, step: 0.5 }, (value) =>
    store.set({ seconds: value }),
  );
  const kind = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": "Kind of instrument", onchange: () => change({ instrument: kind.value }) })
  );
  const kindField = h("div.field", {}, h("span", {}, "Kind of instrument"), kind);
  const kindWords = h("p.note");
  const format = /** @type {HTMLSelectElement} */ (
    h("select", {
      "aria-label": "Kind of file",
      onchange: () => change({ format: format.value, depth: null }),
    })
  );
  const depth = /** @type {HTMLSelectElement} */ (
    h("select", {
      "aria-label": "Bits",
      onchange: () => change({ depth: depth.value ? Number(depth.value) : null }),
    })
  );
  const level = /** @type {HTMLSelectElement} */ (
    h(
      "select",
      {
        "aria-label": "Level",
        onchange: () => change({ level: /** @type {Saving["level"]} */ (level.value) }),
      },
      h("option", { value: "keep" }, "As heard"),
      h("option", { value: "normalise" }, "Peak −1 dB"),
    )
  );
  const trim = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => change({ trim: trim.checked }) })
  );
  const folder = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => change({ download: !folder.checked }) })
  );
  const folderField = h("label.check", {}, folder, h("span", {}, "Put it into the export folder"));
  const stepsField = h("label.field", {}, h("span", {}, "Number of steps"), steps);
  const secondsField = h("label.field", {}, h("span", {}, "Length of the glide, seconds"), seconds);
  const go = h("button.btn.solid", { onclick: () => void save() }, "Save");
  const box = h(
    "div.lens-box.save-box",
    { id: "save", popover: "auto", role: "dialog", "aria-label": "Save as files" },
    choices,
    stepsField,
    secondsField,
    kindField,
    kindWords,
    h("div.field.kinds", {}, format, depth, level),
    h("label.check", {}, trim, h("span", {}, "Leave out the silence at both ends")),
    folderField,
    h("p.note", {}, "Each file says what it was made from, with licences and credits."),
    h("div.row", {}, go),
  );
  root.append(button, box);

  /** What was put into the export folder is told of where the dialog would hide it. */
  async function save() {
    await saver.morph(choice());
    if (destinationOf(store.get()).destination && box.matches(":popover-open")) box.hidePopover();
  }

  /** Over the deck, at its right end; on a phone at the bottom. */
  function position() {
    const narrow = innerWidth < 720 * unit();
    const bottom = Math.max(12, innerHeight - button.getBoundingClientRect().top + 12 * unit());
    // what does not fit above the deck is scrolled to
    const wide = `right:${32 * unit()}px;bottom:${bottom}px;max-height:${innerHeight - bottom - 12}px`;
    setAll(box, { style: narrow ? "inset:auto 12px 12px" : wide });
  }
  box.addEventListener("beforetoggle", () => {
    position();
    const { mode } = store.get();
    if (![...radios.values()].some(({ input }) => input.checked))
      /** @type {{input: HTMLInputElement}} */ (
        radios.get(mode === "glide" ? "glide" : "sequence")
      ).input.checked = true;
    show(store.get());
  });
  box.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());

  /** @returns {What} */
  const choice = () => CHOICES.find(([value]) => radios.get(value)?.input.checked)?.[0] ?? "sequence";

  /** @param {State} state */
  function show(state) {
    const { saving, model, library, a, b, exporting, progress: at } = state;
    const ready = isReady(state) && library && a && b;
    setAll(button, { disabled: !ready });
    if (!ready || !model) return;
    const texts = {
      step: `Step ${stepNumber(at, saving.steps)} of ${saving.steps}`,
      steps: `All ${saving.steps} steps, a file each`,
      a: `A: ${anchorName(a, library)}`,
      b: `B: ${anchorName(b, library)}`,
    };
    for (const [value, words] of Object.entries(texts))
      /** @type {{text: HTMLElement}} */ (radios.get(/** @type {What} */ (value))).text.textContent = words;
    stepsField.hidden = !["step", "steps", "sequence", "instrument"].includes(choice());
    showInstrument(state);
    folderField.hidden = !state.exportFolder;
    folder.checked = !saving.download;
    secondsField.hidden = choice() !== "glide";
    const formats = model.formats ?? [];
    if (format.options.length !== formats.length)
      format.replaceChildren(...formats.map(({ id, title }) => h("option", { value: id }, title)));
    const depths = formats.find(({ id }) => id === saving.format)?.depths ?? [];
    depth.replaceChildren(
      ...(depths.length ? depths : [null]).map((bits) =>
        h("option", { value: bits ?? "" }, depthWords(bits)),
      ),
    );
    setAll(depth, { disabled: !depths.length });
    if (document.activeElement !== steps) steps.value = String(saving.steps);
    if (document.activeElement !== seconds) seconds.value = String(state.seconds);
    format.value = saving.format;
    depth.value = String(saving.depth ?? depths[0] ?? "");
    level.value = saving.level;
    trim.checked = saving.trim;
    go.textContent = exporting ? "Saving" : "Save";
    setAll(go, { disabled: exporting, "aria-busy": exporting ? "true" : null });
  }

  /** @param {State} state */
  function showInstrument({ saving, choices: { instruments } }) {
    const isInstrument = choice() === "instrument";
    if (kind.options.length !== instruments.length)
      kind.replaceChildren(...instruments.map(({ id, label }) => h("option", { value: id }, label)));
    kind.value = kindOf(saving, instruments);
    kindWords.textContent = `${wordsOf(instruments, kind.value).meaning}.`;
    for (const part of [kindField, kindWords]) part.hidden = !isInstrument;
    for (const part of [format, depth]) part.hidden = isInstrument;
  }

  const stop = watch(
    store,
    (state) => [
      state.saving,
      state.choices,
      state.exportFolder,
      state.seconds,
      state.model,
      state.library,
      state.a,
      state.b,
      state.exporting,
      stepNumber(state.progress, state.saving.steps),
      isReady(state),
    ],
    show,
  );
  return {
    destroy() {
      stop();
      button.remove();
      box.remove();
    },
  };
}
