import assert from "node:assert/strict";
import { test } from "node:test";
import { createLibrary, filtered, heart, journeys, noteName, sorted } from "../../frontend/library/sounds.js";
import { toCsv } from "../../frontend/library/csv.js";
import { stopOf, weightAt } from "../../frontend/morph/weight.js";
import { initial } from "../../frontend/state.js";
import * as words from "../../frontend/words.js";

const path = (length, { wet = [], kind = "geodesic", speed = [1, 1], cv = 0 } = {}) => ({
  kind, length, speed, speed_variation: cv, water: wet.length / 17,
});
const said = (bent, straight) => {
  const { lengths, more } = words.comparison(bent, straight, "tdB");
  return `${lengths.flat().join("")} ${more}`;
};

test("which way crosses water is said of the one that does", () => {
  assert.equal(said(path(11.84), path(14.2, { wet: [8] })), "11.8 tdB along the geodesic, 14.2 straight. Straight on crosses water.");
  assert.equal(said(path(11.8, { wet: [1] }), path(14.2)), "11.8 tdB along the geodesic, 14.2 straight. The geodesic crosses water.");
  assert.equal(said(path(11.8, { wet: [1] }), path(14.2, { wet: [1] })), "11.8 tdB along the geodesic, 14.2 straight. Both ways cross water.");
  assert.equal(said(path(11.8, { wet: [1] }), path(14.2, { wet: [1, 2, 3] })), "11.8 tdB along the geodesic, 14.2 straight. Straight on crosses more water.");
  assert.equal(said(path(11.8), path(14.2)), "11.8 tdB along the geodesic, 14.2 straight. Both ways stay on land.");
});

test("two lengths within 2 % are about as long", () => {
  assert.match(said(path(10), path(10.19)), /Both ways are about as long and stay on land\.$/);
  assert.doesNotMatch(said(path(10), path(10.3)), /about as long/);
  assert.match(said(path(10), path(10.1, { wet: [3] })), /about as long\. Straight on crosses water\.$/);
});

test("the graph path is not called a geodesic", () => {
  assert.equal(said(path(20, { kind: "graph" }), path(14, { wet: [5] })), "20.0 tdB through known sounds, 14.0 straight. Straight on crosses water.");
});

test("a longer geodesic is shown as one, and no way is called better", () => {
  const text = said(path(22.6), path(21.9));
  assert.match(text, /^22\.6 tdB along the geodesic, 21\.9 straight\./);
  assert.doesNotMatch(text, /better|shorter|nicer/);
});

test("an even path keeps its speed, an uneven one races", () => {
  assert.equal(words.speedWords(path(1, { speed: [0.7, 0.75], cv: 0.03 }), "geodesic", "tdB"), "geodesic keeps 0.72");
  assert.equal(words.speedWords(path(1, { speed: [0.4, 2.31], cv: 0.7 }), "straight", "tdB"), "straight races to 2.3 tdB a step");
  assert.equal(words.speedDescription(path(1, { speed: [0.4, 2.31] }), "straight", "tdB"), "straight: 0.40 to 2.3 tdB a step");
});

test("numbers are short, and thousands stand apart", () => {
  assert.deepEqual([0.42, 1.6, 12.34, 123.4].map(words.amount), ["0.42", "1.6", "12.3", "123"]);
  assert.deepEqual([0.424, 1.6].map(words.duration), ["0.42 s", "1.6 s"]);
  assert.equal(words.count(1284).replace("\u202f", "_"), "1_284");
  assert.equal(words.count(100), "100");
  assert.equal(words.count(1234567).replaceAll("\u202f", "_"), "1_234_567");
});

test("file names can be written on every system", () => {
  assert.equal(words.fileName("Kick 808", "Glass/bell: é?", "geodesic", "steps"), "kick-808-to-glass-bell-e-geodesic-steps.wav");
  assert.equal(words.fileName("???", "鐘", "linear", "glide"), "sound-to-sound-linear-glide.wav");
});

