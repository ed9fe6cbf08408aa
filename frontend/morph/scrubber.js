// @ts-check
/** The thumb between A and B. Held, it is heard. */

import { clamp, dusk, mix, readPalette } from "../core/colour.js";
import { h, inNextFrame, setAll, sharp, unit } from "../core/dom.js";
import { STEPS, chosenPath, isReady, stepAt } from "../core/state.js";
import { watch } from "../core/store.js";
import { measured } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

/** What a step is: which, known or guesswork, and how bright. @param {State} state @param {number} step from 0 */
function stepWords(state, step) {
  const { model } = state;
  const path = chosenPath(state);
  const position = `Step ${step + 1} of ${STEPS}`;
  if (!path || !isReady(state)) return position;
  const region =
    path.on_land?.[step] === undefined || path.kind === "graph"
      ? ""
      : path.on_land[step]
        ? "known sounds"
        : "guesswork";
  const brightness = path.descriptors?.brightness?.[step];
  const unit = model?.descriptors?.find(({ id }) => id === "brightness")?.unit;
  return [
    position,
    region,
    brightness !== undefined && unit !== undefined && `brightness ${measured(brightness, unit)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("../actions.js").Actions} parts.actions
 */
export function mountScrubber(root, { store, playback, actions }) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const number = h("b");
  const thumb = h("span.thumb", {}, number);
  root.append(canvas, thumb);
  setAll(root, {
    role: "slider",
    "aria-label": "Place on the morph",
    "aria-valuemin": 1,
    "aria-valuemax": STEPS,
  });
  let palette = readPalette(document.documentElement);
  /** @type {number | null} */
  let finger = null;

  /** From here to there the axis runs: as the slices', half a slice in. */
  const ends = () => {
    const style = getComputedStyle(root);
    const left = parseFloat(style.paddingLeft);
    const width = root.clientWidth - left - parseFloat(style.paddingRight);
    return [left + (width * 0.5) / STEPS, left + (width * (STEPS - 0.5)) / STEPS];
  };

  /** @param {number} progress */
  function show(progress) {
    const state = store.get();
    const ready = isReady(state);
    const u = unit();
    const { c, h: tall } = sharp(canvas);
    const [x0, x1] = ends().map((x) => x - canvas.offsetLeft);
    const middle = tall / 2;
    const across = c.createLinearGradient(x0, 0, x1, 0);
    for (const t of [0, 0.25, 0.5, 0.75, 1]) across.addColorStop(t, dusk(t, state.dark));
    c.lineCap = "round";
    c.lineWidth = 6 * u;
    const bar = (
      /** @type {number} */ from,
      /** @type {number} */ to,
      /** @type {string | CanvasGradient} */ style,
    ) => {
      c.strokeStyle = style;
      c.beginPath();
      c.moveTo(from, middle);
      c.lineTo(to, middle);
      c.stroke();
    };
    bar(x0, x1, palette.high);
    if (ready && progress > 0) bar(x0, mix(x0, x1, progress), across);
    for (let i = 0; i < STEPS; i++) {
      const t = i / (STEPS - 1);
      const x = mix(x0, x1, t);
      const tick = (i % 4 === 0 ? 13 : 8) * u;
      c.strokeStyle = ready && t <= progress ? dusk(t, state.dark) : ready ? palette.ink2 : palette.ink3;
      c.lineWidth = (i % 4 === 0 ? 2 : 1.5) * u;
      c.beginPath();
      c.moveTo(x, middle - tick);
      c.lineTo(x, middle + tick);
      c.stroke();
    }
    thumb.hidden = !ready;
    thumb.style.left = `${canvas.offsetLeft + mix(x0, x1, progress)}px`;
    thumb.style.setProperty("--here", dusk(progress, state.dark));
    const step = stepAt(progress) + 1;
    number.textContent = String(step);
    setAll(root, { tabindex: ready ? 0 : -1, "aria-disabled": ready ? null : "true" });
    // while it plays nothing is said over the music
    if (!state.playing) setAll(root, { "aria-valuenow": step, "aria-valuetext": stepWords(state, step - 1) });
  }
  const draw = inNextFrame(() => show(playback.position()));

  /** @param {PointerEvent} event */
  const progressAt = (event) => {
    const [x0, x1] = ends();
    return clamp((event.clientX - root.getBoundingClientRect().left - x0) / (x1 - x0));
  };
  /** @param {PointerEvent} event */
  function pointerdown(event) {
    if (!isReady(store.get()) || event.button !== 0) return;
    finger = event.pointerId;
    root.setPointerCapture(finger);
    root.classList.add("held");
    playback.scrub(progressAt(event));
    root.focus({ preventScroll: true });
    event.preventDefault();
  }
  /** @param {PointerEvent} event */
  function pointermove(event) {
    if (event.pointerId === finger) playback.scrub(progressAt(event));
  }
  /** @param {PointerEvent} event */
  function pointerup(event) {
    if (event.pointerId !== finger) return;
    finger = null;
    root.classList.remove("held");
    playback.release();
  }
  /** @param {KeyboardEvent} event */
  function keydown(event) {
    if (!isReady(store.get())) return;
    const by = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: 4,
      PageDown: -4,
      Home: -99,
      End: 99,
    }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    actions.step(by);
  }
  root.addEventListener("pointerdown", pointerdown);
  root.addEventListener("pointermove", pointermove);
  root.addEventListener("pointerup", pointerup);
  root.addEventListener("pointercancel", pointerup);
  root.addEventListener("keydown", keydown);

  const stops = [
    watch(
      store,
      ({ dark }) => [dark],
      () => {
        palette = readPalette(document.documentElement);
        draw();
      },
    ),
    watch(store, ({ progress, playing, morph, path }) => [progress, playing, morph?.phase, path], draw),
    playback.onFrame(show),
  ];
  const resized = new ResizeObserver(draw);
  resized.observe(root);
  return {
    destroy() {
      for (const stop of stops) stop();
      resized.disconnect();
      draw.cancel();
      root.replaceWith(root.cloneNode(false)); // takes the listeners along
    },
  };
}
