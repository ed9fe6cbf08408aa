// @ts-check
/** One's own recordings: sent, split where sounds begin, corrected, kept, and looked at before anything learns from them. */

import { isAborted } from "../api.js";
import { ownSounds } from "../library/sounds.js";
import { watch } from "../store.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Cut} Cut */
/** @typedef {import("../state.js").Uploading} Uploading */
/** @typedef {import("../api.js").UploadReply} UploadReply */

/** What was found in recordings, as a list to choose from. @param {UploadReply} reply @returns {Cut[]} */
export const cutsOf = ({ files }) =>
  files.flatMap(({ sounds }, file) => sounds.map(({ start, end, name }) => ({ file, start, end, name, on: true })));

/** Nothing to ask: every file is one sound. @param {UploadReply} reply */
export const isPlain = ({ files }) => files.every(({ sounds }) => sounds.length === 1);

/**
 * Why these files cannot be sent; null: they can.
 * @param {{name: string, size: number}[]} files
 * @param {{upload_files: number, upload_bytes: number}} limits
 */
export function refusal(files, { upload_files: most, upload_bytes: bytes }) {
  if (files.length > most) return `${files.length} files at once are too many; the engine takes ${most}. Send them in parts.`;
  const sum = files.reduce((total, { size }) => total + size, 0);
  if (sum > bytes) return `These files have ${megabytes(sum)} together; the engine takes ${megabytes(bytes)} at once. Send fewer, or shorter ones.`;
  const empty = files.find(({ size }) => size === 0);
  return empty ? `${empty.name} is empty. Leave it out.` : null;
}

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`;

/** A cut with another beginning or end, as far as that makes sense. @param {Cut} cut @param {"start" | "end"} edge @param {number} at seconds @param {number} seconds of the recording */
export function moved(cut, edge, at, seconds) {
  const least = 0.02; // of a sound, seconds
  const most = 10;
  const t = Math.min(seconds, Math.max(0, at));
  return edge === "start"
    ? { ...cut, start: Math.max(cut.end - most, Math.min(t, cut.end - least)) }
    : { ...cut, end: Math.min(cut.start + most, Math.max(t, cut.start + least)) };
}

/**
 * @param {object} parts
 * @param {import("../store.js").Store<State>} parts.store
 * @param {import("../api.js").Api} parts.api
 * @param {() => Promise<void>} parts.refresh
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function createUploads({ store, api, refresh, complain }) {
  const model = () => /** @type {import("../state.js").Model} */ (store.get().model);

  /** @param {File[]} files */
  async function take(files) {
    const no = refusal(files, model().limits);
    if (no) return store.set({ notice: { text: no, kind: "trouble" } });
    store.set({ uploading: { phase: "sending", count: files.length, reply: null, cuts: [], threshold: null } });
    try {
      const reply = await api.upload(model().id, files);
      const cuts = cutsOf(reply);
      const choosing = { phase: /** @type {const} */ ("choosing"), count: files.length, reply, cuts, threshold: null };
      store.set({ uploading: choosing });
      if (isPlain(reply)) await keep();
    } catch (error) {
      store.set({ uploading: null });
      if (!isAborted(error)) complain(error, () => void take(files));
    }
  }

  async function keep() {
    const { uploading } = store.get();
    const chosen = uploading?.cuts.filter(({ on }) => on) ?? [];
    if (!uploading?.reply || !chosen.length) return;
    store.set({ uploading: { ...uploading, phase: "keeping" } });
    try {
      const { sounds } = await api.choose(model().id, uploading.reply.id, chosen.map(({ file, start, end, name }) => ({ file, start, end, name })));
      await refresh();
      store.set({ uploading: null, notice: { text: `${sounds.length} ${sounds.length === 1 ? "sound is" : "sounds are"} on the map.`, kind: "news" } });
      void api.forget(model().id, uploading.reply.id).catch(() => {}); // it goes by itself later
    } catch (error) {
      const now = store.get().uploading;
      if (now) store.set({ uploading: { ...now, phase: "choosing" } });
      complain(error, () => void keep());
    }
  }

  /** Finds more, or fewer, beginnings. @param {number} threshold */
  async function split(threshold) {
    const { uploading } = store.get();
    if (!uploading?.reply) return;
    store.set({ uploading: { ...uploading, threshold } });
    try {
      const reply = await api.proposals(model().id, uploading.reply.id, threshold);
      const now = store.get().uploading;
      if (now?.threshold === threshold) store.set({ uploading: { ...now, reply, cuts: cutsOf(reply) } });
    } catch (error) {
      complain(error, () => void split(threshold));
    }
  }

  /** @param {number} nth @param {Partial<Cut>} change */
  function correct(nth, change) {
    const { uploading } = store.get();
    if (uploading) store.set({ uploading: { ...uploading, cuts: uploading.cuts.map((cut, i) => (i === nth ? { ...cut, ...change } : cut)) } });
  }

  function cancel() {
    const { uploading } = store.get();
    store.set({ uploading: null });
    if (uploading?.reply) void api.forget(model().id, uploading.reply.id).catch(() => {});
  }

  let own = ""; // whose check is shown
  const stops = [
    watch(store, ({ dropped, model: there }) => [dropped, there], ({ dropped, model: there }) => {
      if (!dropped || !there) return;
      store.set({ dropped: null });
      void take([...dropped]);
    }),
    // looked at anew whenever there are others
    watch(store, ({ library, panel }) => [library, panel], ({ library, panel, model: there }) => {
      if (!library || !there || panel !== "yours") return;
      const ids = ownSounds(library);
      const key = ids.join();
      if (key === own) return;
      own = key;
      if (!ids.length) return store.set({ check: null });
      api.check(there.id).then((check) => own === key && store.set({ check }), (error) => {
        own = "";
        complain(error, () => {});
      });
    }),
  ];

  return {
    take, keep, split, correct, cancel,
    destroy() {
      for (const stop of stops) stop();
    },
  };
}

/** @typedef {ReturnType<typeof createUploads>} Uploads */
