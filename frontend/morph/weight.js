// @ts-check
/** How near the curved path keeps to known sounds: from the shortest to the one from sound to sound. */

import { clamp } from "../core/colour.js";
import { h } from "../core/dom.js";
import { isWeighed, weightOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { weightWords } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

const STOPS = 40; // of the slider; the last is the graph path
const LEAST = 0.05; // the smallest weight that is not none

/**
 * Left: 0. Then in equal ratios from LEAST to the most; far right: Infinity, the graph path.
 * @param {number} stop @param {number} most
 */
export function weightAt(stop, most) {
  if (stop <= 0) return 0;
  if (stop >= STOPS) return Infinity;
  return LEAST * (most / LEAST) ** ((stop - 1) / (STOPS - 2));
}

/** @param {number} weight @param {number} most */
export function stopOf(weight, most) {
  if (weight === Infinity) return STOPS;
  if (weight < LEAST / 2) return 0;
  return clamp(
    Math.round(1 + ((STOPS - 2) * Math.log(weight / LEAST)) / Math.log(most / LEAST)),
    1,
    STOPS - 1,
  );
}

/** @param {HTMLElement} root @param {import("../core/store.js").Store<State>} store */
export function mountWeight(root, store) {
  const slider = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "range",
      min: 0,
      max: STOPS,
      step: 1,
      "aria-label": "The curved path, from shortest to safest",
    })
  );
  root.append(
    h("span.low", { "aria-hidden": "true" }, "shortest"),
    h("span.high", { "aria-hidden": "true" }, "safest"),
    slider,
    h("i", { "aria-hidden": "true" }),
  );
  const most = () => store.get().model?.weights.max ?? 10;
  let settling = 0;

  function input() {
    const weight = weightAt(Number(slider.value), most());
    describe(weight);
    clearTimeout(settling);
    // while it is being pulled the paths are not asked for at every stop
    const stop = Number(slider.value);
    const usual = stopOf(usualWeight(), most());
    settling = window.setTimeout(
      () => store.set({ weight: stop === usual ? null : weight, path: "geodesic" }),
      140,
    );
  }
  const usualWeight = () => weightOf({ ...store.get(), weight: null });
  /** @param {number} weight */
  const describe = (weight) => {
    slider.setAttribute("aria-valuetext", weightWords(weight));
    const tuned = store.get().weight === null ? ", as this model was tuned" : "";
    root.title = `Safe = near real sounds. Now: ${weightWords(weight)}${tuned}`;
    slider.style.setProperty("--at", `${(Number(slider.value) / STOPS) * 100}%`);
  };
  slider.addEventListener("input", input);
  const stop = watch(
    store,
    ({ weight, model, metric }) => [weight, model, metric],
    (state) => {
      root.hidden = !isWeighed(state);
      slider.value = String(stopOf(weightOf(state), most()));
      root.style.setProperty("--usual", String(stopOf(usualWeight(), most()) / STOPS));
      describe(weightOf(state));
    },
  );
  return {
    destroy() {
      stop();
      clearTimeout(settling);
      root.replaceChildren();
    },
  };
}
