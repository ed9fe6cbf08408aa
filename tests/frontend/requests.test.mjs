import assert from "node:assert/strict";
import { readFileSync, existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { createApi } from "../../frontend/core/api.js";
import { ApiError, isAway, latest } from "../../frontend/core/client.js";
import { createMorphs, destination, share } from "../../frontend/morph/requests.js";
import { createLibrary } from "../../frontend/core/sounds.js";
import { initialState } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";

const initial = initialState();

const answer = (status, body) => async () => ({ ok: status < 400, status, json: async () => body });

test("a problem document becomes an error with its sentence and its code", async () => {
  const api = createApi(
    answer(404, { detail: "no sound abc; pick one of the library", code: "sound_not_found" }),
  );
  await assert.rejects(
    api.sounds("oneshots"),
    (error) =>
      error instanceof ApiError && error.code === "sound_not_found" && /pick one/.test(error.message),
  );
});

test("nobody there and not yet ready are worth trying again, a wrong question is not", async () => {
  const ask = (fetch) =>
    createApi(fetch)
      .models()
      .then(
        () => null,
        (error) => error,
      );
  assert.ok(isAway(await ask(() => Promise.reject(new TypeError("failed to fetch")))));
  assert.ok(isAway(await ask(answer(503, { code: "not_ready" }))));
  assert.ok(!isAway(await ask(answer(422, {}))));
});

/** Answers 503 so many times, then well. */
function busy(times, seconds, code = "server_busy") {
  let asked = 0;
  const fetch = async () =>
    ++asked <= times
      ? {
          ok: false,
          status: 503,
          headers: new Headers({ "Retry-After": String(seconds) }),
          json: async () => ({ code, detail: "Too much to do." }),
        }
      : { ok: true, status: 200, json: async () => ({ models: [], unusable: [] }) };
  return { fetch, asked: () => asked };
}

test("who has no time now is asked again when it said, and somebody is told", async () => {
  const told = [];
  const { fetch, asked } = busy(2, 0.01);
  assert.deepEqual(
    await createApi(fetch, "", (seconds, error) => told.push([seconds, error.code])).models(),
    { models: [], unusable: [] },
  );
  assert.equal(asked(), 3);
  assert.deepEqual(told, [
    [0.01, "server_busy"],
    [0.01, "server_busy"],
  ]);
});

test("patience ends: with a sentence, and not as if nobody were there", async () => {
  const { fetch, asked } = busy(100, 0.001);
  const error = await createApi(fetch)
    .models()
    .then(
      () => null,
      (error) => error,
    );
  assert.ok(asked() < 20);
  assert.equal(error.message, "Too much to do.");
  assert.ok(!isAway(error));
});

test("an engine that is still loading is not asked here: others do that", async () => {
  const { fetch, asked } = busy(100, 0.001, "not_ready");
  await assert.rejects(createApi(fetch).models());
  assert.equal(asked(), 1);
});

test("who waits for a busy engine may give up", async () => {
  const { fetch, asked } = busy(100, 30);
  const controller = new AbortController();
  const waiting = createApi(fetch, "", () => controller.abort()).distances(
    "oneshots",
    "abc",
    controller.signal,
  );
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(asked(), 1);
});

test("an answer that is no problem document still says something", async () => {
  const api = createApi(async () => ({
    ok: false,
    status: 502,
    json: () => Promise.reject(new SyntaxError()),
  }));
  await assert.rejects(api.models(), /answered 502/);
});

test("the newest gesture wins", async () => {
  const aborted = [];
  const run = latest(
    (signal, name) =>
      new Promise((done) => {
        signal.addEventListener("abort", () => aborted.push(name));
        setTimeout(() => done(name));
      }),
  );
  run("first");
  assert.equal(await run("second"), "second");
  assert.deepEqual(aborted, ["first"]);
});

test("a shared request lives as long as one still waits for it", async () => {
  let broken = false;
  let dropped = 0;
  const shared = share(
    (signal) =>
      new Promise((done) => {
        signal.addEventListener("abort", () => (broken = true));
        setTimeout(() => done("there"), 5);
      }),
    () => dropped++,
  );
  const [one, other] = [new AbortController(), new AbortController()];
  shared.join(one.signal);
  const promise = shared.join(other.signal);
  one.abort();
  assert.equal(broken, false);
  assert.equal(await promise, "there");
  other.abort();
  assert.equal(broken, false, "what is there is kept");
  assert.equal(dropped, 0);
});

test("a shared request that nobody waits for any more is broken off", () => {
  let broken = false;
  let dropped = 0;
  const shared = share(
    (signal) => new Promise(() => signal.addEventListener("abort", () => (broken = true))),
    () => dropped++,
  );
  const controller = new AbortController();
  shared.join(controller.signal);
  controller.abort();
  assert.ok(broken);
  assert.equal(dropped, 1);
});

const library = createLibrary({
  family_names: ["Kick"],
  id: ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"],
  name: ["A", "B", "C"],
  family: [0, 0, 0],
  x: [0, 1, 2],
  y: [0, 0, 0],
  seconds: [1, 1, 1],
  pitch: [null, null, null],
  source: ["", "", ""],
  licence: ["", "", ""],
  credit: ["", "", ""],
});
const [a, b, c] = library.id.map((sound) => ({ sound }));
const model = { id: "m", unit: "tdB", weights: { min: 0, max: 10, default: 2 } };
const start = { ...initial, library, model, server: { phase: "ready" } };
const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));

