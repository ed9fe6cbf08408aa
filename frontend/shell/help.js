// @ts-check
/** The keys, and the few words that need one. */

import { h, icon } from "../dom.js";

/** @type {[keys: string[], what: string][]} */
const KEYS = [
  [["←", "→", "↑", "↓"], "to the nearest sound that way (on the map), a step (on the scrubber)"],
  [["Enter"], "play the sound"],
  [["A", "B"], "start there, go there"],
  [["Space"], "play or pause the journey"],
  [["1", "2", "3"], "geodesic, straight, re-timed"],
  [["G"], "steps or glide"],
  [["M"], "mark the sound (or Shift and a click)"],
  [["V"], "average of what is marked"],
  [["N"], "A is to B as the last marked one is to …"],
  [["X"], "beyond B"],
  [["T"], "sliders for the sound: brighter, softer …"],
  [["C"], "before or after: without your sounds, or with them"],
  [["L"], "loop"],
  [["S"], "swap A and B"],
  [["+", "−", "0"], "zoom in, out, all of it"],
  [["Esc"], "silence"],
];

/** @param {import("../store.js").Store<import("../state.js").State>} store */
export function createHelp(store) {
  const unit = () => store.get().model?.unit ?? "dB";
  /** @returns {[string, string][]} */
  const words = () => [
    ["Land", "where the model knows sounds. At sea it guesses."],
    ["Geodesic", "the shortest way through what can be heard, kept to land as far as the slider says."],
    ["Straight", "the straight line between the two sounds inside the model. It need not be straight on the map."],
    ["Re-timed", "the same line, at an even pace to the ear: the fair opponent."],
    ["Outlines", "sounds nobody recorded: rings are drawn, diamonds found from others. With a dot in it: in the library."],
    [unit(), "how different two sounds are to the ear, scaled so that it reads like decibels."],
  ];
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog.help", { "aria-labelledby": "h-help" }));
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return {
    open() {
      dialog.replaceChildren(
        h("div.help-body", {},
          h("button.icon.close", { "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
          h("h2", { id: "h-help" }, "Keys and words"),
          h("dl.keys", {}, ...KEYS.flatMap(([keys, what]) => [h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, what)])),
          h("dl.words", {}, ...words().flatMap(([word, what]) => [h("dt", {}, word), h("dd", {}, what)]))),
      );
      dialog.showModal();
    },
    destroy: () => dialog.remove(),
  };
}
