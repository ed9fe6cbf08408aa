// @ts-check
/** Several of one's own sounds at once: chosen, then saved or deleted. */

import { h, setAll } from "../core/dom.js";
import { userSoundIds } from "../core/sounds.js";
import { watch } from "../core/store.js";

/**
 * @param {HTMLElement} root
 * @param {import("../parts.js").Parts} parts
 * @param {() => void} changed      the rows are to be drawn again
 */
export function mountPicking(root, { store, userSounds, saver }, changed) {
  /** @type {Set<string> | null} ids; null: nobody is choosing */
  let selected = null;
  const ids = () => {
    const { library } = store.get();
    return library ? userSoundIds(library) : [];
  };
  const begin = h("button.text", { onclick: () => pick(new Set()) }, "Choose several");
  const all = h("button.btn.quiet.small", { onclick: () => pick(new Set(ids())) }, "All");
  const none = h("button.btn.quiet.small", { onclick: () => pick(new Set()) }, "None");
  const save = h("button.btn.quiet.small", {
    onclick: () => void saver.sounds(selectedIds().map((id) => ({ anchor: { sound: id } }))),
  });
  const remove = h("button.btn.quiet.small", { onclick: () => void removeAll() });
  const end = h("button.btn.ghost.small", { onclick: () => pick(null) }, "Done");
  const tools = h(
    "div.row.wrap.tools",
    { role: "group", "aria-label": "The chosen sounds" },
    all,
    none,
    save,
    remove,
    end,
  );
  root.append(begin, tools);

  /** Those of the chosen that are still there. */
  const selectedIds = () => ids().filter((id) => selected?.has(id));

  /** @param {Set<string> | null} ids */
  function pick(ids) {
    const opening = selected === null;
    selected = ids;
    show();
    changed();
    if (opening) all.focus();
    else if (!ids) begin.focus();
  }

  async function removeAll() {
    const ids = selectedIds();
    selected = null;
    show();
    await userSounds.remove(...ids);
  }

  function show() {
    const some = ids().length;
    const count = selectedIds().length;
    begin.hidden = selected !== null || some < 2;
    tools.hidden = selected === null || !some;
    save.textContent = count > 1 ? `Save ${count}` : "Save";
    remove.textContent = count > 1 ? `Delete ${count}` : "Delete";
    for (const button of [save, remove]) setAll(button, { disabled: !count });
  }

  const stop = watch(store, ({ library }) => [library], show);
  return {
    /** Of a row, while several are chosen. @param {string} id @param {string} name */
    checkbox(id, name) {
      if (!selected) return null;
      const box = /** @type {HTMLInputElement} */ (
        h("input", {
          type: "checkbox",
          "data-act": "pick",
          "aria-label": `Choose ${name}`,
          onchange: () => {
            if (box.checked) selected?.add(id);
            else selected?.delete(id);
            show();
          },
        })
      );
      box.checked = selected.has(id);
      return box;
    },
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
