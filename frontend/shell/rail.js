// @ts-check
/** The way to the panels, to help, and to the other theme. */

import { h, icon, s, setAll } from "../core/dom.js";
import { watch } from "../core/store.js";

/** @typedef {import("../panels.js").Panel} Panel */

/** @param {Panel} panel */
const picture = ({ icon: path }) =>
  s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: path }));

const mark = () =>
  s(
    "svg",
    { viewBox: "0 0 40 40", "aria-hidden": "true" },
    s("path", { d: "M8 29C8 6 32 6 32 22", stroke: "url(#dusk)", "stroke-width": 3.4 }),
    s("path", {
      d: "M8 29 32 22",
      stroke: "var(--straight)",
      "stroke-width": 1.8,
      "stroke-dasharray": "2 3.6",
    }),
    s("circle", { cx: 8, cy: 29, r: 4.2, fill: "var(--a)", stroke: "none" }),
    s("circle", { cx: 32, cy: 22, r: 4.2, fill: "var(--b)", stroke: "none" }),
  );

/** The page of listening tests, with the pair on the map. @param {import("../core/state.js").State} state */
function blindTests({ model, a, b, theme }) {
  const named = { model: model?.id, a: a?.sound, b: b?.sound, theme };
  const parameters = Object.entries(named).flatMap(([name, id]) => (id ? [[name, id]] : []));
  return `listen.html?${new URLSearchParams(parameters)}`;
}

/**
 * @param {HTMLElement} root
 * @param {readonly Panel[]} panels
 * @param {object} parts
 * @param {import("../core/store.js").Store<import("../core/state.js").State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {() => void} parts.help
 * @param {(panel: string) => void} parts.opened
 */
export function mountRail(root, panels, { store, actions, help, opened }) {
  const marks = panels.map(() => h("i.busy", { hidden: true, role: "img" }));

  /** @param {string} panel */
  function toggle(panel) {
    actions.togglePanel(panel);
    if (store.get().panel === panel) opened(panel);
  }

  root.append(
    h(
      "button.mark",
      { "aria-label": "Sonifold, start over", title: "Start over", onclick: actions.startOver },
      mark(),
    ),
    ...panels.map((panel, i) =>
      h(
        "button",
        { "data-panel": panel.name, onclick: () => toggle(panel.name) },
        picture(panel),
        h(panel.brief ? "span.long" : "span", {}, panel.label),
        panel.brief && h("span.brief", {}, panel.brief),
        panel.busy && marks[i],
      ),
    ),
    h("span.rail-gap"),
    h(
      "button.blind",
      { title: "Compare blind", onclick: () => location.assign(blindTests(store.get())) },
      icon("ear"),
      "Blind test",
    ),
    h("button.keys", { title: "Words and keys", onclick: help }, icon("help"), "Help"),
    h(
      "button.theme",
      { "aria-label": "Theme: switch between dark and light", onclick: actions.toggleTheme },
      icon("theme"),
      "Theme",
    ),
  );
  const stop = watch(
    store,
    (state) => [state.panel, ...panels.map(({ busy }) => busy?.(state))],
    (state) => {
      const { panel } = state;
      panels.forEach(({ busy }, i) => {
        const activity = busy?.(state) ?? "";
        setAll(marks[i], { hidden: activity === "", "aria-label": activity });
      });
      for (const button of root.querySelectorAll("[data-panel]"))
        button.setAttribute(
          "aria-expanded",
          String(/** @type {HTMLElement} */ (button).dataset.panel === panel),
        );
    },
  );
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
