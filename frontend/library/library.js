// @ts-check
/** The library as a table, in step with the map: what is filtered, pointed at and chosen there is so here. */

import { alongRow, h, icon, inNextFrame, oneTabStop, setAll, unit } from "../core/dom.js";
import { familyGlyph, userGlyph } from "../core/shapes.js";
import { watch } from "../core/store.js";
import { amount, capital, count, duration, wordsOf } from "../core/text.js";
import { toCsv } from "./csv.js";
import { dragged } from "../save/drag.js";
import { filtered, noteName, sorted } from "../core/sounds.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Sorting} Sorting */

const MARGIN = 8; // rows drawn above and below what is seen

/** @type {[Sorting["by"], string, string][]} */
const COLUMNS = [
  ["name", "Sound", ""],
  ["family", "Family", ""],
  ["seconds", "Length", "n"],
  ["pitch", "Pitch", "n"],
  ["distance", "Distance to A", "n"],
];

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("../core/store.js").Store<State>} parts.store
 * @param {import("../actions.js").Actions} parts.actions
 * @param {import("../playback.js").Playback} parts.playback
 * @param {import("../found/user-sounds.js").UserSounds} parts.userSounds
 * @param {import("../save/saver.js").Saver} parts.saver
 */
export function mountLibrary(root, { store, actions, playback, userSounds, saver }) {
  const close = h(
    "button.icon.close",
    { "aria-label": "Close the library", onclick: () => store.set({ panel: null }) },
    icon("close"),
  );
  const search = /** @type {HTMLInputElement} */ (
    h("input", { type: "search", "aria-label": "Filter sounds", autocomplete: "off", spellcheck: "false" })
  );
  const save = h("button.btn.ghost", { onclick: saveCsv }, "Save as CSV");
  const heads = COLUMNS.map(([by, label, look]) =>
    h(
      `th${look && `.${look}`}`,
      { scope: "col" },
      h("button", { onclick: () => sortBy(by) }, label, h("i", { "aria-hidden": "true" })),
    ),
  );
  const body = h("tbody");
  const head = h("thead", {}, h("tr", {}, ...heads, h("th", {}, h("span.vh", {}, "Use as"))));
  const table = h("table", {}, head, body);
  const wrap = h("div.tablewrap", { tabindex: 0, role: "region", "aria-label": "Sounds" }, table);
  const empty = h(
    "p.none",
    { hidden: true },
    "No sound called that. ",
    h("button.text", { onclick: clear }, "Clear the filter?"),
  );
  const tally = h("p.tally", { role: "status" });
  root.append(h("h2", {}, "Library"), close, h("div.row.filter", {}, search, save), wrap, empty, tally);
  root.className = "library";

  /** @type {number[]} */
  let rows = [];
  let [first, end] = [0, 0];
  let reveal = -1; // the row that is to be in sight next
  let focusedAt = 0; // the row that had the focus last
  /** @type {string | null} whose name was written: its row has the focus next, wherever the new name has put it */
  let backTo = null;

  /** @param {Sorting["by"]} by */
  function sortBy(by) {
    const { sort } = store.get();
    store.set({ sort: { by, down: sort.by === by ? !sort.down : false } });
  }
  function clear() {
    store.set({ query: "", families: [] });
    search.focus();
  }
  function saveCsv() {
    const { library, distances, model } = store.get();
    if (!library || !model) return;
    const text = toCsv(library, rows, distances, model.unit);
    const link = h("a", {
      href: URL.createObjectURL(new Blob([text], { type: "text/csv" })),
      download: `${model.id}.csv`,
    });
    link.click();
    URL.revokeObjectURL(/** @type {HTMLAnchorElement} */ (link).href);
  }

  /** As library.css has it. */
  const rowHeight = () => parseFloat(getComputedStyle(root).getPropertyValue("--row")) * 16 * unit();

  /** @param {number} i @param {number} nth */
  function row(i, nth) {
    const { library, distances, a, b, marked, editing } = store.get();
    const lib = /** @type {NonNullable<typeof library>} */ (library);
    const id = lib.id[i];
    const name = lib.name[i];
    const [isA, isB] = [a?.sound === id, b?.sound === id];
    const cell = (/** @type {string} */ text) => h("td.n", {}, text);
    const end = (/** @type {"a" | "b"} */ end, /** @type {boolean} */ on) =>
      h(
        `button.ab${on ? `.is${end.toUpperCase()}` : ""}`,
        { "data-end": end, "aria-label": `${name} as ${end.toUpperCase()}`, "aria-pressed": String(on) },
        end.toUpperCase(),
      );
    const kind = lib.kindOf(i);
    const order = marked.findIndex(({ sound }) => sound === id) + 1;
    const isUsers = kind === "made" || kind === "uploaded";
    const title = [
      { library: "", finetuned: "fine-tuned on", made: "made here", uploaded: "uploaded" }[kind],
      lib.source[i],
      lib.licence[i],
      lib.credit[i],
    ]
      .filter(Boolean)
      .join(", ");
    const sound = h(
      "button.sound",
      { title },
      kind === "library" ? familyGlyph(lib.family[i]) : userGlyph(kind),
      h("span", {}, name),
      order ? h("i.order", { title: "Marked" }, String(order)) : null,
    );
    const change = (/** @type {string} */ act, /** @type {string} */ label, /** @type {string} */ picture) =>
      h(
        "button.icon.small",
        {
          "data-act": act,
          "aria-label": `${label} ${name}`,
          title: label,
          ...(act === "save" && dragged(label)),
        },
        icon(picture),
      );
    const first =
      isUsers && editing === id
        ? h("input.rename", {
            type: "text",
            value: name,
            maxlength: 80,
            "data-act": "name",
            "aria-label": `New name of ${name}`,
          })
        : h(
            "span.own",
            {},
            sound,
            isUsers && change("rename", "Rename", "edit"),
            change("save", "Save", "save"),
            isUsers && change("delete", "Delete", "bin"),
          );
    return h(
      `tr${isA || isB ? ".sel" : ""}`,
      { "data-sound": i, "data-id": id, "aria-rowindex": nth + 2 },
      h("td", {}, first),
      h("td", {}, lib.familyName(i)),
      cell(duration(lib.seconds[i])),
      cell(noteName(lib.pitch[i])),
      cell(distances?.values[i] !== undefined ? amount(distances.values[i]) : "–"),
      h("td.ends", {}, end("a", isA), end("b", isB)),
    );
  }

  const fill = inNextFrame(() => {
    const { library } = store.get();
    if (!library || root.hidden) return;
    const tall = rowHeight();
    const gap = (/** @type {number} */ n) =>
      h("tr.gap", { "aria-hidden": "true", style: `height:${n * tall}px` });
    const returning = backTo && !store.get().editing ? rows.indexOf(library.indexOf(backTo)) : -1;
    if (returning >= 0) reveal = returning;
    if (reveal >= 0) {
      body.replaceChildren(gap(rows.length)); // as tall as it will be
      wrap.scrollTop = Math.max(0, reveal * tall - wrap.clientHeight / 2);
      reveal = -1;
    }
    first = Math.max(0, Math.floor(wrap.scrollTop / tall) - MARGIN);
    end = Math.min(rows.length, Math.ceil((wrap.scrollTop + wrap.clientHeight) / tall) + MARGIN);
    const focused = /** @type {HTMLElement | null} */ (
      body.contains(document.activeElement) ? document.activeElement : null
    );
    if (focused instanceof HTMLInputElement && store.get().editing) return; // not while a name is being written
    const at = focused ? rows.indexOf(library.indexOf(focused.closest("tr")?.dataset.id ?? "")) : -1;
    // the row that has the focus stays, wherever it is scrolled to; where its sound is gone, the one that
    // took its place
    const ranges =
      at < 0 || (at >= first && at < end)
        ? [[first, end]]
        : at < first
          ? [
              [at, at + 1],
              [first, end],
            ]
          : [
              [first, end],
              [at, at + 1],
            ];
    const edges = [0, ...ranges.flat(), rows.length];
    body.replaceChildren(
      ...ranges.flatMap(([from, to], k) => [
        gap(from - edges[2 * k]),
        ...rows.slice(from, to).map((i, n) => row(i, from + n)),
      ]),
      gap(rows.length - edges[edges.length - 2]),
    );
    backTo = returning >= 0 ? null : backTo;
    if (returning >= 0) focusOn(rows[returning]);
    else if (focused && at >= 0) focusOn(rows[at], controlOf(focused));
    else if (focused) focusLost();
    else oneTabStop(body, "tr[data-sound]", null);
    if (at >= 0) focusedAt = at;
    const writing = /** @type {HTMLInputElement | null} */ (body.querySelector("input.rename"));
    if (writing) {
      writing.focus({ preventScroll: true });
      writing.select();
    }
    mark();
  });

  /** Which control of its row it is, as a selector. @param {HTMLElement} control */
  const controlOf = ({ dataset: { end: end, act } }) =>
    end ? `[data-end=${end}]` : act ? `[data-act=${act}]` : ".sound";

  /** @param {number} sound @param {string} [control] */
  function focusOn(sound, control = ".sound") {
    const tr = body.querySelector(`tr[data-sound="${sound}"]`);
    /** @type {HTMLElement | null} */ (
      tr?.querySelector(control) ?? tr?.querySelector(".sound") ?? null
    )?.focus({ preventScroll: true });
  }

  /** The sound that had the focus is not among the rows any more. */
  function focusLost() {
    const next = rows[Math.min(focusedAt, rows.length - 1)];
    if (next === undefined) return search.focus();
    showRow(rows.indexOf(next));
    requestAnimationFrame(() => focusOn(next));
  }

  /** Scrolls as far as it takes. @param {number} at row */
  function showRow(at) {
    const tall = rowHeight();
    const bottom = (at + 1) * tall + head.offsetHeight; // the head stays, and covers a row
    if (at * tall < wrap.scrollTop) wrap.scrollTop = at * tall;
    else if (bottom > wrap.scrollTop + wrap.clientHeight) wrap.scrollTop = bottom - wrap.clientHeight;
    fill();
  }

  /** Goes to a row, and points at its sound. @param {number} to row @param {string} [control] */
  function goTo(to, control) {
    const at = Math.min(rows.length - 1, Math.max(0, to));
    showRow(at);
    requestAnimationFrame(() => {
      focusOn(rows[at], control);
      store.set({ pointed: { sound: rows[at], by: "table" } });
    });
  }

  /** The row of what is pointed at, on the map or here. */
  function mark() {
    const { pointed } = store.get();
    for (const tr of body.querySelectorAll("tr[data-sound]"))
      tr.classList.toggle(
        "pointed",
        Number(/** @type {HTMLElement} */ (tr).dataset.sound) === pointed?.sound,
      );
  }

  function refresh() {
    const { library, query, families, sort, distances } = store.get();
    if (!library) return;
    rows = sorted(library, filtered(library, { query, families }), sort, distances?.values ?? null);
    empty.hidden = rows.length > 0;
    table.hidden = rows.length === 0;
    setAll(table, { "aria-rowcount": rows.length + 1 });
    tally.textContent =
      rows.length < library.count ? `${count(rows.length)} of ${count(library.count)} sounds` : "";
    COLUMNS.forEach(([by, label], i) => {
      const isSorted = sort.by === by;
      setAll(heads[i], { "aria-sort": isSorted ? (sort.down ? "descending" : "ascending") : "none" });
      const arrow = heads[i].querySelector("i");
      if (arrow) arrow.textContent = isSorted ? (sort.down ? "↓" : "↑") : "";
      heads[i].title = by === "distance" ? distanceTitle(store.get()) : `Sort by ${label.toLowerCase()}`;
    });
    fill();
  }

  /** @param {State} state @returns {string} what the last column holds */
  function distanceTitle({ choices, distances, model }) {
    const { term, meaning } = wordsOf(choices.distances, distances?.distance ?? choices.distances[0]?.id);
    return `${capital(term)}, in ${model?.unit ?? ""}. ${meaning}.`;
  }

  /** @param {Event} event @returns {number} */
  function soundOf(event) {
    const tr =
      event.target instanceof Element
        ? /** @type {HTMLElement | null} */ (event.target.closest("tr[data-sound]"))
        : null;
    return tr ? Number(tr.dataset.sound) : -1;
  }
  body.addEventListener("click", (event) => {
    const { library } = store.get();
    const i = soundOf(event);
    if (i < 0 || !library) return;
    const end = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest("[data-end]")
    )?.dataset.end;
    const act = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest("[data-act]")
    )?.dataset.act;
    const anchor = { sound: library.id[i] };
    if (act === "name") return;
    if (act === "rename") store.set({ editing: library.id[i] });
    else if (act === "save") void saver.sounds([{ anchor }]);
    else if (act === "delete") void userSounds.remove(library.id[i]);
    else if (event.shiftKey && !end) actions.mark(anchor);
    else if (end) actions.setEnd(/** @type {"a" | "b"} */ (end), anchor);
    else void playback.audition(anchor);
  });
  body.addEventListener("pointerover", (event) => {
    const i = soundOf(event);
    if (event.pointerType === "touch") return;
    if (i >= 0 && store.get().pointed?.sound !== i) store.set({ pointed: { sound: i, by: "table" } });
  });
  body.addEventListener(
    "pointerleave",
    () => store.get().pointed?.by === "table" && store.set({ pointed: null }),
  );
  body.addEventListener("keydown", (event) => {
    const i = soundOf(event);
    const { library } = store.get();
    if (i < 0 || !library || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement)
      return writeName(event.key, event.target, library.id[i], event);
    const key = event.key.toLowerCase();
    const at = rows.indexOf(i);
    const page = Math.max(1, Math.floor((wrap.clientHeight - head.offsetHeight) / rowHeight()) - 1);
    const to = {
      arrowdown: at + 1,
      arrowup: at - 1,
      pagedown: at + page,
      pageup: at - page,
      home: 0,
      end: Infinity,
    }[key];
    if (key === "a" || key === "b") actions.setEnd(key, { sound: library.id[i] });
    else if (key === "m") actions.mark({ sound: library.id[i] });
    else if (key === "t") actions.shape({ sound: library.id[i] });
    else if (key === "f2" && ["made", "uploaded"].includes(library.kindOf(i)))
      store.set({ editing: library.id[i] });
    else if (key === "delete" && ["made", "uploaded"].includes(library.kindOf(i)))
      void userSounds.remove(library.id[i]);
    else if (to !== undefined) goTo(to, controlOf(/** @type {HTMLElement} */ (event.target)));
    else if (!alongRow(event, /** @type {Element} */ (/** @type {Element} */ (event.target).closest("tr"))))
      return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** @param {string} key @param {HTMLInputElement} input @param {string} id @param {Event} event */
  function writeName(key, input, id, event) {
    if (key !== "Enter" && key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const name = input.value.trim();
    const changed = key === "Enter" && name !== "";
    backTo = id;
    input.blur();
    store.set({ editing: null });
    if (changed) void Promise.resolve(userSounds.rename(id, name)).then(() => ((backTo = id), fill()));
  }
  body.addEventListener("focusin", (event) => {
    const control = /** @type {HTMLElement} */ (event.target);
    focusedAt = Math.max(0, rows.indexOf(soundOf(event)));
    oneTabStop(body, "tr[data-sound]", control);
  });
  body.addEventListener("focusout", (event) => {
    if (event.target instanceof HTMLInputElement && store.get().editing) store.set({ editing: null });
  });
  search.addEventListener("input", () => store.set({ query: search.value }));
  // from what was looked for onto the map, or into the table
  search.addEventListener("keydown", (event) => {
    if (!rows.length || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (event.key === "ArrowDown") return goTo(0);
    document.getElementById("surface")?.focus({ preventScroll: true });
    store.set({ pointed: { sound: rows[0], by: "keys" } });
  });
  wrap.addEventListener("scroll", fill);

  const stops = [
    watch(
      store,
      ({ panel }) => [panel],
      ({ panel }) => {
        if (panel === "library") refresh();
      },
    ),
    watch(
      store,
      ({ library, query, families, sort, distances }) => [library, query, families, sort, distances],
      (state) => {
        if (search.value !== state.query) search.value = state.query;
        search.placeholder = state.library ? `Filter ${count(state.library.count)} sounds` : "Filter";
        refresh();
      },
    ),
    watch(store, ({ a, b, marked }) => [a, b, marked], fill),
    watch(
      store,
      ({ editing, library }) => [editing, library],
      ({ editing, library }) => {
        const at = editing && library ? rows.indexOf(library.indexOf(editing)) : -1;
        if (at >= 0) reveal = at;
        fill();
      },
    ),
    watch(store, ({ pointed }) => [pointed], mark),
  ];
  const resized = new ResizeObserver(fill);
  resized.observe(wrap);
  return {
    find() {
      search.focus();
      search.select();
    },
    destroy() {
      for (const stop of stops) stop();
      resized.disconnect();
      fill.cancel();
      root.replaceChildren();
    },
  };
}
