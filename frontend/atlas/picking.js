// @ts-check
/** What hands and keys do on the map: point, pick, carry an end, look around. */

import { inNextFrame, unit } from "../dom.js";
import { watchHands } from "./gestures.js";
import { endPosition } from "./scene.js";
import { toMap, toScreen } from "./view.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Position} Position */

const PICK = 14; // pixels around a point that belong to it
const PICK_FINGER = 26;
const GRIP = 18; // pixels around an end that carry it
const STRIDE = 60; // pixels an arrow key moves the map with Shift

/**
 * @param {HTMLElement} root
 * @param {HTMLElement} surface      what has the focus
 * @param {object} parts
 * @param {import("../store.js").Store<State>} parts.store
 * @param {import("./camera.js").Camera} parts.camera
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {(sound: number) => boolean} parts.isShown      does the filter let it through?
 */
export function mountPicking(root, surface, { store, camera, actions, playback, isShown }) {
  /** @param {Position} at on the screen @param {number} radius */
  function soundAt(at, radius) {
    const { library } = store.get();
    const view = camera.view();
    const found = library ? library.grid.nearest(...toMap(view, at), (radius * unit()) / view.k) : -1;
    return found >= 0 && isShown(found) ? found : -1;
  }

  /** The sound an end snaps to when it is dropped here. @param {Position} at on the map */
  function snapped(at) {
    return store.get().library?.grid.nearest(...at, (PICK * unit()) / camera.view().k) ?? -1;
  }

  /** @param {Position} at on the screen @param {number} radius @returns {"a" | "b" | null} */
  function endAt(at, radius) {
    for (const which of /** @type {const} */ (["b", "a"])) {
      const position = endPosition(store.get(), which);
      if (!position) continue;
      const [x, y] = toScreen(camera.view(), position);
      if (Math.hypot(x - at[0], y - at[1]) <= radius * unit()) return which;
    }
    return null;
  }

  /** @param {number} sound -1: none @param {"pointer" | "touch" | "keys"} by */
  function point(sound, by) {
    const { pointed } = store.get();
    if (sound < 0) pointed && store.set({ pointed: null });
    else if (pointed?.sound !== sound || pointed.by !== by) store.set({ pointed: { sound, by } });
  }

  /** @type {Position | null} */
  let pointer = null;
  const hit = inNextFrame(() => {
    if (!pointer) return;
    const found = soundAt(pointer, PICK);
    surface.classList.toggle("grip", endAt(pointer, GRIP) !== null);
    surface.classList.toggle("over-sound", found >= 0);
    if (found >= 0 || store.get().pointed?.by !== "keys") point(found, "pointer");
  });

  const hands = watchHands(root, {
    point(at) {
      pointer = at;
      if (at) return hit();
      if (store.get().pointed?.by === "pointer") point(-1, "pointer");
    },
    tap(at, touch) {
      const state = store.get();
      const end = endAt(at, touch ? PICK_FINGER : GRIP);
      const anchor = end && state[end];
      if (anchor) return void playback.audition(anchor);
      const found = soundAt(at, touch ? PICK_FINGER : PICK);
      if (found < 0) {
        point(-1, "pointer");
        return playback.silence();
      }
      if (!touch || !state.a) return actions.pick(found);
      void playback.unlock();
      playback.pause(); // a finger hides what it points at: look first, go there then
      point(found, "touch");
    },
    grip: (at, touch) => endAt(at, touch ? PICK_FINGER : GRIP),
    carry(end, at) {
      if (store.get().playing) playback.pause();
      store.set({ carried: { end, position: toMap(camera.view(), at) } });
    },
    drop(end, at) {
      store.set({ carried: null });
      const { library } = store.get();
      if (!at || !library) return;
      const position = toMap(camera.view(), at);
      const near = snapped(position);
      actions.setEnd(end, near >= 0 ? { sound: library.id[near] } : { position });
    },
    pan: camera.pan,
    zoom: camera.zoom,
    rest: camera.rest,
  });

  /** To the nearest sound in a direction; the first time to A, or to the middle. @param {number} dx @param {number} dy */
  function walk(dx, dy) {
    const { library, pointed, a } = store.get();
    if (!library) return;
    const { x, y } = camera.view();
    const start = a?.sound ? library.indexOf(a.sound) : library.grid.nearest(x, y, Infinity);
    const to = pointed ? library.grid.towards(pointed.sound, dx, dy) : start;
    if (to < 0) return;
    point(to, "keys");
    camera.follow(library.position(to));
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    const { library, pointed } = store.get();
    if (!library || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const key = event.key.toLowerCase();
    if (way && event.shiftKey) {
      camera.pan(-way[0] * STRIDE * unit(), way[1] * STRIDE * unit());
      camera.rest();
    } else if (way) walk(way[0], way[1]);
    else if (event.key === "Enter" && pointed) void playback.audition({ sound: library.id[pointed.sound] });
    else if ((key === "a" || key === "b") && pointed) actions.setEnd(key, { sound: library.id[pointed.sound] });
    else if (key === "+" || key === "=") camera.zoomStep(1);
    else if (key === "-") camera.zoomStep(-1);
    else if (key === "0") camera.home();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const blur = () => store.get().pointed?.by === "keys" && store.set({ pointed: null });
  surface.addEventListener("keydown", keydown);
  surface.addEventListener("blur", blur);

  return {
    snapped,
    destroy() {
      hit.cancel();
      hands.destroy();
      surface.removeEventListener("keydown", keydown);
      surface.removeEventListener("blur", blur);
    },
  };
}
