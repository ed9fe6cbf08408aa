"""What the names of a file and its folders say of a sound, in the spellings that sample libraries use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

#: Tag -> what names it in a name, as whole words. A spelling of several words is them one after another.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "kick": ("kick", "kicks", "kik", "kck", "kd", "bd", "bassdrum", "bass drum", "kickdrum"),
    "snare": ("snare", "snares", "snr", "sn", "sd", "snaredrum"),
    "rim": (
        "rim",
        "rims",
        "rimshot",
        "rimshots",
        "rs",
        "sidestick",
        "side stick",
        "crossstick",
        "cross stick",
    ),
    "clap": ("clap", "claps", "clp", "cp", "handclap", "handclaps"),
    "hat": ("hat", "hats", "hihat", "hihats", "hi hat", "hh", "chh", "ohh", "ch", "oh", "phh", "hhc", "hho"),
    "closed": ("closed", "chh", "ch", "hhc", "clhat"),
    "open": ("open", "ohh", "oh", "hho", "ophat"),
    "cymbal": ("cymbal", "cymbals", "cym", "cy", "crash", "crashes", "ride", "rides", "splash", "china"),
    "crash": ("crash", "crashes", "crsh"),
    "ride": ("ride", "rides"),
    "tom": ("tom", "toms", "lt", "mt", "ht", "floortom", "tomtom"),
    "percussion": ("perc", "percs", "percussion", "prc"),
    "shaker": ("shaker", "shakers", "shk", "maracas", "cabasa"),
    "tambourine": ("tambourine", "tamb", "tambo"),
    "cowbell": ("cowbell", "cb", "cow bell"),
    "conga": ("conga", "congas", "cga"),
    "bongo": ("bongo", "bongos"),
    "woodblock": ("woodblock", "wood block", "wb"),
    "fx": ("fx", "sfx", "effect", "effects"),
    "riser": ("riser", "risers", "uplifter", "sweep", "sweeps"),
    "impact": ("impact", "impacts", "hit", "hits", "boom"),
    "noise": ("noise", "noises", "hiss", "vinyl", "static"),
    "texture": ("texture", "textures", "atmo", "atmos", "ambience", "ambient", "drone", "drones", "foley"),
    "vocal": ("vocal", "vocals", "vox", "voice", "voices", "choir", "acapella"),
    "bass": ("bass", "basses", "sub", "subbass"),
    "lead": ("lead", "leads", "ld"),
    "pad": ("pad", "pads"),
    "pluck": ("pluck", "plucks", "plk"),
    "stab": ("stab", "stabs"),
    "chord": ("chord", "chords", "chd"),
    "arp": ("arp", "arps", "arpeggio"),
    "synth": ("synth", "synths", "syn", "synthesizer", "synthesiser"),
    "keys": ("keys", "keyboard", "epiano", "e piano", "rhodes", "wurlitzer", "clav", "clavinet"),
    "piano": ("piano", "pianos", "pno"),
    "organ": ("organ", "organs", "hammond"),
    "guitar": ("guitar", "guitars", "gtr", "gt"),
    "strings": ("strings", "string", "violin", "viola", "cello", "fiddle"),
    "brass": ("brass", "trumpet", "trombone", "horn", "horns", "tuba"),
    "woodwind": ("flute", "clarinet", "oboe", "bassoon", "sax", "saxophone", "woodwind"),
    "bell": ("bell", "bells", "chime", "chimes", "glock", "glockenspiel"),
    "mallet": ("mallet", "mallets", "marimba", "vibraphone", "vibes", "xylophone", "kalimba"),
    "loop": ("loop", "loops", "lp"),
    "one-shot": ("oneshot", "oneshots", "one shot", "one shots"),
    "dry": ("dry",),
    "wet": ("wet",),
}

#: Spelling -> the tags that it stands for, and each tag's number.
TAGS = {
    spelling: tuple(tag for tag, spellings in SPELLINGS.items() if spelling in spellings)
    for spelling in {spelling for spellings in SPELLINGS.values() for spelling in spellings}
}
ORDER = {tag: number for number, tag in enumerate(SPELLINGS)}

#: A word of letters, with its sharps, or a number.
WORD = re.compile(r"[^\W\d_]+#?|\d+")
#: Where one word goes over into the next without a sign between: ``HatClosed``, ``808Kick``, ``kick01``, ``WAVLoop``.
JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
TEMPO = re.compile(r"(?<!\d)(\d{2,3}) ?bpm\b|\bbpm ?(\d{2,3})(?!\d)", re.IGNORECASE)
SLOWEST, FASTEST = 40, 300  # beats a minute
#: ``Am``, ``F#min``, ``Ebmaj``, ``C#``: between signs, and with a capital letter, or every ``a`` would be a key.
KEY = re.compile(r"(?<![^\W_])([A-G])([#b♯♭]?) ?(maj|min|major|minor|m|M)?(?![^\W_]|#)")
MODES = {"m": "minor", "min": "minor", "minor": "minor", "M": "major", "maj": "major", "major": "major"}


@dataclass(frozen=True)
class NameFacts:
    """What a name says of a sound."""

    words: tuple[str, ...]  # lower case, in their order
    tags: tuple[str, ...]  # of ``SPELLINGS``
    tempo: float | None  # beats a minute
    key: str | None  # such as ``A minor``, or ``F#`` where the mode is not told


def words_of(text: str) -> list[str]:
    """The words of a name, lower case: split at signs, at capitals and at numbers."""
    return [word.lower() for word in WORD.findall(JOINT.sub(" ", text.replace("_", " ")))]


def read_name(stem: str, folder: str = "") -> NameFacts:
    """Facts of a file's name without its ending, and of the folders it lies in, as a path.

    Tags, tempo and key are the file's own, or else the nearest folder's: kits are sorted by them.
    """
    words, around = words_of(stem), read_folder(folder)
    return NameFacts(
        tuple(words),
        tags_of(words) or around.tags,
        tempo_of(stem) or around.tempo,
        key_of(stem) or around.key,
    )


@lru_cache(maxsize=1024)  # the files of a folder come one after another
def read_folder(folder: str) -> NameFacts:
    """Facts of a path of folders, of which the nearest counts first."""
    folders = re.split(r"[/\\]", folder)[::-1]
    words = words_of(folder)
    return NameFacts(
        tuple(words),
        next(filter(None, (tags_of(words_of(name)) for name in folders)), ()),
        next(filter(None, map(tempo_of, folders)), None),
        next(filter(None, map(key_of, folders)), None),
    )


def tags_of(words: list[str]) -> tuple[str, ...]:
    """The tags whose spellings are among words, in the order of ``SPELLINGS``."""
    pairs = map(" ".join, pairwise(words))
    present = {tag for spelling in (*words, *pairs) for tag in TAGS.get(spelling, ())}
    return tuple(sorted(present, key=ORDER.__getitem__))


def tempo_of(text: str) -> float | None:
    """Beats a minute in a name: ``120bpm``, ``BPM 95``."""
    match = TEMPO.search(text.replace("_", " "))
    tempo = float(match[1] or match[2]) if match else 0.0
    return tempo if SLOWEST <= tempo <= FASTEST else None


def key_of(text: str) -> str | None:
    """The key in a name, where an accidental or a mode stands with its letter: ``Am``, ``F#``, ``Eb maj``."""
    for letter, accidental, mode in KEY.findall(text.replace("_", " ")):
        if accidental or mode:
            root = letter + accidental.replace("♯", "#").replace("♭", "b")
            return f"{root} {MODES[mode]}" if mode else root
    return None
