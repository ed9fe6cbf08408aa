import assert from "node:assert/strict";
import { test } from "node:test";
import { createLibrary } from "../../frontend/core/sounds.js";
import { initialState } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";
import { createJobs, reported } from "../../frontend/yours/jobs.js";
import { brokenWords, gainWords, jobWords, remainingWords } from "../../frontend/yours/finetune.js";
import { ApiError } from "../../frontend/core/client.js";
import {
  added,
  carriedOver,
  corrected,
  cutsOf,
  halved,
  isPlain,
  joined,
  moved,
  nextOf,
  oneOfEach,
  removed,
  ticked,
  troubleOf,
} from "../../frontend/yours/cuts.js";
import { filesOf } from "../../frontend/yours/entries.js";
import { partsOf, skippedWords, sortFiles } from "../../frontend/yours/files.js";
import { kindsOf } from "../../frontend/yours/kinds.js";
import { changesOf, remarksOf } from "../../frontend/yours/remarks.js";
import { progressWords } from "../../frontend/yours/progress.js";
import { createUploads, sending } from "../../frontend/yours/uploads.js";

const initial = initialState();

const limits = {
  upload_files: 3,
  upload_bytes: 4 * 2 ** 20,
  upload_seconds: 10,
  shortest_seconds: 0.01,
  choice_sounds: 64,
};
const library = (uploaded) =>
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
    kind: ["library", ...uploaded.map(() => "uploaded")],
  });
const start = {
  ...initial,
  model: { id: "m", unit: "tdB", limits },
  library: library([]),
  server: { phase: "ready" },
  panel: "yours",
};
const found = (n) => ({
  name: "take.wav",
  seconds: 4,
  audio_url: "/take",
  overview: [[0, 0]],
  sounds: Array.from({ length: n }, (_, i) => ({
    start: i,
    end: i + 0.5,
    name: `take ${i + 1}`,
    strength: 1,
    peak_db: -3,
  })),
});
const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));
const file = (name, size = 100) => ({ name, size });

const range = { min: 0.01, max: 10 };
const cut = (start, end, more = {}) => ({
  file: 0,
  start,
  end,
  name: `at ${start}`,
  on: true,
  touched: false,
  ...more,
});
const spans = (cuts) => cuts.map(({ start, end, on }) => [start, end, on]);

test("of a folder the sounds are sent, the rest is counted by kind, and what cannot be sent has its reason", () => {
  const names = [
    "Kick.WAV",
    "._Kick.WAV",
    ".DS_Store",
    "Thumbs.db",
    "bell.m4a",
    "Kick.asd",
    "Snare.asd",
    "notes.txt",
    "take 1",
  ];
  const { sounds, refused, skipped } = sortFiles(
    [...names.map((name) => file(name)), file("empty.wav", 0), file("huge.wav", 5 * 2 ** 20)],
    limits,
  );
  assert.deepEqual(
    sounds.map(({ name }) => name),
    ["Kick.WAV", "bell.m4a", "take 1"],
  );
  assert.deepEqual(
    refused.map(({ name, detail }) => [name, detail]),
    [
      ["empty.wav", "The file is empty."],
      ["huge.wav", "It has 5.0 MB; up to 4.0 MB can be taken."],
    ],
  );
  assert.equal(
    skippedWords(skipped),
    "6 files are no sounds and were left out: 3 notes of a file manager, 2 .asd, 1 .txt.",
  );
  assert.equal(
    skippedWords([
      { what: "notes of a file manager", count: 1 },
      { what: ".txt", count: 1 },
    ]),
    "2 files are no sounds and were left out: 1 note of a file manager, 1 .txt.",
  );
  assert.equal(skippedWords([{ what: ".asd", count: 1 }]), "1 file is no sound and was left out: .asd.");
  assert.equal(skippedWords([]), "");
});

