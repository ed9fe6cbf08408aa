// @ts-check
/** Play, loop, steps or glide; and what one takes along: the file, the link. */

import { h, icon, radioGroup, setAll } from "../core/dom.js";
import { mountSaveDialog } from "../save/dialog.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Mode} Mode */

/**
 * @param {HTMLElement} root
 * @param {{store: import("../core/store.js").Store<State>, playback: import("../playback.js").Playback}} parts
 */
export function mountTransport(root, { store, playback }) {
  const play = h("button.play", { onclick: () => playback.toggle() }, icon("play"), icon("pause"));
  const loop = h(
    "button.icon.round.loop",
    { "aria-label": "Loop", onclick: () => store.set({ loop: !store.get().loop }) },
    icon("loop"),
  );
  const mode = h(
    "div.seg.mode",
    { role: "radiogroup", "aria-label": "How to listen" },
    h("button", { role: "radio", "data-value": "steps" }, "Steps"),
    h("button", { role: "radio", "data-value": "glide" }, "Glide"),
  );
  root.append(play, loop, mode);
  const group = radioGroup(mode, (value) => store.set({ mode: /** @type {Mode} */ (value) }));
  const stops = [
    watch(
      store,
      ({ mode: now }) => [now],
      ({ mode: now }) => group.show(now),
    ),
    watch(
      store,
      ({ loop: on }) => [on],
      ({ loop: on }) => setAll(loop, { "aria-pressed": String(on) }),
    ),
    watch(
      store,
      ({ playing }) => [playing],
      ({ playing }) => {
        play.classList.toggle("on", playing);
        play.setAttribute("aria-label", playing ? "Pause" : "Play the morph");
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

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../save/saver.js").Saver} parts.saver
 * @param {() => string} parts.link
 */
export function mountMore(root, { store, actions, saver, link }) {
  const swap = h(
    "button.icon.round.swap",
    { "aria-label": "Swap A and B", title: "Swap A and B", onclick: actions.swap },
    icon("swap"),
    h("span", {}, "Swap"),
  );
  const copy = h(
    "button.icon.round.copy",
    { title: "Copy a link to this", onclick: () => void copyLink() },
    icon("link"),
    h("span", {}, "Copy a link"),
  );
  setAll(copy, { "aria-label": "Copy a link to this" });
  root.append(swap);
  const saving = mountSaveDialog(root, { store, saver });
  root.append(copy);

  async function copyLink() {
    try {
      await navigator.clipboard.writeText(link());
      store.set({ notice: { text: "The link is copied.", kind: "news" } });
    } catch {
      // a page without HTTPS may not write to the clipboard
      store.set({
        notice: {
          text: `The browser did not allow copying. The link is in the address bar: ${link()}`,
          kind: "trouble",
        },
      });
    }
  }

  return {
    destroy() {
      saving.destroy();
      root.replaceChildren();
    },
  };
}
