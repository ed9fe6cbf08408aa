// @ts-check
/** The panel Combine: averages, analogies, and what lies beyond B. */

import { oneOf, readAnchor, within, writeAnchor } from "../core/url.js";

const MOST_MARKED = 16;

/** @type {import("../parts.js").Panel<import("./panel.js").Parts>} */
export const combine = {
  name: "combine",
  label: "Combine",
  icon:
    "M4 7a2 2 0 1 0 4 0a2 2 0 1 0 -4 0M16 7a2 2 0 1 0 4 0a2 2 0 1 0 -4 0" +
    "M12 12.6l3.4 3.4-3.4 3.4L8.6 16zM7.5 8.6l2.6 4M16.5 8.6l-2.6 4",
  key: "o",
  state: { marked: [], operation: null, reach: 1.5, working: null },
  fields: {
    marked: {
      state: "marked",
      read: (text) => text.split("!").slice(0, MOST_MARKED).map(readAnchor),
      write: (value) => value.map(writeAnchor).join("!"),
    },
    op: { state: "operation", read: oneOf("mean", "analogy", "beyond"), write: String },
    to: { state: "reach", read: within(1.05, 3), write: (value) => String(+value.toFixed(2)) },
  },
  mount: async (root, parts) => (await import("./panel.js")).mount(root, parts),
};
