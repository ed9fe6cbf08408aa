import assert from "node:assert/strict";
import { test } from "node:test";
import { spoken } from "../../frontend/compare/anchors.js";
import { createApi } from "../../frontend/core/api.js";
import { createMorphs } from "../../frontend/morph/requests.js";
import { createLibrary } from "../../frontend/core/sounds.js";
import { comparisonOf, otherVoice, voiceOf } from "../../frontend/core/state.js";
import { createLinks } from "../../frontend/core/url.js";
import { initialState, linkFields } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";
import { createAdapting } from "../../frontend/yours/adapting.js";
import { sliderWords } from "../../frontend/yours/amounts.js";
import { ticks } from "../../frontend/yours/curve.js";
import { distributionWords } from "../../frontend/yours/list.js";
import { familiesOf } from "../../frontend/atlas/heading.js";
import { createOpenModel, linkTo } from "../../frontend/core/model-links.js";
import { deletedModelWords, isModelFile, kindWords } from "../../frontend/yours/models.js";
import { readPitch } from "../../frontend/yours/pitch.js";

const initial = initialState();
const { write: writeLink } = createLinks(linkFields(), initial);

const library = (uploaded, kind = "uploaded") =>
  createLibrary({
    family_names: ["Kick", "yours"],
    id: ["aaaaaaaaaaaa", ...uploaded],
    name: ["Alpha", ...uploaded],
    family: [0, ...uploaded.map(() => 1)],
    x: [0, ...uploaded.map(() => 1)],
    y: [0, ...uploaded.map(() => 0)],
    seconds: [1, ...uploaded.map(() => 0.5)],
    pitch: [null, ...uploaded.map(() => null)],
    source: [""],
    licence: [""],
    credit: [""],
    kind: ["library", ...uploaded.map(() => kind)],
  });
const model = { id: "m", unit: "tdB", kind: "library", base: null, weights: { min: 0, max: 10, default: 2 } };
const start = { ...initial, model, models: [model], library: library([]), server: { phase: "ready" } };
const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));

/** An engine that adapts when the test lets it. */
function engine(inUse = []) {
  const asked = [];
  const waiting = [];
  const reply = (base, sounds) => ({
    model: base,
    result: `${base}-${sounds.join("")}`,
    sounds: [...sounds].sort(),
    forecast: { text: "Expect." },
    carries: true,
    sliders: [{ id: "common", title: "more", low: -1, high: 2, share: 0.4 }],
    seconds: 0.4,
  });
  const api = {
    adaptations: async () => inUse.map((sounds) => reply("m", sounds)),
    adapt: (base, sounds, signal) =>
      new Promise((done, fail) => {
        asked.push(["adapt", sounds.join()]);
        signal.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
        waiting.push(() => done(reply(base, sounds)));
      }),
    unadapt: async (result) => void asked.push(["unadapt", result]),
  };
  return {
    api,
    asked,
    answer: async () => (waiting.splice(0).forEach((run) => run()), settle()),
    complain: assert.fail,
  };
}

test("a link that asks for what was adapted asks for nothing where no sound is there", async () => {
  const { api, asked, complain } = engine();
  const store = createStore({ ...start, hear: "after" });
  createAdapting({ store, api, complain });
  await settle();
  assert.deepEqual(asked, []);
  assert.equal(store.get().hear, null);
});

test("sounds that go while the adaptations are asked for are not adapted to", async () => {
  const { api, asked, complain } = engine();
  const store = createStore({ ...start, hear: "after", library: library(["u1"]) });
  createAdapting({ store, api, complain });
  store.set({ library: library([]) });
  await settle();
  assert.deepEqual(asked, []);
  assert.equal(store.get().adaptation, null);
});

