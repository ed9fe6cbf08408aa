// @ts-check
/** The way to the panels. A new panel is one line here, a folder, and a line in main.js. */

import { h, icon, s } from "../dom.js";
import { isLearning } from "../state.js";
import { watch } from "../store.js";

/** @type {[panel: string, icon: string, label: string][]} */
const PANELS = [
  ["library", "library", "Library"],
  ["combine", "combine", "Combine"],
  ["shape", "shape", "Shape"],
  ["sample", "sample", "Sample"],
  ["yours", "upload", "Yours"],
];

const mark = () =>
  s("svg", { viewBox: "0 0 40 40", "aria-hidden": "true" },
    s("path", { d: "M8 29C8 6 32 6 32 22", stroke: "url(#dusk)", "stroke-width": 3.4 }),
    s("path", { d: "M8 29 32 22", stroke: "var(--straight)", "stroke-width": 1.8, "stroke-dasharray": "2 3.6" }),
    s("circle", { cx: 8, cy: 29, r: 4.2, fill: "var(--a)", stroke: "none" }),
    s("circle", { cx: 32, cy: 22, r: 4.2, fill: "var(--b)", stroke: "none" }));

/**
 * @param {HTMLElement} root
 * @param {{store: import("../store.js").Store<import("../state.js").State>, actions: import("../actions.js").Actions, help: () => void}} parts
 */
export function mountRail(root, { store, actions, help }) {
  const busy = h("i.busy", { hidden: true, role: "img", "aria-label": "learning" });
  root.append(
    h("button.mark", { "aria-label": "Sonifold, start over", title: "Start over", onclick: actions.startOver }, mark()),
    ...PANELS.map(([panel, picture, label]) => h("button", { "data-panel": panel, onclick: () => actions.togglePanel(panel) }, icon(picture), label, panel === "yours" && busy)),
    h("span.rail-gap"),
    h("button.keys", { title: "Keys and words", onclick: help }, icon("help"), "Keys"),
    h("button", { "aria-label": "Theme: switch between dark and light", onclick: actions.toggleTheme }, icon("theme"), "Theme"),
  );
  const stop = watch(store, (state) => [state.panel, isLearning(state)], (state) => {
    const { panel } = state;
    busy.hidden = !isLearning(state);
    for (const button of root.querySelectorAll("[data-panel]"))
      button.setAttribute("aria-expanded", String(/** @type {HTMLElement} */ (button).dataset.panel === panel));
  });
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
