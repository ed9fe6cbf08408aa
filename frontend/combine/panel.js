// @ts-check
/** Combine: averages, analogies, what lies beyond B; and what came of them. */

import { fingers, h, icon, setAll } from "../core/dom.js";
import { mountRows } from "../found/rows.js";
import { watch } from "../core/store.js";
import { anchorName } from "../core/text.js";
import { lacking } from "./operations.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Operation} Operation */
/** @typedef {import("../core/state.js").Anchor} Anchor */

/** @typedef {import("../parts.js").Parts & {operations: import("./operations.js").Operations}} Parts */

/** @param {HTMLElement} root @param {Parts} parts */
export function mount(root, parts) {
  const { store, actions, operations } = parts;
  const chips = h("ul.chips", { "aria-label": "Marked sounds" });
  const hint = fingers()
    ? h("p.note", {}, "Tap a sound on the map, then Mark.")
    : h("p.note", {}, "Shift and click on the map, or press ", h("kbd", {}, "M"), " on a sound, marks it.");
  const unmark = h("button.btn.ghost", { onclick: actions.unmark }, "Clear");
  /** @param {Operation} operation @param {string} label */
  const key = (operation, label) =>
    h("button.btn.quiet", { "data-op": operation, onclick: () => operations.run(operation) }, label);
  const mean = key("mean", "Average of these");
  const analogy = key("analogy", "Find the fourth");
  const beyond = key("beyond", "Go beyond B");
  const sentence = h("p.sum");
  const far = h("output");
  const reach = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: 1.1, max: 3, step: 0.1, "aria-label": "Overshoot beyond B" })
  );
  const list = h("ul");
  const lasts = h(
    "p.note",
    {},
    "These stay until you close this tab. Keep one to have it in the library for good.",
  );
  const none = h("p.note", {}, "Nothing yet. What you make lands on the map as a diamond.");
  root.append(
    h("h2", {}, "Combine"),
    h(
      "button.icon.close",
      { "aria-label": "Close combine", onclick: () => store.set({ panel: null }) },
      icon("close"),
    ),
    h("p.lede", {}, "Make a sound out of others."),
    h("h3", {}, "Average", h("kbd", {}, "V")),
    chips,
    hint,
    h("div.row", {}, mean, unmark),
    h("h3", {}, "Analogy", h("kbd", {}, "N")),
    sentence,
    h("div.row", {}, analogy),
    h("h3", {}, "Beyond B", h("kbd", {}, "X")),
    h("label.field", {}, h("span", {}, "Overshoot"), far, reach),
    h("div.row", {}, beyond),
    h("h3", {}, "Made in this visit"),
    none,
    list,
    lasts,
  );
  reach.addEventListener("input", () => store.set({ reach: Number(reach.value), operation: null }));
  chips.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const anchor = store.get().marked[Number(button?.dataset.nth)];
    if (anchor) actions.mark(anchor);
  });

  /** @param {State} state */
  function show(state) {
    const { marked, library, a, b, working, reach: to } = state;
    const name = (/** @type {Anchor | null | undefined} */ anchor, /** @type {string} */ letter) =>
      anchor && library ? anchorName(anchor, library) : letter;
    chips.replaceChildren(
      ...marked.map((anchor, i) =>
        h(
          "li",
          {},
          h(
            "button.chip",
            { "data-nth": i, "aria-label": `Unmark ${name(anchor, "")}` },
            h("i", { "aria-hidden": "true" }, String(i + 1)),
            h("span", {}, name(anchor, "")),
            icon("close"),
          ),
        ),
      ),
    );
    chips.hidden = marked.length === 0;
    hint.hidden = marked.length >= 2;
    unmark.hidden = marked.length === 0;
    const last = marked[marked.length - 1];
    sentence.replaceChildren(
      h("b.a", {}, name(a, "A")),
      " is to ",
      h("b.b", {}, name(b, "B")),
      " as ",
      h("b", {}, last ? name(last, "") : "the sound you mark"),
      " is to what?",
    );
    far.textContent = `${Math.round(100 * (to - 1))} %`;
    setAll(reach, { "aria-valuetext": far.textContent });
    reach.value = String(to);
    reach.style.setProperty("--at", `${((to - 1.1) / 1.9) * 100}%`);
    for (const [button, operation] of /** @type {[HTMLElement, Operation][]} */ ([
      [mean, "mean"],
      [analogy, "analogy"],
      [beyond, "beyond"],
    ])) {
      const missing = lacking(operation, state);
      setAll(button, { "aria-disabled": missing ? "true" : null, title: missing ?? "" });
      button.classList.toggle("busy", working === operation);
    }
  }

  const rows = mountRows(list, parts, ({ newSounds }) => [...newSounds].reverse(), operations.drop);
  const stops = [
    watch(
      store,
      ({ marked, library, a, b, working, reach: to }) => [marked, library, a, b, working, to],
      show,
    ),
    watch(
      store,
      ({ newSounds }) => [newSounds.length],
      ({ newSounds }) => {
        none.hidden = newSounds.length > 0;
        lasts.hidden = newSounds.length === 0;
      },
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      rows.destroy();
      root.replaceChildren();
    },
  };
}
