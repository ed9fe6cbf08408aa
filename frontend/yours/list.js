// @ts-check
/** One's own sounds, and what is to be known of each: how long, how high, how far from what the model knows. */

import { h, icon, rovingRows } from "../core/dom.js";
import { noteName, userSoundIds } from "../core/sounds.js";
import { deletedWords } from "../found/deleting.js";
import { userGlyph } from "../core/shapes.js";
import { watch } from "../core/store.js";
import { amount, duration, sentence } from "../core/text.js";
import { dragged } from "../save/drag.js";
import { mountPicking } from "./picking.js";
import { readPitch } from "./pitch.js";
import { changesOf, remarksOf } from "./remarks.js";

/** @typedef {import("../core/state.js").State} State */

/**
 * How all of them lie beside what the model knows, as a sentence; "": nothing to say.
 * @param {{in_distribution?: boolean}[]} sounds
 */
export function distributionWords(sounds) {
  const beyond = sounds.filter((sound) => sound.in_distribution === false).length;
  if (!sounds.length || sounds.some((sound) => sound.in_distribution === undefined)) return "";
  if (!beyond)
    return sounds.length === 1
      ? "It lies among what the model knows."
      : "All lie among what the model knows.";
  if (beyond === sounds.length)
    return sounds.length === 1
      ? "It lies beyond what the model knows."
      : "All lie beyond what the model knows.";
  return `${beyond} of ${sounds.length} ${beyond === 1 ? "lies" : "lie"} beyond what the model knows.`;
}

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mountList(root, parts) {
  const { store, api, actions, playback, userSounds, saver, refresh, complain } = parts;
  const summary = h("p.note.summary", { role: "status" });
  const picks = h("div");
  const deleted = h("p.note", { role: "status" });
  const list = h("ul.finds", { role: "list" });
  root.append(summary, deleted, picks, list);
  const roving = rovingRows(list, "li.find");
  const picking = mountPicking(picks, parts, () => show(store.get()));
  /** @type {string | null} the sound whose pitch is being written */
  let pitching = null;

  /** @param {string} id @param {string} name @param {number | null} hertz */
  function pitchRow(id, name, hertz) {
    const input = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "text",
        value: hertz ? noteName(hertz) : "",
        placeholder: "A3 or 220",
        "data-act": "write",
        "aria-label": `Pitch of ${name}: a note or Hz`,
      })
    );
    const finish = () => {
      pitching = null;
      show(store.get());
      /** @type {HTMLElement | null} */ (rowOf(id)?.querySelector("[data-act=pitch]") ?? null)?.focus();
    };
    /** @param {number | null} value */
    const set = (value) => {
      finish();
      const run = async () => {
        try {
          await api.setPitch(
            /** @type {import("../core/state.js").Model} */ (store.get().model).id,
            id,
            value,
          );
          await refresh();
        } catch (error) {
          complain(error, () => void run());
        }
      };
      void run();
    };
    const write = () => {
      try {
        set(readPitch(input.value));
      } catch (error) {
        store.set({ notice: { text: /** @type {Error} */ (error).message, kind: "trouble" } });
        input.focus();
      }
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") write();
      else finish();
    });
    return h(
      "div.pitch",
      {},
      input,
      h("button.btn.quiet.small", { onclick: write }, "Set"),
      h("button.btn.ghost.small", { onclick: () => set(null) }, "None"),
    );
  }

  /** @param {string} id */
  const rowOf = (id) => [...list.querySelectorAll("li")].find(({ dataset }) => dataset.id === id);

  /** @param {State} state */
  function show({ library, model, check, a, b, deleted: gone }) {
    if (!library) return;
    const hidden = gone.filter((entry) => entry.model === model?.id);
    deleted.replaceChildren(
      ...(hidden.length
        ? [`Deleted ${deletedWords(hidden)}. `, h("button.text", { onclick: userSounds.undoRemove }, "Undo")]
        : []),
    );
    const focused = root.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement)
      : null;
    const writing = focused instanceof HTMLInputElement ? focused.value : null;
    const focusedControl = focused && { id: focused.closest("li")?.dataset.id, act: focused.dataset.act };
    const nth = focused ? [...list.children].findIndex((item) => item.contains(focused)) : -1;
    const sounds = userSoundIds(library).map((id) => ({ id, i: library.indexOf(id) }));
    const facts = new Map(check?.sounds.map((sound) => [sound.id, sound]));
    const seconds = sounds.reduce((sum, { i }) => sum + library.seconds[i], 0);
    summary.textContent = sounds.length
      ? [
          `${sounds.length} ${sounds.length === 1 ? "sound" : "sounds"}, ${duration(seconds)}.`,
          distributionWords(sounds.map(({ id }) => facts.get(id) ?? {})),
          ...(check?.warnings ?? []).map(({ text }) => sentence(text)),
          ...changesOf(check?.sounds ?? []),
        ]
          .filter(Boolean)
          .join(" ")
      : "";
    list.replaceChildren(
      ...sounds.map(({ id, i }) => {
        const name = library.name[i];
        const fact = facts.get(id);
        const near = fact?.nearest[0];
        const nearest =
          near && library.indexOf(near.id) >= 0
            ? `${amount(near.distance)} ${model?.unit} from ${library.name[library.indexOf(near.id)]}`
            : "";
        const end = (/** @type {"a" | "b"} */ end, /** @type {boolean} */ on) =>
          h(
            `button.ab${on ? `.is${end.toUpperCase()}` : ""}`,
            {
              "data-act": end,
              "aria-label": `${name} as ${end.toUpperCase()}`,
              "aria-pressed": String(on),
            },
            end.toUpperCase(),
          );
        const key = (
          /** @type {string} */ act,
          /** @type {string} */ label,
          /** @type {string} */ picture,
          title = label,
        ) =>
          h(
            "button.icon.small",
            {
              "data-act": act,
              "aria-label": `${label} ${name}`,
              title,
              ...(act === "save" && dragged(title)),
            },
            icon(picture),
          );
        const hertz = library.pitch[i];
        const pitch = hertz ? noteName(hertz) : "no pitch";
        const same = fact?.duplicate_of ? library.name[library.indexOf(fact.duplicate_of.id)] : null;
        const pick = picking.checkbox(id, name);
        const notes = [
          ...(same ? [sentence(`the same sound as ${same}`)] : []),
          ...remarksOf(fact?.warnings ?? [], sounds.length),
        ];
        return h(
          `li.find${pick ? ".picking" : ""}`,
          { "data-id": id },
          pick,
          h(
            "button.sound",
            { "data-act": "play" },
            userGlyph("uploaded"),
            h(
              "span.what",
              {},
              h("b", {}, name),
              h(
                "small",
                { title: hertz ? `${amount(hertz)} Hz` : "" },
                [duration(library.seconds[i]), pitch, nearest].filter(Boolean).join(", "),
              ),
            ),
          ),
          // A and B stay where they are when the others show
          h(
            "span.acts",
            {},
            key("shape", "Shape", "shape"),
            key("pitch", "Pitch of", "note", `Pitch: ${pitch}`),
            key("rename", "Rename", "edit"),
            key("save", "Save", "save"),
            key("delete", "Delete", "bin"),
            end("a", a?.sound === id),
            end("b", b?.sound === id),
          ),
          pitching === id && pitchRow(id, name, hertz),
          ...notes.map((text) => h("p.note", {}, text)),
        );
      }),
    );
    roving.refresh();
    const row = focusedControl?.id ? rowOf(focusedControl.id) : null;
    if (focusedControl?.id && !row) roving.focusRow(nth); // the one that took its place
    const control = /** @type {HTMLElement | null} */ (
      row?.querySelector(`[data-act="${focusedControl?.act}"]`) ?? null
    );
    if (writing !== null && control instanceof HTMLInputElement) control.value = writing;
    control?.focus({ preventScroll: true });
  }

  /** @param {Event} event */
  const rowAt = (event) =>
    event.target instanceof Element
      ? /** @type {HTMLElement | null} */ (event.target.closest("li[data-id]"))
      : null;
  list.addEventListener("click", (event) => {
    const id = rowAt(event)?.dataset.id;
    const act =
      event.target instanceof Element
        ? /** @type {HTMLElement | null} */ (event.target.closest("[data-act]"))?.dataset.act
        : undefined;
    if (!id || !act) return;
    if (act === "play") void playback.audition({ sound: id });
    else if (act === "a" || act === "b") actions.setEnd(act, { sound: id });
    else if (act === "shape") actions.shape({ sound: id });
    else if (act === "pitch") {
      pitching = pitching === id ? null : id;
      show(store.get());
      const input = /** @type {HTMLInputElement | null} */ (
        rowOf(id)?.querySelector("[data-act=write]") ?? null
      );
      input?.focus();
      input?.select();
    } else if (act === "rename") store.set({ panel: "library", query: "", families: [], editing: id });
    else if (act === "save") void saver.sounds([{ anchor: { sound: id } }]);
    else if (act === "delete") void userSounds.remove(id);
  });
  /** @param {string | undefined} id */
  const point = (id) => {
    const { library, pointed } = store.get();
    const sound = id && library ? library.indexOf(id) : -1;
    if (sound >= 0 && pointed?.sound !== sound) store.set({ pointed: { sound, by: "table" } });
    else if (sound < 0 && pointed?.by === "table") store.set({ pointed: null });
  };
  list.addEventListener(
    "pointerover",
    (event) => event.pointerType !== "touch" && point(rowAt(event)?.dataset.id),
  );
  list.addEventListener("pointerleave", () => point(undefined));
  list.addEventListener("focusin", (event) => point(rowAt(event)?.dataset.id));
  list.addEventListener("focusout", () => point(undefined));

  const stop = watch(
    store,
    ({ library, model, check, a, b, deleted: gone }) => [library, model, check, a, b, gone],
    show,
  );
  return {
    destroy() {
      stop();
      picking.destroy();
      root.replaceChildren();
    },
  };
}
