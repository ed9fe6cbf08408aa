// @ts-check
/** New sounds as a list: pointing at one plays it, as on the map; each can be an end, be kept, be saved. */

import { h, icon, rovingRows, setAll } from "../core/dom.js";
import { anchorOf, sameAnchor } from "../core/state.js";
import { watch } from "../core/store.js";
import { newSoundWords } from "../core/text.js";
import { pointGlyph } from "../core/shapes.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").NewSound} NewSound */

/**
 * @param {HTMLElement} root a list
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("./user-sounds.js").UserSounds} parts.userSounds
 * @param {(state: State) => readonly NewSound[]} pick     which ones
 * @param {(found: NewSound) => void} [drop]               there is a key to take one off the map
 */
export function mountRows(root, { store, actions, playback, userSounds }, pick, drop) {
  root.classList.add("finds");
  setAll(root, { role: "list" });
  /** @type {Map<string, NewSound>} */
  const listed = new Map();

  /** @param {NewSound} newSound */
  function row(newSound) {
    const state = store.get();
    const { library, a, b, marked, storedAs } = state;
    const anchor = anchorOf(newSound);
    const end = (/** @type {"a" | "b"} */ end) => {
      const on = sameAnchor(state[end], anchor);
      return h(
        `button.ab${on ? `.is${end.toUpperCase()}` : ""}`,
        {
          "data-act": end,
          "aria-label": `${newSound.name} as ${end.toUpperCase()}`,
          "aria-pressed": String(on),
        },
        end.toUpperCase(),
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
        { "data-act": act, "aria-label": `${label}: ${newSound.name}`, title: label, ...attributes },
        icon(picture),
      );
    const isStored = newSound.code in storedAs;
    const on = marked.some((other) => sameAnchor(other, anchor));
    return h(
      `li.find${sameAnchor(a, anchor) || sameAnchor(b, anchor) ? ".sel" : ""}`,
      { "data-code": newSound.code },
      h(
        "button.sound",
        { "data-act": "play" },
        pointGlyph(newSound.shape),
        h(
          "span.what",
          {},
          h("b", {}, newSound.name),
          h("small", {}, library ? newSoundWords(newSound, library) : ""),
        ),
      ),
      h(
        "span.acts",
        {},
        key("mark", on ? "Unmark" : "Mark", "mark", { "aria-pressed": String(on) }),
        key("shape", "Shape", "shape"),
        isStored
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
      ...newSound.notes.map((note) => h("p.note", {}, note)),
    );
  }

  /** @param {Event} event */
  const newSoundAt = (event) => {
    const item =
      event.target instanceof Element
        ? /** @type {HTMLElement | null} */ (event.target.closest("[data-code]"))
        : null;
    return listed.get(item?.dataset.code ?? "");
  };
  /** @param {Event} event */
  const actAt = (event) =>
    /** @type {HTMLElement | null} */ (
      event.target instanceof Element ? event.target.closest("[data-act]") : null
    )?.dataset.act;

  /** @param {NewSound} newSound @param {string} [act] */
  function perform(newSound, act) {
    const anchor = anchorOf(newSound);
    if (act === "a" || act === "b") actions.setEnd(act, anchor);
    else if (act === "mark") actions.mark(anchor);
    else if (act === "shape") actions.shape(anchor);
    else if (act === "keep") void userSounds.keep(newSound);
    else if (act === "save") void userSounds.save(newSound);
    else if (act === "drop") drop?.(newSound);
    else if (act === "play") void playback.audition(anchor);
  }
  root.addEventListener("click", (event) => {
    const newSound = newSoundAt(event);
    if (newSound) perform(newSound, actAt(event));
  });
  /** @param {NewSound | undefined} newSound */
  const point = (newSound) => {
    const { pointed } = store.get();
    if (newSound && pointed?.newSound !== newSound)
      store.set({ pointed: { sound: -1, newSound, by: "table" } });
    else if (!newSound && pointed?.newSound && pointed.by === "table") store.set({ pointed: null });
  };
  const roving = rovingRows(root, "li.find");
  root.addEventListener("pointerover", (event) => event.pointerType !== "touch" && point(newSoundAt(event)));
  root.addEventListener("pointerleave", () => point(undefined));
  root.addEventListener("focusin", (event) => actAt(event) === "play" && point(newSoundAt(event)));
  root.addEventListener("focusout", () => point(undefined));
  root.addEventListener("keydown", (event) => {
    const newSound = newSoundAt(event);
    if (!newSound || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { a: "a", b: "b", m: "mark", t: "shape", k: "keep" }[event.key.toLowerCase()];
    if (!act) return;
    perform(newSound, act);
    event.preventDefault();
    event.stopPropagation();
  });

  const draw = (/** @type {State} */ state) => {
    const focused = /** @type {HTMLElement | null} */ (
      root.contains(document.activeElement) ? document.activeElement : null
    );
    const focusedControl = focused && { code: focused.closest("li")?.dataset.code, act: focused.dataset.act };
    const nth = focused ? [...root.children].findIndex((item) => item.contains(focused)) : -1;
    listed.clear();
    // what was drawn more than once is one sound
    for (const newSound of pick(state)) if (!listed.has(newSound.code)) listed.set(newSound.code, newSound);
    root.replaceChildren(...[...listed.values()].map(row));
    roving.refresh();
    if (!focusedControl?.code) return;
    const item = [...root.querySelectorAll("li")].find((item) => item.dataset.code === focusedControl.code);
    if (!item) return roving.focusRow(nth); // the one that took its place
    /** @type {HTMLElement | null} */ (
      item.querySelector(`[data-act="${focusedControl.act}"]`) ?? item.querySelector(".sound")
    )?.focus({ preventScroll: true });
  };
  const mark = (/** @type {State} */ { pointed }) => {
    for (const item of root.querySelectorAll("li"))
      item.classList.toggle("pointed", item.dataset.code === pointed?.newSound?.code);
  };
  const stops = [
    watch(
      store,
      (state) => [...pick(state), state.a, state.b, state.marked, state.storedAs, state.library],
      draw,
    ),
    watch(store, ({ pointed }) => [pointed?.newSound], mark),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
