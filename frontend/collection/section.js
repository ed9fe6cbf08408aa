// @ts-check
/** Folders of one's own sounds: taken in where they lie, searched as one writes, heard, and morphed with. */

import { latest } from "../core/client.js";
import { h, icon } from "../core/dom.js";
import { userGlyph } from "../core/shapes.js";
import { count } from "../core/text.js";
import { mountOnMap } from "./on-map.js";
import { createCollectionApi } from "./requests.js";
import { mountMarks } from "./marks.js";
import { mountTakingIn } from "./taking-in.js";
import { factsOf } from "./words.js";
import { PAGE, mountWindow } from "./window.js";

/** @typedef {import("./requests.js").CollectionSound} CollectionSound */

const NEAREST = 100;
const MOST_ADDED = 200; // sounds that are put into a collection at once

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mountCollection(root, { store, files, cloud, complain }) {
  const api = createCollectionApi((url, init) => fetch(url, init));
  const takingIn = h("div.taking-in");
  const search = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "search",
      "aria-label": "Search your folders",
      placeholder: "kick -loop length:<0.5",
      autocomplete: "off",
      spellcheck: "false",
    })
  );
  const like = h("p.note.like", { hidden: true });
  const tally = h("p.tally", { role: "status" });
  const wrap = h("div.rows", { role: "region", "aria-label": "Sounds in your folders" });
  const gathering = h("div.gathering");
  const finding = h("div.finding", { hidden: true }, search, gathering, like, wrap, tally);
  const onMap = h("div.on-map", { hidden: true });
  root.append(h("h3", {}, "Library folders"), takingIn, finding, onMap);
  const onMapView = mountOnMap(onMap, store);

  /** @type {CollectionSound | null} whose like is shown */
  let likened = null;

  const sounds = mountWindow(wrap, {
    fetchPage: async (offset) => (await page(offset)).sounds,
    row,
  });

  /** Some of what was selected on the map, or else of what was searched. @param {number} offset @param {AbortSignal} [signal] */
  function page(offset, signal) {
    const { selection } = store.get();
    return selection
      ? api.selected([...selection.subarray(offset, offset + PAGE)], signal)
      : api.search(search.value, offset, PAGE, signal);
  }

  /** @param {CollectionSound} sound */
  function row(sound) {
    const useless = sound.missing || sound.state === "unreadable";
    const key = (/** @type {string} */ act, /** @type {string} */ label, /** @type {string} */ picture) =>
      h(
        "button.icon.small",
        { "data-act": act, "aria-label": `${label} ${sound.name}`, title: label },
        icon(picture),
      );
    const end = (/** @type {"a" | "b"} */ end) =>
      h(
        "button.ab",
        { "data-act": end, "aria-label": `${sound.name} as ${end.toUpperCase()}` },
        end.toUpperCase(),
      );
    return h(
      `li.find${files.playing() === sound.id ? ".sel" : ""}`,
      { "data-id": sound.id },
      h(
        "button.sound",
        { "data-act": "play", "aria-disabled": String(useless), title: `${sound.folder}/${sound.name}` },
        userGlyph("uploaded"),
        h("span.what", {}, h("b", {}, sound.name), h("small", {}, factsOf(sound))),
      ),
      useless
        ? null
        : h(
            "span.acts",
            {},
            h(
              "button.icon.small.star",
              {
                "data-act": "star",
                "aria-label": `${sound.name} is a favourite`,
                "aria-pressed": String(sound.favourite),
                title: "Favourite",
              },
              icon("star"),
            ),
            sound.state === "analysed" && key("like", "More like", "ear"),
            end("a"),
            end("b"),
          ),
    );
  }

  const look = latest(async (signal, /** @type {boolean} */ stay) => {
    try {
      const reply = likened ? await api.neighbours(likened.id, NEAREST, signal) : await page(0, signal);
      const { selection } = store.get();
      const total = (!likened && selection?.length) || (reply.count ?? reply.sounds.length);
      void light(signal, likened ? reply.sounds.map(({ id }) => id) : null);
      search.removeAttribute("aria-invalid");
      sounds.show(reply.sounds, total, stay);
      tally.textContent =
        selection && !likened
          ? `${count(total)} selected on the map.`
          : likened
            ? `The ${count(total)} most like it, the nearest first.`
            : total
              ? `${count(total)} ${total === 1 ? "sound" : "sounds"}`
              : "No sound fits.";
    } catch (error) {
      if (signal.aborted) return;
      search.setAttribute("aria-invalid", "true");
      tally.textContent = error instanceof Error ? error.message : String(error);
    }
  });

  /** What fits lights up on the map. @param {AbortSignal} signal @param {number[] | null} ids of what is like a sound */
  async function light(signal, ids) {
    const query = search.value.trim();
    if (ids) return store.set({ matches: Uint32Array.from(ids).sort() });
    if (!query) return store.set({ matches: null });
    try {
      store.set({ matches: await cloud.api.matches(query, signal) });
    } catch {
      // the list says what is wrong with it
    }
  }

  /** @param {CollectionSound | null} sound */
  function showLike(sound) {
    likened = sound;
    like.hidden = !sound;
    like.replaceChildren(
      ...(sound
        ? [
            `Like ${sound.name}. `,
            h("button.text", { onclick: () => (showLike(null), search.focus()) }, "Back to the search"),
          ]
        : []),
    );
    void look(false);
  }

  /** Its point on the map gets a ring. @param {CollectionSound} sound */
  function ring(sound) {
    const row = store.get().cloud?.rowOf(sound.id) ?? -1;
    store.set({ cloudPointed: row < 0 ? null : { row, by: "list" } });
  }

  wrap.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const act = /** @type {HTMLElement | null} */ (target?.closest("[data-act]") ?? null)?.dataset.act;
    const li = target?.closest("li");
    const sound = li ? sounds.itemAt(Number(li.dataset.nth)) : undefined;
    if (!act || !sound || sound.missing || sound.state === "unreadable") return;
    ring(sound);
    if (act === "play") files.toggle(sound);
    else if (act === "like") showLike(sound);
    else if (act === "star") void star(sound);
    else if (act === "a" || act === "b") void files.use(act, sound.id);
  });
  search.addEventListener("input", () => {
    if (store.get().selection) store.set({ selection: null });
    showLike(null);
    marks.draw();
  });
  const stops = [
    files.onPlaying(sounds.redraw),
    store.subscribe((now, before) => now.selection !== before.selection && showLike(null)),
  ];

  const marks = mountMarks(gathering, {
    api,
    search,
    complain,
    matchingIds: async () => {
      const { selection } = store.get();
      if (selection && !likened) return [...selection.subarray(0, MOST_ADDED)];
      const reply = likened
        ? await api.neighbours(likened.id, NEAREST)
        : await api.search(search.value, 0, MOST_ADDED);
      return reply.sounds.map(({ id }) => id);
    },
    say: (text, undo) =>
      store.set({ notice: { text, actions: undo ? [{ label: "Undo", run: () => void undo() }] : [] } }),
  });

  /** @param {CollectionSound} sound */
  async function star(sound) {
    try {
      await api.favourite(sound.id, !sound.favourite);
      sound.favourite = !sound.favourite;
      sounds.redraw();
    } catch (error) {
      complain(error, () => void star(sound));
    }
  }

  let shownState = "";
  const taking = mountTakingIn(takingIn, {
    api,
    model: () => store.get().model?.id ?? "oneshots",
    complain,
    changed({ folders, ingest }) {
      finding.hidden = !folders.length;
      const state = JSON.stringify([folders, ingest?.state]);
      if (state !== shownState) cloud.look();
      if (folders.length && state !== shownState && !likened) void look(true);
      shownState = state;
    },
  });
  void taking.look();
  void marks.refresh();

  return {
    destroy() {
      for (const stop of stops) stop();
      files.hush();
      look.cancel();
      if (store.get().matches) store.set({ matches: null });
      onMapView.destroy();
      taking.destroy();
      sounds.destroy();
      root.replaceChildren();
    },
  };
}
