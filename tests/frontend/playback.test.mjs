import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createLibrary } from "../../frontend/core/sounds.js";
import { createGlidePlayer } from "../../frontend/listen/glide.js";
import { createMixer } from "../../frontend/listen/mixer.js";
import { createStepPlayer } from "../../frontend/listen/steps.js";
import { createVoice } from "../../frontend/listen/voice.js";
import { createPlayback } from "../../frontend/playback.js";
import { initialState } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";
import { FakeContext, clockwork } from "./fake-audio.mjs";

const initial = initialState();

const STEP = 4410;
const buffer = (name, seconds) => {
  const samples = new Float32Array(seconds * 44100).fill(0.1);
  return { name, sampleRate: 44100, duration: seconds, getChannelData: () => samples };
};
const morph = (name) => ({ sounds: { buffer: buffer(name, 1.7), stepSamples: STEP, steps: 17 } });
const library = createLibrary({
  family_names: ["Kick"],
  id: ["aaaaaaaaaaaa", "bbbbbbbbbbbb"],
  name: ["A", "B"],
  family: [0, 0],
  x: [0, 1],
  y: [0, 0],
  seconds: [1, 1],
  pitch: [null, null],
  source: ["", ""],
  licence: ["", ""],
  credit: ["", ""],
});
const ready = {
  key: "aaaaaaaaaaaa bbbbbbbbbbbb 1",
  phase: "ready",
  paths: { geodesic: morph("geodesic"), linear: morph("linear") },
  glides: {},
};

let context, output, clock, store, playback, locked, asked;
const globals = {};

beforeEach(() => {
  context = new FakeContext();
  clock = clockwork(context);
  output = context.createGain();
  locked = true;
  asked = [];
  for (const name of ["requestAnimationFrame", "cancelAnimationFrame", "matchMedia"])
    globals[name] = globalThis[name];
  Object.assign(globalThis, {
    requestAnimationFrame: () => 1,
    cancelAnimationFrame() {},
    matchMedia: () => ({ matches: false }),
  });
  const mixer = createMixer(context, output);
  const ended = () => playback.ended();
  const parts = {
    context,
    mixer,
    morphs: output,
    steps: createStepPlayer(context, mixer, { ended }),
    glide: createGlidePlayer(context, mixer, { ended }),
    voice: createVoice(context, output),
  };
  const listen = {
    unlock: async () => !(locked = false),
    parts: () => (locked ? null : parts),
    running: () => !locked,
    latency: () => null,
  };
  const api = { soundUrl: (_, id) => id, bytes: async (url) => (asked.push(url), url) };
  store = createStore({
    ...initial,
    library,
    model: { id: "m", weights: { default: 1 } },
    a: { sound: library.id[0] },
    b: { sound: library.id[1] },
  });
  playback = createPlayback({
    store,
    api,
    listen,
    toAudioBuffer: (url) => buffer(url, 0.2),
    complain: (error) => assert.fail(error),
  });
});
afterEach(() => {
  playback.pause();
  playback.destroy();
  clock.restore();
  Object.assign(globalThis, globals);
});

const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));
const heard = () =>
  context.sources
    .filter((source) => context.loudness(source, output) > 1e-3)
    .map((source) => source.buffer.name);

test("what was asked to play before it was there plays when it is", async () => {
  playback.soon();
  store.set({ morph: ready }); // before the browser has let sound on
  assert.equal(store.get().playing, false);
  await playback.unlock();
  await settle();
  clock.go(0.1);
  assert.equal(store.get().playing, true);
  assert.deepEqual(heard(), ["geodesic"]);
});

test("choosing a path is heard at once, and one that is not there yet as the same line", async () => {
  store.set({ morph: ready });
  await playback.play();
  clock.go(0.1);
  store.set({ path: "retimed" });
  clock.go(0.02, 0.004);
  assert.deepEqual(heard(), ["linear"]);
  store.set({ morph: { ...ready, paths: { ...ready.paths, retimed: morph("retimed") } } });
  clock.go(0.12, 0.01);
  assert.deepEqual(heard(), ["retimed"]);
});

test("a path whose glide is not made yet leaves the one that sounds", async () => {
  store.set({
    morph: { ...ready, glides: { geodesic: { buffer: buffer("first glide", 4) } } },
    mode: "glide",
  });
  await playback.play();
  clock.go(0.1);
  assert.deepEqual(heard(), ["first glide"]);
  store.set({ path: "linear" });
  clock.go(0.02, 0.004);
  assert.deepEqual(heard(), ["first glide"]);
  const { morph } = store.get();
  store.set({
    morph: { ...morph, glides: { ...morph.glides, linear: { buffer: buffer("second glide", 4) } } },
  });
  clock.go(0.1, 0.01);
  assert.deepEqual(heard(), ["second glide"]);
});

test("from steps to glide and back it goes on at the same place", async () => {
  store.set({ morph: { ...ready, glides: { geodesic: { buffer: buffer("glide", 4) } } }, progress: 0.5 });
  await playback.play();
  clock.go(0.1);
  store.set({ mode: "glide" });
  clock.go(0.1);
  assert.ok(Math.abs(playback.position() - 0.52) < 0.01);
  store.set({ mode: "steps" });
  clock.go(0.1);
  assert.equal(Math.round(16 * playback.position()), 8);
});

test("pointing sounds after a dwell, not in passing, and never over the journey", async () => {
  await playback.unlock();
  store.set({ pointed: { sound: 0, by: "pointer" } });
  store.set({ pointed: { sound: 1, by: "pointer" } });
  await settle(90);
  clock.go(0.02);
  assert.deepEqual(heard(), ["bbbbbbbbbbbb"]);
  store.set({ morph: ready });
  await playback.play();
  clock.go(0.1);
  store.set({ pointed: { sound: 0, by: "pointer" } });
  await settle(90);
  clock.go(0.02);
  assert.deepEqual(heard(), ["geodesic"]);
});

test("keys point without a sound: Enter plays", async () => {
  await playback.unlock();
  store.set({ pointed: { sound: 0, by: "keys" } });
  await settle(90);
  assert.deepEqual(asked, []);
  await playback.audition({ sound: library.id[0] });
  clock.go(0.02);
  assert.deepEqual(heard(), ["aaaaaaaaaaaa"]);
});

test("a sound is fetched once", async () => {
  await playback.audition({ sound: library.id[0] });
  await playback.audition({ sound: library.id[0] });
  assert.deepEqual(asked, ["aaaaaaaaaaaa"]);
});

test("silence silences the morph and what is pointed at, and keeps the place on a step", async () => {
  store.set({ morph: ready });
  await playback.play();
  clock.go(0.6);
  playback.silence();
  clock.go(0.05, 0.01);
  assert.deepEqual(heard(), []);
  assert.equal(store.get().playing, false);
  assert.equal(store.get().progress, 2 / 16);
});

test("the thumb is heard while it is held, and playing goes on from there", async () => {
  store.set({ morph: ready });
  await playback.play();
  clock.go(0.1);
  playback.scrub(0.5);
  clock.go(0.1);
  assert.equal(store.get().progress, 0.5);
  assert.deepEqual(heard(), ["geodesic"]);
  playback.release();
  clock.go(0.4);
  assert.equal(store.get().playing, true);
  assert.ok(playback.position() > 0.5);
});

test("at the end it rests at B, and plays from A the next time", async () => {
  store.set({ morph: ready, progress: 15 / 16 });
  await playback.play();
  clock.go(1);
  assert.deepEqual([store.get().playing, store.get().progress], [false, 1]);
  await playback.play();
  clock.go(0.1);
  assert.equal(playback.position(), 0);
});
