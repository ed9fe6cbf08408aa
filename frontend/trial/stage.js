// @ts-check
/** One trial at a time: hear, answer, next. Ink only, and no word of how well it goes. */

import { h } from "../core/dom.js";

/** @typedef {import("./requests.js").ListeningTest} ListeningTest */

/** @typedef {{question: string, sounds: string[], channels: Record<string, number>}} Kind */

/** @type {Kind} */
const ABX = { question: "Which one is X?", sounds: ["1", "X", "2"], channels: { 1: 0, 2: 1, X: 2 } };
/** @type {Kind} */
const PREFERENCE = { question: "Which do you prefer?", sounds: ["1", "2"], channels: { 1: 0, 2: 1 } };

/** @param {"abx" | "preference"} method @returns {{label: string, answer: "1" | "2" | "none"}[]} */
const answersOf = (method) =>
  method === "abx"
    ? [
        { label: "X is 1", answer: "1" },
        { label: "X is 2", answer: "2" },
      ]
    : [
        { label: "Prefer 1", answer: "1" },
        { label: "No preference", answer: "none" },
        { label: "Prefer 2", answer: "2" },
      ];

/** @param {ListeningTest} test */
const promise = ({ method, critical }) =>
  critical === null
    ? ""
    : method === "abx"
      ? `; ${critical} right would be more than luck`
      : `; ${critical} for one of them would be more than luck`;

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {ListeningTest} parts.test
 * @param {number} parts.number of the trial, from 1
 * @param {ReturnType<typeof import("./player.js").createPlayer>} parts.player
 * @param {(answer: string, listens: Record<string, number>) => void} parts.answered
 * @param {() => void} parts.paused
 * @param {(sentence: string) => void} parts.announce
 */
export function mountStage(root, { test, number, player, answered, paused, announce }) {
  const { question, sounds, channels } = test.method === "abx" ? ABX : PREFERENCE;
  /** @type {Record<string, number>} */
  const listens = Object.fromEntries(sounds.map((sound) => [sound.toLowerCase(), 0]));
  /** @type {string | null} */
  let current = null;
  let closed = false;
  let frame = 0;

  const pads = sounds.map((sound) =>
    h(
      `button.pad${sound === "X" ? ".x" : ""}`,
      { "data-sound": sound, "aria-pressed": "false", onclick: () => play(sound) },
      h("b", {}, sound),
      h("span.heard", {}, "not heard yet"),
    ),
  );
  const track = /** @type {HTMLInputElement} */ (
    h("input.track", {
      type: "range",
      min: 0,
      max: player.duration(),
      step: 0.01,
      value: 0,
      "aria-label": "Position",
    })
  );
  track.addEventListener("input", () => player.seek(Number(track.value)));
  const choices = answersOf(test.method).map(({ label, answer }) =>
    h(
      "button.answer",
      { "data-answer": answer, "aria-disabled": "true", onclick: () => choose(answer) },
      label,
    ),
  );
  const hint = h("p.hint", { id: "hint" });
  const pips = Array.from({ length: test.trials }, (_, index) =>
    h(`i${index + 1 < number ? ".done" : index + 1 === number ? ".now" : ""}`),
  );
  const title = h("h1", { tabindex: -1 }, question);
  root.replaceChildren(
    h(
      "header",
      {},
      h("p", {}, h("b", {}, "Blind test"), test.method === "abx" ? " ABX" : " preference"),
      h("button.ghost", { onclick: paused }, "Pause, keep my place"),
    ),
    title,
    h("div.pads", { role: "group", "aria-label": "Listen" }, ...pads),
    track,
    h("div.answers", { role: "group", "aria-label": "Answer", "aria-describedby": "hint" }, ...choices),
    hint,
    h(
      "footer",
      {},
      h("div.pips", { "aria-hidden": "true" }, ...pips),
      h(
        "p",
        {},
        h("b", {}, `Trial ${number} of ${test.trials}.`),
        ` Results stay sealed until the last one${promise(test)}.`,
      ),
      h(
        "p.keys",
        {},
        keys(sounds.join(" ")),
        " listen ",
        keys("space"),
        " play or pause ",
        keys("← →"),
        " to an answer ",
        keys("Enter"),
        " give it",
      ),
    ),
  );

  const ready = () => Object.values(listens).every((count) => count >= test.minimum_listens);

  /** @param {string} sound */
  function play(sound) {
    if (current !== sound || !player.playing()) listens[sound.toLowerCase()]++;
    current = sound;
    player.choose(channels[sound]);
    show();
    announce(`Playing ${sound}.`);
  }

  function toggle() {
    if (player.playing()) player.stop();
    else if (current) player.start();
    else return play(sounds[0]);
    show();
  }

  /** @param {string} answer */
  function choose(answer) {
    if (closed) return;
    if (!ready()) return announce(hint.textContent ?? "");
    closed = true;
    player.stop();
    answered(answer, listens);
  }

  function show() {
    for (const pad of pads) {
      const sound = pad.dataset.sound ?? "";
      const on = player.playing() && sound === current;
      pad.setAttribute("aria-pressed", String(on));
      const count = listens[sound.toLowerCase()];
      const word = on
        ? "playing"
        : count >= test.minimum_listens
          ? "heard"
          : count
            ? "once more"
            : "not heard yet";
      pad.lastElementChild?.replaceChildren(word);
    }
    for (const choice of choices) choice.setAttribute("aria-disabled", String(!ready()));
    const missing = sounds.filter((sound) => listens[sound.toLowerCase()] < test.minimum_listens);
    hint.textContent = missing.length ? `Hear ${missing.join(", ")} first.` : "Switch as often as you like.";
  }

  function follow() {
    const seconds = player.position();
    if (document.activeElement !== track || player.playing()) track.value = String(seconds);
    track.setAttribute("aria-valuetext", `${seconds.toFixed(1)} of ${player.duration().toFixed(1)} seconds`);
    frame = requestAnimationFrame(follow);
  }

  /** @param {number} by */
  function toAnswer(by) {
    const from = choices.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const index = from < 0 ? (by < 0 ? 0 : choices.length - 1) : from + by;
    choices[Math.min(choices.length - 1, Math.max(0, index))].focus();
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toUpperCase();
    if (sounds.includes(key)) play(key);
    else if (key === " ") toggle();
    else if (event.target !== track && key === "ARROWLEFT") toAnswer(-1);
    else if (event.target !== track && key === "ARROWRIGHT") toAnswer(1);
    else return;
    event.preventDefault();
  }
  /** A button would be pressed by the space bar as it comes up. @param {KeyboardEvent} event */
  const released = (event) => event.key === " " && event.preventDefault();

  addEventListener("keydown", pressed);
  addEventListener("keyup", released);
  show();
  follow();
  title.focus({ preventScroll: true });
  return {
    destroy() {
      removeEventListener("keydown", pressed);
      removeEventListener("keyup", released);
      cancelAnimationFrame(frame);
      player.stop();
    },
  };
}

/** @param {string} names */
const keys = (names) => h("span", {}, ...names.split(" ").map((name) => h("kbd", {}, name)));
