// @ts-check
/** The three ways: their keys are their lengths. */

import { h, radioGroup, s } from "../dom.js";
import { watch } from "../store.js";
import { amount } from "../words.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").PathKind} PathKind */

/** @type {[PathKind, string, string, Record<string, string>][]} */
const KEYS = [
  ["geodesic", "Geodesic", "geo", { d: "M2 10C8-1 24-1 32 8", stroke: "url(#dusk)" }],
  ["linear", "Straight", "str", { d: "M2 6h30", "stroke-dasharray": "5 4" }],
  ["retimed", "Re-timed", "ret", { d: "M3 6h30", "stroke-dasharray": ".1 5.5", "stroke-width": "3.4" }],
];

/** @param {HTMLElement} root @param {import("../store.js").Store<State>} store */
export function mountPaths(root, store) {
  /** @type {Record<string, {name: HTMLElement, length: HTMLElement, unit: HTMLElement, key: HTMLElement}>} */
  const parts = {};
  for (const [kind, label, look, stroke] of KEYS) {
    const name = h("span", {}, label);
    const length = h("b", {}, "–");
    const unit = h("small");
    const key = h(`button.path.${look}`, { role: "radio", "data-value": kind },
      h("span.p-name", {}, s("svg", { viewBox: "0 0 34 12", "aria-hidden": "true" }, s("path", stroke)), name),
      h("span.p-len", {}, length, unit));
    parts[kind] = { name, length, unit, key };
    root.append(key);
  }
  const group = radioGroup(root, (value) => store.set({ path: /** @type {PathKind} */ (value) }));
  const stops = [
    watch(store, ({ path }) => [path], ({ path }) => group.show(path)),
    watch(store, ({ journey, model, weight, metric }) => [journey?.paths, journey?.phase, model, weight, metric], ({ journey, model, weight, metric }) => {
      parts.geodesic.name.textContent = weight === Infinity && metric === "blend" ? "Through sounds" : "Geodesic";
      for (const [kind] of KEYS) {
        const { key, length, unit, name } = parts[kind];
        const path = journey?.paths[kind];
        length.textContent = path ? amount(path.length) : "–";
        unit.textContent = model?.unit ?? "";
        key.setAttribute("aria-label", path ? `${name.textContent}, ${amount(path.length)} ${model?.unit}` : `${name.textContent}`);
        if (path) key.title = path.converged ? "" : path.outcome;
      }
      root.classList.toggle("stale", journey?.phase === "solving");
    }),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
