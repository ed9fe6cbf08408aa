// @ts-check
/** What is to be known of one's own sounds, each and all: what is wrong with them, and what was done to them. */

import { sentence } from "../core/text.js";

/** @typedef {{code?: string, text: string}} Remark */

/** What is done to a sound and hardly heard; of many sounds it is told together. @type {Record<string, string>} */
const CHANGES = {
  mono: "mixed to one channel",
  resampled: "brought to the model’s sample rate",
  dc_removed: "freed from a constant offset",
  over_full_scale: "turned down, as they go over full scale",
};

const FEW = 8; // sounds: of so many it is told of each

/** @param {Remark} remark */
const isChange = ({ code = "" }) => code in CHANGES;

/**
 * What stands under a sound: its faults, each by itself; of few sounds also what was done to it.
 * @param {readonly Remark[]} remarks
 * @param {number} sounds in all
 * @returns {string[]}
 */
export function remarksOf(remarks, sounds) {
  const changes = sounds <= FEW ? remarks.filter(isChange).map(({ text }) => text) : [];
  return [
    ...remarks.filter((remark) => !isChange(remark)).map(({ text }) => sentence(text)),
    ...(changes.length ? [sentence(changes.join("; "))] : []),
  ];
}

/**
 * What was done to many sounds: "300 sounds were mixed to one channel."
 * @param {readonly {warnings: readonly Remark[]}[]} sounds
 * @returns {string[]}
 */
export function changesOf(sounds) {
  if (sounds.length <= FEW) return [];
  return Object.entries(CHANGES).flatMap(([code, words]) => {
    const count = sounds.filter(({ warnings }) => warnings.some((remark) => remark.code === code)).length;
    const all = count === sounds.length ? "All" : String(count);
    return count ? [`${all} ${count === 1 ? "was" : "were"} ${words}.`] : [];
  });
}