test("files are sent in parts that the server takes, in their order and none twice", () => {
  const some = Array.from({ length: 10 }, (_, n) => file(`${n}.wav`, n === 4 ? 3.5 * 2 ** 20 : 2 ** 20));
  const parts = partsOf(some, limits);
  assert.deepEqual(parts.flat(), some);
  for (const part of parts) {
    assert.ok(part.length <= limits.upload_files);
    assert.ok(part.reduce((sum, { size }) => sum + size, 0) < limits.upload_bytes);
  }
  assert.equal(parts.length, 5);
});

function folder(name, children) {
  const batches = [children.slice(0, 2), children.slice(2)];
  return {
    name,
    isDirectory: true,
    createReader: () => ({ readEntries: (done) => done(batches.shift() ?? []) }),
  };
}
const leaf = (name) => ({ name, isFile: true, file: (done) => done({ name }) });
const locked = (name) => ({ name, isFile: true, file: (_, failed) => failed(new Error("not allowed")) });

test("folders are gone through to their ends, also where a reader gives only some at a time", async () => {
  const tree = folder("kit", [
    leaf("b 10.wav"),
    leaf("b 9.wav"),
    folder("deep", [leaf("c.wav"), locked("d.wav")]),
    folder("__MACOSX", [leaf("._c.wav")]),
    leaf("a.wav"),
  ]);
  const items = [
    { kind: "file", webkitGetAsEntry: () => tree },
    { kind: "string" },
    { kind: "file", webkitGetAsEntry: () => null, getAsFile: () => ({ name: "plain.wav" }) },
  ];
  const { files, unreadable } = await filesOf({ items });
  assert.deepEqual(
    files.map(({ name }) => name),
    ["plain.wav", "a.wav", "b 9.wav", "b 10.wav", "c.wav"],
  );
  assert.deepEqual(unreadable, ["d.wav"]);
});

test("an edge can be moved inside its recording, never past the other one, never to more than ten seconds", () => {
  const edges = (edge, at, seconds = 4) => {
    const { start, end } = moved(cut(1, 2), edge, at, seconds, { min: 0.02, max: 10 });
    return [start, end];
  };
  assert.deepEqual(edges("start", 0.5), [0.5, 2]);
  assert.deepEqual(edges("start", -1), [0, 2]);
  assert.deepEqual(edges("start", 3), [1.98, 2]);
  assert.deepEqual(edges("end", 9), [1, 4]);
  assert.deepEqual(edges("end", 0), [1, 1.02]);
  assert.deepEqual(edges("end", 99, 60), [1, 11]);
});

test("a wrong number is told in words, with what would be right", () => {
  const trouble = (start, end) => troubleOf(cut(start, end), 12, range);
  assert.equal(trouble(0, 1), "");
  assert.equal(trouble(3, 12.005), "");
  assert.equal(trouble(NaN, 1), "Write seconds, as 1.25.");
  assert.equal(trouble(13, 14), "The recording is 12.0 s long.");
  assert.equal(trouble(2, 1), "It ends before it begins.");
  assert.equal(trouble(1, 1.001), "A sound is at least 0.01 s long.");
  assert.equal(trouble(0.5, 11), "A sound is at most 10 s long.");
  assert.equal(trouble(-1, 1), "It cannot begin before the recording.");
});

test("another threshold leaves what was done by hand: names, ticks and edges, also where it finds nothing there", () => {
  const before = [cut(0, 1), cut(1, 2), cut(2, 3)];
  let cuts = corrected(before, 0, { name: "my tight kick" });
  cuts = corrected(cuts, 1, { on: false });
  cuts = corrected(cuts, 2, { start: 2.2 });
  const fewer = carriedOver(cuts, [cut(0.01, 1.9)]);
  assert.deepEqual(
    fewer.map(({ name, on, start }) => [name, on, start]),
    [
      ["my tight kick", true, 0],
      ["at 1", false, 1],
      ["at 2", true, 2.2],
    ],
  );
  const more = carriedOver(cuts, [
    cut(0, 0.5),
    cut(0.5, 1),
    cut(1, 1.5),
    cut(1.5, 2),
    cut(2, 2.5),
    cut(3.1, 3.5),
  ]);
  assert.deepEqual(
    more.map(({ start, name, on }) => [start, name, on]),
    [
      [0, "my tight kick", true],
      [1, "at 1", false],
      [1.5, "at 1.5", true],
      [2.2, "at 2", true],
      [3.1, "at 3.1", true],
    ],
  );
  assert.deepEqual(
    carriedOver(before, [cut(0.5, 1)]).map(({ start }) => start),
    [0.5],
    "what nobody touched is as it is found",
  );
});