test("uploads are taken in by themselves, whenever they are others, and heard", async () => {
  const { api, asked, answer, complain } = engine();
  const store = createStore(start);
  createAdapting({ store, api, complain });
  await settle();
  store.set({ library: library(["u1"]) });
  assert.equal(store.get().adaptation.phase, "adapting");
  assert.equal(voiceOf(store.get()), "m", "until it is there the model sounds as it did");
  store.set({ library: library(["u1", "u2"]) });
  await answer();
  assert.deepEqual(asked, [
    ["adapt", "u1"],
    ["adapt", "u1,u2"],
  ]);
  assert.deepEqual(
    [store.get().hear, voiceOf(store.get()), otherVoice(store.get())],
    ["after", "m-u1u2", "m"],
  );
  store.set({ library: library(["u2"]), amounts: { common: 1, gone: 2 } });
  assert.equal(voiceOf(store.get()), "m-u1u2", "the old one sounds until the new one is there");
  await answer();
  assert.deepEqual(asked.slice(2), [
    ["adapt", "u2"],
    ["unadapt", "m-u1u2"],
  ]);
  assert.deepEqual(store.get().amounts, { common: 1 });
  store.set({ library: library([]) });
  assert.deepEqual(
    [store.get().adaptation, store.get().hear, asked.at(-1)],
    [null, null, ["unadapt", "m-u2"]],
  );
});

test("undo is the model as it was; it stays undone until somebody asks, or the sounds are others", async () => {
  const { api, asked, answer, complain } = engine([["u1"]]);
  const store = createStore({ ...start, library: library(["u1"]), hear: "after", amounts: { common: 0.5 } });
  const adapting = createAdapting({ store, api, complain });
  await settle();
  await answer();
  assert.equal(voiceOf(store.get()), "m-u1");
  await adapting.undo();
  assert.deepEqual([voiceOf(store.get()), comparisonOf(store.get()), store.get().amounts], ["m", null, {}]);
  store.set({ library: library(["u1"]) });
  assert.equal(store.get().adaptation.phase, "offered");
  adapting.again();
  await answer();
  assert.equal(voiceOf(store.get()), "m-u1");
  assert.deepEqual(asked, [
    ["adapt", "u1"],
    ["unadapt", "m-u1"],
    ["adapt", "u1"],
  ]);
});

test("what was taken back before a reload is not taken in again", async () => {
  const { api, asked, complain } = engine();
  const store = createStore({ ...start, library: library(["u1"]) });
  createAdapting({ store, api, complain });
  await settle();
  assert.deepEqual([store.get().adaptation.phase, asked], ["offered", []]);
});

test("what was in use before a reload is in use after it, and is heard as the link says", async () => {
  const { api, answer, complain } = engine([["u1"]]);
  const store = createStore({ ...start, library: library(["u1"]), hear: "before" });
  createAdapting({ store, api, complain });
  await settle();
  await answer();
  assert.deepEqual(
    [store.get().hear, voiceOf(store.get()), otherVoice(store.get())],
    ["before", "m", "m-u1"],
  );
});

test("a refined model is compared with the one it was made from", () => {
  const refined = { ...model, id: "r", kind: "finetuned", base: "m" };
  const state = { ...start, model: refined, models: [model, refined] };
  assert.deepEqual(comparisonOf(state), { before: "m", after: "r" });
  assert.deepEqual([voiceOf(state), voiceOf({ ...state, hear: "before" })], ["r", "m"]);
  assert.equal(comparisonOf({ ...state, models: [refined] }), null, "the other one was deleted");
});

