import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PANELS } from "../../frontend/panels.js";
import { announced, imports, lateImports, modules, read, root, typeImports } from "../../tools/page.mjs";

const panels = PANELS.map(({ name }) => name);

/** Each room may use the rooms in the rows above its own, at run time and for types. */
const ROWS = [
  ["core"],
  ["listen", "compare"],
  ["playback.js", "save", "trial"],
  ["actions.js"],
  ["cloud"],
  ["atlas", "found", "morph"],
  ["parts.js"],
  ["collection", ...panels.filter((name) => name !== "yours")],
  ["yours"],
  ["panels.js"],
  ["boot.js", "shell"],
  ["main.js"],
];
const rowOf = (file) => ROWS.findIndex((rooms) => rooms.includes(roomOf(file)));
const roomOf = (file) => file.split("/")[0];

/** The rooms in the order of docs/ARCHITECTURE.md. */
const documented = [
  ...readFileSync(new URL("../docs/ARCHITECTURE.md", root), "utf8")
    .split("### Page\n")[1]
    .split("\n#")[0]
    .matchAll(/^\| `([\w.]+)` \|/gm),
].map(([, room]) => room);

/** A panel without a row of its own stands right above the list of panels. */
function lineOf(file) {
  const room = roomOf(file);
  const line = documented.indexOf(room);
  return line < 0 && panels.includes(room) ? documented.indexOf("panels.js") - 0.5 : line;
}

/** Imports of another room that does not stand above, by a rank of files. */
const crossings = (from, rank = rowOf) =>
  modules().flatMap((file) =>
    from(file)
      .filter((target) => roomOf(target) !== roomOf(file) && rank(target) >= rank(file))
      .map((target) => `${file} -> ${target}`),
  );

test("every module of the page lies in a room that the rows name", () => {
  assert.deepEqual(
    modules().filter((file) => rowOf(file) < 0 && file !== "first-paint.js"),
    [],
  );
});

test("no room of the page imports from a room beside or below its own", () => {
  assert.deepEqual(crossings(imports), []);
  assert.deepEqual(crossings(lateImports), []);
  assert.deepEqual(crossings(typeImports), []);
});

test("a room of the page uses only rooms above it in docs/ARCHITECTURE.md", () => {
  assert.ok(documented.length > 10);
  assert.deepEqual(crossings(imports, lineOf), []);
  assert.deepEqual(crossings(lateImports, lineOf), []);
});

test("no modules of the page import each other in a circle", () => {
  const settled = new Set();
  const visit = (file, trail) => {
    if (trail.includes(file)) assert.fail([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    if (settled.has(file)) return;
    for (const target of imports(file)) visit(target, [...trail, file]);
    settled.add(file);
  };
  for (const file of modules()) visit(file, []);
  assert.ok(settled.size > 50);
});

const html = read("index.html");

test("the modules of the first screen are announced, and no others", () => {
  assert.equal(announced(html), html, "run: make format");
});

test("everything that the page names is in the folder, and comes from nowhere else", () => {
  const named = [...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, file]) => file);
  for (const file of named) assert.ok(existsSync(new URL(file, root)), file);
  const files = readdirSync(root, { recursive: true }).filter((file) => /\.(js|css|html)$/.test(file));
  assert.ok(files.length > 50);
  for (const file of files)
    assert.doesNotMatch(read(file).replaceAll("http://www.w3.org/", ""), /https?:\/\//, file);
});

test("there is a picture for every icon that is asked for", () => {
  const drawn = new Set([...html.matchAll(/symbol id="i-([a-z]+)"/g)].map(([, name]) => name));
  const asked = modules().flatMap((file) =>
    [...read(file).matchAll(/\bicon\("([a-z]+)"\)/g)].map(([, name]) => `${name} in ${file}`),
  );
  assert.ok(asked.length > 5);
  assert.deepEqual(
    asked.filter((use) => !drawn.has(use.split(" ")[0])),
    [],
  );
});
