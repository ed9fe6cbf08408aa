import assert from "node:assert/strict";
import { test } from "node:test";
import { attachedName } from "../../frontend/core/api.js";
import { ApiError, isWorthRetrying } from "../../frontend/core/client.js";
import { createDeleting, deletedWords, hidingDeleted, remembered } from "../../frontend/found/deleting.js";
import { createLibrary } from "../../frontend/core/sounds.js";
import { downloadUrl, fileOf } from "../../frontend/save/drag.js";
import { destinationOf, instrumentOf, kindOf, morphOf, stepNumber } from "../../frontend/save/saver.js";
import { readPreferences } from "../../frontend/shell/preferences.js";
import { initialState } from "../../frontend/panels.js";
import { createStore } from "../../frontend/core/store.js";

const initial = initialState();

const columns = () => ({
  family_names: ["Kick", "yours"],
  id: ["a", "u1", "u2"],
  name: ["Kick", "One", "Two"],
  family: [0, 1, 1],
  x: [0, 1, 2],
  y: [0, 0, 0],
  seconds: [1, 1, 1],
  pitch: [null, null, null],
  source: ["", "", ""],
  licence: ["", "", ""],
  credit: ["", "", ""],
  kind: ["library", "uploaded", "uploaded"],
});
const memory = () => {
  const held = new Map();
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
};
const settle = (ms = 0) => new Promise((done) => setTimeout(done, ms));

function page(storage, grace, answer = async () => {}) {
  const gone = [];
  const store = createStore({ ...initial, model: { id: "m" } });
  const api = hidingDeleted(
    {
      sounds: async () => columns(),
      distances: async () => ({ distances: [1, 2, 3] }),
      remove: async (_, id) => (await answer(id), gone.push(id)),
    },
    () => store.get().deleted,
  );
  const refresh = async () => store.set({ library: createLibrary(await api.sounds("m")) });
  const deleting = createDeleting({ store, api, storage, refresh, complain: assert.fail, grace });
  return { store, api, deleting, gone, refresh };
}

test("a deleted sound is gone from the page at once, with everything that stands in its row, and comes back as it was", async () => {
  const { store, api, deleting, gone } = page(memory(), 60_000);
  await deleting.remove([{ id: "u1", name: "One" }]);
  assert.deepEqual(store.get().library.id, ["a", "u2"]);
  assert.deepEqual(store.get().library.family_names, ["Kick", "yours"]);
  assert.deepEqual((await api.distances("m", "a")).distances, [1, 3]);
  assert.equal(deletedWords(store.get().deleted), "“One”");
  await deleting.undo();
  assert.deepEqual([store.get().library.id, store.get().deleted, gone], [["a", "u1", "u2"], [], []]);
  deleting.destroy();
});

test("a sound that is gone for good while the list is on its way is not shown again", async () => {
  let deleted = [{ model: "m", id: "u1", name: "One", until: 0 }];
  let arrive = () => {};
  const arrived = new Promise((done) => (arrive = done));
  const api = hidingDeleted({ sounds: async () => (await arrived, columns()) }, () => deleted);
  const list = api.sounds("m");
  deleted = [];
  arrive();
  assert.deepEqual((await list).id, ["a", "u2"]);
});

test("a reload changes nothing: what was deleted stays so, and can be taken back", async () => {
  const storage = memory();
  const before = page(storage, 60_000);
  await before.deleting.remove([{ id: "u2", name: "Two" }]);
  before.deleting.destroy();
  const after = page(storage, 60_000);
  await after.refresh();
  assert.deepEqual(after.store.get().library.id, ["a", "u1"]);
  await after.deleting.undo();
  assert.deepEqual(after.store.get().library.id, ["a", "u1", "u2"]);
  after.deleting.destroy();
});

test("when its time is over it is gone for good, once, and also where it has gone already", async () => {
  const { store, deleting, gone } = page(memory(), 5, async (id) => {
    if (id === "u1") throw new ApiError("No such sound.", "sound_not_found", 404);
  });
  await deleting.remove([
    { id: "u1", name: "One" },
    { id: "u2", name: "Two" },
  ]);
  await settle(40);
  assert.deepEqual([gone, store.get().deleted], [["u2"], []]);
  deleting.destroy();
});

test("each is deleted once, however long the server takes", async () => {
  const asked = [];
  const { store, deleting } = page(memory(), 1, async (id) => (asked.push(id), settle(15)));
  await deleting.remove(["u1", "u2"].map((id) => ({ id, name: id })));
  await settle(80);
  assert.deepEqual([asked, store.get().deleted], [["u1", "u2"], []]);
  deleting.destroy();
});

