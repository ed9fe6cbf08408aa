// @ts-check
/** The families and their shapes; pressing some shows only these, on the map and in the table. */

import { h, setAll } from "../core/dom.js";
import { watch } from "../core/store.js";
import { familyGlyph, userGlyph } from "../core/shapes.js";

/** @typedef {import("../core/state.js").State} State */

/** @param {HTMLElement} root a list @param {import("../core/store.js").Store<State>} store */
export function mountLegend(root, store) {
  /** @param {number} family */
  function toggle(family) {
    const { families } = store.get();
    store.set({
      families: families.includes(family)
        ? families.filter((f) => f !== family)
        : [...families, family].sort((p, q) => p - q),
    });
  }

  const stops = [
    watch(
      store,
      ({ library }) => [library],
      ({ library }) => {
        const names = library?.family_names ?? [];
        /** @param {number} f */
        const isUsers = (f) =>
          library && ["made", "uploaded"].includes(library.kindOf(library.family.indexOf(f)));
        root.replaceChildren(
          ...names.map((name, f) =>
            h(
              "li",
              {},
              h(
                "button",
                { "data-family": f, title: `Show only ${name.toLowerCase()}`, onclick: () => toggle(f) },
                isUsers(f) ? userGlyph("made") : familyGlyph(f),
                name[0].toUpperCase() + name.slice(1),
              ),
            ),
          ),
        );
      },
    ),
    watch(
      store,
      ({ families, library }) => [families, library],
      ({ families }) => {
        root.classList.toggle("some", families.length > 0);
        for (const button of root.querySelectorAll("button"))
          setAll(button, { "aria-pressed": String(families.includes(Number(button.dataset.family))) });
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
