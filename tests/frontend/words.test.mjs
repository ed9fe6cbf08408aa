import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createLibrary,
  filtered,
  heart,
  suggestedMorphs,
  noteName,
  sorted,
} from "../../frontend/core/sounds.js";
import { toCsv } from "../../frontend/library/csv.js";
import { stopOf, weightAt } from "../../frontend/morph/weight.js";
import { initialState } from "../../frontend/panels.js";
import * as words from "../../frontend/core/text.js";
import { choices } from "./choices.mjs";

const initial = initialState();

const path = (
  length,
  { guesswork = 0, kind = "geodesic", speed = [1, 1], cv = 0, on_land = [true, true, true] } = {},
) => ({
  kind,
  length,
  speed,
  speed_variation: cv,
  guesswork,
  on_land,
});
const said = (curved, direct) => {
  const { figures, more } = words.comparison(curved, direct);
  return `${figures.flat().join("")} ${more}`.trim();
};

test("two paths are compared by their guesswork, and then by their length", () => {
  assert.equal(
    said(path(19.2, { guesswork: 0.12 }), path(18.5, { guesswork: 0.31 })),
    "12 % guesswork, against 31 % direct. The curved path is 1.04 times as far.",
  );
  assert.equal(
    said(path(22.6), path(21.9)),
    "Both paths keep to known sounds. The curved one is 1.03 times as far.",
  );
});

test("a path is called shorter only where it is, and about as long within 2 %", () => {
  assert.match(said(path(17.2), path(18.5)), /The curved one is shorter, 0\.93 times as far\.$/);
  assert.match(said(path(10), path(10.19)), /about as long\.$/);
  for (const ratio of [1.021, 1.4, 3]) assert.doesNotMatch(said(path(10 * ratio), path(10)), /short/);
  for (const ratio of [0.5, 1, 2]) assert.doesNotMatch(said(path(10 * ratio), path(10)), /better|nicer|lost/);
});

test("a path from known sound to known sound is not called guesswork, and crosses nothing", () => {
  const text = said(path(41.2, { kind: "graph", guesswork: 0.07 }), path(18.5, { guesswork: 0.31 }));
  assert.equal(
    text,
    "From known sound to known sound, 2.23 times as far. The direct path is 31 % guesswork.",
  );
  assert.equal(words.guessworkWords(path(41.2, { kind: "graph", guesswork: 0.07 })), "known sounds");
});

test("a share is a whole number of per cent, and little is not nothing", () => {
  assert.deepEqual([0, 0.001, 0.005, 0.123, 1].map(words.percent), [
    "0 %",
    "under 1 %",
    "1 %",
    "12 %",
    "100 %",
  ]);
});

test("an even path says so, an uneven one how fast it gets", () => {
  assert.equal(words.speedWords(path(1, { speed: [0.7, 0.75], cv: 0.03 }), "curved"), "curved: even");
  assert.equal(
    words.speedWords(path(1, { speed: [0.4, 2.31], cv: 0.7 }), "direct"),
    "direct, at most 2.3 per step",
  );
  assert.equal(
    words.speedDescription(path(1, { speed: [0.4, 2.31] }), "direct", "tdB"),
    "direct: 0.40 to 2.3 tdB per step",
  );
});

test("where guesswork is, is said in runs of steps", () => {
  const steps = (text) => words.guessedSteps([...text].map((c) => c === "."));
  assert.equal(steps("....."), "");
  assert.equal(steps("..#.."), "step 3");
  assert.equal(steps(".###.#"), "steps 2 to 4 and 6");
});

test("a morph can be told: its ends, length, pitch and guesswork", () => {
  const onLand = Array.from({ length: 17 }, (_, i) => i < 4 || i > 7);
  const told = (pitches, more = {}) =>
    words.morphSummary({
      from: "Kick",
      to: "Bell",
      path: path(19.23, { speed: Array(16).fill(1), on_land: onLand, ...more }),
      kinds: choices.path_kinds,
      unit: "tdB",
      pitches,
    });
  assert.equal(
    told([65.4, 130.8]),
    "From Kick to Bell, curved: 19.2 tdB in 17 steps. Pitch C2 to C3: the two cross, they do not slide. Guesswork at steps 5 to 8.",
  );
  assert.equal(
    told([65.4, null], { kind: "retimed", on_land: [true] }),
    "From Kick to Bell, direct, even pace: 19.2 tdB in 17 steps. Known sounds along the whole path.",
  );
  assert.match(told([440, 441]), /Pitch A4 at both ends\./);
});

