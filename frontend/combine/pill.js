// @ts-check
/** What can be done with the marked sounds, right on the map. */

import { h, icon } from "../core/dom.js";
import { watch } from "../core/store.js";
import { lacking } from "./operations.js";

/** @typedef {import("../core/state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("./operations.js").Operations} parts.operations
 */
export function mountPill(root, { store, actions, operations }) {
  const tally = h("span.sum");
  const mean = h("button.text", { onclick: () => operations.run("mean") }, "Average of these");
  const analogy = h("button.text", { onclick: () => operations.run("analogy") }, "A is to B as this is to …");
  const clear = h(
    "button.icon",
    { "aria-label": "Clear the marks", title: "Clear the marks", onclick: actions.unmark },
    icon("close"),
  );
  const pill = h(
    "div.marks",
    { hidden: true, role: "group", "aria-label": "Marked sounds" },
    tally,
    mean,
    analogy,
    clear,
  );
  root.append(pill);
  const stop = watch(
    store,
    ({ marked, a, b, working }) => [marked, a, b, working],
    (state) => {
      const { marked, working } = state;
      pill.hidden = marked.length === 0;
      tally.textContent = `${marked.length} marked`;
      mean.hidden = lacking("mean", state) !== null;
      analogy.hidden = lacking("analogy", state) !== null;
      analogy.textContent =
        marked.length > 1 ? `A is to B as ${marked.length} is to …` : "A is to B as this is to …";
      pill.classList.toggle("busy", working !== null);
    },
  );
  return {
    destroy() {
      stop();
      pill.remove();
    },
  };
}
