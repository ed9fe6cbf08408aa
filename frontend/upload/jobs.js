// @ts-check
/** A model that learns from one's own sounds: asked for, watched, cancelled; found again after a reload. */

import { watch } from "../store.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Job} Job */

export const OVER = ["done", "failed", "cancelled"];
const KINDS = ["queued", "started", "loading", "progress", "preview", "saving", "interrupted", ...OVER];

/**
 * What a job is after one more event.
 * @param {Job} job @param {string} kind @param {Record<string, any>} data @returns {Job}
 */
export function told(job, kind, data) {
  if (kind === "progress") {
    const again = job.curve.length && data.phase === job.progress?.phase && data.step <= (job.progress?.step ?? 0);
    const same = data.phase === job.progress?.phase && !again;
    const point = { step: data.step, train: data.train, held: data.held_out };
    return { ...job, phase: data.phase, progress: /** @type {any} */ (data), curve: same ? [...job.curve, point] : [point] };
  }
  if (kind === "preview") return { ...job, previews: job.previews + 1 };
  if (kind === "failed") return { ...job, phase: kind, error: String(data.message ?? "It says not why.") };
  return { ...job, phase: /** @type {Job["phase"]} */ (kind) };
}

/**
 * @param {object} parts
 * @param {import("../store.js").Store<State>} parts.store
 * @param {import("../api.js").Api} parts.api
 * @param {(error: unknown, again: () => void) => void} parts.complain
 * @param {(url: string) => EventSource} [parts.makeSource]
 */
export function createJobs({ store, api, complain, makeSource = (url) => new EventSource(url) }) {
  /** @type {EventSource | null} */
  let source = null;

  /** @param {import("../api.js").JobReply} reply */
  function follow(reply) {
    source?.close();
    /** @type {Job} */
    const job = { id: reply.id, title: reply.title, result: reply.result, phase: "queued", progress: null, curve: [], previews: 0, error: reply.error };
    store.set({ job });
    const mine = (source = makeSource(api.jobEvents(reply.id))); // the browser comes back by itself, after the last event it saw
    for (const kind of KINDS)
      mine.addEventListener(kind, (event) => {
        const { job: now } = store.get();
        if (source !== mine || !now) return;
        const next = told(now, kind, JSON.parse(event.data));
        store.set({ job: next });
        if (OVER.includes(kind)) mine.close();
      });
  }

  async function start() {
    const { model, library } = store.get();
    if (!model || !library) return;
    const own = library.id.filter((_, i) => library.kindOf(i) === "uploaded");
    try {
      follow(await api.refine(model.id, own, `${model.title}, ${own.length} of yours`));
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
  const stop = watch(store, ({ panel, model }) => [panel === "yours", model], async ({ panel, model, job }) => {
    if (panel !== "yours" || !model || looked || job) return;
    looked = true;
    try {
      const running = (await api.jobs()).find((one) => !OVER.includes(one.state) && one.model === model.id);
      if (running && !store.get().job) follow(running);
    } catch {
      // nobody asked
    }
  });

  return {
    start, cancel,
    dismiss() {
      source?.close();
      store.set({ job: null });
    },
    destroy() {
      stop();
      source?.close();
    },
  };
}