test("the corner says what the engine does", () => {
  const ready = { ...initial, server: { phase: "ready" } };
  const say = (state) => words.statusWords({ ...ready, ...state });
  assert.equal(words.statusWords(initial), "Waking up");
  assert.equal(say({}), "Sound is off");
  assert.equal(say({ sound: "on" }), "Ready");
  assert.equal(say({ sound: "on", journey: { phase: "solving" } }), "Finding the way");
  assert.equal(say({ playing: true, place: 0.375 }), "Playing 7 of 17");
  assert.equal(say({ server: { phase: "away" } }), "The engine is away");
});

const library = createLibrary({
  family_names: ["Kick", "Bell", "Lonely"],
  id: Array.from({ length: 13 }, (_, i) => String(i).padStart(12, "0")),
  name: ["Kick 10", "Kick 2", "Kick 1", "Kick_raw", "Kick 4", "Kick 5", "Bell, big", "Bell é", "Bell 3", "Bell 4", "Bell 5", "Bell 6", "=cmd()"],
  family: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2],
  x: [0, 0.1, 0.2, 0.05, 0.1, 0.1, 5, 5.1, 5.2, 5, 5.1, 5.1, 9],
  y: [0, 0.1, 0, 0.05, 0.05, 0, 1, 1.1, 1, 1.1, 1, 1, 9],
  seconds: [0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 1, 1.1, 1.2, 1.3, 1.4, 1.45, 0.7],
  pitch: [55, null, 110, null, 60, 61, 440, 880, null, 445, 450, 460, null],
  source: Array(13).fill("pack"), licence: Array(13).fill("CC0"), credit: Array(13).fill('A "B", C'),
});

test("every word of the filter must be there, in name, family or source", () => {
  const names = (query, families = []) => filtered(library, { query, families }).map((i) => library.name[i]);
  assert.deepEqual(names("kick 1"), ["Kick 10", "Kick 1"]);
  assert.equal(names("PACK bell").length, 6);
  assert.deepEqual(names("", [2]), ["=cmd()"]);
  assert.deepEqual(names("nothing like it"), []);
});

test("names sort as people count, and what is unknown comes last either way", () => {
  const rows = [0, 1, 2];
  const names = (sort) => sorted(library, rows, sort, [3, 1, 2]).map((i) => library.name[i]);
  assert.deepEqual(names({ by: "name", down: false }), ["Kick 1", "Kick 2", "Kick 10"]);
  assert.deepEqual(names({ by: "pitch", down: false }), ["Kick 10", "Kick 1", "Kick 2"]);
  assert.deepEqual(names({ by: "pitch", down: true }), ["Kick 1", "Kick 10", "Kick 2"]);
  assert.deepEqual(names({ by: "distance", down: false }), ["Kick 2", "Kick 1", "Kick 10"]);
});

test("journeys lead from the heart of one family to another, and the same every time", () => {
  const pairs = journeys(library);
  assert.deepEqual(pairs, journeys(library));
  assert.equal(pairs.length, 1, "a family of one has no heart");
  assert.deepEqual(pairs[0].map((i) => library.family[i]), [0, 1]);
  assert.equal(heart(library, 2), -1);
});

test("a catalogue number is not what one meets first", () => assert.notEqual(library.name[heart(library, 0)], "Kick_raw"));

test("a table can be read back from its file, and is no formula", () => {
  const text = toCsv(library, [12, 6, 7], { values: Array(13).fill(2.5) }, "tdB");
  const [head, ...rows] = text.trimEnd().split("\r\n");
  assert.equal(head, "id,name,family,seconds,pitch_hz,x,y,source,licence,credit,distance_from_a_tdB");
  assert.match(rows[0], /^000000000012,'=cmd\(\),Lonely,0\.7,,9,9,pack,CC0,"A ""B"", C",2\.5$/);
  assert.match(rows[1], /^000000000006,"Bell, big",Bell,1,440,5,1,/);
});

test("notes have names", () => assert.deepEqual([440, 261.63, 27.5, null].map(noteName), ["A4", "C4", "A0", "–"]));

test("each stop of the weight is a weight, and each weight its stop", () => {
  for (let stop = 0; stop <= 40; stop++) assert.equal(stopOf(weightAt(stop, 10), 10), stop);
  assert.deepEqual([weightAt(0, 10), weightAt(40, 10)], [0, Infinity]);
  assert.ok(Math.abs(weightAt(39, 10) - 10) < 1e-9);
});
