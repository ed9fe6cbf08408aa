// @ts-check
/** The three paths: their keys say how different their ends are along them, and how much of each is guesswork. */

import { h, radioGroup, s } from "../core/dom.js";
import { geodesicQueryOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { amount, guessworkWords, wordsOf } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").PathKind} PathKind */

/** @type {[PathKind, look: string, stroke: Record<string, string>][]} */
const KEYS = [
  ["geodesic", "geo", { d: "M2 10C8-1 24-1 32 8", stroke: "url(#dusk)" }],
  ["linear", "str", { d: "M2 6h30", "stroke-dasharray": "5 4" }],
  ["retimed", "ret", { d: "M3 6h30", "stroke-dasharray": ".1 5.5", "stroke-width": "3.4" }],
];

/** @param {HTMLElement} root @param {import("../core/store.js").Store<State>} store */
export function mountPaths(root, store) {
  /**
   * @type {Record<string, {name: HTMLElement, term: HTMLElement, length: HTMLElement, unit: HTMLElement,
   *   guesswork: HTMLElement, key: HTMLElement}>}
   */
  const parts = {};
  const comma = () => h("span.vh", {}, ", ");
  for (const [kind, look, stroke] of KEYS) {
    const [name, term, length, unit, guesswork] = [
      h("span"),
      h("small"),
      h("b", {}, "–"),
      h("small.p-unit"),
      h("small.p-guess"),
    ];
    const key = h(
      `button.path.${look}`,
      { role: "radio", "data-value": kind },
      h(
        "span.p-name",
        {},
        s("svg", { viewBox: "0 0 34 12", "aria-hidden": "true" }, s("path", stroke)),
        name,
        comma(),
        term,
        comma(),
      ),
      h("span.p-len", {}, h("span", {}, length, unit), comma(), guesswork),
    );
    parts[kind] = { name, term, length, unit, guesswork, key };
    root.append(key);
  }
  const group = radioGroup(root, (value) => store.set({ path: /** @type {PathKind} */ (value) }));

  /** @param {PathKind} kind @param {State} state */
  function show(kind, state) {
    const { morph, model, choices } = state;
    const { key, name, term, length, unit, guesswork } = parts[kind];
    const words = wordsOf(choices.path_kinds, kind === "geodesic" ? geodesicQueryOf(state).kind : kind);
    const path = morph?.paths[kind];
    name.textContent = words.label;
    term.textContent = words.term;
    length.textContent = path ? amount(path.length) : "–";
    unit.textContent = path ? ` ${model?.unit ?? ""}` : "";
    // where room is short the share stands alone
    const [share, rest] = path ? guessworkWords(path).split(/(?= guesswork$)/) : [""];
    guesswork.replaceChildren(share, ...(rest ? [h("span", {}, rest)] : []));
    key.title = [
      words.meaning,
      path && `${amount(path.length)} ${model?.unit}: how different the ends are to the ear along this path`,
      path && !path.converged && path.outcome,
    ]
      .filter(Boolean)
      .join(". ");
  }

  const stops = [
    watch(
      store,
      ({ path }) => [path],
      ({ path }) => group.show(path),
    ),
    watch(
      store,
      ({ morph, model, choices, weight, metric }) => [
        morph?.paths,
        morph?.phase,
        model,
        choices,
        weight,
        metric,
      ],
      (state) => {
        for (const [kind] of KEYS) show(kind, state);
        // names make the keys wider: without them they would be seen to jump
        root.classList.toggle("nameless", !state.choices.path_kinds.length);
        root.classList.toggle("stale", state.morph?.phase === "solving");
      },
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
