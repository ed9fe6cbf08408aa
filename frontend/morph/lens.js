// @ts-check
/** How the path is chosen and what is shown of it: the metric, the curve under the slices, the ellipses on the map. */

import { h, icon, setAll, unit } from "../core/dom.js";
import { watch } from "../core/store.js";
import { METRIC_WORDS, descriptorTitle } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Metric} Metric */

/** @param {HTMLElement} root @param {import("../core/store.js").Store<State>} store */
export function mountLens(root, store) {
  const button = h(
    "button.icon.round.lens",
    { popovertarget: "lens", "aria-label": "How the path is chosen" },
    icon("lens"),
    h("span", { "aria-hidden": "true" }, "How the path is chosen"),
  );
  const choices = h("fieldset.pick", {}, h("legend", {}, "How the curved path is chosen"));
  const curve = /** @type {HTMLSelectElement} */ (
    h("select", { onchange: () => store.set({ curve: curve.value || null }) })
  );
  const ellipses = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => store.set({ ellipses: ellipses.checked }) })
  );
  const box = h(
    "div.lens-box",
    {
      id: "lens",
      popover: "auto",
      role: "dialog",
      "aria-label": "How the path is chosen, and what is shown",
    },
    choices,
    h("label.field", {}, h("span", {}, "Curve under the pictures"), curve),
    h("label.check", {}, ellipses, h("span", {}, "Show ellipses of equal perceptual change")),
  );
  root.append(button, box);

  choices.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement)
      store.set({ metric: /** @type {Metric} */ (event.target.value), path: "geodesic" });
  });
  /** Over the deck, at its right end, so that most of the map stays in sight; on a phone at the bottom. */
  function position() {
    const narrow = innerWidth < 720 * unit();
    const bottom = Math.max(12, innerHeight - button.getBoundingClientRect().top + 12 * unit());
    setAll(box, { style: narrow ? "inset:auto 12px 12px" : `right:${32 * unit()}px;bottom:${bottom}px` });
  }
  box.addEventListener("beforetoggle", position);
  box.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());

  const stops = [
    watch(
      store,
      ({ model }) => [model],
      ({ model }) => {
        for (const old of choices.querySelectorAll("label")) old.remove();
        choices.append(
          ...(model?.metrics ?? []).map((metric) => {
            const { name: title, term, meaning } = METRIC_WORDS[metric];
            return h(
              "label",
              {},
              h("input", { type: "radio", name: "metric", value: metric }),
              h("span", {}, h("b", {}, title), `${meaning}. `, h("small", {}, `(${term})`)),
            );
          }),
        );
        curve.replaceChildren(
          h("option", { value: "" }, "Speed"),
          ...(model?.descriptors ?? []).map(({ id }) => h("option", { value: id }, descriptorTitle(id))),
        );
      },
    ),
    watch(
      store,
      ({ metric, model, curve, ellipses }) => [metric, model, curve, ellipses],
      (state) => {
        for (const radio of choices.querySelectorAll("input")) radio.checked = radio.value === state.metric;
        setAll(button, { title: `How the path is chosen: ${METRIC_WORDS[state.metric].name.toLowerCase()}` });
        curve.value = state.curve ?? "";
        ellipses.checked = state.ellipses;
      },
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      button.remove();
      box.remove();
    },
  };
}
