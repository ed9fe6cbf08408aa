import assert from "node:assert/strict";
import { test } from "node:test";
import { towards } from "../../frontend/core/grid.js";
import { createApi, wire } from "../../frontend/core/api.js";
import { newSoundOn, subjectKey, valueAt } from "../../frontend/shape/traversals.js";
import { readPoint, writePoint } from "../../frontend/core/latent.js";
import { createLibrary } from "../../frontend/core/sounds.js";
import { coursesBeyond, createOperations, lacking, recipeOf } from "../../frontend/combine/operations.js";
import { createSampling, drawOf, drawingKey } from "../../frontend/sample/sampling.js";
import {
  anchorOf,
  geodesicKey,
  geodesicQueryOf,
  everyNewSound,
  measureKey,
  measureOf,
  pointedAnchor,
} from "../../frontend/core/state.js";
import { initialState, linkFields } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";
import { createLinks } from "../../frontend/core/url.js";
import * as words from "../../frontend/core/text.js";
import { choices } from "./choices.mjs";

const initial = initialState();
const { read: readLink, write: writeLink } = createLinks(linkFields(), initial);

const library = createLibrary({
  family_names: ["Kick"],
  id: ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"],
  name: ["Alpha", "Beta", "Gamma"],
  family: [0, 0, 0],
  x: [0, 1, 2],
  y: [0, 0, 0],
  seconds: [1, 1, 1],
  pitch: [null, null, null],
  source: ["", "", ""],
  licence: ["", "", ""],
  credit: ["", "", ""],
  kind: ["library", "made", "uploaded"],
});
const [a, b, c] = library.id.map((sound) => ({ sound }));
const model = {
  id: "m",
  unit: "tdB",
  weights: { min: 0, max: 10, default: 3 },
  samplers: [
    { id: "importance", title: "", temperature: true, start: false },
    { id: "prior", title: "", temperature: true, start: false },
    { id: "mixture", title: "", temperature: false, start: false },
    { id: "walk", title: "", temperature: true, start: true },
  ],
};
const start = { ...initial, library, model, server: { phase: "ready" } };
const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));
const point = (more = {}) => ({
  point: [1, -2, 0.5],
  x: 0.25,
  y: -1,
  in_distribution: true,
  distance: 2,
  nearest: [{ id: b.sound, distance: 2.04 }],
  warnings: [],
  audio: { url: "/sound" },
  ...more,
});
const quiet = () => ({
  learned: {},
  heard: [],
  learn(code, url) {
    this.learned[code] = url;
  },
  unlock: async () => true,
  audition(anchor) {
    this.heard.push(anchor);
  },
});

test("a latent point fits into a link, and comes back as the floats it was", () => {
  const point = [0.1, -3.25, 1e-7, 12345.678].map(Math.fround);
  const code = writePoint([0.5, -0.25], point);
  assert.match(code, /^~[\w-]+$/);
  assert.deepEqual(readPoint(code), { position: [0.5, -0.25], point });
  for (const bad of ["", "~", "~!", "0123456789ab", "~AAAA", `~${"A".repeat(5000)}`])
    assert.equal(readPoint(bad), null, bad);
  const infinite = writePoint([0, 0], [Infinity]);
  assert.equal(readPoint(infinite), null);
});

test("a point is an end of a morph like any other: in links and over the wire", () => {
  const anchor = { code: writePoint([0, 1], [2, 3]), position: [0, 1], point: [2, 3] };
  const { state, problems } = readLink(writeLink({ ...initial, a: anchor }));
  assert.deepEqual([problems, state.a], [[], anchor]);
  assert.deepEqual(
    readLink("?a=u7Kx-0_9Qa").state.a,
    { sound: "u7Kx-0_9Qa" },
    "kept sounds have ids of their own",
  );
  assert.deepEqual([a, anchor, { position: [4, 5] }].map(wire), [
    { sound: a.sound },
    { point: [2, 3] },
    { position: [4, 5] },
  ]);
});

test("points and positions are decoded by what they are", async () => {
  const asked = [];
  const api = createApi(
    async (url, { body }) => (
      asked.push([url, JSON.parse(body)]),
      { ok: true, json: async () => ({ sounds: [] }) }
    ),
  );
  await api.decodings("m", [{ position: [1, 2] }]);
  await api.decodings("m", [{ code: "~x", point: [7], position: [1, 2] }]);
  assert.deepEqual(
    asked.map(([, body]) => body),
    [{ positions: [[1, 2]] }, { points: [[7]] }],
  );
});

