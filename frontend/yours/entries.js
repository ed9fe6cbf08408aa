// @ts-check
/** What was dropped as files: folders are gone through, all the way down. */

/** @typedef {{files: File[], unreadable: string[]}} Dropped */

/**
 * Must be called while the drop is handled: afterwards the browser has forgotten what was dropped.
 * @param {DataTransfer} data
 * @returns {Promise<Dropped>} in the order of their paths; unreadable: names
 */
export async function filesOf(data) {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = items.map((item, i) => (entries[i] ? null : item.getAsFile()));
  /** @type {Dropped} */
  const dropped = { files: plain.filter((file) => file !== null), unreadable: [] };
  for (const entry of entries) if (entry) await walk(entry, dropped);
  return dropped;
}

/** @param {FileSystemEntry} entry @param {Dropped} dropped */
async function walk(entry, dropped) {
  try {
    if (entry.isFile) dropped.files.push(await fileOf(/** @type {FileSystemFileEntry} */ (entry)));
    else if (entry.isDirectory && !isHidden(entry.name))
      for (const child of await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry)))
        await walk(child, dropped);
  } catch {
    dropped.unreadable.push(entry.name);
  }
}

/** Archives of a Mac keep a folder of notes beside the sounds. @param {string} name */
const isHidden = (name) => name === "__MACOSX" || name.startsWith(".");

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
const fileOf = (entry) => new Promise((resolve, failed) => entry.file(resolve, failed));

/**
 * A reader gives some hundred at a time, and none when there are no more.
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function childrenOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, failed) =>
      reader.readEntries(resolve, failed),
    );
    if (!some.length)
      return all.sort((first, other) => first.name.localeCompare(other.name, "en", { numeric: true }));
    all.push(...some);
  }
}
