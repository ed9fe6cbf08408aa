// @ts-check
/** A list of very many rows of which only those in sight are drawn, and only the pages that they are on are fetched. */

import { alongRow, h, inNextFrame, oneTabStop, unit } from "../core/dom.js";

const MARGIN = 6; // rows drawn above and below what is seen
const ROW_REM = 3.25; // as collection.css has it
export const PAGE = 100;

/** A row that is on its way can have the focus already. @param {number} nth */
const comingRow = (nth) =>
  h(
    "li.find.coming",
    {},
    h("button.sound", { "data-act": "play", "aria-disabled": "true", "aria-label": `Sound ${nth + 1}` }, "…"),
  );

/**
 * @template T
 * @param {HTMLElement} root scrolls
 * @param {object} how
 * @param {(offset: number) => Promise<T[]>} how.fetchPage
 * @param {(item: T, nth: number) => HTMLElement} how.row
 */
export function mountWindow(root, { fetchPage, row }) {
  const list = h("ul", { role: "list" });
  root.append(list);
  /** @type {Map<number, T[] | null>} page -> its items; null: on their way */
  let pages = new Map();
  let total = 0;
  /** @type {Map<number, {li: HTMLElement, html: string}>} the rows that are drawn, as they were made */
  let rowElements = new Map();

  const tall = () => ROW_REM * 16 * unit();
  /** @param {number} nth */
  const itemAt = (nth) => pages.get(Math.floor(nth / PAGE))?.[nth % PAGE];

  /** @param {number} page */
  async function load(page) {
    const pagesThen = pages;
    pagesThen.set(page, null);
    try {
      pagesThen.set(page, await fetchPage(page * PAGE));
    } catch {
      pagesThen.delete(page); // asked for again when it is scrolled to
      return;
    }
    if (pagesThen === pages) draw();
  }

  /** The row as it stands there, if nothing in it has changed: a press on it may have begun. @param {number} nth */
  function rowFor(nth) {
    const item = itemAt(nth);
    const li = item ? row(item, nth) : comingRow(nth);
    li.dataset.nth = String(nth);
    li.setAttribute("aria-setsize", String(total));
    li.setAttribute("aria-posinset", String(nth + 1));
    li.style.top = `${nth * tall()}px`;
    const html = li.outerHTML;
    const before = rowElements.get(nth);
    return before?.html === html ? before : { li, html };
  }

  /** The rows to draw: those in sight, and the one with the focus. @param {number} focused -1: none */
  function toDraw(focused) {
    const first = Math.max(0, Math.floor(root.scrollTop / tall()) - MARGIN);
    const end = Math.min(total, Math.ceil((root.scrollTop + root.clientHeight) / tall()) + MARGIN);
    const numbers = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
    if (focused >= 0 && focused < first) return [focused, ...numbers];
    return focused >= end && focused < total ? [...numbers, focused] : numbers;
  }

  /** @param {number} [focusAt] the row that gets the focus; by default it stays where it is */
  function drawNow(focusAt) {
    const active = /** @type {HTMLElement} */ (document.activeElement);
    const row = list.contains(active) ? active.closest("li") : null;
    const focused = focusAt ?? Number(row?.dataset.nth ?? -1);
    const act = focusAt === undefined && row ? active.dataset.act : "play";
    const numbers = toDraw(focused);
    for (const page of new Set(numbers.map((nth) => Math.floor(nth / PAGE))))
      if (!pages.has(page)) void load(page);
    list.style.height = `${total * tall()}px`;
    rowElements = new Map(numbers.map((nth) => [nth, rowFor(nth)]));
    putRows([...rowElements.values()].map(({ li }) => li));
    const target = rowElements.get(focused)?.li;
    const control = /** @type {HTMLElement | null | undefined} */ (
      target?.querySelector(`[data-act=${act}]`) ?? target?.querySelector("[data-act=play]")
    );
    if (control && control !== document.activeElement) control.focus({ preventScroll: true });
    oneTabStop(list, "li.find", control ?? null);
  }
  const draw = inNextFrame(() => drawNow());

  /** Puts rows into the list; those that are in it already are not moved. @param {HTMLElement[]} rows */
  function putRows(rows) {
    const newRows = new Set(rows);
    for (const child of [...list.children])
      if (!newRows.has(/** @type {HTMLElement} */ (child))) child.remove();
    rows.forEach((li, at) => list.children[at] !== li && list.insertBefore(li, list.children[at] ?? null));
  }

  /** Drawn at once: the next key that is pressed goes on from there. @param {number} nth */
  function goTo(nth) {
    const to = Math.min(total - 1, Math.max(0, nth));
    const [top, bottom] = [to * tall(), (to + 1) * tall()];
    if (top < root.scrollTop) root.scrollTop = top;
    else if (bottom > root.scrollTop + root.clientHeight) root.scrollTop = bottom - root.clientHeight;
    drawNow(to);
  }

  root.addEventListener("scroll", draw);
  list.addEventListener("focusin", (event) =>
    oneTabStop(list, "li.find", /** @type {Element} */ (event.target)),
  );
  list.addEventListener("keydown", (event) => {
    const li = /** @type {HTMLElement} */ (event.target).closest("li");
    if (!li || event.ctrlKey || event.metaKey || event.altKey) return;
    const nth = Number(li.dataset.nth);
    const rowsInSight = Math.max(1, Math.floor(root.clientHeight / tall()) - 1);
    const to = {
      ArrowDown: nth + 1,
      ArrowUp: nth - 1,
      PageDown: nth + rowsInSight,
      PageUp: nth - rowsInSight,
      Home: 0,
      End: total,
    }[event.key];
    if (to === undefined && !alongRow(event, li)) return;
    if (to !== undefined) goTo(to);
    event.preventDefault();
    event.stopPropagation();
  });
  const resized = new ResizeObserver(draw);
  resized.observe(root);

  return {
    /**
     * Other rows from now on. @param {T[]} items the first page @param {number} count of all
     * @param {boolean} [stay] where it is scrolled to
     */
    show(items, count, stay = false) {
      pages = new Map([[0, items]]);
      total = count;
      if (!stay) root.scrollTop = 0;
      draw();
    },
    redraw: draw,
    /** @param {number} nth */
    itemAt,
    destroy() {
      resized.disconnect();
      draw.cancel();
      root.replaceChildren();
    },
  };
}
