// @ts-check
/** Draws a cloud of points: by WebGL2, or on a plain canvas where there is none. */

import { mix, oklch, parseHex } from "../core/colour.js";
import { FAMILY_OUTLINES } from "../core/shapes.js";

/** @typedef {import("../core/cloud.js").Cloud} Cloud */
/** @typedef {import("../core/cloud.js").Colouring} Colouring */
/** @typedef {import("../core/colour.js").Palette} Palette */
/** @typedef {import("../core/colour.js").RGB} RGB */
/** @typedef {import("../core/view.js").View} View */
/** @typedef {{palette: Palette, colouring: Colouring, size: number, opacity: number}} Look size: CSS pixels */
/** @typedef {{kind: Uint8Array, lit: Uint8Array | null}} Marks   of each point: its colour, and is it lit? */

const KINDS = FAMILY_OUTLINES.length;
const SHAPED = 4; // CSS pixels; a smaller point has no shape that anyone could see
const TILE = 64; // pixels of a shape in its picture
const GREYED = 0.35; // opacity of what is not lit, of the others'
export const CANVAS_POINTS = 10_000; // that are drawn without WebGL

const VERTEX = `#version 300 es
in vec2 at;
in float kind;
in float lit;
uniform vec2 scale, offset;
uniform float size, pass, growth;
flat out float shape;
void main() {
  shape = kind;
  gl_PointSize = size * mix(1.0, 0.55 + 0.9 * kind / ${KINDS - 1}.0, growth);
  gl_Position = lit == pass ? vec4(at * scale + offset, 0.0, 1.0) : vec4(2.0, 2.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
flat in float shape;
uniform sampler2D shapes;
uniform vec3 colours[${KINDS}], rim;
uniform float opacity, shaped;
out vec4 colour;
void main() {
  float column = shaped > 0.5 ? shape : 0.0;
  vec4 mask = texture(shapes, vec2((column + gl_PointCoord.x) / ${KINDS}.0, gl_PointCoord.y));
  float a = mask.a * opacity;
  if (a < 0.02) discard;
  vec3 inner = colours[int(shape)];
  colour = vec4(mix(inner, mix(rim, inner, mask.r), shaped) * a, a);
}`;

/**
 * The colours of the kinds. Of brightness: from dim to bright, which grow too.
 * @param {Palette} palette @param {Colouring} colouring @returns {RGB[]}
 */
export function coloursOf(palette, colouring) {
  return Array.from({ length: KINDS }, (_, kind) => {
    if (colouring !== "brightness") return parseHex(palette[/** @type {"f0"} */ (`f${kind}`)]);
    const t = kind / (KINDS - 1);
    return palette.dark
      ? oklch(mix(0.5, 0.93, t), mix(0.1, 0.13, t), mix(265, 95, t))
      : oklch(mix(0.72, 0.36, t), mix(0.07, 0.13, t), mix(265, 50, t));
  });
}

/**
 * A shape that stands out from those of the library by its rim.
 * @param {CanvasRenderingContext2D} c in a box of 12 @param {Path2D} outline @param {string} fill @param {string} rim
 */
function rimmed(c, outline, fill, rim) {
  Object.assign(c, { fillStyle: fill, strokeStyle: rim, lineWidth: 1.3, lineJoin: "round" });
  c.fill(outline);
  c.stroke(outline);
}

