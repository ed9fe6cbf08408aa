// @ts-check
/** What happened, for those who do not see the map. */

import { HEARD } from "../hear/switch.js";
import { comparisonOf, stage, voiceOf } from "../state.js";
import { watch } from "../store.js";
import { METRIC_WORDS, amount, anchorName, comparison, duration, foundWords, list, weightWords } from "../words.js";

/** @param {HTMLElement} root a live region @param {import("../store.js").Store<import("../state.js").State>} store */
export function mountLive(root, store) {
  /** @param {string} text */
  const say = (text) => void (root.textContent = text);
  const stops = [
    watch(store, ({ pointed }) => [pointed?.sound, pointed?.found, pointed?.by], ({ pointed, library, distances, model, a }) => {
      if (!pointed || !library || pointed.by !== "keys") return;
      if (pointed.found) return say(`${pointed.found.name}, ${foundWords(pointed.found, library, model?.unit ?? "")}`);
      const i = pointed.sound;
      const far = distances && distances.from === a?.sound ? `, ${amount(distances.values[i])} ${model?.unit} from A` : "";
      say(`${library.name[i]}, ${library.familyName(i)}, ${duration(library.seconds[i])}${far}`);
    }),
    watch(store, ({ a, b, library }) => [a, b, library], (state) => {
      const { a, b, library } = state;
      if (!library || stage(state) !== "a") return;
      if (a) say(`A is ${anchorName(a, library)}. Pick a second sound.`);
      else if (b) say(`B is ${anchorName(b, library)}. Pick a first sound.`);
    }),
    watch(store, ({ journey }) => [journey?.key, journey?.phase], (state) => {
      const { journey, a, b, library, model, weight, metric } = state;
      const { geodesic, linear } = journey?.paths ?? {};
      if (journey?.phase !== "ready" || !geodesic || !linear || !library || !a || !b || !model) return;
      const { lengths, more } = comparison(geodesic, linear, model.unit);
      const bent = metric !== "blend" ? ` Metric: ${METRIC_WORDS[metric].join(". ")}` : weight === null ? "" : ` The geodesic ${weightWords(weight)}.`;
      const both = comparisonOf(state);
      const heard = both && state.hear ? `${HEARD[voiceOf(state) === both.after ? "after" : "before"]}. ` : "";
      say(`${heard}From ${anchorName(a, library)} to ${anchorName(b, library)}: ${lengths.flat().join("")} ${more}${bent}`);
    }),
    watch(store, ({ found }) => [found], ({ found, library, model, working }) => {
      const newest = found[found.length - 1];
      if (newest && library && !working) say([`${newest.name}: ${foundWords(newest, library, model?.unit ?? "")}.`, ...newest.notes].join(" "));
    }),
    watch(store, ({ marked, library }) => [marked, library], ({ marked, library }) => {
      if (library && marked.length) say(`Marked: ${list(marked.map((anchor) => anchorName(anchor, library)))}.`);
    }),
    watch(store, (state) => [voiceOf(state)], (state) => {
      const both = comparisonOf(state);
      if (both && state.hear) say(HEARD[voiceOf(state) === both.after ? "after" : "before"]);
    }),
    watch(store, ({ path }) => [path], ({ path, journey }) => journey && say({ geodesic: "Geodesic", linear: "Straight", retimed: "Re-timed" }[path])),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
    },
  };
}
