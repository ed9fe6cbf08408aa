// @ts-check
/** Keys that work wherever one is, unless one is writing. */

import { pointedAnchor } from "../core/state.js";

const WRITING = "input[type=search], input[type=text], input[type=number], select, textarea, dialog";
const PRESSABLE = "button, a, [role=radio], input[type=radio], input[type=checkbox]";

/**
 * @param {Window} window
 * @param {readonly import("../panels.js").Panel[]} all
 * @param {object} parts
 * @param {import("../core/store.js").Store<import("../core/state.js").State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("../combine/operations.js").Operations} parts.operations
 * @param {{focus: (panel: string) => void, find: (panel: string) => void}} parts.panels
 * @param {() => void} parts.save      what is heard
 * @param {() => void} parts.summary   to be said
 * @param {() => void} parts.help
 */
export function watchKeys(
  window,
  all,
  { store, actions, playback, operations, panels, save, summary, help },
) {
  /** @param {string} panel */
  function toggle(panel) {
    actions.togglePanel(panel);
    if (store.get().panel === panel) panels.focus(panel);
  }

  /** A sound, by its name. */
  function find() {
    store.set({ panel: "library" });
    panels.find("library");
  }

  /** What a key does, whatever is pointed at. @type {Record<string, () => void>} */
  const commands = {
    l: () => store.set({ loop: !store.get().loop }),
    g: () => store.set({ mode: store.get().mode === "steps" ? "glide" : "steps" }),
    h: () => store.set({ walkSounds: !store.get().walkSounds }),
    s: actions.swap,
    c: actions.compare,
    1: () => actions.choosePath(0),
    2: () => actions.choosePath(1),
    3: () => actions.choosePath(2),
    v: () => operations.run("mean"),
    n: () => operations.run("analogy"),
    x: () => operations.run("beyond"),
    d: save,
    i: summary,
    f: find,
    "/": find,
    "?": help,
    ...Object.fromEntries(all.map(({ name, key }) => [key, () => toggle(name)])),
  };

  /**
   * What a key does with what is pointed at.
   * @type {Record<string, (anchor: import("../core/state.js").Anchor) => void>}
   */
  const onAnchor = {
    a: (anchor) => actions.setEnd("a", anchor),
    b: (anchor) => actions.setEnd("b", anchor),
    m: actions.mark,
    t(anchor) {
      actions.shape(anchor);
      panels.focus("shape");
    },
  };

  /**
   * Silence first; then the panel one is in closes, or what is pointed at is let go; then the panel that is open
   * closes.
   */
  function escape() {
    if (document.querySelector("dialog[open], [popover]:popover-open")) return;
    const { playing, pointed, panel } = store.get();
    const inside = document.activeElement?.closest("#sheet") != null;
    playback.silence();
    if (playing) return;
    if (panel && (inside || !pointed)) store.set({ panel: null, pointed: null });
    else if (pointed) store.set({ pointed: null });
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (event.key === "Escape") return escape();
    if (target?.closest(WRITING)) return;
    const anchor = pointedAnchor(store.get());
    const key = event.key.toLowerCase();
    if (event.key === " " && !target?.closest(PRESSABLE)) playback.toggle();
    else if (anchor && onAnchor[key]) onAnchor[key](anchor);
    else if (commands[key]) commands[key]();
    else return;
    event.preventDefault();
  }
  window.addEventListener("keydown", keydown);
  return { destroy: () => window.removeEventListener("keydown", keydown) };
}
