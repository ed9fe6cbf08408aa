// @ts-check
/** How what one writes to find sounds is read: several words, words that mean the same, and words with a minus. */

/** Each row: names for the same thing. A name of several words is found as one. */
const SYNONYMS = [
  ["kick", "bass drum", "bd", "kickdrum"],
  ["snare", "sd", "rimshot"],
  ["hat", "hihat", "hi-hat", "hi hat", "hh"],
  ["tom", "tom-tom"],
  ["clap", "handclap", "hand clap"],
  ["stick", "side stick", "rim", "sticks"],
  ["woodblock", "wood block", "temple block"],
  ["voice", "vox", "vocal", "choir", "aahs", "oohs"],
  ["guitar", "strum"],
  ["bell", "bells", "chime", "chimes"],
  ["glockenspiel", "glock"],
  ["vibraphone", "vibes"],
  ["timpani", "kettledrum", "kettle drum"],
  ["shaker", "maracas", "cabasa"],
  ["noise", "hiss"],
  ["fiddle", "violin"],
  ["synth", "synthesizer", "synthesiser", "electronic"],
  ["808", "tr-808", "tr808"],
];

/** Lower case, no accents, one space between words. @param {string} text */
const fold = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();

const SPACE = "\u00a0"; // inside what is one word to the search

/** Quoted words, and names of several words, become one. @param {string} query @returns {string[]} */
function wordsOf(query) {
  let text = fold(
    query
      .replace(/["“”„]([^"“”„]*)["“”„]/g, (_, phrase) => phrase.trim().replace(/\s+/g, SPACE))
      .replaceAll(SPACE, "\u0001"),
  ).replaceAll("\u0001", SPACE);
  for (const name of SYNONYMS.flat().filter((each) => each.includes(" ")))
    text = text.replaceAll(name, name.replaceAll(" ", SPACE));
  return text
    .replace(/["“”„]/g, "")
    .split(" ")
    .filter(Boolean);
}

/** @typedef {{text: string, words: string}} Searchable   words: the same with one space around each word */

/** What a query is compared with, ready to be compared often. @param {string} text @returns {Searchable} */
export function searchable(text) {
  const folded = fold(text);
  return { text: folded, words: ` ${folded.replace(/[^\p{L}\p{N}-]+/gu, " ")} ` };
}

/**
 * What lets a text through for one word: the word itself anywhere, or another name for it as a whole word.
 * @param {string} word
 */
function matcher(word) {
  const name = word.replaceAll(SPACE, " ");
  const others = SYNONYMS.filter((names) => names.includes(name))
    .flat()
    .filter((other) => other !== name);
  return (/** @type {Searchable} */ { text, words }) =>
    text.includes(name) || others.some((other) => words.includes(` ${other} `));
}

/**
 * "kick", "kick -soft", "bass drum 808": every word must fit, those with a minus must not.
 * @param {string} query
 * @returns {(sound: Searchable) => boolean}
 */
export function readQuery(query) {
  const words = wordsOf(query);
  const required = words.filter((word) => !word.startsWith("-")).map(matcher);
  const unwanted = words.filter((word) => /^-./.test(word)).map((word) => matcher(word.slice(1)));
  return (sound) => required.every((fits) => fits(sound)) && !unwanted.some((fits) => fits(sound));
}
