// @ts-check
/** The sheet that panels lie in. Most panels are fetched when they are first needed: the first map waits for none. */

import { h } from "../core/dom.js";
import { watch } from "../core/store.js";

/** @typedef {import("../panels.js").Panel} Panel */
/** @typedef {import("../panels.js").Parts} Parts */
/** @typedef {{panel: Panel, section: HTMLElement, view: import("../parts.js").View | null}} Mounted */

const STYLES = "style/panel.css";

/** @param {HTMLElement} root the sheet @param {readonly Panel[]} panels @param {Parts} parts */
export function mountPanels(root, panels, parts) {
  /** @type {Map<string, Mounted>} */
  const mounted = new Map();
  /** @type {Promise<unknown> | null} */
  let styles = null;
  /** @type {string | null} a panel that somebody has opened, and that is to have the focus when it is there */
  let awaitingFocus = null;
  /** @type {string | null} */
  let openBefore = null;

  function takeFocus() {
    const { section, view } = mounted.get(awaitingFocus ?? "") ?? {};
    if (!section || !view || section.hidden) return;
    awaitingFocus = null;
    section.focus({ preventScroll: true });
  }

  function loadStyles() {
    return (styles ??= new Promise((resolve) => {
      const link = h("link", { rel: "stylesheet", href: STYLES });
      link.addEventListener("load", resolve);
      link.addEventListener("error", resolve);
      document.head.append(link);
    }));
  }

  /** @param {Mounted} entry @param {import("../parts.js").View} view */
  function show(entry, view) {
    const { panel, section } = entry;
    entry.view = view;
    const title = section.querySelector("h2");
    if (title) {
      title.id = `h-${panel.name}`;
      section.setAttribute("aria-labelledby", title.id);
    }
    section.hidden = parts.store.get().panel !== panel.name;
    takeFocus();
  }

  /** @param {Panel} panel */
  function open(panel) {
    const { name } = panel;
    const section = h("section.panel", { id: name, "data-for": name, hidden: true, tabindex: -1 });
    root.append(section);
    /** @type {Mounted} */
    const entry = { panel, section, view: null };
    mounted.set(name, entry);
    const view = panel.mount(section, parts);
    if (!(view instanceof Promise)) return show(entry, view);
    Promise.all([view, loadStyles()]).then(
      ([fetched]) => show(entry, fetched),
      (error) => {
        section.remove();
        mounted.delete(name);
        parts.complain(error, () => open(panel));
      },
    );
  }

  /** @param {import("../core/state.js").State} state @param {Panel} panel */
  const isNeeded = (state, { name, needed }) => state.panel === name || needed?.(state) === true;

  /**
   * The sheet as wide as its panel wants it. Who was in a panel that closes goes on where it was opened.
   * @param {string | null} name
   */
  function showSheet(name) {
    if (name === null && openBefore && root.contains(document.activeElement))
      /** @type {HTMLElement | null} */ (
        document.querySelector(`button[data-panel="${openBefore}"]`)
      )?.focus();
    openBefore = name;
    root.hidden = name === null;
    root.classList.toggle("wide", panels.find((panel) => panel.name === name)?.wide === true);
    document.documentElement.dataset.panel = name ?? "";
  }

  const stop = watch(
    parts.store,
    (state) => [state.panel, ...panels.map((panel) => isNeeded(state, panel))],
    (state) => {
      for (const panel of panels) if (isNeeded(state, panel) && !mounted.has(panel.name)) open(panel);
      for (const { panel, section, view } of mounted.values())
        section.hidden = !view || state.panel !== panel.name;
      showSheet(state.panel);
      takeFocus();
    },
  );
  return {
    /** Whoever opened a panel goes on inside. @param {string} name */
    focus(name) {
      awaitingFocus = name;
      takeFocus();
    },
    /** To where one writes what one looks for in a panel. @param {string} name */
    find: (name) => mounted.get(name)?.view?.find?.(),
    destroy() {
      stop();
      for (const { section, view } of mounted.values()) {
        view?.destroy();
        section.remove();
      }
    },
  };
}
