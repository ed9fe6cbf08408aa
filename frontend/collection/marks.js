// @ts-check
/** Favourites and collections with names: what is shown of the sounds, and where all that are shown are put. */

import { h } from "../core/dom.js";
import { count } from "../core/text.js";

/** @typedef {{id: number, name: string, count: number}} Named */

const FAVOURITES = "is:favourite";
/** @param {string} name */
const queryOf = (name) => `collection:"${name}"`;

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {import("./requests.js").CollectionApi} parts.api
 * @param {HTMLInputElement} parts.search
 * @param {() => Promise<number[]>} parts.matchingIds              ids of the sounds that fit, of a thousand at most
 * @param {(text: string, undo?: () => Promise<unknown>) => void} parts.say
 * @param {(error: unknown, again: () => void) => void} parts.complain
 */
export function mountMarks(root, { api, search, matchingIds, say, complain }) {
  const show = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": "Show", onchange: () => look(show.value) })
  );
  const into = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": "Add what is shown to a collection", onchange: () => void add() })
  );
  const name = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "text",
      "aria-label": "Name of the new collection",
      placeholder: "Name",
      maxLength: 80,
    })
  );
  const form = h(
    "form.row",
    { hidden: true, onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void create()) },
    name,
    h("button.btn.quiet", { type: "submit" }, "Add"),
  );
  const remove = h(
    "button.text",
    { hidden: true, onclick: () => void removeShown() },
    "Remove this collection",
  );
  root.append(h("div.row", {}, show, into), form, remove);
  /** @type {Named[]} */
  let collections = [];

  /** @param {string} query */
  function look(query) {
    search.value = query;
    search.dispatchEvent(new Event("input"));
    draw();
  }

  /** @param {() => Promise<unknown>} run */
  async function trying(run) {
    try {
      await run();
      await refresh();
    } catch (error) {
      complain(error, () => void trying(run));
    }
  }

  /** @param {Named} named */
  async function put(named) {
    const sounds = await matchingIds();
    if (!sounds.length) return;
    await api.add(named.id, sounds);
    say(`${count(sounds.length)} ${sounds.length === 1 ? "sound" : "sounds"} in ${named.name}.`, () =>
      trying(() => api.takeOut(named.id, sounds)),
    );
  }

  const add = () => {
    const value = into.value;
    into.value = "";
    form.hidden = value !== "new";
    if (value === "new") name.focus();
    const named = collections.find(({ id }) => String(id) === value);
    if (named) void trying(() => put(named));
  };
  const create = () =>
    trying(async () => {
      const named = await api.createNamed(name.value);
      form.hidden = true;
      name.value = "";
      await put(named);
    });
  const removeShown = () => {
    const named = collections.find((each) => queryOf(each.name) === search.value);
    if (!named) return;
    return trying(async () => {
      await api.removeNamed(named.id);
      look("");
      say(`${named.name} is removed; its sounds stay.`, () => trying(() => api.restoreNamed(named.id)));
    });
  };

  function draw() {
    const options = [
      ["", "All sounds"],
      [FAVOURITES, "Favourites"],
      ...collections.map((named) => [queryOf(named.name), `${named.name} (${count(named.count)})`]),
    ];
    const query = options.some(([value]) => value === search.value) ? search.value : "";
    show.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
    show.value = query;
    into.replaceChildren(
      h("option", { value: "" }, "Add all shown to…"),
      ...collections.map(({ id, name }) => h("option", { value: id }, name)),
      h("option", { value: "new" }, "A new collection…"),
    );
    remove.hidden = !collections.some((named) => queryOf(named.name) === query);
  }

  async function refresh() {
    collections = (await api.named()).collections;
    draw();
  }

  return { refresh: () => trying(async () => {}), draw };
}
