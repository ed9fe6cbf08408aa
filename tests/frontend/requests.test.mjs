import assert from "node:assert/strict";
import { readFileSync, existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { ApiError, createApi, isAway, latest } from "../../frontend/core/api.js";
import { createFrameParser, framesOf } from "../../frontend/core/frames.js";
import { isReady } from "../../frontend/core/state.js";
import { createMorphs, destination, share } from "../../frontend/morph/requests.js";
import { createLibrary } from "../../frontend/core/sounds.js";
import { initialState } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";
import { fakeSounds, frame, morphFrames, reply } from "./frames.mjs";

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
  const path = (kind) => ({ kind, length: 1 });
  const withAudio = (kind) => ({ ...path(kind), audio: { url: `/${kind}` } });
  const api = {
    morphs: (_, anchors, options, signal) =>
      new Promise((done, fail) => {
        asked.push({
          anchors,
          options,
          signal,
          answer: () => done({ step_samples: 10, steps: 17, morphs: options.kinds.map(withAudio) }),
          fail,
        });
        signal?.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
      }),
    morphStream: (_, anchors, options, signal) =>
      new Promise((done, fail) => {
        const stream = reply();
        const frames = morphFrames(options.kinds, path);
        const answer = (...some) => (done(stream.body), stream.send(...some));
        asked.push({
          anchors,
          options,
          signal,
          stream,
          frames,
          send: answer,
          answer: () => answer(frames.paths, ...frames.steps, frames.end),
          fail,
        });
        signal?.addEventListener("abort", () => {
          const gone = new DOMException("", "AbortError");
          fail(gone);
          stream.fail(gone);
        });
      }),
    path: async (_, anchors) => ({ path: { anchors } }),
    bytes: async (url) => url,
  };
  const complaints = [];
  const make = (store) =>
    createMorphs({
      store,
      api,
      ...fakeSounds,
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
  await settle(5);
  assert.equal(store.get().morph.phase, "ready");
  assert.deepEqual(Object.values(store.get().morph.paths.linear.sounds.buffer.steps), [...Array(17).keys()]);
  assert.deepEqual(asked[1].options, { kinds: ["retimed"] });
  asked[1].answer();
  await settle(5);
  assert.ok(store.get().morph.paths.retimed);
});

test("the lines are there before any sound, and a step can be heard as soon as it has come", async () => {
  const { asked, make } = engine();
  const store = createStore(start);
  make(store);
  store.set({ a, b });
  const [{ send, frames }] = asked;
  send(frames.paths);
  await settle(5);
  assert.equal(store.get().morph.phase, "arriving");
  assert.equal(store.get().morph.paths.linear.length, 1);
  assert.equal(isReady(store.get()), false);
  send(...frames.steps.slice(0, 2)); // the ends
  await settle(5);
  assert.equal(isReady(store.get()), false, "nothing beyond A yet");
  send(frames.steps[2]);
  await settle(5);
  assert.equal(isReady(store.get()), true);
  const { sounds } = store.get().morph.paths.geodesic;
  assert.deepEqual(
    sounds.there.flatMap((there, step) => (there ? [step] : [])),
    [0, 1, 16],
  );
  send(...frames.steps.slice(3), frames.end);
  await settle(5);
  assert.equal(store.get().morph.phase, "ready");
  assert.equal(store.get().morph.paths.geodesic.sounds.buffer, sounds.buffer, "the same sounds, and more");
});

test("the path that is heard comes first", () => {
  const { asked, make } = engine();
  make(createStore({ ...start, path: "linear", a, b }));
  assert.deepEqual(asked[0].options.kinds, ["linear", "geodesic"]);
});

for (const [how, breakOff] of [
  ["a problem on the way", ({ stream }) => stream.send(frame({ frame: "problem", problem: problem() }))],
  ["a line that is cut", ({ stream }) => stream.close()],
])
  test(`${how} leaves what has come, is told once, and can be tried again`, async () => {
    const { asked, complaints, make } = engine();
    const store = createStore({ ...start, a, b });
    const morphs = make(store);
    const [{ send, frames }] = asked;
    send(frames.paths, ...frames.steps.slice(0, 6));
    await settle(5);
    breakOff(asked[0]);
    await settle(5);
    assert.equal(store.get().morph.phase, "partial");
    assert.equal(store.get().morph.paths.geodesic.sounds.there.filter(Boolean).length, 6);
    assert.equal(complaints.length, 1);
    morphs.again();
    assert.deepEqual(asked[1].options.kinds, ["geodesic", "linear"]);
    asked[1].answer();
    await settle(5);
    assert.equal(store.get().morph.phase, "ready");
  });

const problem = () => ({ detail: "no sound there.", code: "not_computable", status: 422 });

test("frames are found wherever the wire cuts them", () => {
  const bytes = [frame({ frame: "step", step: 3 }, new Uint8Array([10, 0, 10])), frame({ frame: "end" })];
  const all = new Uint8Array(bytes.flatMap((each) => [...each]));
  for (let size = 1; size <= all.length; size++) {
    const parser = createFrameParser();
    const frames = [];
    for (let at = 0; at < all.length; at += size) frames.push(...parser.push(all.subarray(at, at + size)));
    assert.deepEqual(
      frames.map(({ header, bytes }) => [header.frame, [...bytes]]),
      [
        ["step", [10, 0, 10]],
        ["end", []],
      ],
    );
  }
});

test("a reply without its last frame was cut off", async () => {
  const { body, send, close } = reply();
  send(frame({ frame: "step", step: 0 }, new Uint8Array([1])));
  close();
  const read = (async () => {
    for await (const frames of framesOf(body)) assert.equal(frames.length, 1);
  })();
  await assert.rejects(read, (error) => error.code === "cut_off" && !isAway(error));
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
  await settle(5);
  assert.equal(store.get().morph.phase, "ready");
  assert.deepEqual(complaints, []);
});

test("a journey made before is there at once", async () => {
  const { asked, make } = engine();
  const store = createStore({ ...start, a, b });
  make(store);
  asked[0].answer();
  await settle(5);
  store.set({ b: c });
  store.set({ b });
  await settle(5);
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
  await settle(5);
  const before = store.get().morph.paths;
  store.set({ weight: Infinity });
  assert.equal(store.get().morph.paths, before);
  const last = asked[asked.length - 1];
  assert.deepEqual(last.options, { kinds: ["graph"] });
  last.answer();
  await settle(5);
  assert.equal(store.get().morph.paths.linear, before.linear);
  assert.equal(store.get().morph.paths.geodesic.kind, "graph");
});

test("what goes wrong is told once, with a way to try again", async () => {
  const { asked, complaints, make } = engine();
  const store = createStore({ ...start, a, b });
  make(store);
  asked[0].fail(new ApiError("no", "internal_error", 500));
  await settle(5);
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
  await settle(5);
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
