// @ts-check
/** Panels that are fetched when they are first needed: the first map waits for none of them. */

import { h } from "../core/dom.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */

/** @typedef {import("../parts.js").Parts & {operations: import("../combine/operations.js").Operations}} Parts */
/** @typedef {{mount: (root: HTMLElement, parts: Parts) => {destroy: () => void}}} Panel */

/** @type {Record<string, {fetch: () => Promise<Panel>, needed: (state: State) => boolean}>} */
const PANELS = {
  combine: { fetch: () => import("../combine/panel.js"), needed: ({ panel }) => panel === "combine" },
  sample: {
    fetch: () => import("../sample/panel.js"),
    needed: ({ panel, seed }) => panel === "sample" || seed !== null,
  },
  yours: {
    fetch: () => import("../yours/panel.js"),
    needed: ({ panel, hear, library }) => panel === "yours" || (hear !== null && library !== null),
  },
  shape: { fetch: () => import("../shape/panel.js"), needed: ({ panel }) => panel === "shape" },
};

const STYLES = "style/panel.css";

/** @param {HTMLElement} root the sheet @param {Parts} parts */
export function mountPanels(root, parts) {
  /** @type {Map<string, {section: HTMLElement, view?: {destroy: () => void}}>} */
  const known = new Map();
  /** @type {Promise<unknown> | null} */
  let styles = null;
  /** @type {string | null} a panel that somebody has opened, and that is to have the focus when it is there */
  let wanted = null;

  function take() {
    const section =
      wanted && (known.get(wanted)?.view ? known.get(wanted)?.section : document.getElementById(wanted));
    if (!section || section.hidden) return;
    wanted = null;
    section.focus({ preventScroll: true });
  }

  function styled() {
    return (styles ??= new Promise((done) => {
      const link = h("link", { rel: "stylesheet", href: STYLES });
      link.addEventListener("load", done);
      link.addEventListener("error", done);
      document.head.append(link);
    }));
  }

  /** @param {string} name */
  async function open(name) {
    const section = h("section.panel", { "data-for": name, hidden: true, tabindex: -1 });
    root.append(section);
    /** @type {{section: HTMLElement, view?: {destroy: () => void}}} */
    const mine = { section };
    known.set(name, mine);
    try {
      const [panel] = await Promise.all([PANELS[name].fetch(), styled()]);
      mine.view = panel.mount(section, parts);
      const title = section.querySelector("h2");
      if (title) {
        title.id = `h-${name}`;
        section.setAttribute("aria-labelledby", title.id);
      }
      section.hidden = parts.store.get().panel !== name;
      take();
    } catch (error) {
      section.remove();
      known.delete(name);
      parts.complain(error, () => void open(name));
    }
  }

  const stop = watch(
    parts.store,
    (state) => [state.panel, ...Object.values(PANELS).map(({ needed }) => needed(state))],
    (state) => {
      for (const [name, { needed }] of Object.entries(PANELS))
        if (needed(state) && !known.has(name)) void open(name);
      for (const [name, { section, view }] of known) section.hidden = !view || state.panel !== name;
      take();
    },
  );
  return {
    /** Whoever opened a panel goes on inside. @param {string} name */
    focus(name) {
      wanted = name;
      take();
    },
    destroy() {
      stop();
      for (const { section, view } of known.values()) {
        view?.destroy();
        section.remove();
      }
    },
  };
}
