// @ts-check
/** Before a test: making one, the list of those there are, and what the next one can show. */

import { h } from "../core/dom.js";
import { pathName, percent } from "../core/text.js";

/** @typedef {import("./requests.js").ListeningTest} ListeningTest */

/**
 * What a condition can be, with the words of each.
 * @param {import("../core/state.js").Choices} choices
 * @returns {{kinds: Record<string, string>, metrics: Record<string, string>}}
 */
export const optionsOf = ({ path_kinds: kinds, metrics }) => ({
  kinds: {
    ...Object.fromEntries(kinds.map(({ id }) => [id, pathName({ kind: id }, kinds)])),
    crossfade: "Cross-fade of the recordings",
  },
  metrics: Object.fromEntries(metrics.map(({ id, label }) => [id, label])),
});

/** @param {string} label @param {HTMLElement} control */
const field = (label, control) => h("label", {}, h("span", {}, label), control);

/** @param {string} name @param {Record<string, string>} options @param {string} [initial] */
const select = (name, options, initial) =>
  h(
    "select",
    { name },
    ...Object.entries(options).map(([value, words]) =>
      h("option", { value, selected: value === initial }, words),
    ),
  );

/** @param {string} name @param {number} value @param {number} min @param {number} max */
const numberInput = (name, value, min, max) =>
  h("input", { type: "number", name, value, min, max, required: true });

/**
 * @param {string} legend
 * @param {string} prefix
 * @param {{kinds: Record<string, string>, metrics: Record<string, string>, models: Record<string, string>}} options
 * @param {string} kind
 * @param {string} model
 */
const condition = (legend, prefix, { kinds, metrics, models }, kind, model) =>
  h(
    "fieldset",
    {},
    h("legend", {}, legend),
    field("Path", select(`${prefix}.kind`, kinds, kind)),
    field("Metric", select(`${prefix}.metric`, metrics)),
    field(
      "Weight",
      h("input", {
        type: "number",
        name: `${prefix}.weight`,
        min: 0,
        max: 10,
        step: "any",
        placeholder: "the model's own",
      }),
    ),
    field("Model", select(`${prefix}.model`, models, model)),
  );

/** @param {FormData} form @param {string} prefix */
function conditionOf(form, prefix) {
  const weight = form.get(`${prefix}.weight`);
  return {
    kind: form.get(`${prefix}.kind`),
    metric: form.get(`${prefix}.metric`),
    weight: weight === "" ? null : Number(weight),
    model: form.get(`${prefix}.model`),
  };
}

/** What the service is asked for. @param {FormData} form @param {{start: string, end: string} | null} pair */
function requestOf(form, pair) {
  const trials = Number(form.get("trials"));
  const source = form.get("source");
  return {
    method: form.get("method"),
    conditions: [conditionOf(form, "a"), conditionOf(form, "b")],
    ...(source === "pair"
      ? { pairs: [pair] }
      : { draw: { count: Math.min(50, trials), source, seed: Number(form.get("seed")) } }),
    trials,
    mode: form.get("mode"),
    minimum_listens: Number(form.get("minimum_listens")),
  };
}

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {{id: string, title: string}[]} parts.models
 * @param {import("../core/state.js").Choices} parts.choices
 * @param {ListeningTest[]} parts.tests
 * @param {string | null} parts.model
 * @param {{start: string, end: string} | null} parts.pair
 * @param {(body: object) => void} parts.make
 * @param {(test: ListeningTest) => void} parts.remove
 */
export function showSetup(root, { models, choices, tests, model, pair, make, remove }) {
  const names = Object.fromEntries(models.map(({ id, title }) => [id, title]));
  const options = { ...optionsOf(choices), models: names };
  const first = model ?? models[0].id;
  const form = /** @type {HTMLFormElement} */ (
    h(
      "form.setup",
      {},
      field(
        "Question",
        select("method", { abx: "ABX: is there a difference?", preference: "Preference: which is better?" }),
      ),
      condition("One", "a", options, choices.path_kinds[0].id, first),
      condition("The other", "b", options, "retimed", first),
      field(
        "Pairs",
        select("source", {
          ...(pair ? { pair: "The pair on the map" } : {}),
          library: "Drawn from the library",
          user: "Drawn from your sounds",
        }),
      ),
      field("Seed of the draw", numberInput("seed", 0, 0, 2 ** 31 - 1)),
      field("Heard as", select("mode", { steps: "Steps", glide: "Glide" })),
      field("Trials", numberInput("trials", 16, 1, 100)),
      field("Listens to each at least", numberInput("minimum_listens", 1, 1, 10)),
      h("button.button.primary", {}, "Make the test"),
    )
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    make(requestOf(new FormData(form), pair));
  });
  root.replaceChildren(
    h("p.links", {}, h("a.button", { href: "./" }, "To the map")),
    h("h1", { tabindex: -1 }, "Blind listening tests"),
    h("p", {}, "Two ways to morph, heard without knowing which is which. The result shows at the end."),
    form,
    h("h2", {}, tests.length ? "Tests" : "No tests yet"),
    h(
      "ul.tests",
      {},
      ...tests.map((test) =>
        h(
          "li",
          {},
          h("a", { href: test.url.slice(1) }, test.title),
          h(
            "span",
            {},
            ` ${test.method === "abx" ? "ABX" : "preference"}, ${test.trials} trials, ` +
              `${test.finished} of ${test.listeners} listeners through `,
          ),
          h(
            "a",
            { href: `${test.url.slice(1)}&results=1`, "aria-label": `Results of ${test.title}` },
            "Results",
          ),
          h("button.ghost", { "aria-label": `Delete ${test.title}`, onclick: () => remove(test) }, "Delete"),
        ),
      ),
    ),
  );
}

/** @param {ListeningTest} test */
function showable({ trials, power, critical }) {
  if (critical === null) return `${trials} trials are too few to show anything.`;
  const chances = power.map((row) => `${percent(row.true_share)} with a chance of ${percent(row.power)}`);
  return `${trials} trials, fixed. They show a true ${chances.join(", ")}.`;
}

/**
 * @param {HTMLElement} root @param {ListeningTest} test
 * @param {(name: string) => void} begin
 */
export function showStart(root, test, begin) {
  const name = /** @type {HTMLInputElement} */ (
    h("input", { type: "text", maxlength: 120, autocomplete: "off" })
  );
  const title = h("h1", { tabindex: -1 }, test.title);
  root.replaceChildren(
    title,
    h(
      "p",
      {},
      test.method === "abx" ? "X is 1 or 2. Say which." : "Say which of two you prefer, or neither.",
    ),
    h("p", {}, showable(test)),
    h("p", {}, "Use headphones in a quiet room. Answers are final; nothing is told before the last one."),
    field("Your name, if you like", name),
    h("button.button.primary", { onclick: () => begin(name.value.trim()) }, "Turn sound on and begin"),
  );
  title.focus({ preventScroll: true });
}