test("sounds are joined, cut in two, added where there is room, and taken off the list", () => {
  const cuts = [cut(0, 1), cut(5, 6, { file: 1 }), cut(1.5, 2)];
  assert.deepEqual(spans(joined(cuts, 0)), [
    [0, 2, true],
    [5, 6, true],
  ]);
  assert.equal(nextOf(cuts, 1), -1);
  assert.deepEqual(joined(cuts, 1), cuts);
  assert.deepEqual(
    halved(cuts, 0)
      .map(({ start, end, name }) => [start, end, name])
      .slice(0, 2),
    [
      [0, 0.5, "at 0"],
      [0.5, 1, "at 0 b"],
    ],
  );
  assert.deepEqual(removed(cuts, 0), cuts.slice(1));
  const recording = { ...found(0), seconds: 4 };
  const [first, second] = [
    added([cut(0, 1), cut(1.1, 2)], 0, recording),
    added([], 0, { ...recording, seconds: 0.3 }),
  ];
  assert.deepEqual(spans(first).at(-1), [2, 2.5, true]);
  assert.equal(first.at(-1).name, "take 3");
  assert.deepEqual(spans(second), [[0, 0.3, true]]);
  assert.deepEqual(spans(added([cut(0, 4)], 0, recording, { start: 1, end: 2 })), [
    [0, 4, true],
    [1, 2, true],
  ]);
});

test("only the first of each kind is ticked, and ticks by hand survive", () => {
  const cuts = oneOfEach([cut(0, 1), cut(1, 2), cut(2, 3), cut(3, 4)], [0, 1, 0, 1]);
  assert.deepEqual(
    cuts.map(({ on }) => on),
    [true, true, false, false],
  );
  assert.deepEqual(
    carriedOver(cuts, [cut(0, 1), cut(1, 2), cut(2, 3)]).map(({ on }) => on),
    [true, true, false, false],
  );
});

/** A hit of a played drum: never twice the same, in level, pitch or noise. */
function drum(kind, nth, rate = 22050) {
  let seed = 7919 * (nth + 1) + kind.length;
  const noise = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 30 - 1;
  const [level, bend] = [0.4 + 0.12 * (nth % 4), 1 + 0.02 * Math.sin(nth)];
  const at = {
    kick: (t) => Math.sin(2 * Math.PI * bend * (55 * t + 3 * (1 - Math.exp(-30 * t)))) * Math.exp(-9 * t),
    snare: (t) => (0.6 * Math.sin(2 * Math.PI * 190 * bend * t) + 0.8 * noise()) * Math.exp(-16 * t),
    hat: (t) => (noise() - noise()) * Math.exp(-45 * t),
  }[kind];
  return { rate, samples: Float32Array.from({ length: rate * 0.35 }, (_, i) => level * at(i / rate)) };
}

test("hits of three drums are three kinds, however they are played", () => {
  const pattern = [
    "kick",
    "hat",
    "snare",
    "hat",
    "kick",
    "kick",
    "snare",
    "hat",
    "kick",
    "hat",
    "snare",
    "hat",
  ];
  const kinds = kindsOf(pattern.map((kind, nth) => drum(kind, nth)));
  const names = [...new Set(pattern)];
  assert.deepEqual(
    kinds,
    pattern.map((kind) => names.indexOf(kind)),
  );
});

