"""Notes by MIDI's numbers, in equal temperament: their frequencies and their names."""

from __future__ import annotations

import math

CONCERT_A, CONCERT_HZ = 69, 440.0
MIDDLE_C = 60
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def note_hz(note: float) -> float:
    """The frequency of a note, which may have a fraction."""
    return float(CONCERT_HZ * 2 ** ((note - CONCERT_A) / 12))


def note_of(hertz: float) -> float:
    """The note of a frequency, with its fraction."""
    return CONCERT_A + 12 * math.log2(hertz / CONCERT_HZ)


def note_name(note: int) -> str:
    """Scientific name of a note: 60 is C4."""
    return f"{_NAMES[note % 12]}{note // 12 - 1}"