test("the weight is the blend's: other metrics are asked for by name alone", () => {
  assert.deepEqual(geodesicQueryOf({ ...start, weight: 2 }), { kind: "geodesic", measure: { weight: 2 } });
  assert.deepEqual(geodesicQueryOf({ ...start, weight: 2, metric: "kernel" }), {
    kind: "geodesic",
    measure: { metric: "kernel" },
  });
  assert.deepEqual(geodesicQueryOf({ ...start, weight: Infinity }), { kind: "graph", measure: {} });
  assert.deepEqual(
    measureOf({ ...start, weight: Infinity }),
    { metric: "blend", weight: 10 },
    "an average has no graph",
  );
  const all = [start, { ...start, weight: 1 }, { ...start, metric: "flat" }, { ...start, metric: "kernel" }];
  assert.equal(new Set(all.map((state) => geodesicKey(geodesicQueryOf(state)))).size, 4);
  assert.equal(new Set(all.map(measureKey)).size, 4);
});

test("an operation says what it lacks", () => {
  const say = (operation, state) => lacking(operation, { ...start, ...state });
  assert.match(say("mean", { marked: [a] }), /two sounds or more/);
  assert.equal(say("mean", { marked: [a, b] }), null);
  assert.match(say("analogy", { a, marked: [c] }), /Pick A and B/);
  assert.match(say("analogy", { a, b }), /Mark a third/);
  assert.equal(say("analogy", { a, b, marked: [c] }), null);
  assert.equal(say("beyond", { a, b }), null);
});

test("an average does not depend on the order of its sounds, a direction does", () => {
  const of = (operation, state) => recipeOf(operation, { ...start, ...state });
  assert.equal(of("mean", { marked: [a, b] }), of("mean", { marked: [b, a] }));
  assert.notEqual(of("beyond", { a, b }), of("beyond", { a: b, b: a }));
  assert.notEqual(of("beyond", { a, b, reach: 2 }), of("beyond", { a, b, reach: 1.5 }));
  assert.notEqual(of("mean", { marked: [a, b] }), of("mean", { marked: [a, b], metric: "flat" }));
});

test("what lies beyond B begins at B, and is a guess from where the data are left", () => {
  const times = [0, 0.5, 1, 1.25, 1.5, 2];
  const course = times.map((t) => [t, 0]);
  const xs = (left) =>
    coursesBeyond({ course, times, left }).map(({ line, guess }) => [line.map(([x]) => x), Boolean(guess)]);
  assert.deepEqual(xs(null), [[[1, 1.25, 1.5, 2], false]]);
  assert.deepEqual(xs(1.5), [
    [[1, 1.25, 1.5], false],
    [[1.5, 2], true],
  ]);
  assert.deepEqual(xs(2), [[[1, 1.25, 1.5, 2], false]]);
});

test("an operation that is asked for lands on the map with what is to be said of it, and is heard", async () => {
  const asked = [];
  const api = {
    beyond: async (...args) => (
      asked.push(args),
      point({
        course: [
          [0, 0],
          [1, 1],
        ],
        times: [0, 2],
        left: null,
        in_distribution: false,
        warnings: [{ code: "left_the_data", text: "left the data at t = 1.3" }],
      })
    ),
  };
  const playback = quiet();
  const store = createStore({ ...start, a, b, reach: 2 });
  const operations = createOperations({ store, api, playback, complain: assert.fail });
  operations.run("beyond");
  await settle();
  assert.deepEqual(asked[0].slice(0, 3), ["m", [a, b], { to: 2, metric: "blend", weight: 3 }]);
  const [newSound] = store.get().newSounds;
  assert.deepEqual(
    [newSound.name, newSound.position, newSound.notes, newSound.shape],
    ["Beyond Beta", [0.25, -1], ["left the data at t = 1.3"], "diamond"],
  );
  assert.deepEqual(
    playback.heard.map(({ code }) => code),
    [newSound.code],
  );
  assert.equal(playback.learned[newSound.code], "/sound", "it is rendered already");
  operations.run("beyond");
  await settle();
  assert.equal(asked.length, 1, "the same again is not asked twice");
  assert.equal(playback.heard.length, 2);
  store.set({ metric: "flat" });
  await settle();
  assert.deepEqual([asked.length, store.get().newSounds.length], [2, 2], "another metric is another answer");
});

test("an operation in a link is done when the library is there, and is not heard unasked", async () => {
  const playback = quiet();
  const { state } = readLink(`?marked=${a.sound}!${c.sound}&op=mean`);
  const store = createStore({ ...initial, ...state });
  const api = {
    mean: async () =>
      point({
        spokes: [
          [
            [0, 0],
            [1, 1],
          ],
        ],
        distances: [1],
      }),
  };
  createOperations({ store, api, playback, complain: assert.fail });
  assert.equal(store.get().working, null);
  store.set({ library, model });
  await settle();
  assert.deepEqual([store.get().newSounds[0].name, playback.heard], ["Average of 2", []]);
});

