// @ts-check
/** The original model or the one with one's own sounds: what everything plays. The map stays. */

import { h, radioGroup } from "../core/dom.js";
import { comparisonOf, voiceOf } from "../core/state.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */

/** @type {Record<"before" | "after", string>} */
export const HEARD = { before: "Original model", after: "With your sounds" };

/**
 * @param {HTMLElement} root
 * @param {import("../core/store.js").Store<State>} store
 */
export function mountSwitch(root, store) {
  const key = (/** @type {"before" | "after"} */ side) =>
    h("button", { role: "radio", "data-value": side, title: "Switch with C" }, HEARD[side]);
  const group = h(
    "div.seg.hear",
    { role: "radiogroup", "aria-label": "What is heard", hidden: true },
    key("before"),
    key("after"),
  );
  root.append(group);
  const radios = radioGroup(group, (value) => store.set({ hear: /** @type {"before" | "after"} */ (value) }));
  const stop = watch(
    store,
    (state) => [comparisonOf(state)?.after, voiceOf(state)],
    (state) => {
      const both = comparisonOf(state);
      group.hidden = both === null;
      radios.show(both && voiceOf(state) === both.after ? "after" : "before");
    },
  );
  return {
    destroy() {
      stop();
      group.remove();
    },
  };
}
