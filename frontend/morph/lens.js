// @ts-check
/** How the way is found and what is shown of it: the metric, the curve under the slices, the ellipses on the land. */

import { h, icon, setAll, unit } from "../dom.js";
import { METRICS } from "../state.js";
import { watch } from "../store.js";
import { METRIC_WORDS, descriptorTitle } from "../words.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Metric} Metric */

/** @param {HTMLElement} root @param {import("../store.js").Store<State>} store */
export function mountLens(root, store) {
  const name = h("span");
  const button = h("button.icon.round.lens", { popovertarget: "lens" }, icon("lens"), name);
  const choices = h("fieldset.pick", {}, h("legend", {}, "The geodesic is shortest in"));
  const curve = /** @type {HTMLSelectElement} */ (h("select", { onchange: () => store.set({ curve: curve.value || null }) }));
  const ellipses = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", onchange: () => store.set({ ellipses: ellipses.checked }) }));
  const box = h("div.lens-box", { id: "lens", popover: "auto", role: "dialog", "aria-label": "How the way is found and shown" }, choices,
    h("label.field", {}, h("span", {}, "Curve under the slices"), curve),
    h("label.check", {}, ellipses, h("span", {}, "Ellipses on the land: how far one hears the same amount of change, each way")));
  root.append(button, box);

  choices.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) store.set({ metric: /** @type {Metric} */ (event.target.value), path: "geodesic" });
  });
  /** Over the deck, at its right end, so that most of the map stays in sight; on a phone at the bottom. */
  function place() {
    const narrow = innerWidth < 720 * unit();
    const bottom = Math.max(12, innerHeight - button.getBoundingClientRect().top + 12 * unit());
    setAll(box, { style: narrow ? "inset:auto 12px 12px" : `right:${32 * unit()}px;bottom:${bottom}px` });
  }
  box.addEventListener("beforetoggle", place);
  box.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());

  const stops = [
    watch(store, ({ model }) => [model], ({ model }) => {
      for (const old of choices.querySelectorAll("label")) old.remove();
      choices.append(...(model?.metrics ?? METRICS).map((metric) => {
        const [title, meaning] = METRIC_WORDS[metric];
        return h("label", {}, h("input", { type: "radio", name: "metric", value: metric }), h("span", {}, h("b", {}, title), meaning));
      }));
      curve.replaceChildren(h("option", { value: "" }, "Speed"), ...(model?.descriptors ?? []).map(({ id }) => h("option", { value: id }, descriptorTitle(id))));
    }),
    watch(store, ({ metric, model, curve, ellipses }) => [metric, model, curve, ellipses], (state) => {
      for (const radio of choices.querySelectorAll("input")) radio.checked = radio.value === state.metric;
      name.textContent = METRIC_WORDS[state.metric][0];
      setAll(button, { title: `Metric: ${METRIC_WORDS[state.metric][0].toLowerCase()}`, "aria-label": `${METRIC_WORDS[state.metric][0]}: the metric, and what is shown` });
      curve.value = state.curve ?? "";
      ellipses.checked = state.ellipses;
    }),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      button.remove();
      box.remove();
    },
  };
}