/** An engine that answers when the test lets it. */
function engine() {
  const asked = [];
  const path = (kind) => ({ kind, length: 1, audio: { url: `/${kind}` } });
  const api = {
    morphs: (_, anchors, options, signal) =>
      new Promise((done, fail) => {
        asked.push({
          anchors,
          options,
          signal,
          answer: () => done({ step_samples: 10, steps: 17, morphs: options.kinds.map(path) }),
          fail,
        });
        signal?.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
      }),
    path: async (_, anchors) => ({ path: { anchors } }),
    bytes: async (url) => url,
  };
  const complaints = [];
  const make = (store) =>
    createMorphs({
      store,
      api,
      toAudioBuffer: (url) => ({ url }),
      complain: (error) => complaints.push(error),
    });
  return { api, asked, complaints, make };
}

test("two anchors make a morph: both ways at once, the fair opponent after them", async () => {
  const { asked, make } = engine();
  const store = createStore(start);
  make(store);
  store.set({ a, b });
  assert.equal(store.get().morph.phase, "solving");
  assert.deepEqual(asked[0].options, { kinds: ["geodesic", "linear"], weight: 2 });
  asked[0].answer();
  await settle();
  assert.equal(store.get().morph.phase, "ready");
  assert.equal(store.get().morph.paths.linear.sounds.buffer.url, "/linear");
  assert.deepEqual(asked[1].options, { kinds: ["retimed"] });
  asked[1].answer();
  await settle();
  assert.ok(store.get().morph.paths.retimed);
});

test("a changed mind breaks off what was asked, and coming back asks anew", async () => {
  const { asked, complaints, make } = engine();
  const store = createStore({ ...start, a, b });
  make(store);
  store.set({ b: c });
  assert.ok(asked[0].signal.aborted);
  store.set({ b });
  assert.equal(asked.length, 3);
  asked[2].answer();
  await settle();
  assert.equal(store.get().morph.phase, "ready");
  assert.deepEqual(complaints, []);
});

test("a journey made before is there at once", async () => {
  const { asked, make } = engine();
  const store = createStore({ ...start, a, b });
  make(store);
  asked[0].answer();
  await settle();
  store.set({ b: c });
  store.set({ b });
  await settle();
  assert.equal(store.get().morph.phase, "ready");
  assert.deepEqual(
    asked.map(({ options }) => options.kinds.join()).filter((kinds) => kinds === "geodesic,linear").length,
    2,
  );
});

test("another weight asks for the bent way only, and the old one stays until the new one is there", async () => {
  const { asked, make } = engine();
  const store = createStore({ ...start, a, b });
  make(store);
  asked[0].answer();
  await settle();
  const before = store.get().morph.paths;
  store.set({ weight: Infinity });
  assert.equal(store.get().morph.paths, before);
  const last = asked[asked.length - 1];
  assert.deepEqual(last.options, { kinds: ["graph"] });
  last.answer();
  await settle();
  assert.equal(store.get().morph.paths.linear, before.linear);
  assert.equal(store.get().morph.paths.geodesic.kind, "graph");
});

test("what goes wrong is told once, with a way to try again", async () => {
  const { asked, complaints, make } = engine();
  const store = createStore({ ...start, a, b });
  make(store);
  asked[0].fail(new ApiError("no", "internal_error", 500));
  await settle();
  assert.equal(store.get().morph.phase, "failed");
  assert.equal(complaints.length, 1);
});

test("pointing for a moment shows the dotted way, and a click takes over what pointing had begun", async () => {
  const { asked, make } = engine();
  const store = createStore({ ...start, a });
  make(store);
  store.set({ pointed: { sound: 1, by: "pointer" } });
  await settle(150);
  assert.deepEqual(store.get().preview.path.anchors, [a, b]);
  await settle(150);
  assert.equal(asked.length, 1, "rendering has begun");
  store.set({ b, pointed: null });
  assert.equal(asked.length, 1, "and is not asked for twice");
  assert.ok(!asked[0].signal.aborted);
  asked[0].answer();
  await settle();
  assert.equal(store.get().morph.phase, "ready");
});

test("pointing in passing asks for nothing", async () => {
  const { asked, make } = engine();
  const store = createStore({ ...start, a });
  make(store);
  store.set({ pointed: { sound: 1, by: "pointer" } });
  store.set({ pointed: { sound: 2, by: "pointer" } });
  store.set({ pointed: null });
  await settle(300);
  assert.equal(asked.length, 0);
  assert.equal(store.get().preview, null);
});

test("a carried end is led to from the other one", () => {
  assert.deepEqual(destination({ ...start, a, b, carried: { end: "a", position: [1, 2] } }), {
    from: { position: [1, 2] },
    to: b,
  });
  assert.equal(destination({ ...start, a, carried: { end: "a", position: [1, 2] } }), null);
  assert.equal(destination({ ...start, a, pointed: { sound: 0, by: "keys" } }), null, "from A to A");
});
