// @ts-check
/** What went otherwise than hoped: what, why, and what to do next. */

import { h, icon } from "../core/dom.js";
import { watch } from "../core/store.js";

const NEWS = 4000; // ms that good news stays
const OFFER = 12000; // ms, when there is something to press

/** @param {HTMLElement} root @param {import("../core/store.js").Store<import("../core/state.js").State>} store */
export function mountNotice(root, store) {
  let timer = 0;
  let counting = 0;
  /** @type {HTMLElement | null} who had the focus before it came here */
  let before = null;
  root.addEventListener("focusin", ({ relatedTarget }) => {
    if (relatedTarget instanceof HTMLElement && !root.contains(relatedTarget)) before = relatedTarget;
  });
  /** The buttons go: the focus goes back to where it was, or to the panel that is open, or to the map. */
  function giveBack() {
    if (!root.contains(document.activeElement)) return;
    const target =
      before?.isConnected && before.checkVisibility()
        ? before
        : /** @type {HTMLElement | null} */ (
            document.querySelector("#sheet:not([hidden]) > section:not([hidden])") ??
              document.getElementById("surface")
          );
    requestAnimationFrame(
      () => document.activeElement === document.body && target?.focus({ preventScroll: true }),
    );
  }
  const stops = [
    watch(
      store,
      ({ notice, server }) => [notice, server],
      ({ notice, server }) => {
        clearTimeout(timer);
        clearInterval(counting);
        giveBack();
        const text = h("span.text");
        const isAway = server.phase === "away" || server.phase === "broken";
        root.hidden = !notice && !isAway;
        if (root.hidden) return void root.replaceChildren();
        if (isAway) {
          const say = () => {
            const seconds = Math.max(0, Math.ceil(((server.retryAt ?? 0) - Date.now()) / 1000));
            const again = server.retryAt ? ` Trying again in ${seconds} s.` : "";
            text.textContent = `${server.why ?? "The server does not answer."}${again}`;
          };
          say();
          if (server.retryAt) counting = window.setInterval(say, 500);
          root.replaceChildren(
            text,
            h("button.text", { onclick: () => window.dispatchEvent(new Event("sonifold:try")) }, "Try now"),
          );
          return;
        }
        const { text: words, actions = [], kind } = /** @type {import("../core/state.js").Notice} */ (notice);
        text.textContent = words;
        const close = h(
          "button.icon",
          { "aria-label": "Dismiss", onclick: () => store.set({ notice: null }) },
          icon("close"),
        );
        const buttons = actions.map(({ label, run }) =>
          h("button.text", { onclick: () => (store.set({ notice: null }), run()) }, label),
        );
        root.replaceChildren(text, ...buttons, close);
        if (kind === "news")
          timer = window.setTimeout(() => store.set({ notice: null }), actions.length ? OFFER : NEWS);
      },
    ),
  ];
  return {
    destroy() {
      clearTimeout(timer);
      clearInterval(counting);
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
