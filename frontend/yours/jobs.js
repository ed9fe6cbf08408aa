// @ts-check
/** A model that learns from one's own sounds: asked for, watched, cancelled; found again after a reload. */

import { watch } from "../core/store.js";
import { learnable } from "./adapting.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("./state.js").Job} Job */

const AGAIN = 2000; // ms

export const OVER = ["done", "failed", "cancelled"];
const KINDS = [
  "queued",
  "started",
  "loading",
  "progress",
  "preview",
  "saving",
  "interrupted",
  "waiting",
  ...OVER,
];

/**
 * What a job is after one more event.
 * @param {Job} job @param {string} kind @param {Record<string, any>} data @returns {Job}
 */
export function reported(job, kind, data) {
  if (kind === "progress") {
    const point = { phase: data.phase, step: data.step, train: data.train, held: data.held_out };
    // after an interruption it goes on from a step that was seen before
    const curve = [
      ...job.curve.filter(({ phase, step }) => phase !== point.phase || step < point.step),
      point,
    ];
    const progress = {
      phase: data.phase,
      step: data.step,
      steps: data.steps,
      percent: data.percent,
      eta: data.eta ?? null,
      best_step: data.best_step ?? null,
    };
    return {
      ...job,
      phase: data.phase,
      progress,
      curve,
      from: job.attempts > 1 ? (job.from ?? data.step) : null,
    };
  }
  if (kind === "preview") return { ...job, previews: job.previews + 1, preview: data };
  if (kind === "waiting") return { ...job, phase: kind, error: data.message ?? null };
  if (kind === "failed")
    return { ...job, phase: kind, error: String(data.message ?? "no reason was given; see the server log.") };
  if (kind === "started")
    return {
      ...job,
      phase: kind,
      error: null,
      attempts: Number(data.attempt ?? job.attempts + 1),
      from: null,
    };
  if (kind === "done") return { ...job, phase: kind, why: data.reason ?? null };
  return { ...job, phase: /** @type {Job["phase"]} */ (kind) };
}

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {(error: unknown, again: () => void) => void} parts.complain
 * @param {(url: string) => EventSource} [parts.makeSource]
 */
export function createJobs({ store, api, complain, makeSource = (url) => new EventSource(url) }) {
  /** @type {EventSource | null} */
  let source = null;

  /** @param {import("../core/api.js").JobReply} reply @param {readonly string[]} [sounds] */
  function follow(reply, sounds = reply.sounds ?? []) {
    source?.close();
    /** @type {Job} */
    const job = {
      id: reply.id,
      title: reply.title,
      result: reply.result,
      phase: "queued",
      sounds,
      progress: null,
      curve: [],
      previews: 0,
      preview: null,
      attempts: 0,
      from: null,
      why: null,
      error: reply.error,
    };
    store.set({ job });
    // the browser comes back by itself, after the last event it saw
    const current = (source = makeSource(api.jobEvents(reply.id)));
    for (const kind of KINDS)
      current.addEventListener(kind, (event) => {
        const { job: now } = store.get();
        if (source !== current || !now) return;
        const next = reported(now, kind, JSON.parse(event.data));
        store.set({ job: next });
        if (OVER.includes(kind)) current.close();
      });
    // it comes back by itself, unless the answer was an error: then we do
    current.addEventListener("error", () => {
      if (source !== current || current.readyState !== 2) return;
      setTimeout(() => source === current && follow(reply, sounds), AGAIN);
    });
  }

  async function start() {
    const { model, library } = store.get();
    if (!model || !library) return;
    const sounds = learnable(library);
    try {
      follow(await api.finetune(model.id, sounds, `${model.title}, ${sounds.length} of yours`), sounds);
    } catch (error) {
      complain(error, () => void start());
    }
  }

  async function cancel() {
    const { job } = store.get();
    if (!job) return;
    try {
      await api.cancelJob(job.id);
    } catch (error) {
      complain(error, () => void cancel());
    }
  }

  let looked = false;
  const stop = watch(
    store,
    ({ panel, model }) => [panel === "yours", model],
    async ({ panel, model, job }) => {
      if (panel !== "yours" || !model || looked || job) return;
      looked = true;
      try {
        const running = (await api.jobs()).find((job) => !OVER.includes(job.state) && job.model === model.id);
        if (running && !store.get().job) follow(running);
      } catch {
        // nobody asked
      }
    },
  );

  return {
    start,
    cancel,
    dismiss() {
      source?.close();
      source = null;
      store.set({ job: null });
    },
    /** The same, from the beginning. */
    async again() {
      source?.close();
      source = null;
      store.set({ job: null });
      await start();
    },
    destroy() {
      stop();
      source?.close();
    },
  };
}