function engine(answer) {
  const asked = [];
  const api = {
    upload: async (_, files) => (asked.push(["upload", files.map(({ name }) => name)]), answer(files)),
    proposals: async (_, id, threshold) => (asked.push(["proposals", threshold]), { id, files: [found(5)] }),
    choose: async (_, id, sounds) => (
      asked.push(["choose", sounds]),
      { sounds: sounds.map(({ name }) => ({ id: `u${name}` })) }
    ),
    forget: async (_, id) => void asked.push(["forget", id]),
    check: async (...args) => (
      asked.push(["check", args]),
      { count: 2, seconds: 1, warnings: [], sounds: [] }
    ),
  };
  const paused = [];
  const store = createStore(start);
  const uploads = createUploads({
    store,
    api,
    complain: assert.fail,
    refresh: async () => void asked.push(["refresh"]),
    pause: async (seconds) => void paused.push(seconds),
  });
  return { api, asked, paused, store, uploads, what: () => asked.map(([what]) => what) };
}
const each =
  (...sounds) =>
  () => ({ id: "1", files: sounds.map(found) });
const plainly = (files) => ({ id: "1", files: files.map(() => found(1)) });

test("files of one sound each are kept at once, and the upload is forgotten", async () => {
  const { asked, store, what } = engine(each(1, 1));
  store.set({ dropped: [file("a.wav"), file("b.wav")] });
  assert.equal(store.get().uploading.phase, "sending");
  await settle(5);
  assert.deepEqual(what(), ["upload", "choose", "forget", "refresh"]);
  assert.deepEqual(
    asked[1][1],
    [0, 1].map((nth) => ({ file: nth, start: 0, end: 0.5, name: "take 1" })),
  );
  assert.deepEqual([store.get().uploading, store.get().dropped], [null, null]);
  assert.match(store.get().notice.text, /2 sounds are on the map/);
});

test("hundreds of files are sent some at a time, and all are taken", async () => {
  const { asked, store, uploads } = engine(plainly);
  const names = Array.from({ length: 100 }, (_, n) => `${n}.wav`);
  await uploads.take(names.map((name) => file(name)));
  const parts = asked.filter(([what]) => what === "upload").map(([, part]) => part);
  assert.deepEqual(parts.flat(), names);
  assert.equal(Math.max(...parts.map(({ length }) => length)), limits.upload_files);
  assert.match(store.get().notice.text, /100 sounds/);
});

test("one odd file is asked about; the others are kept meanwhile", async () => {
  const { asked, store, uploads } = engine((files) => ({
    id: files[0].name,
    files: files.map(({ name }) => found(name === "take.wav" ? 3 : 1)),
  }));
  await uploads.take(["a.wav", "take.wav", "b.wav", "c.wav"].map((name) => file(name)));
  const { uploading } = store.get();
  assert.deepEqual(
    [uploading.phase, uploading.onMap, uploading.recordings.length, uploading.cuts.length],
    ["choosing", 3, 1, 3],
  );
  assert.deepEqual(
    asked.filter(([what]) => what === "choose").map(([, sounds]) => sounds.map(({ file: nth }) => nth)),
    [[0, 2], [0]],
  );
  uploads.edit((cuts) => corrected(corrected(cuts, 0, { on: false }), 2, { name: "Crash", start: 1.9 }));
  await uploads.keep();
  const [what, sounds] = asked.findLast(([kind]) => kind === "choose");
  assert.deepEqual(
    [what, sounds.map(({ file: nth, name, start: from }) => [nth, name, from])],
    [
      "choose",
      [
        [1, "take 2", 1],
        [1, "Crash", 1.9],
      ],
    ],
  );
  assert.match(store.get().notice.text, /5 sounds/);
});