test("a server that is away deletes nothing, and what is to be deleted is not forgotten", async () => {
  const storage = memory();
  const { deleting, gone } = page(storage, 1, async () => {
    throw new ApiError("Away.", "away", 0);
  });
  await deleting.remove([{ id: "u1", name: "One" }]);
  await settle(30);
  assert.deepEqual([gone, remembered(storage).map(({ id }) => id)], [[], ["u1"]]);
  deleting.destroy();
});

test("whatever else lies in the browser's memory is no deletion", () => {
  for (const text of ["{", "7", '[{"id": 1}]', '["x"]'])
    assert.deepEqual(remembered({ getItem: () => text }), []);
});

test("trying again is offered where it can help", () => {
  const worth = (status) => isWorthRetrying(new ApiError("", "", status));
  assert.deepEqual([0, 404, 409, 429, 500, 503, 507].map(worth), Array(7).fill(true));
  assert.deepEqual([400, 403, 413, 415, 422].map(worth), Array(5).fill(false));
  assert.equal(isWorthRetrying(new TypeError("x")), true);
});

test("a file has the name that the service gives it", () => {
  assert.equal(attachedName("attachment; filename=\"koto.zip\"; filename*=UTF-8''k%C3%B6to.zip"), "köto.zip");
  assert.equal(attachedName(""), "sound");
});

test("what is saved is the way that is heard", () => {
  const library = createLibrary(columns());
  const state = {
    ...initial,
    library,
    model: { id: "m", weights: { min: 0, max: 10, default: 1 } },
    a: { sound: "a" },
    b: { sound: "u1" },
    progress: 0.5,
  };
  const anchors = [{ sound: "a" }, { sound: "u1" }];
  const step = morphOf(state, "step", anchors);
  assert.deepEqual([step.kind, step.only, step.steps, step.names], ["geodesic", 9, 17, ["Kick", "One"]]);
  assert.deepEqual(morphOf({ ...state, path: "retimed" }, "steps", anchors), {
    anchors,
    names: ["Kick", "One"],
    kind: "retimed",
    steps: 17,
  });
  assert.equal(morphOf({ ...state, seconds: 7 }, "glide", anchors).seconds, 7);
  assert.equal(morphOf({ ...state, weight: Infinity }, "steps", anchors).kind, "graph");
  assert.equal(stepNumber(1, 5), 5);
});

test("how one likes to save is remembered, as far as it makes sense", () => {
  const saving = { steps: 9, format: "flac", depth: 24, level: "normalise", trim: true };
  const read = (kept) => readPreferences({ getItem: () => JSON.stringify({ saving: kept }) }).saving;
  assert.deepEqual(read(saving), saving);
  for (const wrong of [
    { ...saving, depth: 8 },
    { ...saving, steps: 99 },
    { ...saving, level: "loud" },
    { ...saving, instrument: 7 },
    7,
    null,
  ])
    assert.equal(read(wrong), undefined);
});

test("an instrument is of the kind that was chosen, or of the first that there is", () => {
  const choices = { instruments: [{ id: "sfz" }, { id: "later" }] };
  const saving = { ...initial.saving, instrument: "later", trim: true };
  assert.deepEqual(instrumentOf({ saving, choices }), {
    instrument: { kind: "later" },
    level: "keep",
    trim: true,
  });
  assert.equal(kindOf({ ...saving, instrument: "gone" }, choices.instruments), "sfz");
  assert.equal(kindOf(initial.saving, choices.instruments), "sfz");
});

test("exports go into the export folder where there is one, unless the browser is to have them", () => {
  const saving = initial.saving;
  assert.deepEqual(destinationOf({ saving, exportFolder: false }), {});
  assert.deepEqual(destinationOf({ saving, exportFolder: true }), { destination: "folder" });
  assert.deepEqual(destinationOf({ saving: { ...saving, download: true }, exportFolder: true }), {});
});

test("what is dragged out is the row's sound, else the steps as they are played", () => {
  const library = { id: ["s1", "s2"], name: ["Kick: hard", "Bell"], indexOf: (id) => library.id.indexOf(id) };
  const soundUrl = (model, id) => `/api/v1/models/${model}/sounds/${id}/audio?format=wav`;
  const state = {
    model: { id: "m" },
    library,
    path: "geodesic",
    morph: { paths: { geodesic: { audio: { url: "/api/v1/audio/abc" } } } },
    a: { sound: "s1" },
    b: { sound: "s2" },
  };
  assert.equal(
    downloadUrl(fileOf(state, "s1", soundUrl), "http://localhost:8750/?a=s1"),
    "audio/wav:Kick- hard.wav:http://localhost:8750/api/v1/models/m/sounds/s1/audio?format=wav",
  );
  assert.deepEqual(fileOf(state, undefined, soundUrl), {
    name: "Kick: hard to Bell",
    url: "/api/v1/audio/abc?format=wav",
  });
  assert.equal(fileOf({ ...state, morph: null }, undefined, soundUrl), null);
  assert.equal(fileOf({ ...state, model: null }, "s1", soundUrl), null);
});
