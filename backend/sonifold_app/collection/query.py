"""What one writes to find sounds: ``kick "hard room" -loop family:snare pitch:C2..C3 length:<0.5 folder:tape``.

Words must all occur in a sound's name, tags or folders; a word stands for what begins with it and for its other names.
Quotes make a phrase, a minus leaves sounds out, and a field with a colon asks for a fact.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from sonifold.audio.notes import note_hz
from sonifold.errors import SonifoldError
from sonifold_app.collection.synonyms import PHRASES, names_for


class QueryInvalid(SonifoldError):
    """A search that cannot be read; the message says what would be."""


#: Sounds of an answer, unless fewer or more are asked for.
LIMIT, MOST = 50, 1000


#: Where a word is looked for.
Field = Literal["name", "folder", "tags"]


@dataclass(frozen=True)
class Term:
    """Something that must, or must not, occur in a sound's words."""

    words: tuple[str, ...]  # any of them; one of several words is a phrase
    field: Field | None = None  # where; anywhere otherwise
    unwanted: bool = False
    whole: bool = False  # the first of the words itself, and not what only begins with it


@dataclass(frozen=True)
class Range:
    """A number of a sound between two bounds, of which either may be infinite."""

    column: str
    low: float
    high: float
    unwanted: bool = False


@dataclass(frozen=True)
class Choice:
    """A fact of a sound that is one of several words."""

    column: str
    values: tuple[str, ...]
    unwanted: bool = False


@dataclass(frozen=True)
class Query:
    """A search, read. All of it must fit."""

    terms: tuple[Term, ...] = ()
    ranges: tuple[Range, ...] = ()
    choices: tuple[Choice, ...] = ()


#: Field -> the words it is looked for in.
WORD_FIELDS: dict[str, Field] = {"name": "name", "folder": "folder", "tag": "tags"}
#: Field -> (column, an example of a range).
NUMBER_FIELDS = {
    "pitch": ("pitch_hz", "pitch:C2..C3"),
    "length": ("seconds", "length:<0.5"),
    "loudness": ("loudness", "loudness:>-20"),
    "brightness": ("brightness", "brightness:>.6"),
    "attack": ("attack", "attack:<0.01"),
    "decay": ("decay", "decay:>1"),
    "noisiness": ("noisiness", "noisiness:>.3"),
    "tempo": ("tempo", "tempo:120..130"),
    "rating": ("rating", "rating:>3"),
}
#: A key as one writes it, in lower case.
KEY = re.compile(r"([a-g][#b]?) ?(?:(m|min|minor)|(maj|major))?")
#: Words that ``is:`` takes.
CONDITIONS = ("missing", "unreadable", "listed", "analysed", "duplicate", "favourite")
CHOICE_FIELDS = ("family", "key", "is", "collection")
FIELDS = (*WORD_FIELDS, *NUMBER_FIELDS, *CHOICE_FIELDS)

