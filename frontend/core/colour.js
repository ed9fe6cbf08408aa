// @ts-check
/** The colours that are computed: dusk, the colour of a place between A and B. CSS holds the two ends. */

/** @typedef {[r: number, g: number, b: number]} RGB   0 to 255 */

/** @param {number} a @param {number} b @param {number} t */
export const mix = (a, b, t) => a + (b - a) * t;

/** @param {number} x @param {number} [low] @param {number} [high] */
export const clamp = (x, low = 0, high = 1) => Math.min(high, Math.max(low, x));

/**
 * OKLCH to sRGB, clipped. Ottosson 2020, "A perceptual color space for image processing".
 *
 * @param {number} lightness 0 to 1
 * @param {number} chroma
 * @param {number} hue degrees
 * @returns {RGB}
 */
export function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const [red, green, blue] = linear.map((v) => {
    const encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
    return Math.round(255 * clamp(encoded));
  });
  return [red, green, blue];
}

/**
 * The colour of the place t between A (0, coral) and B (1, blue), by way of orchid. One function for the path, the
 * scrubber, the thumb, the slices and the beads: a colour says where between A and B you are.
 *
 * @param {number} t
 * @param {boolean} dark
 * @returns {RGB}
 */
export function duskRGB(t, dark) {
  return dark
    ? oklch(0.75, mix(0.15, 0.13, t) + 0.01 * Math.sin(Math.PI * t), mix(45, -110, t))
    : oklch(mix(0.507, 0.5, t), mix(0.153, 0.139, t) + 0.025 * Math.sin(Math.PI * t), mix(42.2, -105.2, t));
}

/** @param {number} t @param {boolean} dark */
export const dusk = (t, dark) => `rgb(${duskRGB(t, dark)})`;

/** @param {string} hex "#rrggbb" @returns {RGB} */
export function parseHex(hex) {
  const value = parseInt(hex.slice(1, 7), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The tokens of style/tokens.css that canvases need. */
const TOKENS = /** @type {const} */ ([
  "sea",
  "shore",
  "land",
  "bg",
  "raised",
  "high",
  "ink",
  "ink2",
  "ink3",
  "coast",
  "a",
  "b",
  "geo",
  "straight",
  "on",
  "halo",
  "f0",
  "f1",
  "f2",
  "f3",
  "f4",
  "f5",
  "f6",
  "f7",
]);

/** @typedef {Record<typeof TOKENS[number], string> & {dark: boolean}} Palette */

/** @param {HTMLElement} root carries data-theme @returns {Palette} */
export function readPalette(root) {
  const style = getComputedStyle(root);
  const tokens = Object.fromEntries(TOKENS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return /** @type {Palette} */ ({ ...tokens, dark: root.dataset.theme === "dark" });
}
