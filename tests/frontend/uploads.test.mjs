import assert from "node:assert/strict";
import { test } from "node:test";
import { createLibrary } from "../../frontend/library/sounds.js";
import { initial } from "../../frontend/state.js";
import { createStore } from "../../frontend/store.js";
import { createJobs, told } from "../../frontend/upload/jobs.js";
import { brokenWords, gainWords, jobWords, left } from "../../frontend/upload/refine.js";
import { createUploads, cutsOf, isPlain, moved, refusal } from "../../frontend/upload/uploads.js";

const limits = { upload_files: 3, upload_bytes: 4 * 2 ** 20, upload_seconds: 10 };
const library = (uploaded) => createLibrary({
  family_names: ["Kick", "yours"], id: ["aaaaaaaaaaaa", ...uploaded], name: ["Alpha", ...uploaded], family: [0, ...uploaded.map(() => 1)], x: [0, ...uploaded.map(() => 1)], y: [0, ...uploaded.map(() => 0)],
  seconds: [1, ...uploaded.map(() => 0.5)], pitch: [null, ...uploaded.map(() => null)], source: [""], licence: [""], credit: [""], kind: ["library", ...uploaded.map(() => "uploaded")],
});
const start = { ...initial, model: { id: "m", unit: "tdB", limits }, library: library([]), server: { phase: "ready" }, panel: "yours" };
const found = (n) => ({ name: "take.wav", seconds: 4, audio_url: "/take", overview: [[0, 0]], sounds: Array.from({ length: n }, (_, i) => ({ start: i, end: i + 0.5, name: `take ${i + 1}`, strength: 1, peak_db: -3 })) });
const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));
const file = (name, size = 100) => ({ name, size });

test("files that cannot be sent are refused before they are sent, with what would work", () => {
  assert.equal(refusal([file("a.wav"), file("b.wav")], limits), null);
  assert.match(refusal(Array(4).fill(file("a.wav")), limits), /takes 3/);
  assert.match(refusal([file("a.wav", 5 * 2 ** 20)], limits), /5\.0 MB together; the engine takes 4\.0 MB/);
  assert.match(refusal([file("a.wav"), file("empty.wav", 0)], limits), /empty\.wav is empty/);
});

test("an edge can be moved inside its recording, never past the other one, never to more than ten seconds", () => {
  const cut = { file: 0, start: 1, end: 2, name: "", on: true };
  const edges = (edge, at, seconds = 4) => { const { start, end } = moved(cut, edge, at, seconds); return [start, end]; };
  assert.deepEqual(edges("start", 0.5), [0.5, 2]);
  assert.deepEqual(edges("start", -1), [0, 2]);
  assert.deepEqual(edges("start", 3), [1.98, 2]);
  assert.deepEqual(edges("end", 9), [1, 4]);
  assert.deepEqual(edges("end", 0), [1, 1.02]);
  assert.deepEqual(edges("end", 99, 60), [1, 11]);
});

function engine(reply) {
  const asked = [];
  const api = {
    upload: async (_, files) => (asked.push(["upload", files.length]), reply),
    proposals: async (_, id, threshold) => (asked.push(["proposals", threshold]), { id, files: [found(5)] }),
    choose: async (_, id, sounds) => (asked.push(["choose", sounds]), { sounds: sounds.map(({ name }) => ({ id: `u${name}` })) }),
    forget: async (_, id) => void asked.push(["forget", id]),
    check: async (...named) => (asked.push(["check", ...named]), { count: 2, seconds: 1, warnings: [], sounds: [] }),
  };
  return { api, asked, complain: assert.fail };
}

test("files of one sound each are kept at once, and the upload is forgotten", async () => {
  const { api, asked, complain } = engine({ id: "1", files: [found(1), found(1)] });
  const store = createStore(start);
  let refreshed = 0;
  createUploads({ store, api, complain, refresh: async () => void refreshed++ });
  store.set({ dropped: [file("a.wav"), file("b.wav")] });
  assert.equal(store.get().uploading.phase, "sending");
  await settle();
  assert.deepEqual(asked.map(([what]) => what), ["upload", "choose", "forget"]);
  assert.deepEqual(asked[1][1], [0, 1].map((nth) => ({ file: nth, start: 0, end: 0.5, name: "take 1" })));
  assert.deepEqual([store.get().uploading, store.get().dropped, refreshed], [null, null, 1]);
  assert.match(store.get().notice.text, /2 sounds are on the map/);
});

test("what was found in a long recording is asked about, corrected, and only what is chosen is kept", async () => {
  const { api, asked, complain } = engine({ id: "1", files: [found(3)] });
  const store = createStore(start);
  const uploads = createUploads({ store, api, complain, refresh: async () => {} });
  await uploads.take([file("take.wav")]);
  assert.equal(store.get().uploading.phase, "choosing");
  uploads.correct(0, { on: false });
  uploads.correct(2, { name: "Crash", start: 1.9 });
  await uploads.keep();
  assert.deepEqual(asked.find(([what]) => what === "choose")[1].map(({ name, start: from }) => [name, from]), [["take 2", 1], ["Crash", 1.9]]);
});

