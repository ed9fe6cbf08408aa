// @ts-check
/** The title of the map: where one is, and what is known about the path. */

import { fingers, h, s } from "../core/dom.js";
import { sameAnchor } from "../core/state.js";
import { watch } from "../core/store.js";
import { anchorName, comparison, count } from "../core/text.js";

/** @typedef {import("../core/state.js").State} State */

/** What families are called together. */
const KINDS = [
  ["drums", "kick", "snare", "tom", "cymbal"],
  ["bells", "bell"],
  ["plucked strings", "pluck"],
];

/**
 * "drums, bells, plucked strings", or "drums" where there is nothing else; nothing to name: "short sounds".
 * @param {{family_names: readonly string[]}} library
 */
export function familiesOf({ family_names }) {
  const names = family_names.map((name) => name.toLowerCase());
  const kinds = KINDS.filter(([, ...members]) => members.some((member) => names.includes(member)));
  const isAll = names.length > 0 && names.every((name) => kinds.some((kind) => kind.includes(name)));
  return isAll || kinds.length === KINDS.length ? kinds.map(([kind]) => kind).join(", ") : "short sounds";
}

const arc = () =>
  s(
    "svg",
    { viewBox: "0 0 44 18", "aria-hidden": "true" },
    s("path", { d: "M3 15C10 0 34 0 41 10", stroke: "url(#dusk)" }),
  );

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {ReturnType<typeof import("../core/model-links.js").createOpenModel>} parts.openModel
 */
export function mountHeading(root, { store, actions, openModel }) {
  const title = h("h1");
  const sub = h("p");
  const others = h("p.others", { hidden: true });
  root.append(title, sub, others);

  /** Ways to the other models that came with the server. @param {State} state */
  function offer({ models, model, a, b }) {
    const hosted = models.filter(({ id, kind }) => kind === "library" && id !== model?.id);
    others.hidden = !hosted.length || Boolean(a || b);
    others.replaceChildren(
      "Also here: ",
      ...hosted.flatMap((other, i) => [
        i ? ", " : "",
        h(
          "a",
          {
            href: `?model=${encodeURIComponent(other.id)}`,
            title: other.description,
            onclick: (/** @type {MouseEvent} */ event) => void openModel(other, event),
          },
          other.title,
        ),
      ]),
      ".",
    );
  }

  /** @param {State} state */
  function show({ library, model, a, b, morph, server }) {
    if (!library || !model) {
      title.replaceChildren("Sonifold");
      sub.textContent = server.phase === "broken" ? "" : "Looking for the sounds.";
      return;
    }
    if (!a && !b) {
      title.replaceChildren("Sonifold");
      sub.textContent =
        `${count(library.count)} ${familiesOf(library)}. ` +
        "Light: sounds like these exist. Dark: the computer guesses.";
      return;
    }
    const name = (
      /** @type {import("../core/state.js").Anchor | null} */ end,
      /** @type {string} */ question,
    ) => (end ? h("span.end", {}, anchorName(end, library)) : h("span.q", {}, question));
    // the arc says "to", and turns the morph round
    const to =
      a && b
        ? h(
            "button.arc",
            { title: "Swap A and B", "aria-label": "to; swap A and B", onclick: actions.swap },
            arc(),
          )
        : h("span.arc", { role: "img", "aria-label": "to" }, arc());
    title.replaceChildren(name(a, "where from?"), to, name(b, "where?"));
    title.classList.toggle("long", (title.textContent ?? "").length > 34);
    const { geodesic, linear } = morph?.paths ?? {};
    if (!a || !b) sub.textContent = `${fingers() ? "Tap" : "Point at"} a second sound to see the path there.`;
    else if (sameAnchor(a, b)) sub.textContent = "That is the same sound. Pick another one for B.";
    else if (geodesic && linear) {
      const { figures, more } = comparison(geodesic, linear);
      sub.replaceChildren(
        ...figures.flatMap(([number, unit]) => [h("b", {}, number), unit]),
        h("span.ground", {}, ` ${more}`),
      );
    } else sub.textContent = morph?.phase === "failed" ? "The path could not be found." : "Finding the path.";
  }

  const stops = [
    watch(
      store,
      ({ library, a, b, morph, server }) => [library, a, b, morph?.paths, morph?.phase, server.phase],
      show,
    ),
    watch(store, ({ models, model, a, b }) => [models, model, a, b], offer),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
