import assert from "node:assert/strict";
import { test } from "node:test";
import {
  OTHER,
  coloured,
  createCloud,
  idsInside,
  litRows,
  mergedColumns,
  readColumns,
} from "../../frontend/core/cloud.js";
import { createLasso } from "../../frontend/cloud/lasso.js";
import { cloudPointSize } from "../../frontend/cloud/layer.js";

/** @param {Record<string, number[]>} some */
function columns(some, facts = {}) {
  const count = some.id.length;
  const none = new Array(count).fill(0);
  return {
    version: "a.1",
    whole: true,
    growing: false,
    extent: [-1, 1, -2, 2],
    families: ["kick", "snare"],
    folders: ["Kits", "Tape"],
    id: Uint32Array.from(some.id),
    x: Uint16Array.from(some.x ?? none),
    y: Uint16Array.from(some.y ?? none),
    family: Uint8Array.from(some.family ?? none),
    folder: Uint8Array.from(some.folder ?? none),
    brightness: Uint8Array.from(some.brightness ?? none),
    ...facts,
  };
}

test("what the service sends is read by what its header says, wherever the columns begin", () => {
  for (const padding of [0, 1, 2, 3]) {
    const header = {
      version: "v",
      count: 2,
      columns: [
        ["family", "uint8"],
        ["x", "uint16"],
        ["id", "uint32"],
      ],
    };
    const text = new TextEncoder().encode(JSON.stringify(header) + " ".repeat(padding));
    const bytes = new ArrayBuffer(4 + text.length + 2 + 4 + 8);
    const view = new DataView(bytes);
    view.setUint32(0, text.length, true);
    new Uint8Array(bytes).set(text, 4);
    const at = 4 + text.length;
    view.setUint8(at + 1, 7);
    view.setUint16(at + 2, 513, true);
    view.setUint32(at + 10, 70_000, true);
    const read = readColumns(bytes);
    assert.equal(read.version, "v");
    assert.deepEqual([...read.family, ...read.x, ...read.id], [0, 7, 513, 0, 0, 70_000]);
  }
});

test("newer columns change, add and take out rows, and ids still rise", () => {
  const old = columns({ id: [2, 4, 6], x: [20, 40, 60] });
  const newer = columns(
    { id: [1, 4, 6, 9], x: [10, 41, 0, 90], family: [0, 1, 255, 0] },
    { version: "a.2", whole: false },
  );
  const merged = mergedColumns(old, newer);
  assert.deepEqual([...merged.id], [1, 2, 4, 9]);
  assert.deepEqual([...merged.x], [10, 20, 41, 90]);
  assert.deepEqual([...merged.family], [0, 0, 1, 0]);
  assert.deepEqual([merged.version, merged.whole], ["a.2", true]);
  assert.ok(merged.x instanceof Uint16Array && merged.id instanceof Uint32Array);
  assert.deepEqual([...mergedColumns(merged, columns({ id: [] })).id], [1, 2, 4, 9]);
});

test("points stand where their shares of the extent say, and are had by id and by nearness", () => {
  const cloud = createCloud("m", columns({ id: [3, 5, 8], x: [0, 65535, 32768], y: [0, 65535, 32768] }));
  assert.deepEqual(
    [cloud.position(0), cloud.position(1)],
    [
      [-1, -2],
      [1, 2],
    ],
  );
  assert.deepEqual([3, 5, 8, 4, 9, 0].map(cloud.rowOf), [0, 1, 2, -1, -1, -1]);
  assert.equal(cloud.grid.nearest(0.1, 0.1, 0.5), 2);
  assert.equal(
    cloud.grid.nearest(0.1, 0.1, 9, (row) => row !== 2),
    1,
    "the nearest that counts",
  );
});

