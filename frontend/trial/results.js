// @ts-check
/** What came of a test: in words, as a table, as files. */

import { h } from "../core/dom.js";
import { percent } from "../core/text.js";

/** @typedef {import("./requests.js").Results} Results */
/** @typedef {import("./requests.js").Outcome} Outcome */

/** @param {Outcome["share"]} share */
const shareWords = ({ share, low, high }) =>
  `${share === null ? "–" : percent(share)} (${percent(low)} to ${percent(high)})`;
/** @param {number} p */
const pValue = (p) => (p < 0.001 ? p.toExponential(1) : p.toFixed(3));

/** @param {Outcome} result @param {boolean} abx */
const counts = (result, abx) =>
  abx ? [`${result.hits} of ${result.trials}`] : [String(result.a), String(result.b), String(result.ties)];

/** @param {Results} results */
function table({ method, conditions, listeners }) {
  const abx = method === "abx";
  const heads = [
    "Listener",
    ...(abx ? ["Right"] : [...conditions, "No preference"]),
    "p",
    abx ? "Share right" : `For ${conditions[0]}`,
  ];
  return h(
    "table",
    {},
    h(
      "caption",
      {},
      abx
        ? "Exact one-sided binomial test; 95 % Wilson interval"
        : "Exact two-sided sign test without ties; 95 % Wilson interval",
    ),
    h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
    h(
      "tbody",
      {},
      ...listeners.map(({ name, result }) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name || "You"),
          ...counts(result, abx).map((count) => h("td", {}, count)),
          h("td", {}, pValue(result.p)),
          h("td", {}, shareWords(result.share)),
        ),
      ),
    ),
  );
}

/**
 * @param {HTMLElement} root @param {Results} results
 * @param {{json: string, csv: string, back: string, share: string}} links
 */
export function showResults(root, results, links) {
  const gains = results.repeat.pairs.flatMap(({ gains_db: pair }) => pair);
  const title = h("h1", { tabindex: -1 }, results.title);
  root.replaceChildren(
    title,
    h("p.sentence", {}, results.sentence),
    results.listeners.length ? table(results) : "",
    results.pooled ? h("p", {}, `Together: p = ${pValue(results.pooled.p)}, ${results.pooled.test}.`) : "",
    results.unfinished ? h("p", {}, `${results.unfinished} more began and are not through.`) : "",
    h(
      "p",
      {},
      `${results.conditions[0]} (a) against ${results.conditions[1]} (b). ` +
        `Matched in loudness by gains of ${Math.min(...gains).toFixed(1)} to ${Math.max(...gains).toFixed(1)} dB.`,
    ),
    h(
      "p.links",
      {},
      h("a.button", { href: links.csv, download: true }, "Save as CSV"),
      h("a.button", { href: links.json, download: "listening-test.json" }, "Save as JSON"),
      h("a.button", { href: links.share }, "Link for others"),
      h("a.button", { href: links.back }, "All tests"),
    ),
  );
  title.focus({ preventScroll: true });
}
