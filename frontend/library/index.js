// @ts-check
/** The panel Library: all sounds, in a table. It is there from the start, so that a name can be looked for at once. */

import { oneOf, within } from "../core/url.js";
import { mountLibrary } from "./library.js";

/** @type {import("../parts.js").Panel} */
export const library = {
  name: "library",
  label: "Library",
  icon: "M5 6h14M5 12h14M5 18h9",
  wide: true,
  state: { query: "", editing: null, families: [], sort: { by: "name", down: false } },
  fields: {
    q: { state: "query", read: String, write: String },
    families: {
      state: "families",
      read: (text) => text.split("-").map(within(0, 99)),
      write: (value) => value.join("-"),
    },
    sort: {
      state: "sort",
      read: (text) => ({
        by: oneOf("name", "family", "seconds", "pitch", "distance")(text.replace(/^-/, "")),
        down: text.startsWith("-"),
      }),
      write: ({ by, down }) => (down ? "-" : "") + by,
    },
  },
  needed: () => true,
  mount: mountLibrary,
};
