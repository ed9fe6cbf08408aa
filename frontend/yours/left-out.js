// @ts-check
/** What could not be taken: every file with its reason, and the files that are no sounds. */

import { h, icon } from "../core/dom.js";
import { watch } from "../core/store.js";
import { skippedWords } from "./files.js";

const SHOWN = 4; // reasons that stand there at once; more are a click away

/**
 * @param {HTMLElement} root
 * @param {import("../parts.js").Parts} parts
 * @param {import("./uploads.js").Uploads} uploads
 */
export function mountLeftOut(root, { store }, uploads) {
  const title = h("h3");
  const skipped = h("p.note");
  const list = h("ul.refused", { role: "list" });
  const rest = h("details", {}, h("summary"), h("ul.refused", { role: "list" }));
  const retry = h("button.btn.quiet.small", { onclick: uploads.again }, "Try again");
  const close = h(
    "button.icon.small",
    { "aria-label": "Dismiss what was left out", onclick: uploads.dismiss },
    icon("close"),
  );
  const heading = h("div", { role: "status" }, title, skipped);
  root.append(h("div.about", {}, heading, close), list, rest, retry);

  /** @param {import("./state.js").Refusal} refusal */
  const row = ({ name, detail }) =>
    h(
      "li",
      {},
      h("b", {}, name),
      " ",
      detail.startsWith(name) ? detail.slice(name.length).trimStart() : detail,
    );

  const stop = watch(
    store,
    ({ leftOut }) => [leftOut],
    ({ leftOut }) => {
      root.hidden = !leftOut || (!leftOut.refused.length && !leftOut.skipped.length);
      if (root.hidden || !leftOut) return;
      const { refused } = leftOut;
      title.textContent = refused.length
        ? `${refused.length} ${refused.length === 1 ? "file was" : "files were"} not taken`
        : "";
      title.hidden = !refused.length;
      skipped.textContent = skippedWords(leftOut.skipped);
      // one more than can be shown is shown
      const listed = refused.length > SHOWN + 1 ? refused.slice(0, SHOWN) : refused;
      list.replaceChildren(...listed.map(row));
      list.hidden = !listed.length;
      const more = refused.slice(listed.length);
      rest.hidden = !more.length;
      /** @type {HTMLElement} */ (rest.firstElementChild).textContent = `${more.length} more`;
      /** @type {HTMLElement} */ (rest.lastElementChild).replaceChildren(...more.map(row));
      retry.hidden = !leftOut.again.length;
      retry.textContent = leftOut.again.length > 1 ? `Try these ${leftOut.again.length} again` : "Try again";
    },
  );
  return {
    destroy() {
      stop();
      root.replaceChildren();
    },
  };
}
