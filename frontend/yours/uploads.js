// @ts-check
/**
 * One's own recordings: sent some at a time, split where sounds begin, corrected, kept; what could not be taken is
 * listed.
 */

import { ApiError, isAborted } from "../core/client.js";
import { userSoundIds } from "../core/sounds.js";
import { watch } from "../core/store.js";
import { carriedOver, cutsOf, isPlain } from "./cuts.js";
import { addLeftOut, partsOf, sortFiles } from "./files.js";
import { isPassing, patiently } from "./patience.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("./state.js").Cut} Cut */
/** @typedef {import("./state.js").Uploading} Uploading */
/** @typedef {import("../core/api.js").UploadReply} UploadReply */
/** @typedef {import("../core/client.js").Refused} Refused */

/** A new upload, before anything was sent. @param {number} total files @returns {Uploading} */
export const sending = (total) => ({
  phase: "sending",
  total,
  done: 0,
  onMap: 0,
  waiting: null,
  recordings: [],
  cuts: [],
  threshold: null,
  finding: false,
});

/** There is no room for more, whatever file it is. @param {unknown} error */
const isFull = (error) => error instanceof ApiError && (error.status === 409 || error.status === 507);

/**
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../core/api.js").Api} parts.api
 * @param {() => Promise<void>} parts.refresh
 * @param {(error: unknown, again: () => void) => void} parts.complain
 * @param {(seconds: number, signal: AbortSignal) => Promise<void>} [parts.pause]
 */
