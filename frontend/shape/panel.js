// @ts-check
/** Shape: a slider for everything that has a name. */

import { fingers, h, icon, radioGroup, setAll } from "../core/dom.js";
import { anchorOf, keyOf, stepAt } from "../core/state.js";
import { watch } from "../core/store.js";
import { anchorName, descriptorTitle, measured, sentence, shapeWords } from "../core/text.js";
import { createTraversals, newSoundOn, subjectKey, valueAt } from "./traversals.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Descriptor} Descriptor */

const FINE = 16; // positions of a slider between two steps
const STEPS = 9; // until it is known how many there are
const REACHED = "as far as was asked"; // as the service has it

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mount(root, parts) {
  const { store, actions, playback, userSounds } = parts;
  const traversals = createTraversals(parts);
  const from = h(
    "div.seg",
    { role: "radiogroup", "aria-label": "Start from" },
    ...[
      ["a", "A"],
      ["b", "B"],
      ["here", "Here"],
      ["other", "This"],
    ].map(([value, label]) => h("button", { role: "radio", "data-value": value }, label)),
  );
  const subjectButton = h("button.text", {
    onclick: () =>
      void (
        traversals.origin() &&
        playback.audition(/** @type {import("../core/state.js").Anchor} */ (traversals.origin()))
      ),
  });
  const sliders = h("div.sliders");
  const hold = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => store.set({ hold: hold.checked }) })
  );
  const holding = h(
    "label.check",
    {},
    hold,
    h("span", {}, "Keep the other qualities unchanged where possible"),
  );
  const hint = h(
    "p.note",
    {},
    fingers()
      ? "Pick a sound first: tap one on the map."
      : "Pick a sound first: click one on the map, or press T on it.",
  );
  const use = (/** @type {"a" | "b"} */ end) =>
    h(
      "button.btn.quiet",
      { onclick: () => with_((newSound) => actions.setEnd(end, anchorOf(newSound))) },
      `Use as ${end.toUpperCase()}`,
    );
  const on = h(
    "button.btn.ghost",
    { onclick: () => with_((newSound) => actions.shape(anchorOf(newSound))) },
    "Go on from there",
  );
  const keep = h(
    "button.btn.ghost",
    { onclick: () => with_((newSound) => void userSounds.keep(newSound)) },
    "Keep",
  );
  const save = h(
    "button.btn.ghost",
    { onclick: () => with_((newSound) => void userSounds.save(newSound)) },
    "Save as WAV",
  );
  const acts = h("div.row.wrap.stay", {}, use("a"), use("b"), keep, on, save);
  const status = h("p.note", { role: "status" });
  root.append(
    h("h2", {}, "Shape"),
    h(
      "button.icon.close",
      { "aria-label": "Close shape", onclick: () => store.set({ panel: null }) },
      icon("close"),
    ),
    h(
      "p.lede",
      {},
      "Pull a sound towards more or less of something. It keeps to what the model knows, as far as it goes.",
    ),
    h("div.row", {}, from, subjectButton),
    hint,
    sliders,
    holding,
    status,
    acts,
  );

  const group = radioGroup(from, (value) => {
    const { subject } = store.get();
    if (value === "other") return typeof subject === "string" ? undefined : traversals.origin();
    actions.shape(/** @type {"a" | "b" | "here"} */ (value));
  });

  /**
   * @type {Map<string, {descriptor: Descriptor, input: HTMLInputElement, output: HTMLElement, row:
   *   HTMLElement, caveat: HTMLElement}>}
   */
  const rows = new Map();
  /** @type {Record<string, number> | null} */
  let values = null;

  /**
   * The new sound under the thumb, if there is one.
   * @param {(newSound: import("../core/state.js").NewSound) => void} act
   */
  function with_(act) {
    const newSound = current();
    if (newSound) act(newSound);
  }
  function current() {
    const { traversal, library } = store.get();
    const origin = traversals.origin();
    const row = traversal && rows.get(traversal.descriptor);
    if (!traversal?.reply || !row || !origin || !library) return null;
    const towards =
      Math.round(traversal.at) > traversal.reply.origin ? row.descriptor.more : row.descriptor.less;
    return newSoundOn(traversal, anchorName(origin, library), towards);
  }

  /** @param {Descriptor} descriptor */
  function slider(descriptor) {
    const { id, less, more } = descriptor;
    const input = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "range",
        min: 0,
        max: (STEPS - 1) * FINE,
        step: 1,
        value: ((STEPS - 1) / 2) * FINE,
        "aria-label": descriptorTitle(id),
      })
    );
    const output = h("output");
    const caveat = h("p.note", { id: `caveat-${id}` });
    setAll(input, { "aria-describedby": caveat.id });
    const row = h(
      "div.slider",
      { "data-descriptor": id },
      h("div.what", {}, h("span", {}, descriptorTitle(id)), output),
      input,
      h("div.words", { "aria-hidden": "true" }, h("span", {}, less), h("span", {}, more)),
      caveat,
    );
    input.addEventListener("pointerenter", () => traversals.approach(id));
    input.addEventListener("focus", () => traversals.approach(id));
    input.addEventListener("input", () => void traversals.drag(id, Number(input.value) / FINE));
    for (const name of ["change", "pointerup", "pointercancel"])
      input.addEventListener(name, () => traversals.release());
    input.addEventListener("keydown", (event) => {
      const by = {
        ArrowRight: 1,
        ArrowUp: 1,
        ArrowLeft: -1,
        ArrowDown: -1,
        PageUp: 2,
        PageDown: -2,
        Home: -99,
        End: 99,
      }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      void traversals.step(id, by);
    });
    row.addEventListener("dblclick", () => void traversals.step(id, 0, true));
    rows.set(id, { descriptor, input, output, row, caveat });
    return row;
  }

  /** @param {State} state */
  function show(state) {
    const { traversal, subject, library, a, b, morph, progress, hold: isHeld } = state;
    const origin = traversals.origin();
    group.show(typeof subject === "string" ? subject : "other");
    for (const radio of /** @type {NodeListOf<HTMLButtonElement>} */ (
      from.querySelectorAll("[role=radio]")
    )) {
      const available = {
        a: a !== null,
        b: b !== null,
        here: morph?.phase === "ready",
        other: typeof subject !== "string",
      }[radio.dataset.value ?? ""];
      radio.hidden = !available;
      if (radio.dataset.value === "here") radio.textContent = `Step ${stepAt(progress) + 1}`;
    }
    from.hidden = !a && !b;
    subjectButton.textContent = origin && library ? anchorName(origin, library) : "";
    subjectButton.title = "Play it";
    hint.hidden = subjectKey(state) !== ""; // or it is on its way
    sliders.hidden = origin === null;
    holding.hidden = origin === null;
    hold.checked = isHeld;
    for (const [id, { descriptor, input, output, row, caveat }] of rows) {
      const ofSlider = traversal?.descriptor === id ? traversal : null;
      const reply = ofSlider?.reply;
      const last = reply ? reply.values.length - 1 : STEPS - 1;
      const middle = reply ? reply.origin : last / 2;
      const at = reply && ofSlider ? ofSlider.at : middle;
      const value = reply ? valueAt(reply.values, at) : values?.[id];
      output.textContent = value === undefined ? "" : measured(value, reply?.unit ?? descriptor.unit);
      setAll(input, {
        max: last * FINE,
        "aria-valuetext": `${output.textContent}, ${shapeWords(Math.round(at) - Math.round(middle), descriptor)}`,
      });
      if (document.activeElement !== input || !input.matches(":active"))
        input.value = String(Math.round(at * FINE));
      input.style.setProperty("--low", `${(Math.min(at, middle) / last) * 100}%`);
      input.style.setProperty("--high-end", `${(Math.max(at, middle) / last) * 100}%`);
      input.style.setProperty("--mid", `${(middle / last) * 100}%`);
      caveat.textContent = (reply?.warnings ?? []).map(({ text }) => sentence(text)).join(" ");
      row.classList.toggle("busy", ofSlider?.phase === "asking");
      row.classList.toggle("on", reply !== null && reply !== undefined);
    }
    const newSound = current();
    acts.hidden = !newSound;
    status.textContent = stopped(traversal);
  }

  /** @param {State["traversal"]} traversal */
  function stopped(traversal) {
    const reply = traversal?.reply;
    if (!traversal || !reply) return "";
    const step = Math.round(traversal.at);
    const [less, more] = [step === 0, step === reply.values.length - 1];
    const end = more ? reply.stopped.more : less ? reply.stopped.less : null;
    const why = end === REACHED ? null : end; // the end of the slider needs no reason
    const warning = reply.in_distribution[step] ? "" : "Guesswork: beyond what the model knows.";
    return [why ? `It goes no further: ${why}.` : "", warning].filter(Boolean).join(" ");
  }

  const stops = [
    watch(
      store,
      ({ model }) => [model],
      ({ model }) => {
        rows.clear();
        sliders.replaceChildren(...(model?.descriptors ?? []).map(slider));
      },
    ),
    traversals.onOrigin((_, measured) => {
      values = measured;
      show(store.get());
    }),
    watch(
      store,
      ({ traversal, subject, library, a, b, morph, progress, storedAs, hold }) => [
        traversal,
        subject,
        library,
        keyOf(a),
        keyOf(b),
        morph?.phase,
        stepAt(progress),
        storedAs,
        hold,
      ],
      show,
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      traversals.destroy();
      root.replaceChildren();
    },
  };
}
