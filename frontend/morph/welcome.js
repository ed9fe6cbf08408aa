// @ts-check
/** Before anything is picked: what can be done, three morphs to try, and the key that turns sound on. */

import { h, icon } from "../core/dom.js";
import { suggestedMorphs } from "../core/sounds.js";
import { watch } from "../core/store.js";

/** @typedef {import("../core/state.js").State} State */

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 */
export function mountWelcome(root, { store, actions, playback }) {
  const trips = h("div.trips");
  const tries = h("div.tries", {}, h("p", {}, "Or try one of these"), trips);
  const turnOn = h(
    "button.btn.solid.big",
    { onclick: () => void playback.unlock() },
    icon("play"),
    "Turn sound on",
  );
  root.append(
    h("p.sentence", {}, "Morph one sound", h("br"), "into another.", h("small", {}, "Pick two on the map.")),
    tries,
    turnOn,
  );
  const stops = [
    watch(
      store,
      ({ library }) => [library],
      ({ library }) => {
        const pairs = library ? suggestedMorphs(library) : [];
        tries.hidden = pairs.length === 0;
        trips.replaceChildren(
          ...pairs.map(([from, to]) =>
            h(
              "button.trip",
              { onclick: () => actions.morph(from, to) },
              h("span", {}, library?.name[from]),
              h("i", {}, h("span.vh", {}, " to ")),
              h("span", {}, library?.name[to]),
            ),
          ),
        );
      },
    ),
    watch(
      store,
      ({ sound }) => [sound],
      ({ sound }) => (turnOn.hidden = sound === "on"),
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
