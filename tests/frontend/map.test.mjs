import assert from "node:assert/strict";
import { test } from "node:test";
import { createCourse, pinned } from "../../frontend/atlas/course.js";
import { createGrid } from "../../frontend/core/grid.js";
import { boxAround, overlap, layOut } from "../../frontend/core/labels.js";
import { bandColours, landBounds, toBands } from "../../frontend/atlas/land.js";
import { bounded, fit, fitAround, panned, toMap, toScreen, zoomed } from "../../frontend/core/view.js";

/** Park and Miller's generator: the same points every time. */
function random(seed) {
  return () => (seed = (seed * 16807) % 2147483647) / 2147483647;
}

const next = random(7);
const xs = Array.from({ length: 2000 }, () => next() * 4 - 2);
const ys = Array.from({ length: 2000 }, () => next() ** 2 * 3);
const grid = createGrid(xs, ys);

test("the grid finds the point that a search through all of them finds", () => {
  for (let n = 0; n < 500; n++) {
    const [px, py, radius] = [next() * 5 - 2.5, next() * 4 - 0.5, next() * 0.3];
    let best = -1;
    let least = radius;
    xs.forEach((x, i) => {
      const far = Math.hypot(x - px, ys[i] - py);
      if (far <= least) [least, best] = [far, i];
    });
    assert.equal(grid.nearest(px, py, radius), best);
  }
});

test("the grid counts what lies in a box", () => {
  for (let n = 0; n < 100; n++) {
    const [x, y, w, h] = [next() * 5 - 2.5, next() * 4 - 0.5, next(), next()];
    const inside = xs.filter((v, i) => v >= x && v <= x + w && ys[i] >= y && ys[i] <= y + h).length;
    assert.equal(grid.count(x, x + w, y, y + h), inside);
  }
});

test("grids of no point, of one, and of many in one place", () => {
  assert.equal(createGrid([], []).nearest(0, 0, 9), -1);
  assert.equal(createGrid([], []).count(0, 1, 0, 1), 0);
  assert.equal(createGrid([3], [4]).nearest(3, 4.5, 1), 0);
  assert.ok(createGrid([1, 1, 1], [2, 2, 2]).nearest(1, 2, 0.1) >= 0);
});

test("an arrow key leads that way, to the nearest, and from everywhere one can come everywhere", () => {
  const ways = [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ];
  const reached = new Set([0]);
  const open = [0];
  while (open.length) {
    const from = open.pop();
    for (const [dx, dy] of ways) {
      const to = grid.towards(from, dx, dy);
      if (to < 0) continue;
      assert.ok((xs[to] - xs[from]) * dx + (ys[to] - ys[from]) * dy > 0);
      if (!reached.has(to)) (reached.add(to), open.push(to));
    }
  }
  assert.ok(reached.size > 0.97 * xs.length, `${reached.size} of ${xs.length}`);
});

test("a point of the four directions of a cross is found by its arrow", () => {
  const cross = createGrid([0, 1, -1, 0, 0], [0, 0, 0, 1, -1]);
  assert.deepEqual(
    [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ].map(([x, y]) => cross.towards(0, x, y)),
    [1, 2, 3, 4],
  );
});

const view = { x: 0.3, y: -0.2, k: 140, width: 900, height: 500 };
const near = (p, q) => p.forEach((v, i) => assert.ok(Math.abs(v - q[i]) < 1e-9, `${p} is not ${q}`));

test("to the screen and back is where one was, and up is up", () => {
  near(toMap(view, toScreen(view, [1.2, 0.7])), [1.2, 0.7]);
  assert.ok(toScreen(view, [0, 1])[1] < toScreen(view, [0, 0])[1]);
});

test("what is under the pointer stays there while one zooms, and follows it while one pans", () => {
  const at = [700, 90];
  near(toMap(zoomed(view, 1.7, at), at), toMap(view, at));
  near(toMap(panned(view, 30, -20), [730, 70]), toMap(view, [700, 90]));
});

test("what is fitted lies within the insets", () => {
  const fitted = fit(
    [-2, 2, 0, 3],
    { width: 900, height: 500 },
    { left: 100, top: 50, right: 20, bottom: 10 },
  );
  const [left, top] = toScreen(fitted, [-2, 3]);
  const [right, bottom] = toScreen(fitted, [2, 0]);
  assert.ok(left >= 100 - 1e-9 && top >= 50 - 1e-9 && right <= 880 + 1e-9 && bottom <= 490 + 1e-9);
});

test("the map makes way for words that would cover sounds, and for none that do not", () => {
  const size = { width: 900, height: 500 };
  const margin = { left: 10, top: 10, right: 10, bottom: 10 };
  const box = { left: 0, top: 0, right: 880, bottom: 120 };
  const bounds = [-2, 2, 0, 3];
  const plain = fit(bounds, size, margin);
  const covered = ({ x, y, k, width, height }) =>
    xs.filter((v, i) => height / 2 - (ys[i] - y) * k < box.bottom && width / 2 + (v - x) * k < box.right)
      .length;
  assert.ok(covered(plain) > 100);
  assert.ok(covered(fitAround(bounds, size, margin, [box], grid, xs.length)) < 20);
  const aside = { left: 0, top: 0, right: 30, bottom: 20 };
  assert.deepEqual(fitAround(bounds, size, margin, [aside], grid, xs.length), plain);
});