test("what the server refuses is listed with its reason, and the good ones are kept", async () => {
  const silent = { file: 1, name: "room.wav", code: "audio_silent", detail: "room.wav is silent." };
  const { store, uploads } = engine(() => ({
    id: "1",
    files: [found(1)],
    refused: [silent, { file: 2, name: "._x.wav", code: "skipped", detail: "" }],
  }));
  await uploads.take([file("kick.wav"), file("room.wav"), file("x.wav")]);
  assert.match(store.get().notice.text, /1 sound is/);
  const { refused, skipped, again } = store.get().leftOut;
  assert.deepEqual(
    [refused.map(({ name }) => name), skipped, again],
    [["room.wav"], [{ what: "notes of a file manager", count: 1 }], []],
  );
});

test("a server that refuses a whole part for one file gets the others again, without it", async () => {
  const { store, uploads, asked } = engine((files) => {
    if (files.some(({ name }) => name === "bad.wav"))
      throw new ApiError("bad.wav cannot be read.", "audio_unreadable", 422);
    return plainly(files);
  });
  await uploads.take(["a.wav", "bad.wav", "b.wav"].map((name) => file(name)));
  assert.deepEqual(
    store.get().leftOut.refused.map(({ name, detail }) => [name, detail]),
    [["bad.wav", "bad.wav cannot be read."]],
  );
  assert.deepEqual(store.get().leftOut.again, [], "trying again would not help");
  assert.equal(asked.filter(([what]) => what === "choose").flatMap(([, sounds]) => sounds).length, 2);
});

test("what is sent again because of another file is refused once", async () => {
  let broken = true;
  const silent = { file: 0, name: "room.wav", code: "audio_silent", detail: "room.wav is silent." };
  const { api, store, uploads } = engine((files) => ({
    id: "1",
    files: files.slice(1).map(() => found(1)),
    refused: files[0].name === "room.wav" ? [silent] : [],
  }));
  const { choose } = api;
  api.choose = async (...args) => {
    if (broken) {
      broken = false;
      throw new ApiError("Our mistake.", "internal_error", 500);
    }
    return choose(...args);
  };
  await uploads.take(["room.wav", "a.wav", "b.wav"].map((name) => file(name)));
  assert.deepEqual(
    store.get().leftOut.refused.map(({ name }) => name),
    ["room.wav"],
  );
});

test("a server that is away or still busy is asked again, with longer and longer pauses", async () => {
  let tries = 0;
  const { store, uploads, paused } = engine((files) => {
    if (tries++ < 2) throw new ApiError("Busy.", "busy", tries === 1 ? 0 : 503);
    return plainly(files);
  });
  await uploads.take([file("a.wav")]);
  assert.deepEqual(paused, [1, 2]);
  assert.match(store.get().notice.text, /1 sound is/);
});

test("where the disk is full nothing more is sent, and all that is left can be tried again", async () => {
  let full = true;
  const { store, uploads } = engine((files) => {
    if (full && files[0].name === "3.wav") throw new ApiError("No room.", "storage_full", 507);
    return plainly(files);
  });
  await uploads.take(Array.from({ length: 8 }, (_, n) => file(`${n}.wav`)));
  assert.deepEqual(store.get().leftOut.refused, [
    { name: "5 files", code: "storage_full", detail: "No room." },
  ]);
  full = false;
  uploads.again();
  await settle(5);
  assert.match(store.get().notice.text, /5 sounds/);
  assert.equal(store.get().leftOut, null);
});

test("sending can be ended; what was kept stays, and is said", async () => {
  const { store, uploads, asked, what } = engine(plainly);
  const taking = uploads.take(Array.from({ length: 90 }, (_, n) => file(`${n}.wav`)));
  await settle();
  const sent = asked.filter(([kind]) => kind === "upload").length;
  await uploads.cancel();
  await taking;
  assert.ok(what().filter((kind) => kind === "upload").length <= sent + 1);
  assert.equal(store.get().uploading, null);
});

