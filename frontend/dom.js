// @ts-check
/** A few lines instead of a framework. */

/**
 * h("button.icon", {"aria-label": "Close", onclick: close}, icon("close"))
 *
 * @param {string} what tag, and classes behind dots
 * @param {Record<string, any>} [attributes] on*: listeners; true/false: present/absent; the rest as text
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
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
  let asked = 0;
  const ask = () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      draw();
    });
  };
  return Object.assign(ask, { cancel: () => (cancelAnimationFrame(asked), (asked = 0)) });
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
    const radio = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[role=radio]"));
    if (radio) choose(radio.dataset.value ?? "");
  });
  group.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const all = radios();
    const next = all[(all.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + by + all.length) % all.length];
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
