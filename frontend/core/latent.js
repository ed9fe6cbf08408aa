// @ts-check
/** A latent point as a short text, so that a sound nobody recorded fits into a link: its place, then its numbers. */

/** @typedef {import("./state.js").Position} Position */

const MOST = 512; // numbers; what the engine takes

/**
 * "~" and the 32-bit floats of the place on the map and of the point, in the alphabet of links (RFC 4648, section 5).
 * @param {Position} position @param {number[]} point
 */
export function writePoint(position, point) {
  const bytes = new Uint8Array(Float32Array.of(...position, ...point).buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return `~${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/**
 * @param {string} text as writePoint has it
 * @returns {{position: Position, point: number[]} | null} null: it is something else
 */
export function readPoint(text) {
  if (!/^~[\w-]+$/.test(text)) return null;
  let raw;
  try {
    raw = atob(text.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
  if (raw.length % 4 || raw.length < 12 || raw.length > 4 * (MOST + 2)) return null;
  const values = [...new Float32Array(Uint8Array.from(raw, (c) => c.charCodeAt(0)).buffer)];
  if (!values.every(Number.isFinite)) return null;
  const [x, y, ...point] = values;
  return { position: [x, y], point };
}
