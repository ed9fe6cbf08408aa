// @ts-check
/** What somebody writes for a pitch, in Hz. */

/** @typedef {import("../core/state.js").Hertz} Hertz */

const STEPS = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };
const [LOW, HIGH] = [10, 20000]; // Hertz; as the engine takes them

/**
 * "220", "220 Hz", "A3", "f#2", "B♭4" in the equal-tempered scale, A4 = 440 Hz; "" or "none": it has no pitch.
 * @param {string} text
 * @returns {Hertz | null}
 * @throws {RangeError} that says what would have worked
 */
export function readPitch(text) {
  const plain = text.trim().toLowerCase();
  if (["", "none", "no", "–", "-"].includes(plain)) return null;
  const [, number] = /^(\d+(?:\.\d+)?)\s*(?:hz)?$/.exec(plain) ?? [];
  const [, letter, sign, octave] = /^([a-g])([#♯b♭]?)(-?\d)$/.exec(plain) ?? [];
  const step = STEPS[/** @type {"c"} */ (letter)] + ({ "#": 1, "♯": 1, b: -1, "♭": -1 }[sign] ?? 0);
  const hertz = number
    ? Number(number)
    : letter
      ? 440 * 2 ** ((12 * (Number(octave) + 1) + step - 69) / 12)
      : NaN;
  if (hertz >= LOW && hertz <= HIGH) return hertz;
  throw new RangeError(
    `“${text.trim()}” is no pitch. Write a note as A3 or F#2, ${LOW} to ${HIGH} Hz as 220, ` +
      "or nothing for a sound without one.",
  );
}
