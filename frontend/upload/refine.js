// @ts-check
/** How learning goes: percent, time left, phase, the error as it falls; before and after, to hear. */

import { readPalette } from "../colour.js";
import { h, inNextFrame, sharp, unit } from "../dom.js";
import { watch } from "../store.js";
import { amount } from "../words.js";
import { OVER, createJobs } from "./jobs.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Job} Job */

const FEWEST = 1;

/** @type {[phases: Job["phase"][], word: string][]} */
const PHASES = [[["queued", "started", "loading", "interrupted"], "listen"], [["trial"], "try"], [["final"], "learn"], [["saving"], "map"]];

/** What is to be said of a job, in one line. @param {Job} job */
export function jobWords({ phase, error }) {
  return {
    queued: "It waits its turn.", started: "It begins.", loading: "It listens to your sounds.", interrupted: "It was interrupted, and goes on.",
    trial: "Some of your sounds are left out, to see how far to go.", final: "It learns from all of them. Keep playing: the map stays awake.",
    saving: "It lays the new map.", done: "It has learned. The model you had is as it was.", cancelled: "Cancelled. Nothing was changed.", failed: `It did not work. ${error ?? ""}`,
  }[phase];
}

/** @param {number | null} seconds */
export const left = (seconds) => (seconds === null ? "" : seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`);

/** @param {HTMLElement} root @param {import("../shell/panels.js").Parts} parts */
export function mountRefine(root, parts) {
  const { store, api, listen, playback, toAudioBuffer, complain } = parts;
  const jobs = createJobs({ store, api, complain });
  const go = h("button.btn.solid", { onclick: () => void jobs.start() });
  const hint = h("p.note", {}, "Makes a new model out of this one and your sounds. This one stays as it is.");
  const offer = h("div.offer", {}, h("h3", {}, "Refine"), hint, h("div.row", {}, go));
  const number = h("b");
  const facts = h("dl");
  const bar = h("i");
  const phases = h("ol.phases", { "aria-hidden": "true" }, ...PHASES.map(([, word]) => h("li", {}, word)));
  const said = h("p.note", { role: "status" });
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img" }));
  const loss = h("figure.loss", {}, h("figcaption", {}, "Error on sounds it learns from, and on sounds held back"), canvas);
  const hear = (/** @type {"before" | "after"} */ which, /** @type {string} */ label) => h("button.btn.quiet", { onclick: () => void play(which) }, label);
  const listenRow = h("div.row", {}, hear("before", "Before"), hear("after", "After"));
  const cancel = h("button.btn.ghost", { onclick: () => void jobs.cancel() }, "Cancel");
  const open = h("a.btn.solid", {}, "Open the new model");
  const again = h("button.btn.ghost", { onclick: jobs.dismiss }, "Done");
  const run = h("div.run", { hidden: true }, h("h3", {}, "Learning your sounds"),
    h("div.meter", { role: "progressbar", "aria-label": "Learning", "aria-valuemin": 0, "aria-valuemax": 100 }, h("p.percent", {}, number, h("span", {}, "%")), facts),
    h("div.bar", {}, bar), phases, said, loss, listenRow, h("div.row", {}, open, cancel, again));
  root.append(offer, run);
  const meter = /** @type {HTMLElement} */ (run.querySelector(".meter"));

  /** @param {"before" | "after"} which */
  async function play(which) {
    const { job } = store.get();
    if (!job || !(await listen.unlock())) return;
    try {
      const buffer = toAudioBuffer(await api.bytes(api.previewUrl(job.id, which, job.previews)));
      playback.silence();
      listen.parts()?.voice.play(buffer);
    } catch (error) {
      complain(error, () => void play(which));
    }
  }

  const draw = inNextFrame(() => {
    const { job } = store.get();
    const { c, w, h: tall } = sharp(canvas);
    if (!job || job.curve.length < 2) return;
    const palette = readPalette(document.documentElement);
    const u = unit();
    const values = job.curve.flatMap(({ train, held }) => (held === null ? [train] : [train, held]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const last = job.curve[job.curve.length - 1];
    const x = (/** @type {number} */ step) => (w * 0.86 * step) / Math.max(1, last.step);
    const y = (/** @type {number} */ v) => 18 * u + (1 - (v - low) / Math.max(1e-9, high - low)) * (tall - 26 * u);
    c.font = `500 ${11 * u}px "Hanken Grotesk", system-ui, sans-serif`;
    for (const [name, of, dash] of /** @type {[string, (p: Job["curve"][0]) => number | null, number[]][]} */ ([["training", (p) => p.train, [2 * u, 3 * u]], ["held back", (p) => p.held, []]])) {
      const points = job.curve.filter((p) => of(p) !== null);
      if (!points.length) continue;
      c.beginPath();
      points.forEach((p, i) => c[i ? "lineTo" : "moveTo"](x(p.step), y(/** @type {number} */ (of(p)))));
      Object.assign(c, { strokeStyle: palette.ink, lineWidth: 1.8 * u, lineJoin: "round" });
      c.setLineDash(dash);
      c.stroke();
      c.setLineDash([]);
      c.fillStyle = palette.ink2;
      c.textAlign = "right";
      c.fillText(`${name} ${amount(/** @type {number} */ (of(points[points.length - 1])))}`, w, y(/** @type {number} */ (of(points[points.length - 1]))) - 4 * u);
    }
    canvas.setAttribute("aria-label", `Error: training ${amount(last.train)}${last.held === null ? "" : `, held back ${amount(last.held)}`}`);
  });

  /** @param {State} state */
  function show({ job, library, uploading }) {
    const own = library ? library.id.filter((_, i) => library.kindOf(i) === "uploaded").length : 0;
    offer.hidden = job !== null || own < FEWEST || uploading !== null;
    run.hidden = job === null;
    go.textContent = `Refine on ${own === 1 ? "this sound" : `these ${own} sounds`}`;
    if (!job) return;
    const percent = job.phase === "done" ? 100 : Math.round(job.progress?.percent ?? 0);
    number.textContent = String(percent);
    meter.setAttribute("aria-valuenow", String(percent));
    bar.style.width = `${percent}%`;
    const over = OVER.includes(job.phase);
    const { progress } = job;
    facts.replaceChildren(...(progress && !over ? [h("dt", {}, "left"), h("dd", {}, left(progress.remaining)), h("dt", {}, "step"), h("dd", {}, `${progress.step} of ${progress.steps}`)] : []));
    const now = PHASES.findIndex(([names]) => names.includes(job.phase));
    [...phases.children].forEach((item, i) => (item.className = over && job.phase === "done" ? "done" : i < now ? "done" : i === now ? "now" : ""));
    said.textContent = jobWords(job);
    loss.hidden = job.curve.length < 2;
    listenRow.hidden = job.previews === 0;
    cancel.hidden = over;
    again.hidden = !over;
    open.hidden = job.phase !== "done";
    open.setAttribute("href", `?model=${encodeURIComponent(job.result)}`);
    draw();
  }

  const stops = [
    watch(store, ({ job, library, uploading }) => [job, library, uploading], show),
    watch(store, ({ dark }) => [dark], draw),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      draw.cancel();
      jobs.destroy();
      root.replaceChildren();
    },
  };
}