test("another threshold proposes anew; nothing chosen is nothing kept", async () => {
  const { api, asked, complain } = engine({ id: "1", files: [found(3)] });
  const store = createStore(start);
  const uploads = createUploads({ store, api, complain, refresh: async () => {} });
  await uploads.take([file("take.wav")]);
  await uploads.split(0.02);
  assert.equal(store.get().uploading.cuts.length, 5);
  store.get().uploading.cuts.forEach((_, nth) => uploads.correct(nth, { on: false }));
  await uploads.keep();
  assert.deepEqual(asked.map(([what]) => what), ["upload", "proposals"]);
  uploads.cancel();
  assert.deepEqual([store.get().uploading, asked[2]], [null, ["forget", "1"]]);
});

test("own sounds are looked at when there are others, and not twice", async () => {
  const { api, asked, complain } = engine({ id: "1", files: [] });
  const store = createStore(start);
  createUploads({ store, api, complain, refresh: async () => {} });
  store.set({ library: library(["u1", "u2"]) });
  await settle();
  store.set({ library: library(["u1", "u2"]) });
  await settle();
  assert.deepEqual(asked, [["check", start.model.id]], "the ids are left out: there may be thousands");
  assert.equal(store.get().check.count, 2);
  store.set({ library: library([]) });
  assert.equal(store.get().check, null);
});

test("a file is one sound, or it is not", () => {
  assert.ok(isPlain({ files: [found(1), found(1)] }));
  assert.ok(!isPlain({ files: [found(1), found(0)] }), "where nothing was found one is asked");
  assert.deepEqual(cutsOf({ files: [found(1), found(2)] }).map(({ file: nth, on }) => [nth, on]), [[0, true], [1, true], [1, true]]);
});

function stream() {
  const listeners = {};
  const source = { closed: false, close() { this.closed = true; }, addEventListener: (kind, run) => (listeners[kind] = run) };
  return { source, say: (kind, data = {}) => listeners[kind]({ data: JSON.stringify(data) }) };
}
const progress = (phase, step, held = null) => ({ phase, step, steps: 40, percent: step, eta: 9, best_step: null, train: 3 - step / 40, held_out: held });

test("a model that learns is followed from its first event to its last", async () => {
  const { source, say } = stream();
  const asked = [];
  const api = { refine: async (...args) => (asked.push(args), { id: "j", model: "m", result: "m-j", title: "t", state: "queued", error: null }), jobEvents: (id) => `/${id}`, jobs: async () => [] };
  const store = createStore({ ...start, panel: null, model: { ...start.model, title: "One-shots" }, library: library(["u1", "u2"]) });
  const jobs = createJobs({ store, api, complain: assert.fail, makeSource: () => source });
  await jobs.start();
  assert.deepEqual(asked, [["m", ["u1", "u2"], "One-shots, 2 of yours"]]);
  say("loading");
  say("progress", progress("trial", 10, 2.5));
  say("progress", progress("trial", 20, 2.2));
  assert.deepEqual(store.get().job.curve.map(({ held }) => held), [2.5, 2.2]);
  say("progress", progress("final", 10));
  assert.deepEqual(store.get().job.curve.map(({ phase, held }) => [phase, held]), [["trial", 2.5], ["trial", 2.2], ["final", null]], "both runs are drawn");
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
  createJobs({ store, api: { jobs: async () => [job("new", "running"), job("old", "done")], jobEvents: (id) => `/${id}` }, complain: assert.fail, makeSource: () => source });
  await settle();
  assert.equal(store.get().job.id, "new");
  say("failed", { message: "the disk is full." });
  assert.equal(jobWords(store.get().job), "Fine-tuning failed: the disk is full.");
});

test("a job that was interrupted draws its curve on from where it went on, and says so", () => {
  const fresh = { id: "j", phase: "queued", curve: [], progress: null, previews: 0, attempts: 0, from: null };
  const events = [["started", { attempt: 1 }], ["progress", progress("trial", 10)], ["progress", progress("trial", 20)], ["interrupted", {}], ["started", { attempt: 2 }], ["progress", progress("trial", 20)]];
  const after = events.reduce((job, [kind, data]) => told(job, kind, data), fresh);
  assert.deepEqual(after.curve.map(({ step }) => step), [10, 20]);
  assert.equal(brokenWords(after), "It was interrupted once and went on at step 20; nothing was lost.");
  assert.equal(brokenWords({ ...after, attempts: 1 }), "");
});

test("what was gained for sounds that were left out is said, nothing too", () => {
  const curve = (...held) => ({ curve: held.map((error, i) => ({ phase: "trial", step: 10 * i, train: 1, held: error })) });
  assert.equal(gainWords(curve(2.1, 2.1, 2.08)), "Nothing was gained for sounds it had not heard.");
  assert.equal(gainWords(curve(4, 3, 3.5)), "Sounds it had not heard came 25 % closer.");
  assert.equal(gainWords(curve(null, null)), "", "none were left out");
});

test("time left is told as one says it", () => assert.deepEqual([0.2, 42, 70, null].map(left), ["1 s", "42 s", "1 min 10 s", ""]));
