// @ts-check
/** A list of very many rows of which only those in sight are drawn, and only the pages that they are on are fetched. */

import { alongRow, h, inNextFrame, oneTabStop, unit } from "../core/dom.js";

const MARGIN = 6; // rows drawn above and below what is seen
const ROW_REM = 3.25; // as collection.css has it
export const PAGE = 100;

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
  let focusAt = -1; // the row that gets the focus once it is there

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

  const draw = inNextFrame(() => {
    const first = Math.max(0, Math.floor(root.scrollTop / tall()) - MARGIN);
    const end = Math.min(total, Math.ceil((root.scrollTop + root.clientHeight) / tall()) + MARGIN);
    const focused = list.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement)
      : null;
    const focusedRow = focused?.closest("li")?.dataset;
    const act = focused?.dataset.act;
    if (first < end)
      for (let page = Math.floor(first / PAGE); page <= Math.floor((end - 1) / PAGE); page++)
        if (!pages.has(page)) void load(page);
    const rows = [];
    for (let nth = first; nth < end; nth++) {
      const item = itemAt(nth);
      const li = item ? row(item, nth) : h("li.find.coming", {}, "…");
      li.dataset.nth = String(nth);
      li.setAttribute("aria-setsize", String(total));
      li.setAttribute("aria-posinset", String(nth + 1));
      li.style.top = `${nth * tall()}px`;
      rows.push(li);
    }
    list.style.height = `${total * tall()}px`;
    list.replaceChildren(...rows);
    const rowToFocus = focusAt >= 0 ? focusAt : focusedRow ? Number(focusedRow.nth) : -1;
    const target = rows.find((li) => li.dataset.nth === String(rowToFocus));
    /** @type {HTMLElement | null} */
    const control = target?.querySelector(`[data-act=${(focusAt < 0 && act) || "play"}]`) ?? null;
    if (control) {
      control.focus({ preventScroll: true });
      focusAt = -1;
    } else oneTabStop(list, "li.find", null);
  });

  /** @param {number} nth */
  function goTo(nth) {
    focusAt = Math.min(total - 1, Math.max(0, nth));
    const [top, bottom] = [focusAt * tall(), (focusAt + 1) * tall()];
    if (top < root.scrollTop) root.scrollTop = top;
    else if (bottom > root.scrollTop + root.clientHeight) root.scrollTop = bottom - root.clientHeight;
    draw();
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
