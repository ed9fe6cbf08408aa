// @ts-check
/** What a folder of samples holds besides sounds, and how hundreds of files are sent: some at a time. */

/** @typedef {{name: string, size: number, type?: string}} FileLike */

/** @typedef {import("./state.js").LeftOut} LeftOut */
/** @typedef {import("./state.js").Refusal} Refusal */
/** @typedef {import("./state.js").Skipped} Skipped */

const SOUNDS = [
  "wav",
  "wave",
  "flac",
  "ogg",
  "oga",
  "opus",
  "mp3",
  "mp2",
  "aif",
  "aiff",
  "aifc",
  "au",
  "snd",
  "rf64",
  "w64",
  "caf",
  "m4a",
  "mp4",
  "aac",
  "wma",
  "bwf",
];

/** What file managers leave in folders: "._kick.wav" is a Mac's note about kick.wav, no sound. @param {string} name */
const isLeftover = (name) =>
  name.startsWith("._") || /^(\.ds_store|thumbs\.db|desktop\.ini|icon\r?)$/i.test(name);

/** @param {string} name */
const endingOf = (name) => /\.([^.]+)$/.exec(name)?.[1].toLowerCase() ?? "";

/**
 * What kind of thing is no sound: ".asd files"; null: it may well be one.
 * @param {FileLike} file
 * @returns {string | null}
 */
function kindLeftOut({ name, type = "" }) {
  if (isLeftover(name)) return "notes of a file manager";
  const ending = endingOf(name);
  // a name without an ending may be a sound: whoever reads it decides
  if (type.startsWith("audio/") || SOUNDS.includes(ending) || (!ending && !type)) return null;
  return ending ? `.${ending}` : "other files";
}

/** @param {number} bytes */
export const megabytes = (bytes) =>
  bytes < 2 ** 20 / 10
    ? `${Math.ceil(bytes / 2 ** 10)} kB`
    : `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`;

/**
 * Which files to send, which to refuse at once, and what is no sound at all.
 * @template {FileLike} F
 * @param {readonly F[]} files
 * @param {{upload_bytes: number}} limits
 * @returns {{sounds: F[], refused: Refusal[], skipped: Skipped[]}}
 */
export function sortFiles(files, { upload_bytes: most }) {
  /** @type {Map<string, number>} */
  const skipped = new Map();
  /** @type {Refusal[]} */
  const refused = [];
  const sounds = files.filter((file) => {
    const kind = kindLeftOut(file);
    if (kind) skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
    else if (file.size === 0) refused.push({ name: file.name, code: "empty", detail: "The file is empty." });
    else if (file.size > most)
      refused.push({
        name: file.name,
        code: "upload_too_large",
        detail: `It has ${megabytes(file.size)}; up to ${megabytes(most)} can be taken.`,
      });
    else return true;
    return false;
  });
  return { sounds, refused, skipped: [...skipped].map(([what, count]) => ({ what, count })) };
}

/** "12 files are no sounds and were left out: 8 .asd, 4 .txt." @param {readonly Skipped[]} skipped @returns {string} */
export function skippedWords(skipped) {
  const all = skipped.reduce((sum, { count }) => sum + count, 0);
  if (!all) return "";
  const kinds = skipped
    .map(({ what, count }) => {
      const named = count === 1 ? what.replace(/^notes /, "note ") : what;
      return skipped.length > 1 || count > 1 ? `${count} ${named}` : named;
    })
    .join(", ");
  return `${all === 1 ? "1 file is no sound and was" : `${all} files are no sounds and were`} left out: ${kinds}.`;
}

const WRAPPING = 1024; // bytes that a form adds to each file, at most

/**
 * Files in parts that can be sent at once, in their order.
 * @template {FileLike} F
 * @param {readonly F[]} files none larger than a part may be
 * @param {{upload_files: number, upload_bytes: number}} limits
 * @returns {F[][]}
 */
export function partsOf(files, { upload_files: most, upload_bytes: bytes }) {
  /** @type {F[][]} */
  const parts = [];
  let sum = 0;
  for (const file of files) {
    const size = file.size + WRAPPING;
    const last = parts.at(-1);
    if (last && last.length < most && sum + size <= bytes) {
      last.push(file);
      sum += size;
    } else {
      parts.push([file]);
      sum = size;
    }
  }
  return parts;
}

/**
 * What was not taken before, and now.
 * @param {LeftOut | null} before
 * @param {Partial<LeftOut>} more
 * @returns {LeftOut}
 */
export function addLeftOut(before, { refused = [], skipped = [], again = [] }) {
  const counts = new Map((before?.skipped ?? []).map(({ what, count }) => [what, count]));
  for (const { what, count } of skipped) counts.set(what, (counts.get(what) ?? 0) + count);
  return {
    refused: [...(before?.refused ?? []), ...refused],
    skipped: [...counts].map(([what, count]) => ({ what, count })),
    again: [...(before?.again ?? []), ...again],
  };
}
