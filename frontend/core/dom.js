// @ts-check
/** A few lines instead of a framework. */

/**
 * h("button.icon", {"aria-label": "Close", onclick: close}, icon("close"))
 *
 * @param {string} selector tag, and classes behind dots
 * @param {Record<string, any>} [attributes] on*: listeners; true/false: present/absent; the rest as text
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  setAll(element, attributes);
  element.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child || child === "")));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...Node} children @returns {SVGElement} */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAll(element, attributes);
  element.append(...children);
  return /** @type {SVGElement} */ (element);
}

/** @param {Element} element @param {Record<string, any>} attributes */
export function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else {
      const text = value === true ? "" : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
}

/** An icon of the sheet in index.html. @param {string} name */
export const icon = (name) => s("svg", { "aria-hidden": "true" }, s("use", { href: `#i-${name}` }));

/** Runs `draw` once in the next frame, however often it is asked for. @param {() => void} draw */
export function inNextFrame(draw) {
  let frame = 0;
  const ask = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
  return Object.assign(ask, { cancel: () => (cancelAnimationFrame(frame), (frame = 0)) });
}

/** Is it pointed with a finger? */
export const fingers = () => matchMedia("(hover: none)").matches;

/** What one rem of 16 is now: the page grows with very large screens. */
export const unit = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/** @param {HTMLCanvasElement} canvas @returns {{c: CanvasRenderingContext2D, w: number, h: number, ratio: number}} */
export function sharp(canvas) {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const w = canvas.clientWidth;
  const h = canvas.clientHeight;
  const width = Math.max(1, Math.round(w * ratio));
  const height = Math.max(1, Math.round(h * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, w, h);
  return { c, w, h, ratio };
}

/**
 * Arrow keys move through a radio group and choose at once, as a native one does.
 * @param {HTMLElement} group @param {(value: string) => void} choose
 */
export function radioGroup(group, choose) {
  const radios = () => /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[role=radio]")]);
  group.addEventListener("click", (event) => {
    const radio = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest("[role=radio]")
    );
    if (radio) choose(radio.dataset.value ?? "");
  });
  group.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const all = radios();
    const next =
      all[(all.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + by + all.length) % all.length];
    next.focus();
    choose(next.dataset.value ?? "");
  });
  return {
    /** @param {string} value */
    show(value) {
      for (const radio of radios()) {
        const on = radio.dataset.value === value;
        setAll(radio, { "aria-checked": String(on), tabindex: on ? 0 : -1 });
      }
    },
  };
}

const CONTROLS = ":is(button, a[href], input)";

/** What can be pressed in a row, from left to right. @param {Element} row @returns {HTMLElement[]} */
const controlsOf = (row) =>
  /** @type {HTMLElement[]} */ (
    [...row.querySelectorAll(CONTROLS)].filter((control) => control.checkVisibility())
  );

/**
 * One tab stop for a whole list: every control of its rows leaves the tab order, but the one that had the focus last.
 * @param {HTMLElement} root @param {string} rowSelector @param {Element | null | undefined} stop null: the first
 */
export function oneTabStop(root, rowSelector, stop) {
  const controls = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(`${rowSelector} ${CONTROLS}`)]);
  const current = controls.find((control) => control === stop) ?? controls[0];
  for (const control of controls) control.tabIndex = control === current ? 0 : -1;
}

/**
 * Left and Right go along the controls of a row.
 * @param {KeyboardEvent} event
 * @param {Element} row
 * @returns {boolean} was it one of these keys?
 */
export function alongRow(event, row) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return false;
  const controls = controlsOf(row);
  const next = controls.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + by;
  controls[Math.min(controls.length - 1, Math.max(0, next))]?.focus();
  return true;
}

/**
 * A list with one tab stop, all of whose rows are there: Up and Down move between rows, Left and Right along one, Home
 * and End to the first and the last.
 * @param {HTMLElement} root @param {string} rowSelector
 * @returns {{refresh: () => void, focusRow: (nth: number) => void}} refresh: the rows are others now
 */
export function rovingRows(root, rowSelector) {
  const rows = () => [...root.querySelectorAll(rowSelector)];
  /** @param {number} nth @param {number} [column] */
  function focusRow(nth, column = 0) {
    const all = rows();
    const row = all[Math.min(all.length - 1, Math.max(0, nth))];
    const controls = row ? controlsOf(row) : [];
    controls[Math.min(column, controls.length - 1)]?.focus();
  }
  root.addEventListener("focusin", (event) =>
    oneTabStop(root, rowSelector, /** @type {Element} */ (event.target)),
  );
  // what shows only while the focus is in its row cannot be come back to
  root.addEventListener("focusout", (event) => {
    const row = /** @type {Element} */ (event.target).closest(rowSelector);
    if (row && !(event.relatedTarget instanceof Node && root.contains(event.relatedTarget)))
      oneTabStop(root, rowSelector, controlsOf(row)[0]);
  });
  root.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = target.closest(rowSelector);
    if (
      !row ||
      (target instanceof HTMLInputElement && target.type !== "checkbox") ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    const to = {
      ArrowDown: rows().indexOf(row) + 1,
      ArrowUp: rows().indexOf(row) - 1,
      Home: 0,
      End: Infinity,
    }[event.key];
    if (to !== undefined)
      focusRow(to, ["Home", "End"].includes(event.key) ? 0 : controlsOf(row).indexOf(target));
    else if (!alongRow(event, row)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { refresh: () => oneTabStop(root, rowSelector, document.activeElement), focusRow };
}
