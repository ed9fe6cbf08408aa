// @ts-check
/** The panel Your sounds: uploads, the model adapted to them, fine-tuning, models. */

import { isLearning } from "../core/state.js";

/** @param {string} text @returns {PanelStates["amounts"]} */
function readAmounts(text) {
  const parts = text.split("!").map((part) => /^([a-z][a-z0-9-]*)\.(-?\d{1,2}(?:\.\d{1,2})?)$/.exec(part));
  if (parts.every((part) => part !== null))
    return Object.fromEntries(parts.map(([, name, amount]) => [name, Number(amount)]));
  throw new RangeError("it can be sliders and their amounts, as common.0.5!own-1.-1");
}

/** @type {import("../parts.js").Panel} */
export const yours = {
  name: "yours",
  label: "Your sounds",
  brief: "Yours",
  icon: "M12 15V5m0 0L8 9m4-4 4 4M5 15v3.5h14V15",
  key: "y",
  state: { job: null, amounts: {}, dropped: null, uploading: null, leftOut: null, check: null },
  fields: {
    more: {
      state: "amounts",
      read: readAmounts,
      write: (value) =>
        Object.entries(value)
          .filter(([, amount]) => amount)
          .map(([name, amount]) => `${name}.${+amount.toFixed(2)}`)
          .join("!"),
    },
  },
  needed: ({ hear, library }) => hear !== null && library !== null,
  busy: (state) => (isLearning(state) ? "fine-tuning" : ""),
  mount: async (root, parts) => (await import("./panel.js")).mount(root, parts),
};
