// @ts-check
/** The models there are: what came with the server and what was made here; named, taken along, brought in, deleted. */

import { ApiError } from "../core/client.js";
import { h, icon, setAll } from "../core/dom.js";
import { linkTo } from "../core/model-links.js";
import { watch } from "../core/store.js";
import { megabytes } from "./files.js";

/** @typedef {import("../core/state.js").State} State */
/** @typedef {import("../core/state.js").Model} Model */

const READING = 6000; // ms to read what became of one's sounds, before the page goes to where they are

/** @param {string} name */
export const isModelFile = (name) => name.toLowerCase().endsWith(".zip");

/** What a model is, in a few words. @param {Pick<Model, "kind" | "base">} model @param {readonly Model[]} all */
export function kindWords({ kind, base }, all) {
  const from = all.find(({ id }) => id === base)?.title;
  return {
    library: "came with Sonifold",
    adapted: "with your sounds, at once",
    finetuned: from ? `fine-tuned from ${from}` : "fine-tuned",
    imported: "imported",
  }[kind ?? "library"];
}

/** What a model of the user's takes on the disk; empty for others. @param {Pick<Model, "bytes">} model */
export const sizeWords = ({ bytes }) => (bytes ? megabytes(bytes) : "");

/**
 * What to say when a model is gone.
 * @param {Pick<Model, "title">} model
 * @param {{ sounds_moved: number, moved_to: string | null }} reply
 * @param {readonly Pick<Model, "id" | "title">[]} all
 */
export function deletedModelWords({ title }, { sounds_moved: count, moved_to: home }, all) {
  if (!count) return `Deleted “${title}”.`;
  const to = all.find(({ id }) => id === home)?.title ?? home;
  return (
    `Deleted “${title}”. ` +
    (count === 1 ? "1 sound of yours that was" : `${count} sounds of yours that were`) +
    ` kept with it moved to “${to}”.`
  );
}

