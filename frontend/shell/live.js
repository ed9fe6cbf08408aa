// @ts-check
/** What happened, for those who do not see the map. While a morph plays nothing is said but its start and its end. */

import { islesOf } from "../atlas/scene.js";
import { HEARD } from "../compare/switch.js";
import {
  STEPS,
  chosenPath,
  comparisonOf,
  isReady,
  isWeighed,
  metricOf,
  stage,
  stepAt,
  voiceOf,
} from "../core/state.js";
import { watch } from "../core/store.js";
import {
  amount,
  anchorName,
  comparison,
  count,
  duration,
  filterWords,
  newSoundWords,
  list,
  mapSummary,
  morphSummary,
  weightWords,
  wordsOf,
} from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

const TOGETHER = 600; // ms: what comes so soon after something else is said behind it

/**
 * The pitch of an end, where it is known.
 * @param {import("../core/state.js").Anchor} anchor
 * @param {import("../core/sounds.js").Library} library
 */
const pitchOf = ({ sound }, library) => (sound ? (library.pitch[library.indexOf(sound)] ?? null) : null);

/** The morph that is there, in a few sentences; "": there is none. @param {State} state */
function summaryOf(state) {
  const { a, b, library, model, choices } = state;
  const path = chosenPath(state);
  if (!isReady(state) || !path || !a || !b || !library || !model) return "";
  const [from, to] = [a, b].map((end) => anchorName(end, library));
  return morphSummary({
    from,
    to,
    path,
    kinds: choices.path_kinds,
    unit: model.unit,
    pitches: [pitchOf(a, library), pitchOf(b, library)],
  });
}

/** How the curved path that was asked for differs from the usual one. @param {State} state */
function metricWords(state) {
  const { choices, weight } = state;
  if (!isWeighed(state)) return `How the path is chosen: ${wordsOf(choices.metrics, metricOf(state)).label}.`;
  return weight === null ? "" : `The curved path: ${weightWords(weight)}.`;
}

/** @param {State} state */
function morphWords(state) {
  const { geodesic, linear } = state.morph?.paths ?? {};
  if (!geodesic || !linear) return "";
  const { figures, more } = comparison(geodesic, linear);
  const both = comparisonOf(state);
  const voice = both && state.hear ? `${HEARD[voiceOf(state) === both.after ? "after" : "before"]}.` : "";
  return [voice, summaryOf(state), `${figures.flat().join("")} ${more}`.trim(), metricWords(state)]
    .filter(Boolean)
    .join(" ");
}

/** @param {State} state */
function pointedWords({ pointed, library, distances, model, a }) {
  if (!pointed || !library) return "";
  const unit = model?.unit ?? "";
  if (pointed.newSound) return `${pointed.newSound.name}, ${newSoundWords(pointed.newSound, library)}`;
  const i = pointed.sound;
  const far =
    distances && distances.from === a?.sound ? `, ${amount(distances.values[i])} ${unit} from A` : "";
  return `${library.name[i]}, ${library.familyName(i)}, ${duration(library.seconds[i])}${far}`;
}

/** @param {HTMLElement} root a live region @param {import("../core/store.js").Store<State>} store */
export function mountLive(root, store) {
  let saidAt = -Infinity; // ms

  /** @param {string} text */
  function say(text) {
    if (!text) return;
    root.textContent = text;
    saidAt = performance.now();
  }
  /** After what was said a moment ago, and not in its place. @param {string} text */
  const add = (text) => say(performance.now() - saidAt < TOGETHER ? `${root.textContent} ${text}` : text);

  /**
   * Says what changes, and not what is there when the page opens.
   * @param {(state: State) => readonly unknown[]} pick
   * @param {(state: State) => string} words
   */
  function onChange(pick, words) {
    let first = true;
    return watch(store, pick, (state) => {
      if (!first) add(words(state));
      first = false;
    });
  }
  const stops = [
    watch(
      store,
      ({ pointed }) => [pointed?.sound, pointed?.newSound, pointed?.by],
      (state) => state.pointed?.by === "keys" && say(pointedWords(state)),
    ),
    watch(
      store,
      ({ a, b, library }) => [a, b, library],
      (state) => {
        const { a, b, library } = state;
        if (!library || stage(state) !== "a") return;
        if (a) say(`A is ${anchorName(a, library)}. Pick a second sound.`);
        else if (b) say(`B is ${anchorName(b, library)}. Pick a first sound.`);
      },
    ),
    watch(
      store,
      ({ morph }) => [morph?.key, morph?.phase],
      (state) => {
        if (state.morph?.phase === "solving") say("Finding the path.");
        else if (isReady(state)) say(morphWords(state));
      },
    ),
    onChange(
      ({ playing }) => [playing],
      ({ playing, progress, mode }) =>
        playing
          ? mode === "glide"
            ? "Playing the glide."
            : `Playing ${STEPS} steps.`
          : progress === 1
            ? "The end."
            : `Stopped at step ${stepAt(progress) + 1} of ${STEPS}.`,
    ),
    onChange(
      ({ loop }) => [loop],
      ({ loop }) => (loop ? "Loop on." : "Loop off."),
    ),
    onChange(
      ({ mode }) => [mode],
      ({ mode }) => (mode === "glide" ? "Glide." : "Steps."),
    ),
    onChange(
      ({ path }) => [path],
      ({ path, morph, choices }) => {
        const { label, term } = wordsOf(choices.path_kinds, path);
        return morph ? `${label}, ${term}.` : "";
      },
    ),
    onChange(
      ({ walkSounds }) => [walkSounds],
      ({ walkSounds }) =>
        walkSounds ? "Sounds play while you walk the map." : "Walking the map is silent; Enter plays.",
    ),
    onChange(
      ({ query, families }) => [query, families],
      (state) => {
        const { library, panel } = state;
        if (!library || panel === "library") return ""; // the table says how many there are
        const filter = filterWords(state);
        return filter ? `Only ${filter}.` : `All ${count(library.count)} sounds.`;
      },
    ),
    watch(
      store,
      ({ newSounds }) => [newSounds],
      ({ newSounds, library, working }) => {
        const newest = newSounds[newSounds.length - 1];
        // what is back after a reload was said when it was made: it has nothing rendered yet
        if (newest?.url && library && !working)
          say([`${newest.name}: ${newSoundWords(newest, library)}.`, ...newest.notes].join(" "));
      },
    ),
    watch(
      store,
      ({ marked, library }) => [marked, library],
      ({ marked, library }) => {
        if (library && marked.length)
          say(`Marked: ${list(marked.map((anchor) => anchorName(anchor, library)))}.`);
      },
    ),
    watch(
      store,
      (state) => [voiceOf(state)],
      (state) => {
        const both = comparisonOf(state);
        if (both && state.hear) say(`${HEARD[voiceOf(state) === both.after ? "after" : "before"]}.`);
      },
    ),
  ];
  return {
    say,
    /** The morph that is there; before there is one, the map. */
    summary() {
      const state = store.get();
      const { library } = state;
      if (library) say(summaryOf(state) || mapSummary(library, islesOf(library)));
    },
    destroy() {
      for (const stop of stops) stop();
    },
  };
}
