// @ts-check
/** The sounds of one's library folders on the map: columns of numbers, up to a million of them. */

import { createGrid } from "./grid.js";

const GONE = 255; // the family of a row that is no more
export const OTHER = 254; // a family or folder without a number of its own
const STEPS = 65535; // of a position along the extent

/**
 * @typedef {object} CloudColumns   as the service sends them, rising by id
 * @property {string} version
 * @property {boolean} whole        not only what changed after a version
 * @property {boolean} growing      sounds are being taken in
 * @property {[number, number, number, number]} extent      x0, x1, y0, y1
 * @property {string[]} families
 * @property {string[]} folders
 * @property {Uint32Array} id
 * @property {Uint16Array} x        in 65535ths of the extent
 * @property {Uint16Array} y
 * @property {Uint8Array} family
 * @property {Uint8Array} folder
 * @property {Uint8Array} brightness     in 255ths
 */

/** @typedef {ReturnType<typeof createCloud>} Cloud */

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };
const COLUMNS = /** @type {const} */ (["id", "x", "y", "family", "folder", "brightness"]);

/**
 * Reads what the service sends: the length of a header, the header, columns. All is little-endian, as every machine is
 * that has a browser.
 * @param {ArrayBuffer} bytes @returns {CloudColumns}
 */
export function readColumns(bytes) {
  const length = new DataView(bytes).getUint32(0, true);
  const { columns, count, ...header } = JSON.parse(
    new TextDecoder().decode(new Uint8Array(bytes, 4, length)),
  );
  let at = 4 + length;
  for (const [name, type] of columns) {
    const Type = TYPES[/** @type {"uint8"} */ (type)];
    const end = at + count * Type.BYTES_PER_ELEMENT;
    header[name] = at % Type.BYTES_PER_ELEMENT ? new Type(bytes.slice(at, end)) : new Type(bytes, at, count);
    at = end;
  }
  return header;
}

/**
 * Newer columns over older ones: both rise by id, and so does what comes of it.
 * @param {CloudColumns} old @param {CloudColumns} newer only what changed @returns {CloudColumns}
 */
export function mergedColumns(old, newer) {
  /** rows of the old, or ~rows of the newer */
  const from = new Int32Array(old.id.length + newer.id.length);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < old.id.length || j < newer.id.length) {
    const isNew = j < newer.id.length && !(old.id[i] < newer.id[j]);
    if (isNew && old.id[i] === newer.id[j]) i++;
    if (!isNew) from[count++] = i++;
    else if (newer.family[j] === GONE) j++;
    else from[count++] = ~j++;
  }
  /** @type {any} */
  const merged = { ...newer, whole: true };
  for (const name of COLUMNS) {
    const column = new /** @type {Uint8ArrayConstructor} */ (newer[name].constructor)(count);
    const [older, changed] = [old[name], newer[name]];
    for (let k = 0; k < count; k++) column[k] = from[k] < 0 ? changed[~from[k]] : older[from[k]];
    merged[name] = column;
  }
  return merged;
}

/** Loops are several times as fast as Float32Array.from. @param {Uint16Array} steps @param {number} from @param {number} to */
function alongAxis(steps, from, to) {
  const values = new Float32Array(steps.length);
  const unit = (to - from) / STEPS;
  for (let row = 0; row < steps.length; row++) values[row] = from + steps[row] * unit;
  return values;
}

/** @param {string} model whose map it is @param {CloudColumns} columns */
export function createCloud(model, columns) {
  const { id, extent } = columns;
  const [x0, x1, y0, y1] = extent;
  const x = alongAxis(columns.x, x0, x1);
  const y = alongAxis(columns.y, y0, y1);
  return {
    model,
    columns,
    count: id.length,
    x,
    y,
    grid: createGrid(x, y),
    /** @param {number} sound @returns {number} -1: it is not there */
    rowOf(sound) {
      const row = lowerBound(id, sound);
      return id[row] === sound ? row : -1;
    },
    /** @param {number} row @returns {import("./state.js").Position} */
    position: (row) => [x[row], y[row]],
  };
}

