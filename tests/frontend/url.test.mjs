import assert from "node:assert/strict";
import { test } from "node:test";
import { initialState, linkFields } from "../../frontend/panels.js";
import { createLinks } from "../../frontend/core/url.js";
import { createStore } from "../../frontend/core/store.js";

const initial = initialState();
const FIELDS = linkFields();
const { read: readLink, write: writeLink, follow: followLink } = createLinks(FIELDS, initial);

const somewhere = {
  ...initial,
  modelId: "oneshots",
  a: { sound: "0123456789ab" },
  b: { position: [-0.25, 1.5] },
  path: "linear",
  weight: 2.5,
  metric: "kernel",
  mode: "glide",
  progress: 0.375,
  curve: "brightness",
  ellipses: true,
  marked: [{ sound: "0123456789ab" }, { position: [1, -2.5] }],
  operation: "mean",
  reach: 1.8,
  sampler: "walk",
  count: 12,
  temperature: 0.7,
  seed: 4711,
  beside: false,
  hear: "after",
  amounts: { common: 0.5, "own-1": -1 },
  hold: false,
  subject: "here",
  shape: { descriptor: "soft_attack", by: -3 },
  loop: true,
  panel: "library",
  query: "kick & snare, 50 %",
  families: [0, 3],
  sort: { by: "distance", down: true },
  theme: "light",
  view: { x: 0.5, y: -0.25, zoom: 2 },
};

test("every screen is a link: what is written is read back", () => {
  const { state, problems } = readLink(writeLink(somewhere));
  assert.deepEqual(problems, []);
  const opened = { ...initial, ...state };
  for (const { state: key } of Object.values(FIELDS)) assert.deepEqual(opened[key], somewhere[key], key);
});

test("a fresh page has no query", () => assert.equal(writeLink(initial), ""));

test("the graph path is the far end of the weight", () => {
  assert.equal(writeLink({ ...initial, weight: Infinity }), "?w=graph");
  assert.equal(readLink("?w=graph").state.weight, Infinity);
});

for (const [link, name] of [
  ["?path=foo", "path"],
  ["?a=kick", "a"],
  ["?b=@1", "b"],
  ["?b=@1,", "b"],
  ["?b=@NaN,2", "b"],
  ["?w=11", "w"],
  ["?w=-1", "w"],
  ["?t=2", "t"],
  ["?t=%20", "t"],
  ["?mode=loop", "mode"],
  ["?theme=blue", "theme"],
  ["?view=1,2", "view"],
  ["?view=1,2,0", "view"],
  ["?sort=colour", "sort"],
  ["?families=x", "families"],
  ["?loop=1", "loop"],
  ["?panel=sampling", "panel"],
  ["?marked=kick", "marked"],
  ["?op=sum", "op"],
  ["?to=1", "to"],
  ["?n=0", "n"],
  ["?n=1.5", "n"],
  ["?temp=9", "temp"],
  ["?seed=-1", "seed"],
  ["?seed=x", "seed"],
  ["?of=c", "of"],
  ["?shape=bright", "shape"],
  ["?shape=bright.0", "shape"],
  ["?a=~AAA", "a"],
])
  test(`a bad link is explained: ${link}`, () => {
    const { state, problems } = readLink(`${link}&t=0.5`.replace("?t=2&t=0.5", "?t=2"));
    assert.equal(problems.length, 1);
    assert.match(problems[0], new RegExp(`^The link says ${name}=`));
    assert.match(problems[0], /; it can be .+\.$/);
    assert.equal(state[FIELDS[name].state], name === "t" && link === "?t=%20" ? 0.5 : undefined);
  });

test("what a link says besides is left alone", () =>
  assert.deepEqual(readLink("?utm_source=x&q="), { state: {}, problems: [] }));

function browser() {
  const entries = ["?"];
  const listeners = {};
  const timers = [];
  const window = {
    location: { search: "", pathname: "/", hash: "", origin: "http://here" },
    history: {
      pushState: (_1, _2, url) => go(url, entries.push(url)),
      replaceState: (_1, _2, url) => go(url, (entries[entries.length - 1] = url)),
    },
    setTimeout: (run) => timers.push(run),
    clearTimeout: (n) => delete timers[n - 1],
    addEventListener: (name, run) => (listeners[name] = run),
    removeEventListener() {},
  };
  const go = (url) =>
    (window.location.search = url.slice(url.indexOf("?") < 0 ? url.length : url.indexOf("?")));
  return { window, entries, run: () => timers.splice(0).forEach((timer) => timer?.()), listeners };
}

test("going somewhere makes an entry in the history, fiddling does not", () => {
  const { window, entries, run } = browser();
  const store = createStore(initial);
  followLink(store, window);
  store.set({ a: { sound: "0123456789ab" } });
  run();
  store.set({ path: "linear" });
  run();
  store.set({ b: { sound: "ba9876543210" } });
  run();
  assert.deepEqual(entries.slice(1), [
    "/?a=0123456789ab&path=linear",
    "/?a=0123456789ab&b=ba9876543210&path=linear",
  ]);
});

test("back leads back, and what the older link does not say is as on a fresh page", () => {
  const { window, run, listeners } = browser();
  const store = createStore(initial);
  followLink(store, window);
  store.set({ a: { sound: "0123456789ab" }, path: "linear" });
  run();
  window.location.search = "";
  listeners.popstate();
  assert.equal(store.get().a, null);
  assert.equal(store.get().path, "geodesic");
});

test("back to a link that asks for something in vain says so, as the first look at it does", () => {
  const { window, listeners } = browser();
  const library = { indexOf: (id) => (id === "0123456789ab" ? 0 : -1) };
  const store = createStore({ ...initial, model: { metrics: ["blend", "flat"] }, library });
  followLink(store, window);
  window.location.search = "?a=0123456789ab&b=ba9876543210&metric=taxi&mode=loud";
  listeners.popstate();
  const { a, b, metric, notice } = store.get();
  assert.deepEqual([a, b, metric], [{ sound: "0123456789ab" }, null, null]);
  assert.equal(notice.kind, "trouble");
  for (const part of ["mode=loud", "metric=taxi", "b=ba9876543210"])
    assert.match(notice.text, new RegExp(part));
  window.location.search = "?a=0123456789ab";
  listeners.popstate();
  assert.equal(store.get().a.sound, "0123456789ab");
});

test("while it plays the link says where it stood, and everything else as it is", () => {
  const { window, run } = browser();
  const store = createStore({ ...initial, progress: 0.25 });
  followLink(store, window);
  store.set({ playing: true });
  store.set({ progress: 0.9, path: "linear" });
  run();
  assert.equal(window.location.search, "?path=linear&t=0.25");
});