test("families, a search and a selection all have to let a row through", () => {
  const cloud = createCloud("m", columns({ id: [1, 2, 3, 4], family: [0, 1, 1, OTHER] }));
  const filter = { families: [], matches: null, selection: null };
  assert.equal(litRows(cloud, filter), null);
  const lit = (some) => [...litRows(cloud, { ...filter, ...some })];
  assert.deepEqual(lit({ families: [1] }), [0, 1, 1, 0]);
  assert.deepEqual(lit({ matches: Uint32Array.of(0, 2, 4, 99) }), [0, 1, 0, 1]);
  assert.deepEqual(lit({ matches: new Uint32Array() }), [0, 0, 0, 0]);
  assert.deepEqual(
    lit({ families: [1], matches: Uint32Array.of(2, 4), selection: Uint32Array.of(2, 3) }),
    [0, 1, 0, 0],
  );
});

test("an outline holds what is inside it, also where it is hollow", () => {
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => share * 65535);
  const cloud = createCloud("m", columns({ id: [1, 2, 3, 4, 5], x: steps, y: new Array(5).fill(32768) }));
  const box = [
    [-0.6, -1],
    [0.6, -1],
    [0.6, 1],
    [-0.6, 1],
  ];
  assert.deepEqual([...idsInside(cloud, box, null)], [2, 3, 4]);
  assert.deepEqual([...idsInside(cloud, box, Uint8Array.of(1, 1, 0, 1, 1))], [2, 4]);
  const u = [[-0.6, -1], [-0.4, -1], [-0.4, 0.5], [0.4, 0.5], [0.4, -1], [0.6, -1], [0.6, 1], [-0.6, 1]]; // prettier-ignore
  assert.deepEqual([...idsInside(cloud, u, null)], [2, 4]);
  assert.deepEqual([...idsInside(cloud, [[-1, 0]], null)], []);
});

test("the largest folders have a colour and a shape of their own, the others share one", () => {
  const sizes = [1, 9, 8, 7, 6, 5, 4, 3, 2];
  const folder = sizes.flatMap((size, number) => new Array(size).fill(number));
  const cloud = createCloud(
    "m",
    columns({ id: folder.map((_, i) => i + 1), folder }, { folders: sizes.map(String) }),
  );
  const { kind, names, counts } = coloured(cloud, "folder");
  assert.deepEqual(names, ["9", "8", "7", "6", "5", "4", "3", "other folders"]);
  assert.deepEqual(counts, [9, 8, 7, 6, 5, 4, 3, 3]);
  assert.equal(kind[0], 7);
  assert.equal(kind[1], 0);
});

test("brightness goes from the first colour to the last", () => {
  const cloud = createCloud("m", columns({ id: [1, 2, 3], brightness: [0, 128, 255] }));
  assert.deepEqual([...coloured(cloud, "brightness").kind], [0, 4, 7]);
});

test("a rectangle is drawn from corner to corner, an outline along the hand", () => {
  const shown = [];
  const lasso = createLasso({ setAttribute: (_, d) => shown.push(d) });
  lasso.begin([10, 10], true);
  lasso.to([20, 5]);
  lasso.to([30, 40]);
  assert.deepEqual(lasso.end(), [[10, 10], [30, 10], [30, 40], [10, 40]]); // prettier-ignore
  lasso.begin([0, 0], false);
  lasso.to([1, 1]); // too near to be a corner
  for (const at of [[9, 0], [9, 9]]) lasso.to(at); // prettier-ignore
  assert.deepEqual(lasso.end(), [[0, 0], [9, 0], [9, 9]]); // prettier-ignore
  assert.equal(shown.at(-1), "", "nothing stays on the map");
});

test("points have the size that there is room for", () => {
  assert.equal(cloudPointSize(0.4, 1), 1.6);
  assert.equal(cloudPointSize(1e6, 1), 8);
  assert.ok(cloudPointSize(20, 1) > 3 && cloudPointSize(20, 1) < 4);
  assert.equal(cloudPointSize(1e6, 2), 16);
});
