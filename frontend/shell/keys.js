// @ts-check
/** Keys that work wherever one is, unless one is writing. */

import { pointedAnchor } from "../state.js";

/**
 * @param {Window} window
 * @param {object} parts
 * @param {import("../store.js").Store<import("../state.js").State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("../operations/operations.js").Operations} parts.operations
 * @param {{focus: (panel: string) => void}} parts.panels
 * @param {() => void} parts.help
 */
export function watchKeys(window, { store, actions, playback, operations, panels, help }) {
  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (event.key === "Escape") {
      if (document.querySelector("dialog[open]")) return;
      const { playing, pointed, panel } = store.get();
      playback.silence();
      if (pointed) store.set({ pointed: null });
      else if (!playing && panel) store.set({ panel: null });
      return;
    }
    if (target?.closest("input[type=search], input[type=text], input[type=number], select, textarea, dialog")) return;
    const pressable = target?.closest("button, a, [role=radio], input[type=radio], input[type=checkbox]");
    const { pointed, library } = store.get();
    const anchor = pointedAnchor({ pointed, library });
    const key = event.key.toLowerCase();
    if (event.key === " " && !pressable) playback.toggle();
    else if (key === "l") store.set({ loop: !store.get().loop });
    else if (key === "g") store.set({ mode: store.get().mode === "steps" ? "glide" : "steps" });
    else if (key === "s") actions.swap();
    else if (key === "c") actions.compare();
    else if (["1", "2", "3"].includes(key)) actions.choosePath(Number(key) - 1);
    else if ((key === "a" || key === "b") && anchor) actions.setEnd(key, anchor);
    else if (key === "m" && anchor) actions.mark(anchor);
    else if (key === "t" && anchor) {
      actions.shape(anchor);
      panels.focus("shape");
    } else if (key === "v") operations.run("mean");
    else if (key === "n") operations.run("analogy");
    else if (key === "x") operations.run("beyond");
    else if (key === "?") help();
    else return;
    event.preventDefault();
  }
  window.addEventListener("keydown", keydown);
  return { destroy: () => window.removeEventListener("keydown", keydown) };
}