test("what lacks something is not asked for, and the panel says why", () => {
  const store = createStore(start);
  const operations = createOperations({ store, api: {}, playback: quiet(), complain: assert.fail });
  operations.run("analogy");
  assert.deepEqual([store.get().panel, store.get().operation], ["combine", null]);
  assert.match(store.get().notice.text, /Pick A and B/);
});

test("what goes wrong with an operation is told, and is not asked again by itself", async () => {
  const complaints = [];
  const store = createStore({ ...start, a, b });
  const operations = createOperations({
    store,
    api: { beyond: async () => Promise.reject(new Error("no")) },
    playback: quiet(),
    complain: (error) => complaints.push(error.message),
  });
  operations.run("beyond");
  await settle(5);
  assert.deepEqual(
    [complaints, store.get().operation, store.get().working, store.get().newSounds],
    [["no"], null, null, []],
  );
});

const reply = (asked) => ({
  ...asked,
  temperature: asked.temperature ?? 1,
  diagnostics: { acceptance: null, effective: 7.5, escapes: 0 },
  warnings: [],
  samples: Array.from({ length: asked.count }, (_, i) => ({
    point: [i, asked.sampler.length],
    x: i,
    y: 0,
    in_distribution: i > 0,
    nearest: { id: a.sound, distance: 1 },
  })),
});

test("a draw is seen beside the prior's and the mixture's, by the same seed", async () => {
  const asked = [];
  const decoded = [];
  const api = {
    samples: async (_, body) => (asked.push(body), reply(body)),
    decodings: async (_, anchors) => (
      decoded.push(anchors.length),
      anchors.map((_, i) => ({ audio: { url: `/${i}` } }))
    ),
  };
  const playback = quiet();
  const store = createStore({ ...start, sampler: "importance", seed: 7, count: 10, temperature: 0.5 });
  createSampling({ store, api, playback, complain: assert.fail });
  await settle(5);
  assert.deepEqual(
    asked.map(({ sampler, seed, temperature }) => [sampler, seed, temperature]),
    [
      ["importance", 7, 0.5],
      ["prior", 7, 0.5],
      ["mixture", 7, undefined],
    ],
  );
  const { draws, phase } = store.get().drawing;
  assert.deepEqual(
    [phase, draws.map(({ samples }) => samples[0].shape)],
    ["ready", ["ring", "triangle", "square"]],
  );
  assert.equal(everyNewSound(store.get()).length, 30);
  assert.deepEqual(decoded, [8, 2], "rendered ahead, a few at a time");
  assert.equal(Object.keys(playback.learned).length, 10);
  store.set({ seed: null });
  assert.equal(store.get().drawing, null);
});

test("a walk waits for a place to begin", async () => {
  const asked = [];
  const store = createStore({ ...start, seed: 7, sampler: "walk", beside: false });
  createSampling({
    store,
    api: { samples: async (_, body) => (asked.push(body), reply(body)), decodings: async () => [] },
    playback: quiet(),
    complain: assert.fail,
  });
  await settle(5);
  assert.equal(asked.length, 0);
  store.set({ a });
  await settle(5);
  assert.deepEqual(asked[0].start, a);
  assert.notEqual(
    drawingKey(store.get()),
    drawingKey({ ...store.get(), a: b }),
    "from elsewhere it is another walk",
  );
});

test("a draw that a newer one has overtaken is not shown", async () => {
  const waiting = [];
  const api = {
    samples: (_, body, signal) =>
      new Promise((done, fail) => {
        waiting.push(() => done(reply(body)));
        signal.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
      }),
    decodings: async () => [],
  };
  const store = createStore({ ...start, seed: 1, beside: false });
  createSampling({ store, api, playback: quiet(), complain: assert.fail });
  await settle(5);
  store.set({ seed: 2 });
  await settle(220);
  waiting.forEach((answer) => answer());
  await settle();
  assert.deepEqual(
    store.get().drawing.draws.map(({ seed }) => seed),
    [2],
  );
});

test("what was kept is the library's, and no new sound any more", () => {
  const draw = drawOf(reply({ sampler: "prior", seed: 1, count: 2 }), "ring");
  const state = { ...start, drawing: { key: "", phase: "ready", draws: [draw] } };
  assert.equal(everyNewSound({ ...state, storedAs: { [draw.samples[0].code]: "dddddddddddd" } }).length, 1);
  assert.deepEqual(["library", "made", "uploaded"], [0, 1, 2].map(library.kindOf));
});

test("a new sound that is pointed at is an end like a recorded one", () => {
  const [newSound] = drawOf(reply({ sampler: "prior", seed: 1, count: 1 }), "ring").samples;
  assert.deepEqual(
    pointedAnchor({ library, pointed: { sound: -1, newSound, by: "keys" } }),
    anchorOf(newSound),
  );
  assert.deepEqual(pointedAnchor({ library, pointed: { sound: 2, by: "keys" } }), c);
  assert.equal(pointedAnchor({ library, pointed: null }), null);
});

