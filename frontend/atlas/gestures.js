// @ts-check
/** Mouse, pen and fingers on the map, as a handful of words: point, tap, pan, zoom, carry. */

/** @typedef {import("../core/state.js").Position} Position */

/**
 * @typedef {object} Hands
 * @property {(at: Position | null) => void} point             null: the pointer has left
 * @property {(at: Position, touch: boolean, shift: boolean) => void} tap
 * @property {(at: Position, touch: boolean) => "a" | "b" | null} grip    is there an end to carry here?
 * @property {(end: "a" | "b", at: Position) => void} carry
 * @property {(end: "a" | "b", at: Position | null) => void} drop         null: the gesture was broken off
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, at: Position) => void} zoom
 * @property {(shift: boolean) => boolean} draws               a drag from nothing draws an outline
 * @property {(at: Position, shift: boolean) => void} begin     the outline
 * @property {(at: Position) => void} draw
 * @property {(broken: boolean) => void} drawn
 * @property {() => void} rest                                 a pan or zoom is over
 */

const STILL = 5; // pixels a click may wander
const STILL_FINGER = 10;

/**
 * @param {HTMLElement} root
 * @param {Hands} hands
 */
export function watchHands(root, hands) {
  /** @type {Map<number, Position>} */
  const down = new Map();
  /** @type {Position} */
  let start = [0, 0];
  /** @type {"tap" | "pan" | "pinch" | "carry" | "draw" | null} */
  let doing = null;
  /** @type {"a" | "b" | null} */
  let press = null;
  let wheelRest = 0;

  /** @param {MouseEvent} event @returns {Position} */
  const at = (event) => {
    const box = root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  /** @param {Event} event */
  const onControl = (event) =>
    event.target instanceof Element && event.target.closest("button, a, input, .card");

  /** @param {PointerEvent} event */
  function pointerdown(event) {
    if (event.button !== 0 || onControl(event)) return;
    const touch = event.pointerType === "touch";
    root.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size === 1) {
      start = at(event);
      press = hands.grip(start, touch);
      doing = "tap";
    } else if (down.size === 2) {
      if (doing === "carry" && press) hands.drop(press, null);
      if (doing === "draw") hands.drawn(true);
      press = null;
      doing = "pinch";
    }
  }

  /** @param {PointerEvent} event */
  function pointermove(event) {
    const position = at(event);
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch" && !onControl(event)) hands.point(position);
      else if (event.pointerType !== "touch") hands.point(null);
      return;
    }
    const tolerance = event.pointerType === "touch" ? STILL_FINGER : STILL;
    if (doing === "tap" && Math.hypot(position[0] - start[0], position[1] - start[1]) > tolerance) {
      doing = press ? "carry" : hands.draws(event.shiftKey) ? "draw" : "pan";
      if (doing === "draw") hands.begin(start, event.shiftKey);
      hands.point(null);
    }
    if (doing === "carry" && press) hands.carry(press, position);
    if (doing === "draw") hands.draw(position);
    if (doing === "pan") hands.pan(position[0] - before[0], position[1] - before[1]);
    if (doing === "pinch") {
      const [other] = [...down].filter(([id]) => id !== event.pointerId).map(([, position]) => position);
      if (other) {
        const apart = (/** @type {Position} */ p) =>
          Math.max(20, Math.hypot(p[0] - other[0], p[1] - other[1]));
        const middle = (/** @type {Position} */ p) =>
          /** @type {Position} */ ([(p[0] + other[0]) / 2, (p[1] + other[1]) / 2]);
        const [was, is] = [middle(before), middle(position)];
        hands.pan(is[0] - was[0], is[1] - was[1]);
        hands.zoom(apart(position) / apart(before), is);
      }
    }
    down.set(event.pointerId, position);
  }

  /** @param {PointerEvent} event */
  function pointerup(event) {
    if (!down.delete(event.pointerId)) return;
    const position = at(event);
    const touch = event.pointerType === "touch";
    if (doing === "tap") hands.tap(position, touch, event.shiftKey);
    if (doing === "carry" && press) hands.drop(press, event.type === "pointerup" ? position : null);
    if (doing === "draw") hands.drawn(event.type !== "pointerup");
    if (doing === "pan" || doing === "pinch") hands.rest();
    if (down.size === 0) {
      doing = null;
      press = null;
    } else doing = "pan";
  }

  /** @param {WheelEvent} event */
  function wheel(event) {
    if (onControl(event)) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    hands.zoom(Math.exp((-event.deltaY * lines * (event.ctrlKey ? 8 : 1.6)) / 1000), at(event));
    clearTimeout(wheelRest);
    wheelRest = window.setTimeout(hands.rest, 160);
  }

  const leave = (/** @type {PointerEvent} */ event) =>
    event.pointerType !== "touch" && !down.size && hands.point(null);

  root.addEventListener("pointerdown", pointerdown);
  root.addEventListener("pointermove", pointermove);
  root.addEventListener("pointerup", pointerup);
  root.addEventListener("pointercancel", pointerup);
  root.addEventListener("pointerleave", leave);
  root.addEventListener("wheel", wheel, { passive: false });
  return {
    destroy() {
      root.removeEventListener("pointerdown", pointerdown);
      root.removeEventListener("pointermove", pointermove);
      root.removeEventListener("pointerup", pointerup);
      root.removeEventListener("pointercancel", pointerup);
      root.removeEventListener("pointerleave", leave);
      root.removeEventListener("wheel", wheel);
      clearTimeout(wheelRest);
    },
  };
}
