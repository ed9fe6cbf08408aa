// @ts-check
/** How one's folders show on the map: whether they do, what colours their points, and what the colours mean. */

import { coloured } from "../core/cloud.js";
import { fingers, h, radioGroup } from "../core/dom.js";
import { familyGlyph } from "../core/shapes.js";
import { watch } from "../core/store.js";
import { count } from "../core/text.js";

/** @type {Record<import("../core/cloud.js").Colouring, string>} */
const LABELS = { family: "Family", folder: "Folder", brightness: "Brightness" };

/** @param {HTMLElement} root @param {import("../core/store.js").Store<import("../core/state.js").State>} store */
export function mountOnMap(root, store) {
  const toggle = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => store.set({ cloudShown: toggle.checked }) })
  );
  const label = h("span");
  const choices = h(
    "div.seg",
    { role: "radiogroup", "aria-label": "Colour and shape by" },
    ...Object.entries(LABELS).map(([value, text]) =>
      h("button", { role: "radio", "data-value": value }, text),
    ),
  );
  const group = radioGroup(choices, (value) =>
    store.set({ colouring: /** @type {import("../core/cloud.js").Colouring} */ (value) }),
  );
  const key = h("ul.cloud-key", { "aria-label": "What the colours mean" });
  const note = h("p.note");
  const select = h(
    "button.text",
    // a finger has the panel over the map
    { onclick: () => store.set({ lassoing: true, ...(fingers() && { panel: null }) }) },
    "Select by drawing around sounds on the map",
  );
  root.append(h("label.check", {}, toggle, label), choices, key, note, select);

  const stop = watch(
    store,
    ({ cloud, cloudShown, cloudDrawn, colouring }) => [cloud, cloudShown, cloudDrawn, colouring],
    ({ cloud, cloudShown, cloudDrawn, colouring }) => {
      root.hidden = !cloud?.count;
      if (!cloud) return;
      toggle.checked = cloudShown;
      label.textContent = `Show ${count(cloud.count)} analysed sounds on the map`;
      group.show(colouring);
      choices.hidden = select.hidden = !cloudShown;
      const { names, counts } = coloured(cloud, colouring);
      key.hidden = !cloudShown || colouring !== "folder";
      if (!key.hidden)
        key.replaceChildren(
          ...names.map((name, kind) =>
            h("li", {}, familyGlyph(kind), h("span", {}, name), h("small", {}, count(counts[kind]))),
          ),
        );
      note.hidden = !cloudShown;
      const words = {
        family: "Colours and shapes are those of the families below the map; press one to see it alone.",
        folder: "",
        brightness: "From dim and small to bright and large.",
      }[colouring];
      note.textContent =
        cloudDrawn < cloud.count
          ? `${words} This browser has no WebGL: ${count(cloudDrawn)} of them are drawn.`
          : words;
    },
  );
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
