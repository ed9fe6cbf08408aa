// @ts-check
/** What hands and keys do on the map: point, pick, carry an end, look around. */

import { inNextFrame, unit } from "../core/dom.js";
import { heart } from "../core/sounds.js";
import { everyNewSound, pointedAnchor } from "../core/state.js";
import { watchHands } from "./gestures.js";
import { towards } from "../core/grid.js";
import { endPosition, pointedPosition } from "./scene.js";
import { toMap, toScreen } from "../core/view.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {{sound: number, newSound?: import("../core/state.js").NewSound}} Target */

const PICK = 14; // pixels around a point that belong to it
const PICK_FINGER = 26;
const GRIP = 18; // pixels around an end that carry it
const STRIDE = 60; // pixels an arrow key moves the map with Shift

/**
 * @param {HTMLElement} root
 * @param {HTMLElement} surface      what has the focus
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("./camera.js").Camera} parts.camera
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {(sound: number) => boolean} parts.isShown      does the filter let it through?
 * @param {import("../cloud/layer.js").CloudLayer} parts.cloud
 */
export function mountPicking(root, surface, { store, camera, actions, playback, isShown, cloud }) {
  /** @param {Position} at on the screen @param {number} radius @returns {Target | null} */
  function targetAt(at, radius) {
    const { library, ...state } = store.get();
    if (!library) return null;
    const view = camera.view();
    const far = (/** @type {Position} */ position) => {
      const [x, y] = toScreen(view, position);
      return Math.hypot(x - at[0], y - at[1]);
    };
    const sound = library.grid.nearest(...toMap(view, at), (radius * unit()) / view.k);
    let least = sound >= 0 ? far(library.position(sound)) : radius * unit();
    /** @type {Target | null} */
    let best = sound >= 0 && isShown(sound) ? { sound } : null;
    for (const newSound of everyNewSound(state))
      if (far(newSound.position) <= least) {
        least = far(newSound.position); // what was found lies on top
        best = { sound: -1, newSound };
      }
    return best;
  }

  /**
   * The point of the cloud that is hit, where no other sound is nearer.
   * @param {Position} at on the screen @param {number} radius @param {Target | null} target
   * @returns {number | null} its row
   */
  function cloudRowAt(at, radius, target) {
    const near = cloud.nearest(at, radius * unit());
    const { library } = store.get();
    if (!near || !target || !library) return near?.row ?? null;
    const position = target.newSound ? target.newSound.position : library.position(target.sound);
    const [x, y] = toScreen(camera.view(), position);
    return near.far < Math.hypot(x - at[0], y - at[1]) ? near.row : null;
  }

  /** The sound an end snaps to when it is dropped here. @param {Position} at on the map */
  function snapped(at) {
    return store.get().library?.grid.nearest(...at, (PICK * unit()) / camera.view().k) ?? -1;
  }

  /** @param {Position} at on the screen @param {number} radius @returns {"a" | "b" | null} */
  function endAt(at, radius) {
    for (const end of /** @type {const} */ (["b", "a"])) {
      const position = endPosition(store.get(), end);
      if (!position) continue;
      const [x, y] = toScreen(camera.view(), position);
      if (Math.hypot(x - at[0], y - at[1]) <= radius * unit()) return end;
    }
    return null;
  }

  /** @param {Target | null} target @param {"pointer" | "touch" | "keys"} by */
  function point(target, by) {
    const { pointed } = store.get();
    if (!target) pointed && store.set({ pointed: null });
    else if (pointed?.sound !== target.sound || pointed.newSound !== target.newSound || pointed.by !== by)
      store.set({ pointed: { ...target, by } });
  }

  /** @type {Position | null} */
  let pointer = null;
  const hit = inNextFrame(() => {
    if (!pointer) return;
    const nearest = targetAt(pointer, PICK);
    const row = cloudRowAt(pointer, PICK, nearest);
    cloud.point(row);
    const target = row === null ? nearest : null;
    surface.classList.toggle("grip", endAt(pointer, GRIP) !== null);
    surface.classList.toggle("over-sound", target !== null || row !== null);
    if (target || store.get().pointed?.by !== "keys") point(target, "pointer");
  });

  const hands = watchHands(root, {
    point(at) {
      pointer = at;
      if (at) return hit();
      cloud.point(null);
      if (store.get().pointed?.by === "pointer") point(null, "pointer");
    },
    tap(at, touch, shift) {
      const state = store.get();
      const end = endAt(at, touch ? PICK_FINGER : GRIP);
      const grabbed = end && state[end];
      if (grabbed && shift) return actions.mark(grabbed);
      if (grabbed) return void playback.audition(grabbed);
      const target = targetAt(at, touch ? PICK_FINGER : PICK);
      const row = cloudRowAt(at, touch ? PICK_FINGER : PICK, target);
      if (row !== null) return cloud.tap(row, shift);
      const anchor =
        target && pointedAnchor({ library: state.library, pointed: { ...target, by: "pointer" } });
      if (!target || !anchor) return missed(touch);
      if (shift) return actions.mark(anchor);
      if (!touch || !state.a) return actions.pick(anchor);
      void playback.unlock();
      playback.pause(); // a finger hides what it points at: look first, go there then
      point(target, "touch");
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
    draws: cloud.draws,
    begin: cloud.begin,
    draw: cloud.to,
    drawn: cloud.end,
  });

  /** A click on nothing stops what sounds; when nothing does, it is answered all the same. @param {boolean} touch */
  function missed(touch) {
    point(null, "pointer");
    if (cloud.hush()) return;
    if (playback.sounding()) return playback.silence();
    const press = touch ? "Tap" : "Click";
    store.set({
      notice: { text: `No sound here. ${press} a point; drag the map to move it.`, kind: "news" },
    });
  }

  /** Where an arrow key, or the jump to another family, comes to. @param {Target} to */
  function arrive(to) {
    const { library } = store.get();
    if (!library || (to.sound < 0 && !to.newSound)) return;
    point(to, "keys");
    camera.follow(to.newSound ? to.newSound.position : library.position(to.sound));
  }

  /** The middle of the next family, in the order of the legend. @param {1 | -1} by */
  function toFamily(by) {
    const { library, pointed } = store.get();
    if (!library) return;
    const count = library.family_names.length;
    const from = pointed && pointed.sound >= 0 ? library.family[pointed.sound] : by > 0 ? -1 : count;
    for (let step = 1; step <= count; step++) {
      const middle = heart(library, (((from + by * step) % count) + count) % count, 1);
      if (middle >= 0 && isShown(middle)) return arrive({ sound: middle });
    }
  }

  /** @param {"a" | "b"} end */
  function toEnd(end) {
    const { library, [end]: anchor } = store.get();
    const sound = anchor?.sound && library ? library.indexOf(anchor.sound) : -1;
    if (sound >= 0) arrive({ sound });
  }

  /**
   * To the nearest sound in a direction, recorded or not; the first time to A, or to the middle.
   * @param {number} dx
   * @param {number} dy
   */
  function walk(dx, dy) {
    const state = store.get();
    const { library, pointed, a } = state;
    if (!library) return;
    const from = pointedPosition(state);
    const { x, y } = camera.view();
    /** @type {Target} */
    let to = { sound: a?.sound ? library.indexOf(a.sound) : library.grid.nearest(x, y, Infinity) };
    if (from && pointed) {
      const sounds = towards(library.x, library.y, from, dx, dy, pointed.sound);
      const finds = everyNewSound(state);
      const [fx, fy] = [finds.map(({ position }) => position[0]), finds.map(({ position }) => position[1])];
      const nearest = towards(fx, fy, from, dx, dy, pointed.newSound ? finds.indexOf(pointed.newSound) : -1);
      to =
        nearest.cost < sounds.cost ? { sound: -1, newSound: finds[nearest.index] } : { sound: sounds.index };
    }
    arrive(to);
  }

  /** @param {KeyboardEvent} event */
  function keydown(event) {
    const { library, pointed } = store.get();
    const anchor = pointedAnchor({ library, pointed });
    if (!library || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const key = event.key.toLowerCase();
    if (way && event.shiftKey) {
      camera.pan(-way[0] * STRIDE * unit(), way[1] * STRIDE * unit());
      camera.rest();
    } else if (way) walk(way[0], way[1]);
    else if (event.key === "PageDown" || event.key === "PageUp") toFamily(event.key === "PageDown" ? 1 : -1);
    else if (event.key === "Home" || event.key === "End") toEnd(event.key === "Home" ? "a" : "b");
    else if (event.key === "Enter" && anchor) void playback.audition(anchor);
    else if ((key === "a" || key === "b") && anchor) actions.setEnd(key, anchor);
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
