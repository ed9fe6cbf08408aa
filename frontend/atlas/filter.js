// @ts-check
/** What the map is filtered by, and the way back: no filter works unseen. */

import { h, icon } from "../core/dom.js";
import { filtered } from "../core/sounds.js";
import { watch } from "../core/store.js";
import { count, filterWords } from "../core/text.js";

/** @param {HTMLElement} root @param {import("../core/store.js").Store<import("../core/state.js").State>} store */
export function mountFilter(root, store) {
  const words = h("span");
  const clear = h("button.text", { onclick: showAll }, "Show all", icon("close"));
  const chip = h("div.filter", { role: "group", "aria-label": "Filter", hidden: true }, words, clear);
  root.append(chip);

  function showAll() {
    store.set({ query: "", families: [] });
    // the button goes
    /** @type {HTMLElement | null} */ (root.querySelector(".surface"))?.focus({ preventScroll: true });
  }

  const stop = watch(
    store,
    ({ query, families, library }) => [query, families, library],
    (state) => {
      const { library } = state;
      const filter = filterWords(state);
      chip.hidden = !library || !filter;
      if (!library || !filter) return;
      const visibleCount = filtered(library, state).length;
      chip.classList.toggle("empty", visibleCount === 0);
      words.textContent = visibleCount
        ? `${count(visibleCount)} of ${count(library.count)}: ${filter}`
        : `No sound fits ${filter}`;
    },
  );
  return {
    destroy() {
      stop();
      chip.remove();
    },
  };
}
