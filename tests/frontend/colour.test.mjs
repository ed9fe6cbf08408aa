import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dusk, duskRGB, oklch, parseHex } from "../../frontend/core/colour.js";

const css = readFileSync(new URL("../../frontend/style/tokens.css", import.meta.url), "utf8");
const token = (theme, name) =>
  parseHex(css.split(`[data-theme="${theme}"]`)[1].match(new RegExp(`--${name}: (#[0-9A-Fa-f]{6})`))[1]);
const apart = (p, q) => Math.max(...p.map((v, i) => Math.abs(v - q[i])));

for (const theme of ["dark", "light"]) {
  test(`dusk goes from the A to the B of the ${theme} theme, by way of the geodesic's colour`, () => {
    for (const [t, name] of [
      [0, "a"],
      [0.5, "geo"],
      [1, "b"],
    ])
      assert.ok(
        apart(duskRGB(t, theme === "dark"), token(theme, name)) <= 8,
        `${name}: ${duskRGB(t, theme === "dark")}`,
      );
  });

  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) =>
      v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (p, q) => {
    const [low, high] = [luminance(p), luminance(q)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  test(`words can be read on every ground of the ${theme} theme (WCAG AA)`, () => {
    for (const ground of ["bg", "land", "sea", "raised"])
      for (const ink of ["ink", "ink2", "a", "b", "geo", "straight"])
        assert.ok(
          contrast(token(theme, ink), token(theme, ground)) >= 4.5,
          `${ink} on ${ground}: ${contrast(token(theme, ink), token(theme, ground))}`,
        );
    for (let f = 0; f < 8; f++)
      assert.ok(contrast(token(theme, `f${f}`), token(theme, "land")) >= 3, `family ${f}`);
  });
}

test("greys have no hue", () => assert.deepEqual(new Set(oklch(0.6, 0, 123)).size, 1));
test("black and white are the ends of lightness", () => {
  assert.deepEqual(oklch(0, 0, 0), [0, 0, 0]);
  assert.deepEqual(oklch(1, 0, 0), [255, 255, 255]);
});
test("dusk is a CSS colour", () => assert.match(dusk(0.3, true), /^rgb\(\d+,\d+,\d+\)$/));