/** All shapes beside each other: white with a black rim. @returns {HTMLCanvasElement} */
function shapesPicture() {
  const canvas = Object.assign(document.createElement("canvas"), { width: KINDS * TILE, height: TILE });
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  FAMILY_OUTLINES.forEach((outline, kind) => {
    c.setTransform(TILE / 12, 0, 0, TILE / 12, kind * TILE, 0);
    rimmed(c, new Path2D(outline), "#fff", "#000");
  });
  return canvas;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {() => void} redraw     its graphics were taken away and are back
 */
export function createPainter(canvas, redraw) {
  const gl = canvas.getContext("webgl2", {
    alpha: true,
    antialias: false,
    depth: false,
    premultipliedAlpha: true,
  });
  return gl ? webglPainter(canvas, gl, redraw) : canvasPainter(canvas);
}

/** @typedef {ReturnType<typeof webglPainter>} Painter */

/** @param {HTMLCanvasElement} canvas @param {number} [most] pixels a CSS pixel */
function fitted(canvas, most = 2) {
  const ratio = Math.min(most, window.devicePixelRatio || 1);
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return ratio;
}

/** @param {WebGL2RenderingContext} gl */
function programOf(gl) {
  const program = gl.createProgram();
  for (const [type, source] of /** @type {const} */ ([
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(type));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  ["at", "kind", "lit"].forEach((name, index) => gl.bindAttribLocation(program, index, name));
  gl.linkProgram(program);
  return program;
}

/** @param {HTMLCanvasElement} canvas @param {WebGL2RenderingContext} gl @param {() => void} redraw */
function webglPainter(canvas, gl, redraw) {
  /** @type {Cloud | null} */
  let cloud = null;
  /** @type {Marks | null} */
  let marks = null;
  /** @type {{program: WebGLProgram, buffers: WebGLBuffer[], uniform: (name: string) => WebGLUniformLocation | null}} */
  let parts = begin();

  function begin() {
    const program = programOf(gl);
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, shapesPicture());
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    const buffers = [0, 1, 2].map(() => gl.createBuffer());
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    return {
      program,
      buffers,
      uniform: (/** @type {string} */ name) => gl.getUniformLocation(program, name),
    };
  }

  /** @param {number} index @param {ArrayBufferView} values @param {number} size @param {number} type @param {boolean} share */
  function attribute(index, values, size, type, share) {
    gl.bindBuffer(gl.ARRAY_BUFFER, parts.buffers[index]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.vertexAttribPointer(index, size, type, share, 0, 0);
    gl.enableVertexAttribArray(index);
  }

  function sendPositions() {
    if (!cloud) return;
    const { x, y } = cloud.columns;
    const at = new Uint16Array(2 * cloud.count);
    for (let row = 0; row < cloud.count; row++) {
      at[2 * row] = x[row];
      at[2 * row + 1] = y[row];
    }
    attribute(0, at, 2, gl.UNSIGNED_SHORT, true);
  }

  function sendMarks() {
    if (!cloud || !marks) return;
    attribute(1, marks.kind, 1, gl.UNSIGNED_BYTE, false);
    attribute(2, marks.lit ?? new Uint8Array(cloud.count).fill(1), 1, gl.UNSIGNED_BYTE, false);
  }

  const onLost = (/** @type {Event} */ event) => event.preventDefault(); // or it is never given back
  function onRestored() {
    parts = begin();
    sendPositions();
    sendMarks();
    redraw();
  }
  canvas.addEventListener("webglcontextlost", onLost);
  canvas.addEventListener("webglcontextrestored", onRestored);

  return {
    /** Points that are drawn, of a cloud. @param {number} count */
    drawn: (count) => count,

    /** @param {Cloud} points @param {Marks} theirMarks */
    load(points, theirMarks) {
      if (points !== cloud) {
        cloud = points;
        sendPositions();
      }
      marks = theirMarks;
      sendMarks();
    },

    /** @param {View} view @param {Look} look */
    draw(view, { palette, colouring, size, opacity }) {
      const ratio = fitted(canvas);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      if (!cloud || !marks) return;
      const [x0, x1, y0, y1] = cloud.columns.extent;
      const { program, uniform } = parts;
      gl.useProgram(program);
      const [across, up] = [(2 * view.k) / view.width, (2 * view.k) / view.height];
      gl.uniform2f(uniform("scale"), (x1 - x0) * across, (y1 - y0) * up);
      gl.uniform2f(uniform("offset"), (x0 - view.x) * across, (y0 - view.y) * up);
      gl.uniform1f(uniform("shaped"), size >= SHAPED && colouring !== "brightness" ? 1 : 0);
      gl.uniform3fv(
        uniform("rim"),
        parseHex(palette.ink).map((value) => value / 255),
      );
      gl.uniform1f(uniform("growth"), colouring === "brightness" ? 1 : 0);
      const pass = (
        /** @type {number} */ lit,
        /** @type {RGB[]} */ colours,
        /** @type {number} */ strength,
      ) => {
        gl.uniform1f(uniform("pass"), lit);
        gl.uniform1f(uniform("size"), size * ratio * (lit ? 1 : 0.8));
        gl.uniform1f(uniform("opacity"), strength);
        gl.uniform3fv(
          uniform("colours"),
          colours.flat().map((value) => value / 255),
        );
        gl.drawArrays(gl.POINTS, 0, /** @type {Cloud} */ (cloud).count);
      };
      const grey = parseHex(palette.ink3);
      if (marks.lit)
        pass(
          0,
          Array.from({ length: KINDS }, () => grey),
          opacity * GREYED,
        );
      pass(1, coloursOf(palette, colouring), opacity);
    },

    /** Whether what was drawn is on the screen. @returns {() => boolean} */
    finished() {
      const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
      gl.flush();
      return () => !sync || gl.isContextLost() || gl.getSyncParameter(sync, gl.SYNC_STATUS) === gl.SIGNALED;
    },

    destroy() {
      canvas.removeEventListener("webglcontextlost", onLost);
      canvas.removeEventListener("webglcontextrestored", onRestored);
      gl.getExtension("WEBGL_lose_context")?.loseContext();
    },
  };
}

/** @param {HTMLCanvasElement} canvas @returns {Painter} */
function canvasPainter(canvas) {
  const outlines = FAMILY_OUTLINES.map((outline) => new Path2D(outline));
  /** @type {Cloud | null} */
  let cloud = null;
  /** @type {Marks | null} */
  let marks = null;
  /** @type {number[]} rows */
  let some = [];

  /**
   * @param {number} kind @param {RGB} colour @param {number} pixels
   * @param {string | null} rim without one it is round
   */
  function stamp(kind, colour, pixels, rim) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.max(1, Math.ceil(pixels));
    const c = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
    c.scale(tile.width / 12, tile.width / 12);
    if (rim) rimmed(c, outlines[kind], `rgb(${colour})`, rim);
    else {
      c.fillStyle = `rgb(${colour})`;
      c.fill(outlines[0]);
    }
    return tile;
  }

  return {
    drawn: (count) => Math.min(count, CANVAS_POINTS),
    load(points, theirMarks) {
      cloud = points;
      marks = theirMarks;
      const rows = Array.from({ length: points.count }, (_, row) => row);
      const lit = marks.lit;
      const ordered = lit ? [...rows.filter((row) => !lit[row]), ...rows.filter((row) => lit[row])] : rows;
      const step = Math.max(1, points.count / CANVAS_POINTS);
      some = lit
        ? ordered.slice(-CANVAS_POINTS)
        : Array.from(
            { length: Math.floor(points.count / step) },
            (_, nth) => ordered[Math.floor(nth * step)],
          );
    },
    draw(view, { palette, colouring, size, opacity }) {
      const ratio = fitted(canvas);
      const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      c.setTransform(1, 0, 0, 1, 0, 0);
      c.clearRect(0, 0, canvas.width, canvas.height);
      if (!cloud || !marks) return;
      const shaped = size >= SHAPED && colouring !== "brightness";
      const grows = (/** @type {number} */ kind) =>
        colouring === "brightness" ? 0.55 + (0.9 * kind) / (KINDS - 1) : 1;
      const stamps = coloursOf(palette, colouring).map((colour, kind) =>
        stamp(kind, colour, size * ratio * grows(kind), shaped ? palette.ink : null),
      );
      const grey = stamp(0, parseHex(palette.ink3), size * ratio * 0.8, null);
      for (const row of some) {
        const x = (view.width / 2 + (cloud.x[row] - view.x) * view.k) * ratio; // as toScreen, without making arrays
        const y = (view.height / 2 - (cloud.y[row] - view.y) * view.k) * ratio;
        const isLit = !marks.lit || marks.lit[row];
        const tile = isLit ? stamps[marks.kind[row]] : grey;
        const half = tile.width / 2;
        if (x < -half || y < -half || x > canvas.width + half || y > canvas.height + half) continue;
        c.globalAlpha = isLit ? opacity : opacity * GREYED;
        c.drawImage(tile, Math.round(x - half), Math.round(y - half));
      }
      c.globalAlpha = 1;
    },
    finished: () => () => true,
    destroy: () => {},
  };
}