test("before and after: the way stays until the other one is there, and the other one is made ahead", async () => {
  const asked = [];
  const path = (voice, kind) => ({ kind, length: 1, audio: { url: `/${voice}/${kind}` } });
  const api = {
    morphs: async (voice, _, options) => (
      asked.push([voice, options.kinds.join()]),
      { step_samples: 10, steps: 17, morphs: options.kinds.map((kind) => path(voice, kind)) }
    ),
    bytes: async (url) => url,
  };
  const adaptation = {
    phase: "ready",
    base: "m",
    result: "m-1",
    sounds: ["u1"],
    sliders: [],
    text: "",
    carries: true,
  };
  const store = createStore({
    ...start,
    library: library(["u1"]),
    adaptation,
    a: { sound: "aaaaaaaaaaaa" },
    b: { sound: "u1" },
  });
  createMorphs({ store, api, toAudioBuffer: (url) => ({ url }), complain: assert.fail });
  await settle();
  const heard = () => ["geodesic", "linear"].map((kind) => store.get().morph.paths[kind].sounds.buffer.url);
  assert.deepEqual(heard(), ["/m/geodesic", "/m/linear"]);
  assert.deepEqual(asked, [
    ["m", "geodesic,linear"],
    ["m", "retimed"],
    ["m-1", "geodesic,linear"],
  ]);
  store.set({ hear: "after" });
  assert.deepEqual(heard(), ["/m/geodesic", "/m/linear"]);
  await settle();
  assert.deepEqual(heard(), ["/m-1/geodesic", "/m-1/linear"]);
  assert.deepEqual(asked.slice(3), [["m-1", "retimed"]], "nothing was asked for twice");
  store.set({ hear: "before" });
  await settle();
  assert.deepEqual([heard(), asked.length], [["/m/geodesic", "/m/linear"], 4]);
});

test("a pitch is a note, or a number, or none; anything else is explained", () => {
  assert.deepEqual(
    [
      readPitch("A4"),
      readPitch("a3"),
      readPitch("220 hz"),
      readPitch(" 61.7"),
      readPitch("none"),
      readPitch(""),
    ],
    [440, 220, 220, 61.7, null, null],
  );
  assert.ok(Math.abs(readPitch("C4") - 261.626) < 1e-3);
  assert.ok(Math.abs(readPitch("f#2") - 92.499) < 1e-3);
  assert.equal(readPitch("Bb3"), readPitch("A♯3"));
  for (const bad of ["H4", "5", "440000", "A", "loud"])
    assert.throws(() => readPitch(bad), /is no pitch\. Write a note as A3/);
});

test("to a model with another library goes what both have, and no metric that it lacks", async () => {
  const other = { ...model, id: "d", title: "Drums", kind: "library", base: null, metrics: ["blend"] };
  const state = {
    ...start,
    models: [model, other],
    library: library(["u123456"]),
    metric: "learned",
    a: { sound: "aaaaaaaaaaaa" },
    b: { position: [0.1, 0.2] },
  };
  const links = createLinks(linkFields(), initialState());
  assert.equal(linkTo(links.write, state, other), "?model=d"); // nothing is known of that library yet
  const gone = [];
  const parts = { store: { get: () => state }, linkOf: links.write, go: (link) => gone.push(link) };
  for (const id of [["aaaaaaaaaaaa"], ["bbbbbbbbbbbb"]])
    await createOpenModel({ ...parts, api: { sounds: async () => ({ id }) } })(other);
  assert.deepEqual(gone, ["?model=d&a=aaaaaaaaaaaa", "?model=d"]);
});

test("the heading says what is in the library", () => {
  const named = (...family_names) => familiesOf({ family_names });
  assert.equal(named("Kick", "Cymbal"), "drums");
  assert.equal(named("Tom", "Bell", "Pluck", "Texture"), "drums, bells, plucked strings");
  assert.equal(named("Kick", "Texture"), "short sounds");
  assert.equal(named(), "short sounds");
});