QUOTES = re.compile(r'["“”„]')
PART = re.compile(r'(?P<minus>-?)(?:(?P<field>[^\W\d_]+):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
NOTE = re.compile(r"([A-Ga-g])([#b]?)(-?\d)")
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
QUARTER_TONE = 2 ** (1 / 24)
UNITS = {"ms": 0.001, "s": 1.0, "hz": 1.0, "khz": 1000.0, "db": 1.0, "lufs": 1.0, "bpm": 1.0, "": 1.0}
NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*([a-z]*)", re.IGNORECASE)


def read_query(text: str) -> Query:
    """A query from what somebody wrote. Raises QueryInvalid."""
    text = joined_phrases(QUOTES.sub('"', folded(text)))
    if text.count('"') % 2:
        text = text.replace('"', " ", 1) if text.endswith('"') else text + '"'  # while one is still writing
    terms, ranges, choices = [], [], []
    for part in PART.finditer(text):
        part_read = read_part(part)
        match part_read:
            case Term():
                terms.append(part_read)
            case Range():
                ranges.append(part_read)
            case Choice():
                choices.append(part_read)
    return Query(tuple(terms), tuple(ranges), tuple(choices))


def read_part(part: re.Match[str]) -> Term | Range | Choice | None:
    """One part of a query; None where nothing is in it. Raises QueryInvalid."""
    field, unwanted = part["field"], bool(part["minus"])
    is_phrase = part["phrase"] is not None
    value = (part["phrase"] if is_phrase else part["word"]).replace("_", " ").strip()
    if field is not None and field not in FIELDS:
        raise QueryInvalid(
            f"there is no field {field!r}; write one of {', '.join(f'{name}:' for name in FIELDS)}, or put the "
            f'words in quotes: "{field}:{value}".'
        )
    if not re.search(r"\w", value) or (
        field is None and value.removesuffix(":") in FIELDS and value[-1] == ":"
    ):
        return None  # it is still being written
    if field in NUMBER_FIELDS:
        column, example = NUMBER_FIELDS[field]
        return Range(column, *bounds(field, value, example), unwanted)
    if field in CHOICE_FIELDS:
        return Choice(field, choices_of(field, value), unwanted)
    names = (value,) if is_phrase else names_for(value)
    return Term(names, WORD_FIELDS.get(field or ""), unwanted, whole=is_phrase)


def choices_of(field: str, value: str) -> tuple[str, ...]:
    """The words behind a field, at commas. Raises QueryInvalid for a condition that there is not."""
    values = tuple(word.strip() for word in value.split(",") if word.strip())
    if field == "key":
        return tuple(key_of(word) for word in values)
    for word in values:
        if field == "is" and word not in CONDITIONS:
            raise QueryInvalid(
                f"`is:{word}` is nothing that a sound can be; it can be {', '.join(CONDITIONS)}."
            )
    return values


def key_of(word: str) -> str:
    """A key as it is stored, but in lower case. Raises QueryInvalid."""
    match = KEY.fullmatch(word)
    if match is None:
        raise QueryInvalid(f"`key:{word}` is no key; write for example `key:Am`, `key:F#` or `key:Ebmaj`.")
    return match[1] + (" minor" if match[2] else " major" if match[3] else "")


def bounds(field: str, value: str, example: str) -> tuple[float, float]:
    """(low, high) of ``<2``, ``>2``, ``1..2``, ``..2`` or a single number or note. Raises QueryInvalid."""
    margin = QUARTER_TONE if field == "pitch" else 1.0

    def number(text: str) -> float:
        parsed = number_of(text.strip(), notes=field == "pitch")
        if parsed is None:
            raise QueryInvalid(
                f"`{field}:{value}` is no range that can be read: {text!r} is no number"
                f"{' and no note' if field == 'pitch' else ''}. Write for example `{example}`."
            )
        return parsed

    if match := re.fullmatch(r"([<>])=?(.+)", value):
        limit = number(match[2])
        return (-math.inf, limit * margin) if match[1] == "<" else (limit / margin, math.inf)
    low, separator, high = value.partition("..")
    if separator:
        return number(low) / margin if low else -math.inf, number(high) * margin if high else math.inf
    exact = number(value)
    tolerance = 0.0 if field == "pitch" else 0.005 * max(abs(exact), 0.1)
    return exact / margin - tolerance, exact * margin + tolerance


def number_of(text: str, notes: bool) -> float | None:
    """A number with its unit, or the frequency of a note (A4 is 440 Hz, C4 the middle C)."""
    if notes and (note := NOTE.fullmatch(text)):
        letter, accidental, octave = note[1].upper(), note[2], int(note[3])
        semitone = SEMITONES[letter] + {"#": 1, "b": -1, "": 0}[accidental] + 12 * (octave + 1)
        return note_hz(semitone)
    match = NUMBER.fullmatch(text)
    if match is None or match[2].lower() not in UNITS:
        return None
    return float(match[1]) * UNITS[match[2].lower()]


def folded(text: str) -> str:
    """Lower case, no accents."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text).lower() if not unicodedata.combining(letter)
    )


def joined_phrases(text: str) -> str:
    """Known names of several words, outside quotes, held together by a sign that counts as a space."""
    outside = text.split('"')
    for index in range(0, len(outside), 2):
        for phrase in PHRASES:
            outside[index] = re.sub(rf"(?<!\w){phrase}(?!\w)", phrase.replace(" ", "_"), outside[index])
    return '"'.join(outside)
