// @ts-check
/** How the path is chosen and what is shown of it: the metric, the curve under the slices, the metric on the map. */

import { h, icon, setAll, unit } from "../core/dom.js";
import { metricOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { descriptorTitle, wordsOf } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

/** @param {HTMLElement} root @param {import("../core/store.js").Store<State>} store */
export function mountLens(root, store) {
  const button = h(
    "button.icon.round.lens",
    { popovertarget: "lens", "aria-label": "How the path is chosen" },
    icon("lens"),
    h("span", { "aria-hidden": "true" }, "How the path is chosen"),
  );
  const metrics = h("fieldset.pick", {}, h("legend", {}, "How the curved path is chosen"));
  const curve = /** @type {HTMLSelectElement} */ (
    h("select", { onchange: () => store.set({ curve: curve.value || null }) })
  );
  const ellipses = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => store.set({ ellipses: ellipses.checked }) })
  );
  const shade = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => store.set({ shaded: shade.checked }) })
  );
  const box = h(
    "div.lens-box",
    {
      id: "lens",
      popover: "auto",
      role: "dialog",
      "aria-label": "How the path is chosen, and what is shown",
    },
    metrics,
    h("label.field", {}, h("span", {}, "Curve under the pictures"), curve),
    h("label.check", {}, ellipses, h("span", {}, "Show ellipses of equal perceptual change")),
    h("label.check", {}, shade, h("span", {}, "Light and dark on the map by this choice (magnification)")),
  );
  root.append(button, box);

  metrics.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement)) return;
    const { value } = event.target;
    store.set({ metric: value === store.get().model?.metrics[0] ? null : value, path: "geodesic" });
  });
  /** Over the deck, at its right end, so that most of the map stays in sight; on a phone at the bottom. */
  function position() {
    const narrow = innerWidth < 720 * unit();
    const bottom = Math.max(12, innerHeight - button.getBoundingClientRect().top + 12 * unit());
    const room = `max-height:${innerHeight - (narrow ? 24 : bottom + 12)}px`; // what does not fit is scrolled to
    setAll(box, {
      style: `${room};${narrow ? "inset:auto 12px 12px" : `right:${32 * unit()}px;bottom:${bottom}px`}`,
    });
  }
  box.addEventListener("beforetoggle", position);
  box.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());

  const stops = [
    watch(
      store,
      ({ model, choices }) => [model, choices],
      ({ model, choices }) => {
        for (const old of metrics.querySelectorAll("label")) old.remove();
        metrics.append(
          ...(model?.metrics ?? []).map((metric) => {
            const { label, term, meaning } = wordsOf(choices.metrics, metric);
            return h(
              "label",
              {},
              h("input", { type: "radio", name: "metric", value: metric }),
              h("span", {}, h("b", {}, label), `${meaning}. `, h("small", {}, `(${term})`)),
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
      ({ metric, model, choices, curve, ellipses, shaded }) => [
        metric,
        model,
        choices,
        curve,
        ellipses,
        shaded,
      ],
      (state) => {
        const metric = metricOf(state);
        for (const radio of metrics.querySelectorAll("input")) radio.checked = radio.value === metric;
        const { label } = wordsOf(state.choices.metrics, metric);
        setAll(button, { title: `How the path is chosen: ${label.toLowerCase()}` });
        curve.value = state.curve ?? "";
        ellipses.checked = state.ellipses;
        shade.checked = state.shaded;
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
