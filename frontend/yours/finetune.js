// @ts-check
/**
 * How fine-tuning goes: percent, time left, phase, the error as it falls; the models before and now, and the
 * original, to hear.
 */

import { h, inNextFrame } from "../core/dom.js";
import { userSoundIds } from "../core/sounds.js";
import { watch } from "../core/store.js";
import { amount, duration } from "../core/text.js";
import { learnable } from "./adapting.js";
import { drawCurve } from "./curve.js";
import { OVER, createJobs } from "./jobs.js";
import { linkTo } from "../core/model-links.js";
import { mountTiles } from "./tiles.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("./state.js").Job} Job */

/** @type {[phases: Job["phase"][], word: string][]} */
const PHASES = [
  [["queued", "started", "loading", "interrupted", "waiting"], "listen"],
  [["trial"], "try"],
  [["final"], "learn"],
  [["saving"], "map"],
];

/** What is to be said of a job, in one line. @param {Pick<Job, "phase" | "error"> & {why?: string | null}} job */
export function jobWords({ phase, error, why }) {
  return {
    queued: "Waiting for its turn.",
    started: "Starting.",
    loading: "Reading your sounds.",
    interrupted: "Interrupted; it goes on by itself.",
    waiting: `Fine-tuning cannot go on yet: ${error ?? "it goes on by itself."}`,
    trial: "Some of your sounds are left out, to see how far to go.",
    final: "Learning from all of your sounds.",
    saving: "Building the new map.",
    done: `Finished${why ? `: ${why}` : ""}. The model you had is unchanged.`,
    cancelled: "Cancelled. Nothing was changed.",
    failed: `Fine-tuning failed: ${error ?? "no reason was given; see the server log."}`,
  }[phase];
}

/** Where a job was cut off, and went on. @param {Pick<Job, "attempts" | "from">} job */
export function brokenWords({ attempts, from }) {
  if (attempts < 2) return "";
  const times = attempts === 2 ? "once" : attempts === 3 ? "twice" : `${attempts - 1} times`;
  return `It was interrupted ${times} and went on${from === null ? "" : ` at step ${from}`}; nothing was lost.`;
}

const GAIN = 0.02; // of the error: less is nothing

/** What the sounds that were left out gained; "": none were. @param {Pick<Job, "curve">} job */
export function gainWords({ curve }) {
  const heldOut = curve.flatMap(({ phase, held: error }) =>
    phase === "trial" && error !== null ? [error] : [],
  );
  if (heldOut.length < 2) return "";
  const gain = 1 - Math.min(...heldOut) / heldOut[0];
  return gain < GAIN
    ? "Nothing was gained for sounds it had not heard."
    : `Sounds it had not heard came ${Math.round(100 * gain)} % closer.`;
}

/** @param {number | null | undefined} seconds */
export const remainingWords = (seconds) =>
  seconds === null || seconds === undefined
    ? ""
    : seconds < 60
      ? `${Math.max(1, Math.round(seconds))} s`
      : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/**
 * @param {HTMLElement} offer
 * @param {HTMLElement} run
 * @param {import("../parts.js").Parts} parts
 * @param {() => void} opened a new model is there
 */
