// @ts-check
/** The first sounds of the library, as many as the slider says; each can be heard. */

import { h, icon } from "../core/dom.js";
import { watch } from "../core/store.js";

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mount(root, { store, playback }) {
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: 1, max: 9, step: 1, "aria-label": "Number of sounds" })
  );
  const list = h("ul");
  root.append(
    h("h2", {}, "Skeleton"),
    h(
      "button.icon.close",
      { "aria-label": "Close Skeleton", onclick: () => store.set({ panel: null }) },
      icon("close"),
    ),
    h("p.lede", {}, "Listen to the first sounds of the library."),
    h("label.field", {}, h("span", {}, "Number of sounds"), slider),
    list,
  );
  slider.addEventListener("input", () => store.set({ amount: Number(slider.value) }));

  /** @param {string} sound @param {string} name */
  const row = (sound, name) =>
    h("li", {}, h("button.btn.ghost", { onclick: () => void playback.audition({ sound }) }, name));

  const stop = watch(
    store,
    ({ amount, library }) => [amount, library],
    ({ amount, library }) => {
      slider.value = String(amount);
      const ids = library?.id.slice(0, amount) ?? [];
      list.replaceChildren(...ids.map((id, i) => row(id, library?.name[i] ?? "")));
    },
  );
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