test("another threshold proposes anew; nothing chosen is nothing kept", async () => {
  const { store, uploads, what, asked } = engine(each(3));
  await uploads.take([file("take.wav")]);
  const splitting = uploads.split(0.02);
  assert.ok(store.get().uploading.finding);
  await splitting;
  assert.deepEqual([store.get().uploading.cuts.length, store.get().uploading.finding], [5, false]);
  uploads.edit((cuts) => ticked(cuts, () => false));
  await uploads.keep();
  assert.deepEqual(what(), ["upload", "proposals"]);
  await uploads.cancel();
  assert.deepEqual([store.get().uploading, asked[2]], [null, ["forget", "1"]]);
});

test("own sounds are looked at when there are others, not twice, and without naming thousands of them", async () => {
  const { asked, store } = engine(each());
  store.set({ library: library(["u1", "u2"]) });
  await settle();
  store.set({ library: library(["u1", "u2"]) });
  await settle();
  assert.deepEqual(asked, [["check", ["m", undefined]]]);
  assert.equal(store.get().check.count, 2);
  store.set({ library: library([]) });
  assert.equal(store.get().check, null);
});

test("what was done to a sound is told of each where there are few, and together where there are many", () => {
  const remarks = [
    { code: "cut", text: "cut: of 8.00 s the first 1.48 s are kept" },
    { code: "resampled", text: "its 48,000 Hz became 44,100 Hz" },
    { code: "mono", text: "its 2 channels were mixed to one" },
  ];
  assert.deepEqual(remarksOf(remarks, 3), [
    "Cut: of 8.00 s the first 1.48 s are kept.",
    "Its 48,000 Hz became 44,100 Hz; its 2 channels were mixed to one.",
  ]);
  assert.deepEqual(remarksOf(remarks, 300), ["Cut: of 8.00 s the first 1.48 s are kept."]);
  const many = Array.from({ length: 10 }, (_, n) => ({ warnings: n < 4 ? remarks : remarks.slice(1, 2) }));
  assert.deepEqual(changesOf(many), [
    "4 were mixed to one channel.",
    "All were brought to the model’s sample rate.",
  ]);
  assert.deepEqual(changesOf(many.slice(0, 3)), []);
});

test("how far it has come is told in words", () => {
  assert.equal(progressWords(null), "");
  assert.equal(progressWords(sending(1)), "Listening to 1 file.");
  assert.equal(
    progressWords({ ...sending(300), done: 40, onMap: 38, recordings: [{}] }),
    "40 of 300 files. 38 sounds kept. 1 recording to split.",
  );
  assert.equal(
    progressWords({ ...sending(300), waiting: 3.2 }),
    "The server is busy or away. Going on in 3 s.",
  );
});

test("a file is one sound, or it is not", () => {
  assert.deepEqual([found(1), found(0), found(2)].map(isPlain), [true, false, false]);
  assert.deepEqual(
    cutsOf(found(2), 3).map(({ file: nth, on, touched }) => [nth, on, touched]),
    [
      [3, true, false],
      [3, true, false],
    ],
  );
});

function stream() {
  const listeners = {};
  const source = {
    closed: false,
    close() {
      this.closed = true;
    },
    addEventListener: (kind, run) => (listeners[kind] = run),
  };
  return { source, say: (kind, data = {}) => listeners[kind]({ data: JSON.stringify(data) }) };
}
const progress = (phase, step, held = null) => ({
  phase,
  step,
  steps: 40,
  percent: step,
  eta: 9,
  best_step: null,
  train: 3 - step / 40,
  held_out: held,
});

