"""Names for the same thing, in what one writes to find sounds. The page's search has the same rows, and more words."""

from __future__ import annotations

#: Each row: names for the same thing.
SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("kick", "bass drum", "bd", "kickdrum"),
    ("snare", "sd", "rimshot"),
    ("hat", "hihat", "hi-hat", "hi hat", "hh"),
    ("tom", "tom-tom"),
    ("clap", "handclap", "hand clap"),
    ("stick", "side stick", "rim", "sticks"),
    ("woodblock", "wood block", "temple block"),
    ("voice", "vox", "vocal", "choir", "aahs", "oohs"),
    ("guitar", "strum"),
    ("bell", "bells", "chime", "chimes"),
    ("glockenspiel", "glock"),
    ("vibraphone", "vibes"),
    ("timpani", "kettledrum", "kettle drum"),
    ("shaker", "maracas", "cabasa"),
    ("noise", "hiss"),
    ("fiddle", "violin"),
    ("synth", "synthesizer", "synthesiser", "electronic"),
    ("808", "tr-808", "tr808"),
)
#: Names of several words, which are found as one.
PHRASES = tuple(name for names in SYNONYMS for name in names if " " in name)


def names_for(word: str) -> tuple[str, ...]:
    """A word and its other names, the word first."""
    others = [name for names in SYNONYMS if word in names for name in names if name != word]
    return (word, *dict.fromkeys(others))