/** The first row that is not less. @param {Uint32Array} rising @param {number} value */
function lowerBound(rising, value) {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Which rows a filter lets through, 1 or 0 each; null: all. Ids rise.
 * @param {Cloud} cloud
 * @param {{families: readonly number[], matches: Uint32Array | null, selection: Uint32Array | null}} filter families:
 *   indices into the library's; matches: of a search
 * @returns {Uint8Array | null}
 */
export function litRows(cloud, { families, matches, selection }) {
  const lists = [matches, selection].filter((list) => list !== null);
  if (!families.length && !lists.length) return null;
  const { id, family } = cloud.columns;
  const lit = new Uint8Array(cloud.count).fill(1);
  if (families.length) for (let row = 0; row < cloud.count; row++) lit[row] = +families.includes(family[row]);
  for (const list of lists) {
    let at = 0;
    for (let row = 0; row < cloud.count; row++) {
      while (at < list.length && list[at] < id[row]) at++;
      if (list[at] !== id[row]) lit[row] = 0;
    }
  }
  return lit;
}

/**
 * The ids of the sounds inside an outline on the map.
 * @param {Cloud} cloud
 * @param {import("./state.js").Position[]} outline its corners
 * @param {Uint8Array | null} lit rows that count
 * @returns {Uint32Array}
 */
export function idsInside(cloud, outline, lit) {
  const xs = outline.map(([x]) => x);
  const ys = outline.map(([, y]) => y);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  const ids = new Uint32Array(cloud.count);
  let count = 0;
  for (let row = 0; row < cloud.count; row++) {
    const x = cloud.x[row];
    const y = cloud.y[row];
    if (x < x0 || x > x1 || y < y0 || y > y1 || (lit && !lit[row])) continue;
    let inside = false;
    for (let p = 0, q = xs.length - 1; p < xs.length; q = p++)
      if (ys[p] > y !== ys[q] > y && x < xs[p] + ((y - ys[p]) / (ys[q] - ys[p])) * (xs[q] - xs[p]))
        inside = !inside;
    if (inside) ids[count++] = cloud.columns.id[row];
  }
  return ids.slice(0, count);
}

/** What points are coloured by. @typedef {"family" | "folder" | "brightness"} Colouring */

const SHAPES = 8;

/**
 * Of each point the number of its colour, which is its shape too where it has one.
 * @param {Cloud} cloud @param {Colouring} colouring
 * @returns {{kind: Uint8Array, names: string[], counts: number[]}} names: of the colours; the last is what is left over
 */
export function coloured({ columns, count }, colouring) {
  if (colouring === "brightness") {
    const kind = Uint8Array.from(columns.brightness, (value) => Math.min(SHAPES - 1, (value * SHAPES) >> 8));
    return { kind, names: [], counts: [] };
  }
  const names = colouring === "family" ? columns.families : columns.folders;
  const sizes = new Array(256).fill(0);
  for (let row = 0; row < count; row++) sizes[columns[colouring][row]]++;
  if (colouring === "family") return { kind: columns.family.map((f) => f % SHAPES), names, counts: sizes };
  const largest = names
    .map((_, number) => number)
    .sort((p, q) => sizes[q] - sizes[p])
    .slice(0, SHAPES - 1);
  const kindOf = new Uint8Array(256).fill(SHAPES - 1);
  largest.forEach((number, kind) => (kindOf[number] = kind));
  const counts = largest.map((number) => sizes[number]);
  const rest = count - counts.reduce((sum, size) => sum + size, 0);
  return {
    kind: columns.folder.map((number) => kindOf[number]),
    names: [...largest.map((number) => names[number]), ...(rest ? ["other folders"] : [])],
    counts: [...counts, ...(rest ? [rest] : [])],
  };
}
