// @ts-check
/**
 * The page of listening tests. Every screen is a link: `?test=` a test, `&listener=` a run through it,
 *   `&results=1`.
 */

import { h } from "../core/dom.js";
import { createPlayer } from "./player.js";
import { createRequests } from "./requests.js";
import { showResults } from "./results.js";
import { showSetup, showStart } from "./setup.js";
import { mountStage } from "./stage.js";

/** @typedef {import("./requests.js").ListeningTest} ListeningTest */
/** @typedef {import("./requests.js").Listener} Listener */

const POLL = 700; // ms, while a test is being rendered

const root = /** @type {HTMLElement} */ (document.getElementById("stage"));
const notice = /** @type {HTMLElement} */ (document.getElementById("notice"));
const live = /** @type {HTMLElement} */ (document.getElementById("live"));
const requests = createRequests(
  (url, init) => fetch(url, init),
  (sentence) => (notice.textContent = sentence),
);
/** @type {AudioContext | null} */
let context = null;

/** Only within a click or a key: browsers play nothing before. */
function soundOn() {
  context ??= new AudioContext();
  void context.resume();
  return context;
}

/** @param {Record<string, string>} parameters */
const address = (parameters) => `listen.html?${new URLSearchParams(parameters)}`;

/** @param {string} sentence @param {string} label @param {() => void} press */
function showOne(sentence, label, press) {
  const title = h("h1", { tabindex: -1 }, sentence);
  root.replaceChildren(title, h("button.button.primary", { onclick: press }, label));
  title.focus({ preventScroll: true });
}

/** @param {ListeningTest} test @param {string} name */
async function begin(test, name) {
  const audio = soundOn();
  const listener = await requests.begin(test.id, {
    ...(name && { name }),
    browser: navigator.userAgent.slice(0, 300),
    sample_rate: audio.sampleRate,
    latency_ms: 1000 * (audio.baseLatency + (audio.outputLatency || 0)),
  });
  history.replaceState(null, "", address({ test: test.id, listener: listener.id }));
  await goOn(test, listener);
}

/**
 * The next trial, or the results after the last.
 * @param {ListeningTest} test
 * @param {Listener} listener
 * @returns {Promise<void>}
 */
async function goOn(test, listener) {
  if (listener.finished) return results(test, listener.id);
  const number = listener.answered + 1;
  const audio = soundOn();
  const player = createPlayer(audio);
  player.load(await audio.decodeAudioData(await requests.audio(test.id, listener.id, number)));
  const stage = mountStage(root, {
    test,
    number,
    player,
    announce: (sentence) => (live.textContent = sentence),
    answered: (answer, listens) =>
      attempt(async () => {
        const next = await requests.answer(test.id, listener.id, number, { answer, listens });
        stage.destroy();
        await goOn(test, next);
      }),
    paused() {
      stage.destroy();
      showOne("Your place is kept. This page's address leads back to it.", "Go on", () =>
        attempt(() => goOn(test, listener)),
      );
    },
  });
}

/** @param {ListeningTest} test @param {string} [listener] by default of all who are through */
async function results(test, listener) {
  showResults(root, await (listener ? requests.results(test.id, listener) : requests.allResults(test.id)), {
    json: requests.resultsUrl(test.id, "json"),
    csv: requests.resultsUrl(test.id, "csv"),
    share: address({ test: test.id }),
    back: "listen.html",
  });
}

/** @param {string} id */
async function whenReady(id) {
  for (;;) {
    const test = await requests.test(id);
    if (test.state === "ready") return test;
    if (test.state === "failed") throw new Error(test.error ?? "The test could not be rendered.");
    root.replaceChildren(
      h("h1", {}, `Rendering pair ${test.rendered + 1} of ${test.pairs}`),
      h("p.note", { role: "status" }, test.error ?? ""),
    );
    await new Promise((resume) => setTimeout(resume, POLL));
  }
}

/** @param {URLSearchParams} query */
async function overview(query) {
  const [{ models, choices }, { tests }] = await Promise.all([requests.models(), requests.tests()]);
  const [start, end] = [query.get("a"), query.get("b")];
  showSetup(root, {
    models,
    choices,
    tests,
    model: query.get("model"),
    pair: start && end ? { start, end } : null,
    make: (body) => attempt(async () => location.assign((await requests.create(body)).url.slice(1))),
    remove: (test) =>
      attempt(async () => {
        if (!confirm(`Delete ${test.title} with all its answers?`)) return;
        await requests.remove(test.id);
        await overview(query);
      }),
  });
}

async function open() {
  const query = new URLSearchParams(location.search);
  const [id, run] = [query.get("test"), query.get("listener")];
  if (!id) return overview(query);
  const test = await whenReady(id);
  if (query.has("results")) return results(test);
  if (!run) return showStart(root, test, (name) => attempt(() => begin(test, name)));
  const listener = await requests.listener(id, run);
  if (listener.finished) return results(test, run);
  showOne(`Trial ${listener.answered + 1} of ${listener.trials} is next.`, "Turn sound on and go on", () =>
    attempt(() => goOn(test, listener)),
  );
}

/** @param {() => Promise<unknown>} work */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    notice.textContent = error instanceof Error ? error.message : String(error);
  }
}

void attempt(open);