test("the map can be told: how many of which family lie where", () => {
  const isles = [
    { name: "kick", at: [0, 0] },
    { name: "bell", at: [5, 9] },
  ];
  assert.equal(
    words.mapSummary(library, isles),
    "Map of 13 sounds, north is up: 6 kick in the south-west and 6 bell in the north.",
  );
});

test("a filter says what it lets through", () => {
  assert.equal(words.filterWords({ query: " kick ", families: [1], library }), "“kick”, Bell");
  assert.equal(words.filterWords({ query: " ", families: [], library }), "");
});

test("numbers are short, and thousands stand apart", () => {
  assert.deepEqual([0.42, 1.6, 12.34, 123.4].map(words.amount), ["0.42", "1.6", "12.3", "123"]);
  assert.deepEqual([0.424, 1.6].map(words.duration), ["0.42 s", "1.6 s"]);
  assert.equal(words.count(1284).replace("\u202f", "_"), "1_284");
  assert.equal(words.count(100), "100");
  assert.equal(words.count(1234567).replaceAll("\u202f", "_"), "1_234_567");
});

test("file names can be written on every system", () => {
  assert.deepEqual(["Kick 808", "Glass/bell: é?", "鐘"].map(words.soundFile), [
    "kick-808.wav",
    "glass-bell-e.wav",
    "sound.wav",
  ]);
});

test("the corner says what the engine does", () => {
  const ready = { ...initial, server: { phase: "ready" } };
  const say = (state) => words.statusWords({ ...ready, ...state });
  assert.equal(words.statusWords(initial), "Waking up");
  assert.equal(say({}), "Sound is off");
  assert.equal(say({ sound: "on" }), "Ready");
  assert.equal(say({ sound: "on", morph: { phase: "solving" } }), "Finding the path");
  assert.equal(say({ playing: true, progress: 0.375 }), "Playing 7 of 17");
  assert.equal(say({ server: { phase: "away" } }), "The server does not answer");
});

const library = createLibrary({
  family_names: ["Kick", "Bell", "Lonely"],
  id: Array.from({ length: 13 }, (_, i) => String(i).padStart(12, "0")),
  name: [
    "Kick 10",
    "Kick 2",
    "Kick 1",
    "Kick_raw",
    "Kick 4",
    "Kick 5",
    "Bell, big",
    "Bell é",
    "Bell 3",
    "Bell 4",
    "Bell 5",
    "Bell 6",
    "=cmd()",
  ],
  family: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2],
  x: [0, 0.1, 0.2, 0.05, 0.1, 0.1, 5, 5.1, 5.2, 5, 5.1, 5.1, 9],
  y: [0, 0.1, 0, 0.05, 0.05, 0, 1, 1.1, 1, 1.1, 1, 1, 9],
  seconds: [0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 1, 1.1, 1.2, 1.3, 1.4, 1.45, 0.7],
  pitch: [55, null, 110, null, 60, 61, 440, 880, null, 445, 450, 460, null],
  source: Array(13).fill("pack"),
  licence: Array(13).fill("CC0"),
  credit: Array(13).fill('A "B", C'),
});

const found = (query, families = []) => filtered(library, { query, families }).map((i) => library.name[i]);

test("every word of the filter must be there, in name, family or source", () => {
  assert.deepEqual(found("kick 1"), ["Kick 10", "Kick 1"]);
  assert.equal(found("PACK bell").length, 6);
  assert.deepEqual(found("", [2]), ["=cmd()"]);
  assert.deepEqual(found("nothing like it"), []);
});