test("models say where they came from, and a link to one leaves behind what it does not know", () => {
  const refined = { ...model, id: "r", title: "Mine", kind: "finetuned", base: "m" };
  const all = [{ ...model, title: "One-shots" }, refined];
  assert.deepEqual(
    all.map((one) => kindWords(one, all)),
    ["came with Sonifold", "fine-tuned from One-shots"],
  );
  const state = {
    ...start,
    models: all,
    library: library(["u123456"]),
    panel: "yours",
    a: { sound: "aaaaaaaaaaaa" },
    b: { sound: "u123456" },
    hear: "after",
    amounts: { common: 1 },
  };
  assert.equal(linkTo(writeLink, state, refined), "?model=r&a=aaaaaaaaaaaa&panel=yours");
  assert.ok(isModelFile("kit.sonifold.ZIP") && !isModelFile("zip.wav"));
});

test("sliders of one's own are named by what they lead from and to", () => {
  assert.deepEqual(sliderWords({ id: "common", title: "more of your sounds" }).label, "More of your sounds");
  const own = sliderWords({ id: "own-2", title: "Bar 5 - Bar 7" });
  assert.deepEqual(
    [own.title, own.label, own.less, own.more],
    ["Bar 5 – Bar 7", "From Bar 5 to Bar 7", "Bar 5", "Bar 7"],
  );
});

test("how uploads lie beside what is known is said as it is", () => {
  assert.equal(
    distributionWords([{ in_distribution: true }, { in_distribution: true }]),
    "All lie among what the model knows.",
  );
  assert.equal(
    distributionWords([{ in_distribution: true }, { in_distribution: false }]),
    "1 of 2 lies beyond what the model knows.",
  );
  assert.equal(distributionWords([{ in_distribution: false }]), "It lies beyond what the model knows.");
  assert.equal(distributionWords([{}]), "", "not looked at yet");
});

test("the axis of the error has a few round numbers", () => {
  assert.deepEqual(ticks(3.1, 9.2), [4, 6, 8]);
  assert.deepEqual(ticks(0.52, 0.94), [0.6, 0.8]);
});

test("to the model before, what was learned later is a place; to all others a sound stays a sound", async () => {
  const refined = { ...model, id: "r", kind: "finetuned", base: "m" };
  const state = {
    ...start,
    model: refined,
    models: [model, refined],
    library: library(["cccccccccccc"], "finetuned"),
  };
  let asked = 0;
  const api = {
    sound: async (of, id) => (asked++, { id: `${of} ${id}`, name: "Bar", z: [1, 2], x: 3, y: 4 }),
  };
  const anchors = [{ sound: "aaaaaaaaaaaa" }, { sound: "cccccccccccc" }, { position: [0, 1] }];
  assert.equal(spoken(api, state, "r", anchors), anchors);
  const known = await spoken(api, state, "m", anchors);
  assert.deepEqual(
    [known[0], known[1].point, known[1].position, known[2]],
    [anchors[0], [1, 2], [3, 4], anchors[2]],
  );
  await spoken(api, state, "m", anchors);
  assert.equal(asked, 1);
  const own = { ...start, library: library(["u1"]) };
  assert.equal(
    spoken(api, own, "m-u1", [{ sound: "u1" }])[0].sound,
    "u1",
    "what was taken in at once is of the base",
  );
});

test("a deleted model says where one's sounds went", async () => {
  const replies = [
    new Response(JSON.stringify({ sounds_moved: 3, moved_to: "m" }), { status: 200 }),
    new Response(JSON.stringify({ sounds_moved: 1, moved_to: "m" }), { status: 200 }),
    new Response(null, { status: 204 }),
  ];
  const api = createApi(async () => replies.shift());
  const all = [
    { id: "m", title: "One-shots" },
    { id: "r", title: "Kit" },
  ];
  const deleted = async () => deletedModelWords(all[1], await api.removeModel("r"), all);
  assert.equal(
    await deleted(),
    "Deleted “Kit”. 3 sounds of yours that were kept with it moved to “One-shots”.",
  );
  assert.equal(
    await deleted(),
    "Deleted “Kit”. 1 sound of yours that was kept with it moved to “One-shots”.",
  );
  assert.equal(await deleted(), "Deleted “Kit”.");
});
