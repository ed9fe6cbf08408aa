// @ts-check
/** New sounds as a list: pointing at one plays it, as on the map; each can be an end, be kept, be saved. */

import { h, icon, rovingRows, setAll } from "../core/dom.js";
import { anchorOf, sameAnchor } from "../core/state.js";
import { watch } from "../core/store.js";
import { foundWords } from "../core/text.js";
import { pointGlyph } from "../core/shapes.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Found} Found */

/**
 * @param {HTMLElement} root a list
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("./made.js").Made} parts.made
 * @param {(state: State) => readonly Found[]} pick     which ones
 * @param {(found: Found) => void} [drop]               there is a key to take one off the map
 */
export function mountRows(root, { store, actions, playback, made }, pick, drop) {
  root.classList.add("finds");
  setAll(root, { role: "list" });
  /** @type {Map<string, Found>} */
  const shown = new Map();

  /** @param {Found} found */
  function row(found) {
    const state = store.get();
    const { library, model, a, b, marked, kept } = state;
    const anchor = anchorOf(found);
    const end = (/** @type {"a" | "b"} */ which) => {
      const on = sameAnchor(state[which], anchor);
      return h(
        `button.ab${on ? `.is${which.toUpperCase()}` : ""}`,
        {
          "data-act": which,
          "aria-label": `${found.name} as ${which.toUpperCase()}`,
          "aria-pressed": String(on),
        },
        which.toUpperCase(),
      );
    };
    const key = (
      /** @type {string} */ act,
      /** @type {string} */ label,
      /** @type {string} */ picture,
      attributes = {},
    ) =>
      h(
        "button.icon.small",
        { "data-act": act, "aria-label": `${label}: ${found.name}`, title: label, ...attributes },
        icon(picture),
      );
    const there = found.code in kept;
    const on = marked.some((one) => sameAnchor(one, anchor));
    return h(
      `li.find${sameAnchor(a, anchor) || sameAnchor(b, anchor) ? ".sel" : ""}`,
      { "data-code": found.code },
      h(
        "button.sound",
        { "data-act": "play" },
        pointGlyph(found.shape),
        h(
          "span.what",
          {},
          h("b", {}, found.name),
          h("small", {}, library ? foundWords(found, library, model?.unit ?? "") : ""),
        ),
      ),
      h(
        "span.acts",
        {},
        key("mark", on ? "Unmark" : "Mark", "mark", { "aria-pressed": String(on) }),
        key("shape", "Shape", "shape"),
        there
          ? h(
              "span.icon.small.done",
              { title: "In the library", role: "img", "aria-label": "In the library" },
              icon("check"),
            )
          : key("keep", "Keep in the library", "keep"),
        key("save", "Save as WAV", "save"),
        drop && key("drop", "Take off the map", "close"),
        end("a"),
        end("b"),
      ), // at the edge: they stay where they are when the others show
      ...found.notes.map((note) => h("p.note", {}, note)),
    );
  }

  /** @param {Event} event */
  const foundAt = (event) => {
    const item =
      event.target instanceof Element
        ? /** @type {HTMLElement | null} */ (event.target.closest("[data-code]"))
        : null;
    return shown.get(item?.dataset.code ?? "");
  };
  /** @param {Event} event */
  const actAt = (event) =>
    /** @type {HTMLElement | null} */ (
      event.target instanceof Element ? event.target.closest("[data-act]") : null
    )?.dataset.act;

  /** @param {Found} found @param {string} [act] */
  function perform(found, act) {
    const anchor = anchorOf(found);
    if (act === "a" || act === "b") actions.setEnd(act, anchor);
    else if (act === "mark") actions.mark(anchor);
    else if (act === "shape") actions.shape(anchor);
    else if (act === "keep") void made.keep(found);
    else if (act === "save") void made.save(found);
    else if (act === "drop") drop?.(found);
    else if (act === "play") void playback.audition(anchor);
  }
  root.addEventListener("click", (event) => {
    const found = foundAt(event);
    if (found) perform(found, actAt(event));
  });
  /** @param {Found | undefined} found */
  const point = (found) => {
    const { pointed } = store.get();
    if (found && pointed?.found !== found) store.set({ pointed: { sound: -1, found, by: "table" } });
    else if (!found && pointed?.found && pointed.by === "table") store.set({ pointed: null });
  };
  const roving = rovingRows(root, "li.find");
  root.addEventListener("pointerover", (event) => event.pointerType !== "touch" && point(foundAt(event)));
  root.addEventListener("pointerleave", () => point(undefined));
  root.addEventListener("focusin", (event) => actAt(event) === "play" && point(foundAt(event)));
  root.addEventListener("focusout", () => point(undefined));
  root.addEventListener("keydown", (event) => {
    const found = foundAt(event);
    if (!found || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { a: "a", b: "b", m: "mark", t: "shape", k: "keep" }[event.key.toLowerCase()];
    if (!act) return;
    perform(found, act);
    event.preventDefault();
    event.stopPropagation();
  });

  const draw = (/** @type {State} */ state) => {
    const focused = /** @type {HTMLElement | null} */ (
      root.contains(document.activeElement) ? document.activeElement : null
    );
    const kept = focused && { code: focused.closest("li")?.dataset.code, act: focused.dataset.act };
    const nth = focused ? [...root.children].findIndex((item) => item.contains(focused)) : -1;
    shown.clear();
    // what was drawn more than once is one sound
    for (const found of pick(state)) if (!shown.has(found.code)) shown.set(found.code, found);
    root.replaceChildren(...[...shown.values()].map(row));
    roving.refresh();
    if (!kept?.code) return;
    const again = [...root.querySelectorAll("li")].find((item) => item.dataset.code === kept.code);
    if (!again) return roving.focusRow(nth); // the one that took its place
    /** @type {HTMLElement | null} */ (
      again.querySelector(`[data-act="${kept.act}"]`) ?? again.querySelector(".sound")
    )?.focus({ preventScroll: true });
  };
  const mark = (/** @type {State} */ { pointed }) => {
    for (const item of root.querySelectorAll("li"))
      item.classList.toggle("pointed", item.dataset.code === pointed?.found?.code);
  };
  const stops = [
    watch(
      store,
      (state) => [...pick(state), state.a, state.b, state.marked, state.kept, state.library],
      draw,
    ),
    watch(store, ({ pointed }) => [pointed?.found], mark),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
