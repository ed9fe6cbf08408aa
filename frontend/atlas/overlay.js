// @ts-check
/** Our own layer over plotly's: paths, beads, ends, words. Everything here is drawn from a scene and a view. */

import { dusk } from "../core/colour.js";
import { s, setAll } from "../core/dom.js";
import { amount, pathName } from "../core/text.js";
import { coursesMarkup, ellipsesMarkup, pointsMarkup } from "./finds.js";
import { boxAround, layOut as layOut } from "../core/labels.js";
import { toScreen } from "../core/view.js";

/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/state.js").PathKind} PathKind */
/** @typedef {import("../core/state.js").Position} Position */
/** @typedef {import("../core/view.js").View} View */
/** @typedef {import("../core/view.js").Box} Box */
/** @typedef {{path: Path, course: import("./course.js").Course}} DrawnPath */
/** @typedef {{at: Position, name: string, bare: boolean}} End */

/**
 * @typedef {object} Scene
 * @property {import("../core/colour.js").Palette} palette
 * @property {number} unit                    how large this page's pixels are, 1 on common screens
 * @property {End | null} a
 * @property {End | null} b
 * @property {DrawnPath | null} bent                the geodesic or the graph path
 * @property {DrawnPath | null} straight
 * @property {DrawnPath | null} retimed
 * @property {PathKind} chosenPath
 * @property {readonly import("../core/state.js").Choice[]} kinds     of paths, with their words
 * @property {boolean} dim                    a newer path is being looked for
 * @property {Path | null} ghost              the dotted path
 * @property {Position | null} ring           what is pointed at
 * @property {import("./finds.js").Finds} finds    new sounds, and how they were come to
 * @property {{at: Position, count: number} | null} userSounds     where one's own sounds lie
 * @property {{name: string, at: Position, extent: number}[]} families   names on the land
 * @property {Box[]} covered                    words that lie on the map already
 * @property {(box: Box) => number} crowd     how many points lie under a box
 */

const NARROW = 520; // pixels of map: below, names stand under their ends

const measure = (() => {
  /** @type {CanvasRenderingContext2D | null} */
  let c = null;
  /** @type {Map<string, number>} */
  const widths = new Map();
  return (/** @type {string} */ text, /** @type {number} */ size) => {
    const key = `${size} ${text}`;
    const measured = widths.get(key);
    if (measured !== undefined) return measured;
    c ??= document.createElement("canvas").getContext("2d");
    if (!c) return text.length * size * 0.55;
    c.font = `600 ${size}px "Hanken Grotesk", system-ui, sans-serif`;
    const width = c.measureText(text).width;
    if (document.fonts.check(c.font)) widths.set(key, width);
    return width;
  };
})();

