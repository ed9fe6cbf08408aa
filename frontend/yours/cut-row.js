// @ts-check
/** One sound that was found: kept or not, its name, where it begins and ends, and what else can be done with it. */

import { h, icon, setAll } from "../core/dom.js";
import { corrected, halved, joined, nextOf, removed, troubleOf } from "./cuts.js";

/** @typedef {import("./state.js").Cut} Cut */

let rows = 0; // made so far: each has an id of its own

/**
 * @param {number} nth
 * @param {object} hands
 * @param {(change: (cuts: readonly Cut[]) => Cut[]) => void} hands.edit
 * @param {(nth: number) => void} hands.hear
 * @param {(nth: number | null) => void} hands.open      shows what else can be done with it
 */
export function makeCutRow(nth, { edit, hear, open }) {
  const id = `cut-${rows++}`;
  const correct = (/** @type {Partial<Cut>} */ change) => edit((cuts) => corrected(cuts, nth, change));
  const on = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => correct({ on: on.checked }) })
  );
  const name = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "text",
      maxlength: 120,
      "aria-label": `Name of sound ${nth + 1}`,
      onchange: () => name.value.trim() && correct({ name: name.value.trim() }),
    })
  );
  const edges = /** @type {const} */ (["start", "end"]).map((edge) => {
    const label = `${edge === "start" ? "Beginning" : "End"} of sound ${nth + 1}, seconds`;
    const input = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "number",
        step: 0.01,
        min: 0,
        "aria-label": label,
        "aria-describedby": id,
        oninput: () => correct({ [edge]: input.valueAsNumber }),
      })
    );
    return input;
  });
  const play = h("button.icon.small", { onclick: () => hear(nth) }, icon("play"));
  const more = h(
    "button.icon.small",
    {
      "data-act": "more",
      "aria-expanded": "false",
      onclick: () => open(more.getAttribute("aria-expanded") === "true" ? null : nth),
    },
    icon("more"),
  );
  const join = h(
    "button.btn.quiet.small",
    { onclick: () => edit((cuts) => joined(cuts, nth)) },
    "Join with the next",
  );
  const acts = h(
    "div.acts",
    { hidden: true },
    join,
    h("button.btn.quiet.small", { onclick: () => edit((cuts) => halved(cuts, nth)) }, "Cut in two"),
    h("button.btn.ghost.small", { onclick: () => edit((cuts) => removed(cuts, nth)) }, "Delete"),
  );
  const trouble = h("p.note.trouble", { id });
  const root = h(
    "li",
    { "data-nth": nth },
    on,
    h("i.order", { "aria-hidden": "true" }, String(nth + 1)),
    name,
    ...edges,
    play,
    more,
    trouble,
    acts,
  );

  return {
    root,
    more,
    /**
     * @param {readonly Cut[]} cuts @param {object} how
     * @param {number} how.seconds of the recording
     * @param {import("./cuts.js").Range} how.range
     * @param {boolean} how.open
     * @param {boolean} how.visible
     */
    show(cuts, { seconds, range, open: opened, visible }) {
      const cut = cuts[nth];
      root.hidden = !visible;
      on.checked = cut.on;
      setAll(on, { "aria-label": `Keep ${cut.name}` });
      setAll(play, { "aria-label": `Play ${cut.name}` });
      setAll(more, {
        "aria-label": `More for ${cut.name}`,
        title: "Join, cut in two, delete",
        "aria-expanded": String(opened),
      });
      acts.hidden = !opened;
      join.hidden = nextOf(cuts, nth) < 0;
      if (document.activeElement !== name) name.value = cut.name;
      const wrong = troubleOf(cut, seconds, range);
      [cut.start, cut.end].forEach((value, k) => {
        setAll(edges[k], { "aria-invalid": wrong ? "true" : null });
        if (document.activeElement !== edges[k])
          edges[k].value = Number.isFinite(value) ? value.toFixed(2) : "";
      });
      if (trouble.textContent !== wrong) trouble.textContent = wrong;
    },
  };
}
