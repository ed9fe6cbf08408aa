// @ts-check
/** The panel Shape: more or less of something one can hear. */

import { onOff, readAnchor, writeAnchor } from "../core/url.js";

/** @param {string} text @returns {NonNullable<PanelStates["shape"]>} */
function readShape(text) {
  const [, descriptor, by] = /^([a-z_]+)\.(-?\d{1,2})$/.exec(text) ?? [];
  if (descriptor && Number(by)) return { descriptor, by: Number(by) };
  throw new RangeError("it can be a slider and its steps, as brightness.-2");
}

/** @type {import("../parts.js").Panel} */
export const shape = {
  name: "shape",
  label: "Shape",
  icon:
    "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1" +
    "M13.1 7a1.9 1.9 0 1 0 3.8 0a1.9 1.9 0 1 0 -3.8 0" +
    "M7.1 12a1.9 1.9 0 1 0 3.8 0a1.9 1.9 0 1 0 -3.8 0" +
    "M15.1 17a1.9 1.9 0 1 0 3.8 0a1.9 1.9 0 1 0 -3.8 0",
  state: { subject: "a", shape: null, hold: true, traversal: null },
  fields: {
    of: {
      state: "subject",
      read: (text) => (["a", "b", "here"].includes(text) ? text : readAnchor(text)),
      write: (value) => (typeof value === "string" ? value : writeAnchor(value)),
    },
    shape: { state: "shape", read: readShape, write: ({ descriptor, by }) => `${descriptor}.${by}` },
    hold: { state: "hold", ...onOff },
  },
  mount: async (root, parts) => (await import("./panel.js")).mount(root, parts),
};