test("a model that learns is followed from its first event to its last", async () => {
  const { source, say } = stream();
  const asked = [];
  const api = {
    finetune: async (...args) => (
      asked.push(args),
      { id: "j", model: "m", result: "m-j", title: "t", state: "queued", error: null }
    ),
    jobEvents: (id) => `/${id}`,
    jobs: async () => [],
  };
  const store = createStore({
    ...start,
    panel: null,
    model: { ...start.model, title: "One-shots" },
    library: library(["u1", "u2"]),
  });
  const jobs = createJobs({ store, api, complain: assert.fail, makeSource: () => source });
  await jobs.start();
  assert.deepEqual(asked, [["m", ["u1", "u2"], "One-shots, 2 of yours"]]);
  say("loading");
  say("progress", progress("trial", 10, 2.5));
  say("progress", progress("trial", 20, 2.2));
  assert.deepEqual(
    store.get().job.curve.map(({ held }) => held),
    [2.5, 2.2],
  );
  say("progress", progress("final", 10));
  assert.deepEqual(
    store.get().job.curve.map(({ phase, held }) => [phase, held]),
    [
      ["trial", 2.5],
      ["trial", 2.2],
      ["final", null],
    ],
    "both runs are drawn",
  );
  say("preview", { step: 10 });
  say("done", { reason: "all 40 steps were taken" });
  assert.match(jobWords(store.get().job), /^Finished: all 40 steps were taken\./);
  assert.deepEqual([store.get().job.phase, store.get().job.previews, source.closed], ["done", 1, true]);
  jobs.dismiss();
  assert.equal(store.get().job, null);
});

test("after a reload a running job is found again; one that is over is not", async () => {
  const { source, say } = stream();
  const job = (id, state) => ({ id, model: "m", result: `m-${id}`, title: "", state, error: null });
  const store = createStore(start);
  createJobs({
    store,
    api: { jobs: async () => [job("new", "running"), job("old", "done")], jobEvents: (id) => `/${id}` },
    complain: assert.fail,
    makeSource: () => source,
  });
  await settle();
  assert.equal(store.get().job.id, "new");
  say("failed", { message: "the disk is full." });
  assert.equal(jobWords(store.get().job), "Fine-tuning failed: the disk is full.");
});

test("a job that was interrupted draws its curve on from where it went on, and says so", () => {
  const fresh = { id: "j", phase: "queued", curve: [], progress: null, previews: 0, attempts: 0, from: null };
  const events = [
    ["started", { attempt: 1 }],
    ["progress", progress("trial", 10)],
    ["progress", progress("trial", 20)],
    ["interrupted", {}],
    ["started", { attempt: 2 }],
    ["progress", progress("trial", 20)],
  ];
  const after = events.reduce((job, [kind, data]) => reported(job, kind, data), fresh);
  assert.deepEqual(
    after.curve.map(({ step }) => step),
    [10, 20],
  );
  assert.equal(brokenWords(after), "It was interrupted once and went on at step 20; nothing was lost.");
  assert.equal(brokenWords({ ...after, attempts: 1 }), "");
});

test("a job that waits says for what, and no more once it goes on", () => {
  const fresh = { id: "j", phase: "queued", curve: [], progress: null, previews: 0, attempts: 0, from: null };
  const waiting = reported(fresh, "waiting", { message: "it waits for room on the disk." });
  assert.equal(jobWords(waiting), "Fine-tuning cannot go on yet: it waits for room on the disk.");
  const onwards = reported(waiting, "started", { attempt: 1 });
  assert.equal(onwards.error, null);
  assert.equal(jobWords(onwards), "Starting.");
});

test("what was gained for sounds that were left out is said, nothing too", () => {
  const curve = (...held) => ({
    curve: held.map((error, i) => ({ phase: "trial", step: 10 * i, train: 1, held: error })),
  });
  assert.equal(gainWords(curve(2.1, 2.1, 2.08)), "Nothing was gained for sounds it had not heard.");
  assert.equal(gainWords(curve(4, 3, 3.5)), "Sounds it had not heard came 25 % closer.");
  assert.equal(gainWords(curve(null, null)), "", "none were left out");
});

test("time left is told as one says it", () =>
  assert.deepEqual([0.2, 42, 70, null].map(remainingWords), ["1 s", "42 s", "1 min 10 s", ""]));
