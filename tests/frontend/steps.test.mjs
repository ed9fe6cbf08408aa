import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createMixer } from "../../frontend/listen/mixer.js";
import { createStepPlayer } from "../../frontend/listen/steps.js";
import { FakeContext, clockwork } from "./fake-audio.mjs";

const STEP = 65536 / 44100; // Seconds of each step in its file
const LASTS = 0.5; // Seconds each step is played

let context, output, mixer, player, clock, endings;
const track = (name) => ({
  buffer: { name, sampleRate: 44100, duration: 17 * STEP },
  stepSamples: 65536,
  steps: 17,
});

beforeEach(() => {
  context = new FakeContext();
  clock = clockwork(context);
  output = context.createGain();
  mixer = createMixer(context, output);
  endings = 0;
  player = createStepPlayer(context, mixer, { ended: () => endings++ });
  player.load("geodesic", track("geodesic"));
  player.load("linear", track("linear"));
  player.setDurations(Array(17).fill(LASTS));
});
afterEach(() => clock.restore());

const heard = (time = context.currentTime) =>
  context.sources
    .map((source) => ({
      path: source.buffer.name,
      level: context.loudness(source, output, time),
      at: context.reading(source, time),
    }))
    .filter(({ level }) => level > 1e-6);
const stepOf = ({ at }) => Math.floor(at / STEP + 1e-9);

test("every path sounds the same step at the same sample, and only the chosen one is heard", () => {
  player.play(0);
  clock.go(0.3);
  const now = context.sources.filter((source) => source.when <= context.currentTime);
  assert.deepEqual(
    now.map((source) => source.buffer.name),
    ["geodesic", "linear"],
  );
  assert.equal(now[0].when, now[1].when);
  assert.equal(now[0].offset, now[1].offset);
  assert.deepEqual(
    heard().map(({ path }) => path),
    ["geodesic"],
  );
});

test("switching the path starts nothing, takes less than 10 ms and keeps the power", () => {
  player.play(0);
  clock.go(0.2);
  const before = player.started();
  const reading = heard()[0].at;
  mixer.choose("linear");
  for (let t = 0; t <= 0.008; t += 0.0005) {
    const power = heard(context.currentTime + t).reduce((sum, { level }) => sum + level ** 2, 0);
    assert.ok(Math.abs(power - 1) < 0.02, `power ${power} after ${t} s`);
  }
  clock.go(0.01, 0.002);
  const [now, ...others] = heard();
  assert.equal(player.started(), before);
  assert.equal(now.path, "linear");
  assert.deepEqual(others, []);
  assert.ok(Math.abs(now.at - reading - 0.01) < 1e-9, "it goes on where it was");
});

test("switching back in the middle of a switch makes no jump", () => {
  player.play(0);
  clock.go(0.2);
  mixer.choose("linear");
  clock.go(0.004, 0.001);
  const level = (path) => heard().find((each) => each.path === path)?.level ?? 0;
  const before = level("geodesic");
  mixer.choose("geodesic");
  assert.ok(Math.abs(level("geodesic") - before) < 0.02);
});

test("steps follow each other without a gap and without an overlap", () => {
  player.play(3);
  clock.go(2);
  const starts = context.sources
    .filter((source) => source.buffer.name === "geodesic")
    .map((source) => source.when);
  for (let i = 1; i < starts.length; i++) assert.ok(Math.abs(starts[i] - starts[i - 1] - LASTS) < 1e-9);
  const steps = context.sources
    .filter((source) => source.buffer.name === "geodesic")
    .map((source) => Math.round(source.offset / STEP));
  assert.deepEqual(steps.slice(0, 4), [3, 4, 5, 6]);
});

test("a path that arrives late joins in at the right phase", () => {
  player.play(2);
  clock.go(0.23);
  player.load("retimed", track("retimed"));
  mixer.choose("retimed");
  clock.go(0.1);
  const sources = context.sources.filter(
    (source) => source.when <= context.currentTime && source.stopped > context.currentTime,
  );
  const places = sources.map((source) => context.reading(source));
  assert.equal(new Set(sources.map((source) => source.buffer.name)).size, 3);
  assert.ok(Math.max(...places) - Math.min(...places) < 1e-9);
  assert.deepEqual(
    heard().map(({ path }) => path),
    ["retimed"],
  );
});

test("the end is told once, and the player rests", () => {
  player.play(14);
  clock.go(3 * LASTS + 0.2);
  assert.equal(endings, 1);
  assert.deepEqual(heard(), []);
  assert.ok(clock.idle());
  assert.equal(player.position(), 16);
});

