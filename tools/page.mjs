/**
 * What the page's modules import, and the lines of index.html that announce the modules of the first screen.
 *
 *     node tools/page.mjs            writes the lines (make format)
 *     node tools/page.mjs --check    fails when they are not as they should be (make check)
 */

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = new URL("../frontend/", import.meta.url);

const LINE = /<link rel="modulepreload" href="[^"]+">\n/g;

/** Every module of the page, named from its folder, sorted. @returns {string[]} */
export const modules = () =>
  readdirSync(root, { recursive: true })
    .map((file) => String(file).replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".js"))
    .sort();

/** @param {string} file @returns {string} */
export const read = (file) => readFileSync(new URL(file, root), "utf8");

/** @param {string} file @param {string} target relative to the file @returns {string} */
const resolve = (file, target) => new URL(target, new URL(file, root)).href.slice(root.href.length);

/** What a module needs before it can run. @param {string} file @returns {string[]} */
export const imports = (file) =>
  [...read(file).matchAll(/^(?:import|export)[^;]*? from "(\.[^"]+)"/gm)].map(([, target]) =>
    resolve(file, target),
  );

/** What a module fetches when it is needed. @param {string} file @returns {string[]} */
export const lateImports = (file) =>
  [...read(file).matchAll(/(?:=>|await) import\("(\.[^"]+)"\)/g)].map(([, target]) => resolve(file, target));

/** The modules whose types a module names in its comments. @param {string} file @returns {string[]} */
export const typeImports = (file) =>
  [...read(file).matchAll(/\bimport\("(\.[^"]+)"\)\./g)].map(([, target]) => resolve(file, target));

/** The modules that the first screen needs, but for main.js itself. @returns {string[]} */
export function firstModules() {
  const needed = new Set();
  const open = ["main.js"];
  while (open.length) {
    const file = /** @type {string} */ (open.pop());
    if (needed.has(file)) continue;
    needed.add(file);
    open.push(...imports(file));
  }
  needed.delete("main.js");
  return [...needed].sort();
}

/** @param {string} html @returns {string} the same page with the lines as they should be */
export function announced(html) {
  const lines = firstModules().map((file) => `<link rel="modulepreload" href="${file}">\n`);
  return html.replace(LINE, "").replace('<script type="module"', `${lines.join("")}<script type="module"`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const html = read("index.html");
  const wanted = announced(html);
  if (!process.argv.includes("--check")) writeFileSync(new URL("index.html", root), wanted);
  else if (html !== wanted) {
    console.error("frontend/index.html does not announce the modules of the first screen; run: make format");
    process.exitCode = 1;
  }
}