/** @param {HTMLElement} root @param {import("../parts.js").Parts} parts */
export function mountModels(root, { store, api, linkOf, openModel, complain }) {
  const list = h("ul", { role: "list" });
  const picker = /** @type {HTMLInputElement} */ (
    h("input.vh", { type: "file", accept: ".zip,.sonifold.zip,application/zip", "aria-label": "Model file" })
  );
  const bring = h("label.btn.quiet", {}, icon("upload"), "Import a model", picker);
  root.append(h("h3", {}, "Models"), list, h("div.row", {}, bring));
  /** @type {string | null} */
  let naming = null;

  async function refresh() {
    const { models } = await api.models();
    const { model } = store.get();
    store.set({ models, model: models.find(({ id }) => id === model?.id) ?? model });
  }

  /** @param {() => Promise<void>} run */
  async function trying(run) {
    try {
      await run();
    } catch (error) {
      complain(error, () => void trying(run));
    }
  }

  /** Why a file is no model, and which would be. @param {File} file @param {unknown} error */
  const noModel = (file, error) =>
    error instanceof ApiError && ["pack_invalid", "media_type_unsupported"].includes(error.code)
      ? `“${file.name}” is no Sonifold model, or only a part of one. ` +
        "Choose a .sonifold.zip that was downloaded here or on another Sonifold."
      : null;

  /** @param {File} file */
  const take = (file) =>
    trying(async () => {
      setAll(bring, { "aria-busy": "true" });
      try {
        const { id, title } = await api.importModel(file);
        await refresh();
        const model = store.get().models.find((other) => other.id === id);
        store.set({
          notice: {
            text: `“${title}” is here.`,
            kind: "news",
            ...(model && {
              actions: [{ label: "Open", run: () => location.assign(linkTo(linkOf, store.get(), model)) }],
            }),
          },
        });
      } catch (error) {
        const text = noModel(file, error);
        if (!text) throw error;
        store.set({ notice: { text, kind: "trouble" } });
      } finally {
        setAll(bring, { "aria-busy": null });
      }
    });
  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    picker.value = "";
    if (file) void take(file);
  });

  /** @param {Model} model */
  function remove(model) {
    const out = () =>
      trying(async () => {
        const reply = await api.removeModel(model.id);
        const { model: current, models } = store.get();
        const text = deletedModelWords(model, reply, models);
        if (model.id !== current?.id) {
          store.set({ notice: { text, kind: "news" } });
          return refresh();
        }
        const next =
          models.find(({ id }) => id === (reply.moved_to ?? model.base)) ??
          models.find(({ id }) => id !== model.id);
        const open = () => location.assign(next ? linkTo(linkOf, store.get(), next) : "?");
        if (!reply.sounds_moved) return open();
        const timer = setTimeout(open, READING); // the model of this page is no more
        const run = () => (clearTimeout(timer), open());
        store.set({ notice: { text, kind: "news", actions: [{ label: "Go there", run }] } });
      });
    store.set({
      notice: {
        text: `Delete the model “${model.title}”? It cannot be brought back; the sounds it learned from stay.`,
        kind: "trouble",
        actions: [{ label: "Delete", run: () => void out() }],
      },
    });
  }

  /** @param {Model} model @param {HTMLInputElement} input */
  function rename(model, input) {
    const title = input.value.trim();
    naming = null;
    show(store.get());
    /** @type {HTMLElement | null} */ (
      list.querySelector(`[data-model="${CSS.escape(model.id)}"] [data-act=rename]`)
    )?.focus();
    if (title && title !== model.title)
      void trying(async () => {
        await api.renameModel(model.id, title);
        await refresh();
      });
  }

  /** @param {Model} model @param {State} state */
  function row(model, state) {
    const { id, title, kind } = model;
    const isUsers = kind === "finetuned" || kind === "imported";
    if (naming === id) {
      const input = /** @type {HTMLInputElement} */ (
        h("input", { type: "text", value: title, maxlength: 120, "aria-label": `New name of ${title}` })
      );
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        if (event.key === "Escape") input.value = title;
        rename(model, input);
      });
      return h(
        "li.model",
        { "data-model": id },
        input,
        h("button.btn.quiet.small", { onclick: () => rename(model, input) }, "Rename"),
      );
    }
    const key = (
      /** @type {string} */ act,
      /** @type {string} */ label,
      /** @type {string} */ picture,
      /** @type {() => void} */ run,
    ) =>
      h(
        "button.icon.small",
        { "data-act": act, "aria-label": `${label} ${title}`, title: label, onclick: run },
        icon(picture),
      );
    return h(
      "li.model",
      { "data-model": id },
      h(
        "a",
        {
          href: linkTo(linkOf, state, model),
          "aria-current": id === state.model?.id ? "true" : null,
          onclick: (/** @type {MouseEvent} */ event) => openModel(model, event),
        },
        h("b", {}, title),
        h("small", {}, [kindWords(model, state.models), sizeWords(model)].filter(Boolean).join(", ")),
      ),
      h(
        "span.acts",
        {},
        isUsers &&
          key("rename", "Rename", "edit", () => {
            naming = id;
            show(store.get());
            list.querySelector("input")?.select();
          }),
        h(
          "a.icon.small",
          {
            href: api.modelFile(id),
            download: `${id}.sonifold.zip`,
            "aria-label": `Download ${title}`,
            title: "Download, one file",
          },
          icon("save"),
        ),
        isUsers && key("delete", "Delete", "bin", () => remove(model)),
      ),
    );
  }

  /** What sounds were taken into before, and nobody undid: it keeps them, deleted ones too. @param {Model} model */
  const earlierRow = (model) =>
    h(
      "li.model",
      { "data-model": model.id },
      h(
        "span.what",
        {},
        h("b", {}, model.title),
        h("small", {}, `taken in earlier; keeps those sounds: ${sizeWords(model)}`),
      ),
      h(
        "span.acts",
        {},
        h(
          "button.icon.small",
          {
            "data-act": "delete",
            "aria-label": `Delete ${model.title}`,
            title: "Delete",
            onclick: () => remove(model),
          },
          icon("bin"),
        ),
      ),
    );

  /** @param {State} state */
  function show(state) {
    if (list.querySelector("input") && naming) return; // not while a name is being written
    const earlier = state.models.filter(
      ({ kind, id }) => kind === "adapted" && id !== state.adaptation?.result,
    );
    list.replaceChildren(
      ...state.models.filter(({ kind }) => kind !== "adapted").map((model) => row(model, state)),
      ...earlier.map(earlierRow),
    );
    const input = list.querySelector("input");
    if (naming && input) input.focus();
  }

  const stops = [
    watch(
      store,
      ({ models, model, a, b, progress, library, adaptation }) => [
        models,
        model,
        a,
        b,
        progress,
        library,
        adaptation?.result,
      ],
      show,
    ),
    watch(
      store,
      ({ dropped }) => [dropped],
      ({ dropped }) => {
        const files = dropped?.filter(({ name }) => isModelFile(name)) ?? [];
        if (!dropped || !files.length) return;
        const rest = dropped.filter((file) => !files.includes(file));
        store.set({ dropped: rest.length ? rest : null });
        for (const file of files) void take(file);
      },
    ),
  ];
  return {
    refresh: () => trying(refresh),
    destroy() {
      for (const stop of stops) stop();
      root.replaceChildren();
    },
  };
}