test("one cannot get lost: zoom and middle keep within bounds", () => {
  const lost = bounded({ ...view, k: 1e9, x: 99, y: -99 }, view, [-1, 1, -1, 1]);
  assert.deepEqual([lost.k, lost.x, lost.y], [24 * view.k, 1, -1]);
});

test("words take places that are free when there are any", () => {
  const free = boxAround(300, 300, 60, 20);
  const words = [
    { options: [{ box: boxAround(100, 100, 60, 20) }, { box: free, price: 1 }] },
    { options: [{ box: boxAround(105, 105, 60, 20) }, { box: boxAround(100, 200, 60, 20), price: 2 }] },
  ];
  const chosen = layOut(words, [boxAround(90, 100, 30, 30)], {
    left: 0,
    top: 0,
    right: 400,
    bottom: 400,
  });
  const boxes = chosen.map((nth, i) => words[i].options[nth].box);
  assert.deepEqual(boxes[0], free);
  assert.equal(overlap(boxes[0], boxes[1]), 0);
});

test("words stay on the map", () => {
  const bounds = { left: 0, top: 0, right: 100, bottom: 100 };
  const [nth] = layOut(
    [{ options: [{ box: boxAround(0, 50, 60, 20) }, { box: boxAround(50, 50, 60, 20), price: 3 }] }],
    [],
    bounds,
  );
  assert.equal(nth, 1);
});

test("the traveller is at a step's place when the step sounds, however uneven the curve", () => {
  const map = Array.from({ length: 65 }, (_, i) => [
    Math.cos((i / 64) ** 3 * 3),
    Math.sin((i / 64) ** 3 * 3),
  ]);
  const on = (t) => {
    const i = Math.min(63, Math.floor(t));
    return [0, 1].map((c) => map[i][c] + (t - i) * (map[i + 1][c] - map[i][c]));
  };
  const steps = Array.from({ length: 17 }, (_, i) => on(64 * (i / 16) ** 0.5));
  const course = createCourse({ map, step_positions: steps });
  steps.forEach((step, i) => near(course.at(i / 16), step));
  const places = map.map((_, i) => course.progressAt(i));
  assert.ok(places.every((t, i) => i === 0 || t >= places[i - 1]));
  assert.deepEqual([places[0], places[64]], [0, 1]);
});

test("a drawn way begins and ends at its sounds, and is bent no more than its ends were off", () => {
  const map = Array.from({ length: 65 }, (_, i) => [i / 64, Math.sin(i / 10)]);
  const path = { map, step_positions: map.filter((_, i) => i % 4 === 0) };
  const drawn = pinned(path, [0.1, 0], [1, 5]);
  assert.deepEqual(
    [drawn.map[0], drawn.step_positions[0]],
    [
      [0.1, 0],
      [0.1, 0],
    ],
  );
  near(drawn.map[64], [1, 5]);
  near(drawn.map[32], [map[32][0] + 0.05, map[32][1] + (5 - map[64][1]) / 2]);
  assert.deepEqual(pinned(path, null, null), path);
});

test("a way that leads nowhere has a traveller too", () => {
  const course = createCourse({ map: Array(65).fill([1, 2]), step_positions: Array(17).fill([1, 2]) });
  assert.deepEqual(course.at(0.4), [1, 2]);
});

const field = {
  x: [0, 1, 2],
  y: [0, 1],
  values: [
    [-3, 0, 2],
    [1, 5, 40],
  ],
  coast: 1,
  levels: [-3, -1, 0, 2, 8],
};

test("in the units of contour bands every level is a whole number, and so is the coast", () => {
  const { bands, lines, coast } = toBands(field);
  assert.equal(lines, 6); // -3 -1 0 | 1 | 2 8
  assert.equal(coast, 3);
  assert.deepEqual(
    bands.slice(1, -1).map((row) => row.slice(1, -1)),
    [
      [0, 2, 4],
      [3, 4.5, 6],
    ],
  );
});

test("land has bounds, and where there is none it has none", () => {
  assert.deepEqual(landBounds(field), [0, 1, 0, 1]);
  assert.equal(landBounds({ ...field, coast: -9 }), null);
});

test("the field ends in open sea on every side", () => {
  const { bands, lines, x, y } = toBands(field);
  const rim = [
    ...bands[0],
    ...bands[bands.length - 1],
    ...bands.flatMap((row) => [row[0], row[row.length - 1]]),
  ];
  assert.ok(rim.every((band) => band === lines));
  assert.deepEqual([x.length, y.length], [5, 4]);
});

test("a band is land up to the coast, then shore, then sea", () => {
  const colours = bandColours(6, 3, { land: "#2B303B", shore: "#131A22", sea: "#0B1015" });
  assert.deepEqual(colours.slice(0, 4), Array(4).fill("#2B303B"));
  assert.equal(colours[4], "rgb(19,26,34)");
  assert.equal(colours[6], "rgb(11,16,21)");
});