export function createUploads({ store, api, refresh, complain, pause }) {
  const model = () => /** @type {import("../core/state.js").Model} */ (store.get().model);
  let controller = new AbortController();
  /** @type {File[]} dropped, and not sent yet */
  let queue = [];

  /** @param {Partial<Uploading>} change */
  function update(change) {
    const { uploading } = store.get();
    if (uploading) store.set({ uploading: { ...uploading, ...change } });
  }

  /** @param {Partial<import("./files.js").LeftOut>} more */
  const leaveOut = (more) => store.set({ leftOut: addLeftOut(store.get().leftOut, more) });

  /** @template T @param {() => Promise<T>} ask */
  const asking = (ask) =>
    patiently(ask, {
      signal: controller.signal,
      waiting: (seconds) => update({ waiting: seconds }),
      ...(pause && { pause }),
    });

  /** Files, however many; more may come while they are sent. @param {readonly File[]} files */
  async function take(files) {
    const { sounds, refused, skipped } = sortFiles(files, model().limits);
    if (refused.length || skipped.length) leaveOut({ refused, skipped });
    if (!sounds.length) return;
    queue.push(...sounds);
    const { uploading } = store.get();
    if (uploading) return update({ total: uploading.total + sounds.length }); // the first are still on their way
    controller = new AbortController();
    store.set({ uploading: sending(sounds.length) });
    await sendAll();
  }

  async function sendAll() {
    while (queue.length && !controller.signal.aborted) {
      const [part] = partsOf(queue, model().limits);
      queue = queue.slice(part.length);
      await sendPart(part);
    }
    const { uploading } = store.get();
    if (!uploading) return;
    if (uploading.recordings.length) update({ phase: "choosing", waiting: null });
    else await finish();
  }

  /** Sends files; where one of several is to blame, it is found by halves. @param {File[]} part */
  async function sendPart(part) {
    try {
      const reply = await asking(() => api.upload(model().id, part, controller.signal));
      await receive(reply);
      refuse(reply.refused ?? [], part); // not before: where that fails, some are sent again
    } catch (error) {
      if (isAborted(error)) return;
      await blame(error, part);
    }
    update({ done: (store.get().uploading?.done ?? 0) + part.length });
  }

  /** @param {unknown} error @param {File[]} part */
  async function blame(error, part) {
    const detail = error instanceof Error ? error.message : String(error);
    const code = error instanceof ApiError ? error.code : "internal_error";
    if (error instanceof ApiError && error.refused.length) return refuse(error.refused, part);
    if (isPassing(error) || isFull(error)) {
      const rest = [...part, ...queue];
      queue = [];
      return leaveOut({
        refused: [{ name: rest.length === 1 ? rest[0].name : `${rest.length} files`, code, detail }],
        again: rest,
      });
    }
    if (part.length === 1)
      return leaveOut({
        refused: [{ name: part[0].name, code, detail }],
        again: code === "internal_error" ? part : [],
      });
    const middle = part.length >> 1;
    const before = store.get().uploading?.done ?? 0;
    for (const half of [part.slice(0, middle), part.slice(middle)]) await sendPart(half);
    update({ done: before });
  }

  /** @param {readonly Refused[]} refused @param {readonly File[]} part */
  function refuse(refused, part) {
    const skipped = refused
      .filter(({ code }) => code === "skipped")
      .map(() => ({ what: "notes of a file manager", count: 1 }));
    const bad = refused.filter(({ code }) => code !== "skipped");
    const retryable = bad.filter(({ code }) => code === "internal_error").map(({ file }) => part[file]);
    if (refused.length) leaveOut({ refused: bad, skipped, again: retryable });
  }

  /**
   * What is one sound is kept at once; what is not waits for the others, and is asked about together.
   * @param {UploadReply} reply
   */
  async function receive({ id, files }) {
    const recordings = files.map((file, nth) => ({ ...file, upload: id, nth }));
    const odd = recordings.filter((recording) => !isPlain(recording));
    await choose(
      id,
      recordings.filter(isPlain).flatMap((recording) => cutsOf(recording, recording.nth)),
    );
    if (!odd.length) return forget([id]);
    const all = [...(store.get().uploading?.recordings ?? []), ...odd];
    update({ recordings: all, cuts: all.flatMap((recording, file) => cutsOf(recording, file)) });
  }

  /** @param {string} upload @param {readonly {file: number, start: number, end: number, name: string}[]} sounds */
  async function choose(upload, sounds) {
    const most = model().limits.choice_sounds;
    for (let first = 0; first < sounds.length; first += most) {
      const some = sounds
        .slice(first, first + most)
        .map(({ file, start, end, name }) => ({ file, start, end, name }));
      try {
        const { sounds: added, refused = [] } = await asking(() =>
          api.choose(model().id, upload, some, controller.signal),
        );
        refuse(refused, []);
        update({ onMap: (store.get().uploading?.onMap ?? 0) + added.length });
      } catch (error) {
        if (!(error instanceof ApiError && error.refused.length)) throw error;
        refuse(error.refused, []); // none of them can be used, the next ones may
      }
    }
  }

  async function keep() {
    const { uploading } = store.get();
    const selected = uploading?.cuts.filter(({ on }) => on) ?? [];
    if (!uploading || !selected.length) return;
    update({ phase: "keeping" });
    let remaining = uploading.cuts;
    try {
      for (const upload of uploadsIn(uploading)) {
        const isOfUpload = (/** @type {Cut} */ { file }) => uploading.recordings[file].upload === upload;
        await choose(
          upload,
          selected.filter(isOfUpload).map((cut) => ({ ...cut, file: uploading.recordings[cut.file].nth })),
        );
        remaining = remaining.filter((cut) => !isOfUpload(cut)); // if the next one fails, these are not kept twice
        update({ cuts: remaining });
      }
      forget(uploadsIn(uploading));
      await finish();
    } catch (error) {
      update({ phase: "choosing", waiting: null });
      if (!isAborted(error)) complain(error, () => void keep());
    }
  }

  async function finish() {
    const onMap = store.get().uploading?.onMap ?? 0;
    store.set({ uploading: null });
    if (!onMap) return;
    try {
      await refresh();
      store.set({
        notice: { text: `${onMap} ${onMap === 1 ? "sound is" : "sounds are"} on the map.`, kind: "news" },
      });
    } catch (error) {
      complain(error, () => void refresh());
    }
  }

  /** Other beginnings, more or fewer; what was done to the list by hand stays. @param {number} threshold */
  async function split(threshold) {
    const { uploading } = store.get();
    if (!uploading) return;
    update({ threshold, finding: true });
    try {
      const replies = new Map(
        await Promise.all(
          uploadsIn(uploading).map(
            async (upload) =>
              /** @type {const} */ ([
                upload,
                await asking(() => api.proposals(model().id, upload, threshold)),
              ]),
          ),
        ),
      );
      const now = store.get().uploading;
      if (!now || now.threshold !== threshold) return; // it was moved on meanwhile
      const recordings = now.recordings.map((recording) => ({
        ...recording,
        sounds: /** @type {UploadReply} */ (replies.get(recording.upload)).files[recording.nth].sounds,
      }));
      const cuts = recordings.flatMap((recording, file) =>
        carriedOver(
          now.cuts.filter((cut) => cut.file === file),
          cutsOf(
            recording,
            file,
            now.cuts.some(({ on }) => on),
          ),
        ),
      );
      update({ recordings, cuts, finding: false });
    } catch (error) {
      update({ finding: false });
      if (!isAborted(error)) complain(error, () => void split(threshold));
    }
  }

  /** The list of sounds as one of the functions of cuts.js makes it. @param {(cuts: readonly Cut[]) => Cut[]} change */
  function edit(change) {
    const { uploading } = store.get();
    if (uploading) update({ cuts: change(uploading.cuts) });
  }

  /** No more is sent; what was kept stays. */
  async function cancel() {
    const { uploading } = store.get();
    controller.abort();
    queue = [];
    if (!uploading) return;
    forget(uploadsIn(uploading));
    await finish();
  }

  /** Those that could not be taken for no fault of theirs, once more. */
  function again() {
    const { leftOut } = store.get();
    store.set({ leftOut: null });
    if (leftOut) void take(leftOut.again);
  }

  /** They go by themselves later. @param {readonly string[]} uploads */
  const forget = (uploads) =>
    uploads.forEach((upload) => void api.forget(model().id, upload).catch(() => {}));

  /** @param {Uploading} uploading */
  const uploadsIn = ({ recordings }) => [...new Set(recordings.map(({ upload }) => upload))];

  let checked = ""; // whose check is shown
  const stops = [
    watch(
      store,
      ({ dropped, model: there }) => [dropped, there],
      ({ dropped, model: there }) => {
        if (!dropped || !there) return;
        store.set({ dropped: null });
        void take(dropped);
      },
    ),
    // looked at anew whenever there are others
    watch(
      store,
      ({ library, panel, deleted }) => [library, panel, deleted],
      ({ library, panel, model: there, deleted }) => {
        if (!library || !there || panel !== "yours") return;
        const ids = userSoundIds(library);
        const key = [...ids, deleted.length].join();
        if (key === checked) return;
        checked = key;
        if (!ids.length) return store.set({ check: null });
        // the server still has what can be taken back
        const some = deleted.length ? ids : undefined;
        api.check(there.id, some).then(
          (check) => checked === key && store.set({ check }),
          (error) => {
            checked = "";
            complain(error, () => {});
          },
        );
      },
    ),
  ];

  return {
    take,
    keep,
    split,
    edit,
    cancel,
    again,
    dismiss: () => store.set({ leftOut: null }),
    destroy() {
      controller.abort();
      for (const stop of stops) stop();
    },
  };
}

/** @typedef {ReturnType<typeof createUploads>} Uploads */