test("with loop A follows B, and turned off at B it ends there", () => {
  player.setLoop(true);
  player.play(15);
  clock.go(2 * LASTS + 0.3);
  assert.equal(stepOf(heard()[0]), 0);
  player.play(16);
  clock.go(0.2);
  player.setLoop(false);
  clock.go(1);
  assert.equal(endings, 1);
  assert.deepEqual(heard(), []);
});

test("pause silences everything within 20 ms", () => {
  player.play(0);
  clock.go(0.2);
  player.pause();
  clock.go(0.02, 0.005);
  assert.deepEqual(heard(), []);
  assert.equal(player.position(), 0);
});

test("the thumb between two steps is heard as both, in phase, with gains that add up to one", () => {
  player.scrub(4.25);
  clock.go(0.2);
  const [near, far] = heard();
  assert.deepEqual([stepOf(near), stepOf(far)], [4, 5]);
  assert.ok(Math.abs(near.level + far.level - 1) < 1e-3);
  assert.ok(Math.abs(near.level - 0.75) < 1e-3);
  assert.ok(Math.abs(far.at - near.at - STEP) < 1e-9, "the same place within both steps");
});

test("a moving thumb hands over within 60 ms, and its sum never dips", () => {
  player.scrub(4);
  clock.go(0.2);
  player.scrub(5);
  clock.go(0.02, 0.005);
  const sum = heard().reduce((total, { level }) => total + level, 0);
  assert.ok(sum > 0.9 && sum < 1.1, `sum ${sum}`);
  clock.go(0.04, 0.005);
  const loudest = heard().sort((p, q) => q.level - p.level)[0];
  assert.equal(stepOf(loudest), 5);
  assert.ok(loudest.level > 0.95);
});

test("a held thumb goes round and round, closed for a moment at the seam", () => {
  player.scrub(8);
  clock.go(2.3);
  assert.equal(heard().length, 1);
  const { at } = heard()[0];
  assert.ok(at >= 8 * STEP && at < 8 * STEP + LASTS);
  const origin = 0.02;
  const seam = origin + 4 * LASTS;
  assert.ok(heard(seam - 0.0004).every(({ level }) => level < 0.01));
  assert.ok(heard(seam + 1e-6)[0].level > 0.99, "the attack comes whole");
});

test("let go while it plays, it goes on from the nearest step without starting that step again", () => {
  player.play(0);
  clock.go(0.2);
  player.scrub(6.4);
  clock.go(0.23);
  const before = heard()[0].at % STEP;
  player.release(true);
  clock.go(0.05, 0.005);
  const [now] = heard();
  assert.equal(stepOf(now), 6);
  assert.ok(Math.abs((now.at % STEP) - before - 0.05) < 1e-6);
  clock.go(LASTS);
  assert.equal(stepOf(heard()[0]), 7);
});

test("let go while it rests, the step sounds to its end and no further", () => {
  player.scrub(6);
  clock.go(0.1);
  player.release(false);
  clock.go(1.5);
  assert.deepEqual(heard(), []);
  assert.equal(endings, 0);
  assert.equal(player.position(), 6);
});

test("the same path solved anew takes the place of the old one while it plays", () => {
  player.play(0);
  clock.go(0.1);
  player.load("geodesic", track("anew"));
  for (let t = 0; t < 0.1; t += 0.002) {
    const sum = heard(context.currentTime + t).reduce((total, { level }) => total + level, 0);
    assert.ok(sum > 0.95 && sum < 1.05, `sum ${sum} after ${t} s`);
  }
  clock.go(0.1, 0.01);
  assert.deepEqual(
    heard().map(({ path }) => path),
    ["anew"],
  );
  clock.go(LASTS);
  assert.deepEqual(
    heard().map(({ path }) => path),
    ["anew"],
  );
});

test("the position moves on only at the end of a step", () => {
  player.play(2);
  clock.go(0.2);
  assert.equal(player.position(), 2);
  clock.go(0.25);
  assert.ok(player.position() > 2 && player.position() < 3);
});

test("a thumb in steady motion keeps being heard where it is", () => {
  player.scrub(4);
  clock.go(0.2);
  for (let i = 0; i <= 200; i++) {
    player.scrub(4 + i / 100); // two steps in 1.6 s, a move every 8 ms
    clock.go(0.008, 0.008);
  }
  const [loudest, ...rest] = heard().sort((p, q) => q.level - p.level);
  assert.equal(stepOf(loudest), 6);
  assert.ok(rest.every(({ level }) => level < 0.2));
});
