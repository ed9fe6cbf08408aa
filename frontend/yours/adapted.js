// @ts-check
/** What adapting to one's own sounds has brought: what to expect, both models by ear, the way back. */

import { h, setAll } from "../core/dom.js";
import { mountSwitch } from "../compare/switch.js";
import { learnedSounds, userSoundIds } from "../core/sounds.js";
import { pointOf } from "../compare/anchors.js";
import { comparisonOf } from "../core/state.js";
import { watch } from "../core/store.js";
import { createAdapting } from "./adapting.js";
import { mountAmounts } from "./amounts.js";
import { mountTiles } from "./tiles.js";

/** @typedef {import("../core/state.js").State} State */

/** "your sound", "your 8 sounds" @param {number} count */
const yourSounds = (count) => (count === 1 ? "your sound" : `your ${count} sounds`);

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mountAdapted(root, parts) {
  const { store, api } = parts;
  const adapting = createAdapting(parts);
  const title = h("span");
  const head = h("h3", {}, title);
  const switching = mountSwitch(head, store);
  const summary = h("span", { role: "status" });
  const choice = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": "The sound to compare", onchange: () => compare(store.get()) })
  );
  const takes = h("div", { "aria-label": "The original model, with your sounds, and your recording" });
  const comparison = h("details.hearing", {}, h("summary", {}, "Hear what changed"), choice, takes);
  const amounts = h("div");
  const more = h("details.amounts", {}, h("summary", {}, "Make any sound more like yours"), amounts);
  const undo = h("button.text", { onclick: () => void adapting.undo() }, "Undo");
  const retry = h("button.text", { onclick: adapting.again });
  root.append(head, h("p.sum", {}, summary, " ", undo, retry), comparison, more);
  const tiles = mountTiles(takes, parts);
  const mixer = mountAmounts(amounts, parts);

  /** @param {State} state */
  function show(state) {
    const { adaptation, library, uploading } = state;
    const learned = library ? learnedSounds(library) : [];
    const both = comparisonOf(state);
    const current = adaptation ?? null;
    root.hidden =
      !library || uploading?.phase === "choosing" || (!current?.sounds.length && !(both && learned.length));
    if (root.hidden || !library) return;
    const count = current?.sounds.length ?? learned.length;
    const ready = current?.phase === "ready";
    title.textContent = !current
      ? `With ${yourSounds(count)}`
      : ready
        ? `With ${yourSounds(count)}`
        : current.phase === "adapting"
          ? `Adapting to ${yourSounds(count)}`
          : `Without ${yourSounds(count)}`;
    summary.textContent = !current
      ? "This model has learned them. The original model is the one it was made from."
      : ready
        ? current.text
        : current.phase === "adapting"
          ? "It takes about a second."
          : "You hear the original model; nothing in it was changed.";
    undo.hidden = !ready;
    retry.hidden = current?.phase !== "offered";
    retry.textContent = `Adapt to ${yourSounds(count)}`;
    comparison.hidden = !both;
    if (!both) tiles.abort();
    more.hidden = !ready || !current?.sliders.length;
    if (Object.values(state.amounts).some(Boolean)) /** @type {HTMLDetailsElement} */ (more).open = true;
    if (both) {
      const ids = current ? userSoundIds(library).filter((id) => current.sounds.includes(id)) : learned;
      const outdated = current && ids.length < current.sounds.length; // another takes its place in a moment
      if (!ids.length || outdated) return;
      const selected = ids.includes(choice.value) ? choice.value : ids[0];
      choice.replaceChildren(
        ...ids.map((id) =>
          h("option", { value: id }, library.indexOf(id) < 0 ? id : library.name[library.indexOf(id)]),
        ),
      );
      choice.value = selected;
      compare(state);
    }
  }

  /** @param {State} state */
  function compare(state) {
    const both = comparisonOf(state);
    const { model, library } = state;
    const id = choice.value;
    if (!both || !model || !library || !id) return;
    setAll(choice, { title: choice.selectedOptions[0]?.textContent ?? "" });
    const learned = library.kindOf(library.indexOf(id)) === "finetuned";
    tiles.show([
      // the model before knows the place, not the sound that was learned later
      {
        key: `${both.before} ${id}`,
        label: "Original model",
        detail: "before",
        url: () =>
          learned ? pointUrl(both.before, model.id, id) : Promise.resolve(api.decodedUrl(both.before, id)),
      },
      {
        key: `${both.after} ${id}`,
        label: "With your sounds",
        detail: "after",
        url: async () => api.decodedUrl(both.after, id),
      },
      { key: id, label: "Your recording", detail: "as it is", url: async () => api.soundUrl(model.id, id) },
    ]);
  }

  /** @param {string} voice @param {string} model @param {string} id */
  async function pointUrl(voice, model, id) {
    const [{ audio }] = await api.decodings(voice, [await pointOf(api, model, id)]);
    return audio.url;
  }

  const stop = watch(
    store,
    (state) => [state.adaptation, state.library, state.uploading?.phase, comparisonOf(state)?.after],
    show,
  );
  return {
    destroy() {
      stop();
      for (const part of [adapting, switching, tiles, mixer]) part.destroy();
      root.replaceChildren();
    },
  };
}
