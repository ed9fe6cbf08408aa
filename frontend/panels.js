// @ts-check
/** The panels, in the order of the rail. A new panel is a folder, and its name here. */

import { combine } from "./combine/index.js";
import { coreState } from "./core/state.js";
import { coreFields, oneOf } from "./core/url.js";
import { library } from "./library/index.js";
import { sample } from "./sample/index.js";
import { shape } from "./shape/index.js";
import { yours } from "./yours/index.js";

/** @typedef {import("./combine/panel.js").Parts} Parts */
/** @typedef {import("./parts.js").Panel<Parts>} Panel */

/** @type {readonly Panel[]} */
export const PANELS = [library, combine, shape, sample, yours];

/** The state of a fresh page. @param {readonly Panel[]} panels @returns {import("./core/state.js").State} */
export const initialState = (panels = PANELS) =>
  Object.assign({ ...coreState }, ...panels.map(({ state }) => state));

/**
 * What stands in a link.
 * @param {readonly Panel[]} panels
 * @returns {Record<string, import("./core/url.js").Field<any>>}
 */
export const linkFields = (panels = PANELS) => ({
  ...coreFields,
  panel: {
    state: "panel",
    read: oneOf(...panels.map(({ name }) => name), "none"),
    write: (value) => value ?? "none",
  },
  ...Object.assign({}, ...panels.map(({ fields }) => fields)),
});