export function mountFinetune(offer, run, parts, opened) {
  const { store, api, linkOf } = parts;
  const jobs = createJobs(parts);
  const go = h("button.btn.solid", { onclick: () => void jobs.start() });
  offer.append(
    h("h3", {}, "Fine-tune"),
    h(
      "p.note",
      {},
      "Trains a new model on your sounds (about one minute). The current model is not changed.",
    ),
    h("div.row", {}, go),
  );

  const lede = h("p.lede");
  const number = h("b");
  const facts = h("dl");
  const bar = h("i");
  const phases = h("ol.phases", { "aria-hidden": "true" }, ...PHASES.map(([, word]) => h("li", {}, word)));
  const summary = h("p.note", { role: "status" });
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img" }));
  const measure = h("span");
  const loss = h("figure.loss", {}, h("figcaption", {}, h("span"), measure), canvas);
  const caption = /** @type {HTMLElement} */ (loss.querySelector("figcaption span"));
  const comparedName = h("span");
  const takes = h("div", { "aria-label": "The original model, the new one, and your recording" });
  const comparison = h(
    "div.hearing",
    { hidden: true },
    h("h3", {}, "Hear what changed", comparedName),
    takes,
  );
  const cancel = h("button.btn.quiet", { onclick: () => void jobs.cancel() }, "Cancel");
  const open = h("a.btn.solid", {}, "Open the new model");
  const dismiss = h("button.btn.ghost", { onclick: jobs.dismiss }, "Close");
  const retry = h("button.btn.quiet", { onclick: () => void jobs.again() }, "Try again");
  const meter = h(
    "div.meter",
    { role: "progressbar", "aria-label": "Fine-tuning", "aria-valuemin": 0, "aria-valuemax": 100 },
    h("p.percent", {}, number, h("span", {}, "%")),
    facts,
  );
  run.append(
    h("h2", { tabindex: -1 }, "Fine-tuning", h("br"), "on your sounds"),
    lede,
    meter,
    h("div.bar", {}, bar),
    phases,
    summary,
    loss,
    comparison,
    h("div.row.wrap", {}, open, retry, cancel, dismiss),
  );
  const tiles = mountTiles(takes, parts);

  const draw = inNextFrame(() => {
    const { job, model } = store.get();
    if (job && !run.hidden) drawCurve(canvas, job, "Error", model?.unit ?? "");
  });

  /** @param {State} state */
  function show(state) {
    const { job, library, uploading, model } = state;
    const sounds = library ? learnable(library) : [];
    const all = library ? userSoundIds(library).length : 0;
    offer.hidden = job !== null || !sounds.length || uploading !== null;
    run.hidden = job === null;
    const everyOne = all === 1 ? "this sound" : `these ${all} sounds`;
    go.textContent = `Fine-tune on ${all > sounds.length ? `the first ${sounds.length} of ${all} sounds` : everyOne}`;
    if (!job || !library) return;
    const learned = job.sounds.length ? job.sounds : sounds;
    const seconds = learned.reduce((sum, id) => sum + (library.seconds[library.indexOf(id)] ?? 0), 0);
    const over = OVER.includes(job.phase);
    const shots = `${learned.length} one-shot${learned.length === 1 ? "" : "s"}`;
    lede.textContent = `${shots}, ${duration(seconds)}.${over ? "" : " You can go on playing meanwhile."}`;
    const percent = job.phase === "done" ? 100 : Math.min(99, Math.round(job.progress?.percent ?? 0));
    number.textContent = String(percent);
    meter.setAttribute("aria-valuenow", String(percent));
    bar.style.width = `${percent}%`;
    const { progress } = job;
    const rest = remainingWords(progress?.eta);
    facts.replaceChildren(
      ...(progress && !over
        ? [
            ...(rest ? [h("dt", {}, "left"), h("dd", {}, rest)] : []),
            h("dt", {}, "step"),
            h("dd", {}, `${progress.step} of ${progress.steps}`),
          ]
        : []),
    );
    const now = PHASES.findIndex(([names]) => names.includes(job.phase));
    [...phases.children].forEach(
      (item, i) =>
        (item.className = job.phase === "done" ? "done" : i < now ? "done" : i === now ? "now" : ""),
    );
    const text = [jobWords(job), job.phase === "done" && gainWords(job), brokenWords(job)]
      .filter(Boolean)
      .join(" ");
    if (summary.textContent !== text) summary.textContent = text;
    loss.hidden = job.curve.length < 2;
    caption.textContent = job.curve.some(({ held }) => held !== null)
      ? "Error on the sounds it learns from, and on those left out"
      : "Error on the sounds it learns from";
    measure.textContent = model?.unit ?? "";
    comparison.hidden = job.previews === 0;
    if (job.previews) hear(state, job);
    cancel.hidden = over;
    dismiss.hidden = !over;
    retry.hidden = job.phase !== "failed" && job.phase !== "cancelled";
    open.hidden = job.phase !== "done";
    const result = state.models.find(({ id }) => id === job.result);
    open.setAttribute(
      "href",
      result ? linkTo(linkOf, state, result) : `?model=${encodeURIComponent(job.result)}&panel=yours`,
    );
    draw();
  }

  /** @param {State} state @param {Job} job */
  function hear({ library, model }, { id, previews, preview, phase, sounds }) {
    const sound = preview?.sound ?? sounds[0];
    const row = library && sound ? library.indexOf(sound) : -1;
    comparedName.textContent = library && row >= 0 ? library.name[row] : "the first of your sounds";
    const off = (/** @type {number | null | undefined} */ error, /** @type {string} */ otherwise) =>
      typeof error === "number" ? `${amount(error)} ${model?.unit ?? ""} off` : otherwise;
    const step = preview?.step;
    tiles.show([
      {
        key: `${id} before`,
        label: "Original model",
        detail: off(preview?.before, "before"),
        url: async () => api.previewUrl(id, "before", 1),
      },
      {
        key: `${id} after ${previews}`,
        label: phase === "done" ? "New model" : step ? `Step ${step}` : "By now",
        detail: off(preview?.after, phase === "done" ? "with your sounds" : "so far"),
        url: async () => api.previewUrl(id, "after", previews),
      },
      ...(sound && row >= 0 && model
        ? [
            {
              key: sound,
              label: "Your recording",
              detail: "as it is",
              url: async () => api.soundUrl(model.id, sound),
            },
          ]
        : []),
    ]);
  }

  const resized = new ResizeObserver(draw);
  resized.observe(canvas);
  const stops = [
    watch(
      store,
      ({ job, library, uploading, models, a, b }) => [job, library, uploading, models, a, b],
      show,
    ),
    watch(store, ({ dark }) => [dark], draw),
    watch(
      store,
      ({ job }) => [job?.phase === "done"],
      ({ job }) => job?.phase === "done" && opened(),
    ),
  ];
  return {
    destroy() {
      for (const stop of stops) stop();
      resized.disconnect();
      draw.cancel();
      tiles.destroy();
      jobs.destroy();
      run.replaceChildren();
      offer.replaceChildren();
    },
  };
}
