import assert from "node:assert/strict";
import { test } from "node:test";
import { geodesicQueryOf, isWeighed, measureOf, metricOf } from "../../frontend/core/state.js";
import { pathName, wordsOf } from "../../frontend/core/text.js";
import { createLinks } from "../../frontend/core/url.js";
import { initialState, linkFields } from "../../frontend/panels.js";
import { optionsOf } from "../../frontend/trial/setup.js";
import { choices } from "./choices.mjs";

const initial = initialState();
const links = createLinks(linkFields(), initial);
const idsOf = (list) => list.map(({ id }) => id);
const model = {
  id: "m",
  weights: { min: 0, max: 10, default: 3 },
  metrics: idsOf(choices.metrics),
  samplers: choices.samplers.map(({ id }) => ({ id, temperature: true, start: false })),
};
const start = { ...initial, choices, model };

/** The state that a link leads to once the model is there, and what is said about it. */
function opened(link) {
  const state = { ...start, ...links.read(link).state };
  const { state: changes, problems } = links.check(state);
  return { state: { ...state, ...changes }, problems };
}

test("a metric that the code does not name has the words of the service, and is asked for by its name", () => {
  const { state, problems } = opened("?metric=growing");
  assert.deepEqual(problems, []);
  assert.equal(wordsOf(choices.metrics, metricOf(state)).label, "Near the middle");
  assert.equal(isWeighed(state), false);
  assert.deepEqual(geodesicQueryOf(state), { kind: "geodesic", measure: { metric: "growing" } });
  assert.deepEqual(measureOf(state), { metric: "growing" });
  assert.equal(links.write(state), "?metric=growing");
});

test("where nothing is chosen it is the first that the model offers", () => {
  assert.equal(metricOf(start), "blend");
  assert.equal(metricOf({ ...start, model: { ...model, metrics: ["growing", "blend"] } }), "growing");
  assert.deepEqual(opened("?metric=blend&sampler=importance").state.metric, null);
  assert.equal(links.write(opened("?metric=blend&sampler=importance").state), "");
});

for (const [link, name, offered] of [
  ["?metric=round", "metric", "blend or growing"],
  ["?sampler=roulette", "sampler", "importance, prior or dice"],
])
  test(`what a link names and the model does not offer gives way to the default: ${link}`, () => {
    const { state, problems } = opened(link);
    assert.deepEqual(problems, [`The link says ${link.slice(1)}; it can be ${offered}.`]);
    assert.equal(state[name], null);
    assert.deepEqual(links.check(initial), { state: {}, problems: [] }, "before there is a model");
  });

test("a path is called by its label; the term tells it from an earlier kind of the same label", () => {
  const names = idsOf(choices.path_kinds).map((kind) => pathName({ kind }, choices.path_kinds));
  assert.deepEqual(names, ["Curved", "Via sounds", "Direct", "Direct, even pace", "Round and round"]);
});

test("a listening test can have every kind of path and every metric that the service says", () => {
  const { kinds, metrics } = optionsOf(choices);
  assert.deepEqual(Object.keys(kinds), [...idsOf(choices.path_kinds), "crossfade"]);
  assert.deepEqual(metrics, { blend: "Blended", growing: "Near the middle" });
});
