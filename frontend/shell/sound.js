// @ts-check
/** Sound on, how loud, and whether walking the map is heard. */

import { h, icon, setAll, unit } from "../core/dom.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("../listen/listen.js").Listen} parts.listen
 */
export function mountSound(root, { store, playback, listen }) {
  const button = h(
    "button.icon.sound-key",
    {
      popovertarget: "sound",
      "aria-label": "Sound and volume",
      title: "Sound and volume",
      onclick: () => void playback.unlock(),
    },
    icon("sound"),
  );
  const volume = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: 0, max: 100, step: 1, "aria-label": "Volume" })
  );
  const amount = h("output");
  const walk = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", onchange: () => store.set({ walkSounds: walk.checked }) })
  );
  const box = h(
    "div.popover",
    { id: "sound", popover: "auto", role: "dialog", "aria-label": "Sound and volume" },
    h("label.field", {}, h("span", {}, "Volume"), amount, volume),
    h("label.check", {}, walk, h("span", {}, "Play sounds while walking the map by arrow keys (H)")),
  );
  root.append(button, box);
  volume.addEventListener("input", () => store.set({ volume: Number(volume.value) / 100 }));

  /** Beside the button, inside the screen. */
  function position() {
    const { top, bottom, right } = button.getBoundingClientRect();
    const gap = 8 * unit();
    const below = top < innerHeight / 2;
    const upright = below ? `top:${bottom + gap}px` : `bottom:${innerHeight - top + gap}px`;
    setAll(box, {
      style: `${upright};${right > innerWidth / 2 ? `right:${innerWidth - right}px` : `left:${12 * unit()}px`}`,
    });
  }
  box.addEventListener("beforetoggle", position);

  const stops = [
    watch(
      store,
      ({ volume: level }) => [level],
      ({ volume: level }) => {
        const percent = Math.round(100 * level);
        volume.value = String(percent);
        volume.style.setProperty("--at", `${percent}%`);
        amount.textContent = `${percent} %`;
        listen.setVolume(level);
      },
    ),
    watch(
      store,
      ({ walkSounds }) => [walkSounds],
      ({ walkSounds }) => (walk.checked = walkSounds),
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      button.remove();
      box.remove();
    },
  };
}
