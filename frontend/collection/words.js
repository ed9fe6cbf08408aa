// @ts-check
/** What is said of a collection, and of taking folders into it. */

import { noteName } from "../core/sounds.js";
import { amount, capital, count, duration, lastPart, sentence } from "../core/text.js";

/** @typedef {import("./requests.js").Collection} Collection */
/** @typedef {import("./requests.js").CollectionSound} CollectionSound */
/** @typedef {import("./requests.js").Ingest} Ingest */

/** @param {number} seconds */
const timeLeft = (seconds) =>
  seconds < 100 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

/** Whether it is still going on. @param {Ingest | null} ingest */
export const isUnderWay = (ingest) => ingest?.state === "running" || ingest?.state === "paused";

/** How far an ingest is, as sentences. @param {Ingest | null} ingest */
export function ingestWords(ingest) {
  if (!ingest) return "";
  const { phase, listed, analysed, unreadable, remaining, seconds_left: seconds } = ingest.progress;
  const names = `${count(listed)} files listed`;
  const unread = unreadable ? `, ${count(unreadable)} cannot be read` : "";
  if (ingest.state === "failed" || ingest.state === "interrupted")
    return `It stopped: ${sentence(ingest.error ?? "its process ended")} What was taken in stays.`;
  if (ingest.state === "cancelled") return `Cancelled. ${names}${unread}; they stay.`;
  if (ingest.state === "done") return `All taken in: ${names}${unread}.`;
  const sounds = phase === "sounds" || remaining;
  const far = sounds ? `${count(analysed)} of ${count(analysed + remaining)} analysed${unread}` : names;
  if (ingest.state === "paused") return `Paused. ${far}.`;
  return seconds ? `${far}, about ${timeLeft(seconds)} left.` : `${far}…`;
}

/** A sound under its name, in a line. @param {CollectionSound} sound */
export function factsOf(sound) {
  if (sound.missing) return "missing: its file is gone";
  if (sound.reason) return sentence(sound.reason);
  const facts = [
    sound.distance === null ? "" : `${amount(sound.distance)} away`,
    sound.family && capital(sound.family),
    sound.seconds === null ? "" : duration(sound.seconds),
    sound.pitch === null ? "" : noteName(sound.pitch),
    sound.duplicates !== null ? "has copies" : sound.near_duplicates !== null ? "has near copies" : "",
    lastPart(sound.folder),
  ];
  return facts.filter(Boolean).join(", ");
}

/** Who may take what in. @param {Collection} collection */
export function withinWords({ within }) {
  if (within === null)
    return "A folder on this machine. Nothing in it is changed; what you use as A or B is copied.";
  if (!within.length)
    return "This page cannot take folders in: whoever runs the server can, with “sonifold ingest”.";
  return `A folder on the server, in ${within.join(" or ")}. Nothing in it is changed; what you use as A or B is copied.`;
}