test("arrow keys come from a new sound to the recorded ones, and back", () => {
  assert.deepEqual(towards(library.x, library.y, [0.6, 0.1], 1, 0).index, 1);
  assert.deepEqual(towards(library.x, library.y, [0.6, 0.1], -1, 0).index, 0);
  assert.equal(towards([], [], [0, 0], 1, 0).index, -1);
});

const traversal = {
  key: "k",
  descriptor: "brightness",
  phase: "ready",
  at: 1,
  sounds: null,
  reply: {
    descriptor: "brightness",
    unit: "Hz",
    origin: 1,
    values: [100, 200, 400],
    points: [[0], [1], [2]],
    positions: [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
    in_distribution: [true, true, false],
    stopped: { less: null, more: null },
  },
};

test("between two steps a slider shows what lies between their values", () => {
  assert.deepEqual(
    [0, 0.5, 1.5, 2].map((at) => valueAt(traversal.reply.values, at)),
    [100, 150, 300, 400],
  );
});

test("a slider off its middle is a new sound; in its middle it is the sound itself", () => {
  assert.equal(newSoundOn(traversal, "Kick", "brighter"), null);
  const newSound = newSoundOn({ ...traversal, at: 2 }, "Kick", "brighter");
  assert.deepEqual(
    [newSound.name, newSound.point, newSound.inDistribution, newSound.courses[0].line],
    [
      "Kick, brighter",
      [2],
      false,
      [
        [1, 0],
        [2, 0],
      ],
    ],
  );
});

test("sliders start from an end, from a step of the way, or from any sound", () => {
  const morph = { key: "x y 3", phase: "ready", paths: {}, glides: {} };
  const key = (state) => subjectKey({ ...start, a, ...state });
  assert.equal(key({ subject: "a" }), a.sound);
  assert.equal(key({ subject: c }), c.sound);
  assert.equal(key({ subject: "b" }), a.sound, "where there is one end only, from that");
  assert.equal(key({ subject: "b", b: c }), c.sound);
  assert.equal(key({ subject: "a", a: null }), "");
  assert.notEqual(
    key({ subject: "here", morph, progress: 0.5 }),
    key({ subject: "here", morph, progress: 0.75 }),
  );
  assert.notEqual(
    key({ subject: "here", morph, progress: 0.5 }),
    key({ subject: "here", morph, progress: 0.5, path: "linear" }),
  );
});

test("a draw is told in plain words: only what was measured, warnings as they are", () => {
  const draw = drawOf(reply({ sampler: "importance", seed: 1, count: 4 }), "ring");
  assert.deepEqual(words.drawWords(draw), ["3 of 4 lie among known sounds."]);
  assert.deepEqual(words.samplerDetails(draw, choices.samplers), [
    "Method: importance resampling.",
    "Effective sample size 7.5.",
    "All samples stayed inside the sampling region.",
  ]);
  const hmc = {
    ...draw,
    samples: draw.samples.slice(1),
    diagnostics: { acceptance: 0.884, effective: null, escapes: 2 },
    warnings: ["these 3 are few"],
  };
  const twice = { ...draw, samples: [draw.samples[1], draw.samples[1], draw.samples[2]] };
  assert.equal(words.drawWords(twice)[1], "Only 2 of them differ.");
  assert.deepEqual(words.drawWords(hmc), ["All 3 lie among known sounds.", "these 3 are few"]);
  assert.deepEqual(words.samplerDetails(hmc, choices.samplers).slice(1), [
    "Acceptance 88 %.",
    "2 left the sampling region.",
  ]);
});

test("numbers come in the unit that reads well", () => {
  assert.deepEqual(
    [
      words.measured(1834, "Hz"),
      words.measured(0.0123, "s"),
      words.measured(0.5, "0-1"),
      words.measured(-3.14, "dB"),
      words.measured(0, "dB"),
    ],
    ["1.83 kHz", "12.3 ms", "50 %", "-3.14 dB", "0 dB"],
  );
  assert.deepEqual(
    [
      words.measured(Math.log10(0.02), "log10 s"),
      words.measured(Math.log10(1.5), "log10 s"),
      words.measured(14.21, "ERB-rate"),
    ],
    ["20.0 ms", "1.50 s", "827 Hz"],
  );
});

test("how far a slider was pulled is said in its own words", () => {
  const brightness = { id: "brightness", unit: "Hz", more: "brighter", less: "darker" };
  assert.deepEqual(
    [0, 1, -2].map((steps) => words.shapeWords(steps, brightness)),
    ["the sound itself", "1 step brighter", "2 steps darker"],
  );
});
