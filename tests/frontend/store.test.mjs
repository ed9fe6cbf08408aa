import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore, watch } from "../../frontend/core/store.js";

test("a change that changes nothing wakes nobody", () => {
  const store = createStore({ a: 1, b: [2] });
  let woken = 0;
  store.subscribe(() => woken++);
  store.set({ a: 1, b: store.get().b });
  assert.equal(woken, 0);
  store.set({ a: 2 });
  assert.equal(woken, 1);
});

test("listeners that change the store see every state in order, and once each", () => {
  const store = createStore({ n: 0, doubled: 0 });
  const seen = [];
  store.subscribe(({ n }) => store.set({ doubled: 2 * n }));
  store.subscribe((now, before) => seen.push([before.n, before.doubled, now.n, now.doubled]));
  store.set({ n: 3 });
  assert.deepEqual(seen, [
    [0, 0, 3, 0],
    [3, 0, 3, 6],
  ]);
});

test("a watcher runs at once, then only when what it picks is another thing", () => {
  const store = createStore({ a: 1, b: 1 });
  const runs = [];
  const stop = watch(
    store,
    ({ a }) => [a],
    ({ a }) => runs.push(a),
  );
  store.set({ b: 2 });
  store.set({ a: 5 });
  stop();
  store.set({ a: 6 });
  assert.deepEqual(runs, [1, 5]);
});

test("who unsubscribes while being told is not told again", () => {
  const store = createStore({ a: 1 });
  let told = 0;
  const stop = store.subscribe(() => {
    told++;
    stop();
  });
  store.set({ a: 2 });
  store.set({ a: 3 });
  assert.equal(told, 1);
});
