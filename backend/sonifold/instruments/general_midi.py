"""Keys of drums on the keyboard, by General MIDI (1991), Level 1, percussion key map."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from sonifold.instruments.instrument import HIGHEST

FIRST_KEY = 36  # the lowest C of most pads
#: Keys in order of preference, and the words of which a name holds all of one set. The first row that fits is taken.
ROWS: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...] = (
    ((37,), ("rim", "rimshot", "sidestick", "side stick", "stick", "rs")),
    ((39,), ("clap", "claps", "handclap", "cp")),
    ((46,), ("open hat", "open hi", "open hh", "hat open", "hh open", "cymbal open", "oh", "ohh", "openhat")),
    ((44,), ("pedal hat", "pedal hi", "pedal hh", "cymbal pedal", "ph")),
    ((42, 44), ("hat", "hihat", "hh", "hi hat", "chh", "ch", "cymbal closed", "closedhat")),
    ((51, 59), ("ride",)),
    ((53,), ("ride bell",)),
    ((52,), ("chinese", "china")),
    ((55,), ("splash",)),
    ((49, 57), ("crash", "cymbal", "cy")),
    ((41, 43), ("low floor tom", "floor tom", "tom low", "low tom", "tom lo", "lt")),
    ((47, 45), ("mid tom", "tom mid", "middle tom", "mt")),
    ((50, 48), ("high tom", "tom high", "hi tom", "tom hi", "ht")),
    ((45, 47, 48, 43, 50, 41), ("tom", "toms")),
    ((54,), ("tambourine", "tamb")),
    ((56,), ("cowbell", "cb")),
    ((60, 61), ("bongo", "bongos")),
    ((63, 64, 62), ("conga", "congas")),
    ((65, 66), ("timbale", "timbales")),
    ((67, 68), ("agogo",)),
    ((69,), ("cabasa",)),
    ((70,), ("maracas", "maraca", "shaker", "ma")),
    ((73, 74), ("guiro",)),
    ((75,), ("claves", "clave", "cl")),
    ((76, 77), ("wood block", "woodblock")),
    ((79, 78), ("cuica",)),
    ((80, 81), ("triangle",)),
    ((38, 40), ("snare", "sd", "snr")),
    ((36, 35), ("kick", "kik", "bd", "bass drum", "drum bass", "bassdrum", "marching bass")),
)


def drum_keys(name: str, family: str) -> tuple[int, ...]:
    """The keys of a drum by its name, or else by its family, best first; none where neither tells."""
    return keys_of(name) or keys_of(family)


def keys_of(text: str) -> tuple[int, ...]:
    words = set(re.findall(r"[a-z]+", unicodedata.normalize("NFKD", text).lower()))
    fitting = (keys for keys, names in ROWS if any(words.issuperset(name.split()) for name in names))
    return next(fitting, ())


def free_key(occupied: Container[int]) -> int | None:
    """The next key for a drum without a key of its own, from the first pad up and then below it."""
    order = (*range(FIRST_KEY, HIGHEST + 1), *range(FIRST_KEY - 1, -1, -1))
    return next((key for key in order if key not in occupied), None)