test("other names for a thing find it, a minus leaves out, quotes keep words together", () => {
  assert.deepEqual(found("bass drum 10"), ["Kick 10"]);
  assert.deepEqual(found("BD"), found("kick"));
  assert.equal(found("chime").length, 6);
  assert.deepEqual(found("kick -1 -raw"), ["Kick 2", "Kick 4", "Kick 5"]);
  assert.deepEqual(found("-kick -bell"), ["=cmd()"]);
  assert.deepEqual(found("-bd -chime"), ["=cmd()"]);
  assert.deepEqual(found('"bell big"'), []);
  assert.deepEqual(found('"bell, big"'), ["Bell, big"]);
  assert.ok(found("bell e\u0301").includes("Bell é"), "an accent may be written in two ways");
  assert.equal(found("- “").length, library.count, "what is not finished leaves nothing out");
});

test("a short other name is a word, not a part of one", () => {
  const sounds = createLibrary({
    ...library,
    name: library.name.map((name, i) => (i === 12 ? "Hat bdu" : name)),
  });
  assert.ok(!filtered(sounds, { query: "kick", families: [] }).includes(12));
});

test("names sort as people count, and what is unknown comes last either way", () => {
  const rows = [0, 1, 2];
  const names = (sort) => sorted(library, rows, sort, [3, 1, 2]).map((i) => library.name[i]);
  assert.deepEqual(names({ by: "name", down: false }), ["Kick 1", "Kick 2", "Kick 10"]);
  assert.deepEqual(names({ by: "pitch", down: false }), ["Kick 10", "Kick 1", "Kick 2"]);
  assert.deepEqual(names({ by: "pitch", down: true }), ["Kick 1", "Kick 10", "Kick 2"]);
  assert.deepEqual(names({ by: "distance", down: false }), ["Kick 2", "Kick 1", "Kick 10"]);
});

test("suggestedMorphs lead from the heart of one family to another, and the same every time", () => {
  const pairs = suggestedMorphs(library);
  assert.deepEqual(pairs, suggestedMorphs(library));
  assert.equal(pairs.length, 1, "a family of one has no heart");
  assert.deepEqual(
    pairs[0].map((i) => library.family[i]),
    [0, 1],
  );
  assert.equal(heart(library, 2), -1);
});

test("morphs to begin with have names one can imagine, where the library has them", () => {
  const names = [
    "Kick 808",
    "Percussion 05-18",
    "Church bell, C4",
    "Snare, Standard",
    "Snare, Standard 2",
    "Crash",
    "Koto, C3",
    "Steel guitar, G3 (2)",
    "Steel guitar, G3",
  ];
  const sounds = createLibrary({
    ...library,
    family_names: ["Any"],
    id: names.map((_, i) => String(i).padStart(12, "0")),
    name: names,
    family: names.map(() => 0),
    x: names.map((_, i) => i),
    y: names.map((_, i) => i % 2),
  });
  assert.deepEqual(
    suggestedMorphs(sounds).map((pair) => pair.map((i) => names[i])),
    [
      ["Kick 808", "Church bell, C4"],
      ["Snare, Standard", "Crash"],
      ["Koto, C3", "Steel guitar, G3"],
    ],
  );
});

test("a catalogue number is not what one meets first", () =>
  assert.notEqual(library.name[heart(library, 0)], "Kick_raw"));

test("a table can be read back from its file, and is no formula", () => {
  const text = toCsv(library, [12, 6, 7], { distance: "perceptual", values: Array(13).fill(2.5) }, "tdB");
  const [head, ...rows] = text.trimEnd().split("\r\n");
  assert.equal(
    head,
    "id,name,family,seconds,pitch_hz,x,y,source,licence,credit,perceptual_distance_to_a_tdB",
  );
  assert.match(rows[0], /^000000000012,'=cmd\(\),Lonely,0\.7,,9,9,pack,CC0,"A ""B"", C",2\.5$/);
  assert.match(rows[1], /^000000000006,"Bell, big",Bell,1,440,5,1,/);
});

test("notes have names", () =>
  assert.deepEqual([440, 261.63, 27.5, null].map(noteName), ["A4", "C4", "A0", "–"]));

test("each stop of the weight is a weight, and each weight its stop", () => {
  for (let stop = 0; stop <= 40; stop++) assert.equal(stopOf(weightAt(stop, 10), 10), stop);
  assert.deepEqual([weightAt(0, 10), weightAt(40, 10)], [0, Infinity]);
  assert.ok(Math.abs(weightAt(39, 10) - 10) < 1e-9);
});