/** @param {SVGElement} svg */
export function createOverlay(svg) {
  const group = (/** @type {string} */ name) => {
    const node = s("g", { class: name });
    svg.append(node);
    return node;
  };
  const reveal = s("path", {
    fill: "none",
    stroke: "#fff",
    "stroke-linecap": "round",
    pathLength: 1,
    "stroke-dasharray": "1 1",
  });
  svg.append(
    s(
      "mask",
      { id: "reveal", maskUnits: "userSpaceOnUse", x: -2000, y: -2000, width: 20000, height: 20000 },
      reveal,
    ),
  );
  const ellipses = group("ellipses");
  const ghost = group("ghost");
  const paths = group("paths");
  const names = group("isles");
  const straight = s("g", { class: "straight" });
  const bent = s("g", { class: "bent" });
  paths.append(straight, bent);
  const courses = group("courses");
  const finds = group("finds");
  const ring = group("ring");
  const words = group("words");
  const travellers = group("travellers");
  const ends = group("ends");
  const other = s("circle", { class: "other" });
  const glow = s("circle", { class: "glow" });
  const dot = s("circle", { class: "dot" });
  travellers.append(other, glow, dot);

  /** @type {Scene | null} */
  let scene = null;
  /** @type {View | null} */
  let view = null;
  /** @type {{from: Position, since: number} | null} the traveller crosses over to another path */
  let crossing = null;

  /** @param {Position} p */
  const xy = (p) => toScreen(/** @type {View} */ (view), p);
  /** @param {Position[]} points */
  const line = (points) =>
    "M" +
    points
      .map((p) =>
        xy(p)
          .map((v) => v.toFixed(1))
          .join(" "),
      )
      .join("L");

  /** @param {Scene} now */
  function drawStraight({ palette, unit: u, chosenPath, straight: drawnPath, retimed }) {
    if (!drawnPath) return void straight.replaceChildren();
    const beads = chosenPath === "retimed" && retimed ? retimed : drawnPath;
    const even = beads === retimed;
    const d = line(drawnPath.path.map);
    const bone = palette.straight;
    straight.innerHTML =
      `<path d="${d}" stroke="${palette.halo}" stroke-opacity=".55" stroke-width="${7 * u}"/>` +
      (even
        ? `<path d="${d}" stroke="${bone}" stroke-opacity=".7" stroke-width="${1.4 * u}"/>`
        : `<path d="${d}" stroke="${bone}" stroke-width="${(chosenPath === "linear" ? 3 : 2) * u}" ` +
          `stroke-dasharray="${6 * u} ${4.5 * u}" stroke-linecap="butt"/>`) +
      beads.path.step_positions
        .map((p) => xy(p))
        .map(
          ([x, y]) =>
            `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${(even ? 4.5 : 3.4) * u}" ` +
            `fill="${bone}" stroke="${palette.halo}" stroke-width="${2 * u}"/>`,
        )
        .join("");
  }

  /** @param {Scene} now */
  function drawBent({ palette, unit: u, chosenPath, bent: drawnPath }) {
    if (!drawnPath) return void bent.replaceChildren();
    const on = chosenPath === "geodesic";
    const { map, step_positions: steps } = drawnPath.path;
    let out =
      `<path d="${line(map)}" stroke="${palette.halo}" stroke-opacity=".6" ` +
      `stroke-width="${(on ? 12 : 8) * u}"/>`;
    for (let i = 0; i < map.length - 1; i++)
      out +=
        `<path d="${line(map.slice(i, i + 3))}" ` +
        `stroke="${dusk(drawnPath.course.progressAt(i + 0.5), palette.dark)}" ` +
        `stroke-width="${(on ? 5 : 2.5) * u}"/>`;
    if (on)
      for (const p of steps.slice(1, -1)) {
        const [x, y] = xy(p);
        out += `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${1.9 * u}" fill="${palette.halo}"/>`;
      }
    bent.innerHTML = out;
    setAll(reveal, { d: line(map), "stroke-width": 24 * u });
  }

  /** @param {Scene} now */
  function drawGhost({ palette, unit: u, ghost: path }) {
    if (!path) return void ghost.replaceChildren();
    const d = line(path.map);
    ghost.innerHTML =
      `<path d="${d}" stroke="${palette.halo}" stroke-opacity=".6" stroke-width="${8 * u}"/>` +
      `<path d="${d}" stroke="${palette.geo}" stroke-width="${3.6 * u}" stroke-dasharray="${0.1 * u} ${7.5 * u}"/>`;
  }

  /** @param {Scene} now */
  function drawRing({ palette, unit: u, ring: at }) {
    if (!at) return void ring.replaceChildren();
    const [x, y] = xy(at);
    ring.innerHTML =
      `<circle cx="${x}" cy="${y}" r="${12 * u}" stroke="${palette.ink}" stroke-width="${2 * u}" fill="none"/>` +
      `<circle cx="${x}" cy="${y}" r="${4 * u}" fill="${palette.ink}"/>`;
  }

  /** @param {Scene} now */
  function drawFinds(now) {
    const pen = { palette: now.palette, unit: now.unit, xy };
    ellipses.innerHTML = ellipsesMarkup(now.finds.ellipses, pen);
    courses.innerHTML = coursesMarkup(now.finds, pen);
    finds.innerHTML = pointsMarkup(now.finds, pen);
  }

  /** Ends, names and lengths: what is to be read finds its place together. @param {Scene} now */
  function drawWords(now) {
    const {
      palette,
      unit: u,
      a,
      b,
      bent: drawnBent,
      straight: drawnStraight,
      retimed,
      chosenPath,
      kinds,
      families,
      userSounds,
      covered,
      crowd,
      finds: { label },
    } = now;
    const { width, height } = /** @type {View} */ (view);
    const bounds = { left: 8 * u, top: 8 * u, right: width - 8 * u, bottom: height - 8 * u };
    const narrow = width < NARROW * u;
    const gap = a && b ? Math.hypot(...xy(a.at).map((v, i) => v - xy(b.at)[i])) : Infinity;
    const r = Math.min(14 * u, Math.max(9 * u, gap / 5)); // two that are near leave room for the path between them
    const discs = [a, b]
      .map((end) => end && boxAround(...xy(end.at), 2 * r + 4 * u, 2 * r + 4 * u))
      .filter((box) => box !== null);

    /** @type {import("../core/labels.js").Word[]} */
    const labels = [];
    /** @type {((box: Box) => string)[]} */
    const drawers = [];

    for (const [end, letter, colour] of /** @type {const} */ ([
      [a, "A", palette.a],
      [b, "B", palette.b],
    ])) {
      if (!end) continue;
      const [x, y] = xy(end.at);
      const size = 14 * u;
      const name = shorten(end.name, narrow ? 18 : 30);
      const w = measure(name, size) + 6 * u;
      const side = (w / 2 + 21 * u) * (letter === "A" ? -1 : 1);
      labels.push({
        options: [
          { box: boxAround(x + side, y, w, 20 * u), price: narrow ? 0.9 : 0 },
          { box: boxAround(x - side, y, w, 20 * u), price: narrow ? 1 : 0.4 },
          { box: boxAround(x, y + 28 * u, w, 20 * u), price: narrow ? 0 : 0.6 },
          { box: boxAround(x, y - 28 * u, w, 20 * u), price: 0.6 },
          ...[-1, 1].flatMap((v) =>
            [-1, 1].map((n) => ({
              box: boxAround(x + v * (w / 2 - 12 * u), y + n * 29 * u, w, 20 * u),
              price: 0.5,
            })),
          ),
        ],
      });
      drawers.push(
        (box) =>
          `<text class="name" x="${mid(box).x}" y="${mid(box).y + 5 * u}" font-size="${size}">${escape(name)}</text>`,
      );
      const fill = end.bare ? palette.halo : colour;
      drawers[drawers.length - 1] = withDisc(
        drawers[drawers.length - 1],
        `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}" ` +
          `stroke="${end.bare ? colour : palette.halo}" stroke-width="${3 * u}"/>` +
          `<text class="letter" x="${x}" y="${y + 0.33 * r}" font-size="${0.93 * r}" ` +
          `fill="${end.bare ? colour : palette.on}">${letter}</text>`,
      );
    }

    const onStraight = chosenPath === "retimed" && retimed ? retimed : drawnStraight;
    const lengths = /** @type {const} */ ([
      [drawnBent, drawnBent ? pathName(drawnBent.path, kinds).toLowerCase() : "", palette.geo],
      [onStraight, onStraight ? pathName(onStraight.path, kinds).toLowerCase() : "", palette.straight],
    ]);
    for (const [drawnPath, label, colour] of lengths) {
      if (!drawnPath) continue;
      const number = amount(drawnPath.path.length);
      const size = (narrow ? 12 : 14) * u;
      const w = measure(`${label} ${number}`, size) + (narrow ? 16 : 26) * u;
      const h = (narrow ? 22 : 28) * u;
      labels.push({
        options: [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74].flatMap((t, nth) => {
          const [x, y] = xy(drawnPath.course.at(t));
          return [
            [0, -1],
            [0, 1],
            [-1, 0],
            [1, 0],
          ].map(([dx, dy]) => {
            const box = boxAround(x + dx * (w / 2 + 16 * u), y + dy * (h / 2 + 14 * u), w, h);
            const under = [drawnBent, drawnStraight].reduce(
              (sum, each) => sum + (each ? coveredPoints(each.path, box) : 0),
              0,
            );
            return { box, price: 0.05 * nth + (dx ? 0.3 : 0) + 0.12 * under + 0.02 * crowd(box) };
          });
        }),
      });
      drawers.push(
        (box) =>
          `<rect x="${box.left}" y="${box.top}" width="${w}" height="${h}" rx="${h / 2}" ` +
          `fill="${palette.bg}" fill-opacity=".92"/>` +
          `<text class="length" x="${mid(box).x}" y="${mid(box).y + 0.35 * size}" font-size="${size}" ` +
          `fill="${colour}">${label} <tspan class="number">${number}</tspan></text>`,
      );
    }

    if (label) {
      const [x, y] = xy(label.at);
      const size = 14 * u;
      const w = measure(label.name, size) + 6 * u;
      labels.push({
        options: [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ].map(([dx, dy]) => {
          const box = boxAround(x + dx * (w / 2 + 14 * u), y + dy * 22 * u, w, 20 * u);
          return { box, price: 0.1 + 0.02 * crowd(box) };
        }),
      });
      drawers.push(
        (box) =>
          `<text class="name" x="${mid(box).x}" y="${mid(box).y + 5 * u}" ` +
          `font-size="${size}">${escape(label.name)}</text>`,
      );
    }

    if (userSounds) {
      const [x, y] = xy(userSounds.at);
      const size = (narrow ? 12 : 14) * u;
      const number = `${userSounds.count} ${userSounds.count === 1 ? "sound" : "sounds"}`;
      const [w, h] = [measure(`your ${number}`, size) + (narrow ? 16 : 26) * u, (narrow ? 22 : 28) * u];
      labels.push({
        options: [34, 60, 92].flatMap((far, nth) =>
          [-90, -125, -55, 90, 125, 55, 180, 0].map((angle) => {
            const [dx, dy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
            const box = boxAround(x + dx * (far * u + w / 2.4), y + dy * far * u, w, h);
            const under = [drawnBent, drawnStraight].reduce(
              (sum, each) => sum + (each ? coveredPoints(each.path, box) : 0),
              0,
            );
            return { box, price: 0.1 * nth + 0.12 * under + 0.03 * crowd(box) };
          }),
        ),
      });
      drawers.push(
        (box) =>
          `<rect x="${box.left}" y="${box.top}" width="${w}" height="${h}" rx="${h / 2}" ` +
          `fill="${palette.bg}" fill-opacity=".92"/>` +
          `<text class="length own" x="${mid(box).x}" y="${mid(box).y + 0.35 * size}" font-size="${size}" ` +
          `fill="${palette.ink}">your <tspan class="number">${number}</tspan></text>`,
      );
    }

    /** @type {string[]} */
    const isles = [];
    const firstIsle = labels.length;
    for (const { name, at, extent } of families) {
      const [x, y] = xy(at);
      if (x < 0 || y < 0 || x > width || y > height) continue;
      const r = extent * /** @type {View} */ (view).k;
      const size = (narrow ? 12 : 14) * u;
      const w = measure(name, size) + 6 * u;
      labels.push({
        options: [0.6, 1, 1.5, 2.1].flatMap((far) =>
          [-90, 90, -60, -120, 60, 120, 0, 180, -30, -150, 30, 150].map((angle) => {
            const [dx, dy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
            const box = boxAround(x + dx * (far * r + w / 3), y + dy * (far * r + 10 * u), w, 18 * u);
            return { box, price: 0.35 * far + 0.25 * crowd(box) };
          }),
        ),
      });
      drawers.push(
        (box) =>
          `<text class="isle" x="${mid(box).x}" y="${mid(box).y + 5 * u}" font-size="${size}">${escape(name)}</text>`,
      );
    }

    const chosenOptions = layOut(labels, [...covered, ...discs], bounds);
    const markup = drawers.map((draw, i) => draw(labels[i].options[chosenOptions[i]].box));
    isles.push(...markup.slice(firstIsle));
    names.innerHTML = isles.join("");
    const endCount = [a, b].filter(Boolean).length;
    words.innerHTML = markup.slice(endCount, firstIsle).join("");
    ends.innerHTML = markup.slice(0, endCount).join("");
  }

  /** How many points of the path lie under a box. @param {Path} path @param {Box} box */
  const coveredPoints = (path, box) =>
    path.map.filter((p) => {
      const [x, y] = xy(p);
      return x > box.left && x < box.right && y > box.top && y < box.bottom;
    }).length;

  return {
    /** @param {Scene} nextScene @param {View} nextView */
    draw(nextScene, nextView) {
      scene = nextScene;
      view = nextView;
      setAll(paths, { opacity: scene.dim ? 0.4 : 1 });
      drawGhost(scene);
      drawStraight(scene);
      drawBent(scene);
      drawFinds(scene);
      drawRing(scene);
      drawWords(scene);
    },

    /** A new path draws itself from A. */
    reveal() {
      if (matchMedia("(prefers-reduced-motion: reduce)").matches || !scene?.bent) return;
      bent.setAttribute("mask", "url(#reveal)");
      const timing = { duration: 420, easing: "cubic-bezier(.2,.7,.2,1)" };
      const animation = reveal.animate([{ strokeDashoffset: 1 }, { strokeDashoffset: 0 }], timing);
      animation.onfinish = animation.oncancel = () => bent.removeAttribute("mask");
    },

    /** The traveller was on another path until now. @param {Position} from @param {number} now ms */
    cross(from, now) {
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) crossing = { from, since: now };
    },

    /**
     * @param {number | null} progress null: nobody travels
     * @param {boolean} sounding
     * @param {number} now ms
     * @returns {boolean} still moving
     */
    move(progress, sounding, now) {
      const drawnPath = scene && drawnPathOf(scene);
      const rest = scene?.chosenPath === "geodesic" ? scene.straight : scene?.bent;
      travellers.style.display = drawnPath && progress !== null ? "" : "none";
      if (!scene || !drawnPath || progress === null) return false;
      const { palette, unit: u } = scene;
      let at = drawnPath.course.at(progress);
      const t = crossing ? Math.min(1, (now - crossing.since) / 220) : 1;
      if (crossing && t < 1) {
        const ease = 1 - (1 - t) ** 3;
        at = [
          crossing.from[0] + (at[0] - crossing.from[0]) * ease,
          crossing.from[1] + (at[1] - crossing.from[1]) * ease,
        ];
      } else crossing = null;
      const [x, y] = xy(at);
      const colour = dusk(progress, palette.dark);
      setAll(glow, { cx: x, cy: y, r: 22 * u, fill: colour, "fill-opacity": sounding ? 0.22 : 0 });
      setAll(dot, { cx: x, cy: y, r: 10 * u, fill: palette.ink, stroke: colour, "stroke-width": 4 * u });
      if (rest) {
        const [ox, oy] = xy(rest.course.at(progress));
        setAll(other, {
          cx: ox,
          cy: oy,
          r: 6 * u,
          fill: palette.halo,
          stroke: palette.straight,
          "stroke-width": 2 * u,
        });
      }
      other.style.display = rest ? "" : "none";
      return t < 1;
    },
  };
}

/** The path that is heard. @param {Pick<Scene, "chosenPath" | "bent" | "straight" | "retimed">} scene */
export const drawnPathOf = ({ chosenPath, bent, straight, retimed }) =>
  chosenPath === "geodesic" ? bent : chosenPath === "retimed" ? (retimed ?? straight) : straight;

/** @param {Box} box */
const mid = (box) => ({ x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 });

/** @param {(box: Box) => string} draw @param {string} disc */
const withDisc = (draw, disc) => (/** @type {Box} */ box) => draw(box) + disc;

/** @param {string} text @param {number} most */
const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text);

/** @param {string} text */
const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);
