// @ts-check
/** Folders of one's own sounds: taken in where they lie, searched as one writes, heard, and morphed with. */

import { latest } from "../core/client.js";
import { h, icon } from "../core/dom.js";
import { userGlyph } from "../core/shapes.js";
import { count } from "../core/text.js";
import { createCollectionApi } from "./requests.js";
import { mountMarks } from "./marks.js";
import { mountTakingIn } from "./taking-in.js";
import { factsOf } from "./words.js";
import { PAGE, mountWindow } from "./window.js";

/** @typedef {import("./requests.js").CollectionSound} CollectionSound */

const NEAREST = 100;
const MOST_ADDED = 200; // sounds that are put into a collection at once

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mountCollection(root, { store, actions, playback, refresh, complain }) {
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
  root.append(h("h3", {}, "Library folders"), takingIn, finding);

  const audio = new Audio(); // whole recordings, which may be long: played while they come
  audio.preload = "none";
  /** @type {number | null} the sound that plays */
  let playing = null;
  /** @type {CollectionSound | null} whose like is shown */
  let likened = null;

  const sounds = mountWindow(wrap, {
    fetchPage: async (offset) => (await api.search(search.value, offset, PAGE)).sounds,
    row,
  });

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
      `li.find${playing === sound.id ? ".sel" : ""}`,
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
      const reply = likened
        ? await api.neighbours(likened.id, NEAREST, signal)
        : await api.search(search.value, 0, PAGE, signal);
      const total = reply.count ?? reply.sounds.length;
      search.removeAttribute("aria-invalid");
      sounds.show(reply.sounds, total, stay);
      tally.textContent = likened
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

  /** @param {CollectionSound} sound */
  function play(sound) {
    playback.pause();
    playing = playing === sound.id && !audio.paused ? null : sound.id;
    audio.pause();
    sounds.redraw();
    if (playing === null) return;
    audio.volume = store.get().volume;
    audio.src = sound.audio_url;
    void audio.play().catch((error) => {
      if (error.name === "NotSupportedError" && !audio.src.includes("format=wav")) {
        audio.src = `${sound.audio_url}?format=wav`; // an encoding of WAV that the browser does not know
        audio.play().catch(() => complain(new Error(`${sound.name} cannot be played.`), () => play(sound)));
      }
    });
  }
  audio.addEventListener("ended", () => ((playing = null), sounds.redraw()));

  /** @param {"a" | "b"} end @param {CollectionSound} sound */
  async function use(end, sound) {
    const model = store.get().model;
    if (!model) return;
    try {
      const { id } = await api.use(model.id, sound.id);
      await refresh();
      actions.setEnd(end, { sound: id });
    } catch (error) {
      complain(error, () => void use(end, sound));
    }
  }

  wrap.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const act = /** @type {HTMLElement | null} */ (target?.closest("[data-act]") ?? null)?.dataset.act;
    const li = target?.closest("li");
    const sound = li ? sounds.itemAt(Number(li.dataset.nth)) : undefined;
    if (!act || !sound || sound.missing || sound.state === "unreadable") return;
    if (act === "play") play(sound);
    else if (act === "like") showLike(sound);
    else if (act === "star") void star(sound);
    else if (act === "a" || act === "b") void use(act, sound);
  });
  search.addEventListener("input", () => (showLike(null), marks.draw()));

  const marks = mountMarks(gathering, {
    api,
    search,
    complain,
    matchingIds: async () => {
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
      if (folders.length && state !== shownState && !likened) void look(true);
      shownState = state;
    },
  });
  void taking.look();
  void marks.refresh();

  return {
    destroy() {
      audio.pause();
      look.cancel();
      taking.destroy();
      sounds.destroy();
      root.replaceChildren();
    },
  };
}
