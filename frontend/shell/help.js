// @ts-check
/** The keys, and the few words that need one. */

import { familyGlyph } from "../core/shapes.js";
import { fingers, h, icon } from "../core/dom.js";
import { PATHS } from "../core/state.js";
import { capital, pathName } from "../core/text.js";

/** @type {[keys: string[], what: string][]} */
const KEYS = [
  [
    ["←", "→", "↑", "↓"],
    "to the nearest sound that way (on the map), a step (on the scrubber), through rows and their buttons (in a list)",
  ],
  [["Enter"], "play the sound"],
  [["A", "B"], "morph from there, morph to there"],
  [["Space"], "play or pause the morph"],
  [["Pg↑", "Pg↓"], "to the next or previous family on the map"],
  [["Home", "End"], "to A or B on the map, to the first or last row of a list"],
  [["1", "2", "3"], "curved, direct, direct at an even pace"],
  [["G"], "steps or glide"],
  [["L"], "loop"],
  [["S"], "swap A and B"],
  [["D"], "save what is heard"],
  [["I"], "say what the morph, or the map, is like"],
  [["H"], "hear sounds while walking the map by arrow keys, or not"],
  [["F", "/"], "find a sound"],
  [["M"], "mark the sound (or Shift and a click)"],
  [["V"], "average of what is marked"],
  [["N"], "A is to B as the last marked one is to …"],
  [["X"], "beyond B"],
  [["T"], "sliders for the sound: brighter, softer …"],
  [["C"], "original model, or with your sounds"],
  [["+", "−", "0"], "zoom in, out, all of it"],
  [["Esc"], "silence; then close what is open"],
];

/** @param {readonly import("../panels.js").Panel[]} panels @returns {typeof KEYS} */
const panelKeys = (panels) =>
  panels.flatMap(({ key, label }) => (key ? [[[key.toUpperCase()], `open the panel ${label}`]] : []));

/**
 * The kinds of paths that have a key: what they are called, and what they mean.
 * @param {readonly import("../core/state.js").Choice[]} kinds
 * @returns {[string, string][]}
 */
function pathWords(kinds) {
  const keyed = kinds.filter(({ id }) => PATHS.some((kind) => kind === id));
  return keyed.map(({ id, label, term, meaning }) => {
    const name = pathName({ kind: id }, kinds);
    return [name === label ? `${label} (${term})` : name, `${meaning}.`];
  });
}

/**
 * The distance that sounds are ranked by.
 * @param {readonly import("../core/state.js").Choice[]} distances
 * @returns {[string, string][]}
 */
const distanceWords = ([first]) => (first ? [[`${first.label} (${first.term})`, `${first.meaning}.`]] : []);

/**
 * @param {import("../core/store.js").Store<import("../core/state.js").State>} store
 * @param {readonly import("../panels.js").Panel[]} panels
 */
export function createHelp(store, panels) {
  const unit = () => store.get().model?.unit ?? "dB";
  /** @returns {[string, string][]} */
  const words = () => [
    [
      "Light, dark",
      "On the light part of the map sounds like these exist. On the dark part the computer guesses.",
    ],
    ...pathWords(store.get().choices.path_kinds),
    ...distanceWords(store.get().choices.distances),
    ["Guesswork", "The share of a path that lies outside what the model knows."],
    [unit(), "The difference between two sounds to the ear, scaled so that it reads like decibels."],
    ["Glide", "One held sound that changes from A to B."],
    [
      "Outlines",
      "Sounds nobody recorded: rings are new sounds, diamonds are made out of others. " +
        "With a dot in it: in the library.",
    ],
  ];
  const families = () =>
    h(
      "ul.families",
      { "aria-label": "Families of sounds" },
      ...(store.get().library?.family_names ?? []).map((name, family) =>
        h("li", {}, familyGlyph(family), capital(name)),
      ),
    );
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog.help", { "aria-labelledby": "h-help" }));
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  const pairs = (/** @type {string} */ look, /** @type {[Node[], string][]} */ rows) =>
    h(`dl.${look}`, {}, ...rows.flatMap(([terms, meaning]) => [h("dt", {}, ...terms), h("dd", {}, meaning)]));
  return {
    open() {
      const keys = pairs(
        "keys",
        [...KEYS, ...panelKeys(panels)].map(([names, action]) => [
          names.map((key) => h("kbd", {}, key)),
          action,
        ]),
      );
      const glossary = pairs(
        "words",
        words().map(([word, meaning]) => [[document.createTextNode(word)], meaning]),
      );
      dialog.replaceChildren(
        h(
          "div.help-body",
          {},
          h("button.icon.close", { "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
          h("h2", { id: "h-help" }, "Help"),
          h("p", {}, h("a", { href: "listen.html" }, "Blind listening tests: compare without seeing")),
          h("h3", {}, "Words"),
          glossary,
          h("h3", {}, "Shapes on the map"),
          families(),
          ...(fingers() ? [] : [h("h3", {}, "Keys"), keys]),
        ),
      );
      dialog.showModal();
    },
    destroy: () => dialog.remove(),
  };
}
