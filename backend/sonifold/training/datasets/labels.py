"""Names of sounds, and the eight families they belong to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sonifold.audio.fingerprint import Map
from sonifold.audio.notes import note_name

#: In the order in which the page lists and colours them.
FAMILIES = ("Kick", "Tom", "Snare", "Cymbal", "Percussion", "Pluck", "Bell", "Texture")


class Label(NamedTuple):
    """A human-readable name and one of ``FAMILIES``."""

    name: str
    family: str


#: General MIDI percussion (35-81) with Roland's additions around it, by note number.
GM_DRUMS: dict[int, Label] = {
    27: Label("High Q", "Texture"),
    28: Label("Slap", "Percussion"),
    29: Label("Scratch push", "Texture"),
    30: Label("Scratch pull", "Texture"),
    31: Label("Sticks", "Percussion"),
    32: Label("Square click", "Percussion"),
    33: Label("Metronome click", "Percussion"),
    34: Label("Metronome bell", "Bell"),
    35: Label("Kick 2", "Kick"),
    36: Label("Kick", "Kick"),
    37: Label("Side stick", "Percussion"),
    38: Label("Snare", "Snare"),
    39: Label("Hand clap", "Percussion"),
    40: Label("Snare 2", "Snare"),
    41: Label("Low floor tom", "Tom"),
    42: Label("Closed hi-hat", "Cymbal"),
    43: Label("High floor tom", "Tom"),
    44: Label("Pedal hi-hat", "Cymbal"),
    45: Label("Low tom", "Tom"),
    46: Label("Open hi-hat", "Cymbal"),
    47: Label("Low-mid tom", "Tom"),
    48: Label("High-mid tom", "Tom"),
    49: Label("Crash cymbal", "Cymbal"),
    50: Label("High tom", "Tom"),
    51: Label("Ride cymbal", "Cymbal"),
    52: Label("Chinese cymbal", "Cymbal"),
    53: Label("Ride bell", "Cymbal"),
    54: Label("Tambourine", "Percussion"),
    55: Label("Splash cymbal", "Cymbal"),
    56: Label("Cowbell", "Percussion"),
    57: Label("Crash cymbal 2", "Cymbal"),
    58: Label("Vibraslap", "Percussion"),
    59: Label("Ride cymbal 2", "Cymbal"),
    60: Label("High bongo", "Percussion"),
    61: Label("Low bongo", "Percussion"),
    62: Label("Mute high conga", "Percussion"),
    63: Label("Open high conga", "Percussion"),
    64: Label("Low conga", "Percussion"),
    65: Label("High timbale", "Percussion"),
    66: Label("Low timbale", "Percussion"),
    67: Label("High agogo", "Percussion"),
    68: Label("Low agogo", "Percussion"),
    69: Label("Cabasa", "Percussion"),
    70: Label("Maracas", "Percussion"),
    71: Label("Short whistle", "Texture"),
    72: Label("Long whistle", "Texture"),
    73: Label("Short guiro", "Percussion"),
    74: Label("Long guiro", "Percussion"),
    75: Label("Claves", "Percussion"),
    76: Label("High wood block", "Percussion"),
    77: Label("Low wood block", "Percussion"),
    78: Label("Mute cuica", "Percussion"),
    79: Label("Open cuica", "Percussion"),
    80: Label("Mute triangle", "Bell"),
    81: Label("Open triangle", "Bell"),
    82: Label("Shaker", "Percussion"),
    83: Label("Jingle bell", "Percussion"),
    84: Label("Bell tree", "Bell"),
    85: Label("Castanets", "Percussion"),
    86: Label("Mute surdo", "Percussion"),
    87: Label("Open surdo", "Percussion"),
}

#: Where the orchestra kit (program 48) departs from the list above.
ORCHESTRA_DRUMS: dict[int, Label] = {
    27: Label("Closed hi-hat", "Cymbal"),
    28: Label("Pedal hi-hat", "Cymbal"),
    29: Label("Open hi-hat", "Cymbal"),
    30: Label("Ride cymbal", "Cymbal"),
    35: Label("Concert bass drum 2", "Kick"),
    36: Label("Concert bass drum", "Kick"),
    38: Label("Concert snare", "Snare"),
    39: Label("Castanets", "Percussion"),
    40: Label("Concert snare 2", "Snare"),
    **{note: Label(f"Timpani {note_name(note)}", "Tom") for note in range(41, 54)},
    57: Label("Concert cymbal 2", "Cymbal"),
    59: Label("Concert cymbal", "Cymbal"),
}

#: Kits whose notes follow no list: what all their sounds are.
WHOLE_KITS: dict[int, Label] = {
    55: Label("Metronome", "Percussion"),
    56: Label("Marching snare", "Snare"),
    57: Label("Old marching bass", "Kick"),
    58: Label("Marching cymbal", "Cymbal"),
    59: Label("Marching bass", "Kick"),
    95: Label("Old marching tenor", "Tom"),
    96: Label("Marching tenor", "Tom"),
}


#: Below this velocity a hit is called soft.
SOFT = 80


def drum_label(kit: int, kit_name: str, note: int, velocity: int) -> Label:
    """Label of one note of a drum kit of a General MIDI soundfont (bank 128)."""
    soft = ", soft" if velocity < SOFT else ""
    if kit in WHOLE_KITS:
        name, family = WHOLE_KITS[kit]
        return Label(f"{name} {note}{soft}", family)
    table = GM_DRUMS | ORCHESTRA_DRUMS if kit == 48 else GM_DRUMS
    name, family = table.get(note, Label(f"Drum {note}", "Percussion"))
    return Label(f"{name}, {kit_name}{soft}", family)


#: The General MIDI programs that make one-shots, by (program, bank): struck, plucked and sung notes,
#: hits and effects. Banks other than 0 are Roland's variations.
PROGRAMS: dict[tuple[int, int], Label] = {
    (0, 0): Label("Grand piano", "Pluck"),
    (0, 8): Label("Mellow piano", "Pluck"),
    (1, 0): Label("Bright piano", "Pluck"),
    (2, 0): Label("Electric grand", "Pluck"),
    (3, 0): Label("Honky-tonk piano", "Pluck"),
    (4, 0): Label("Tine piano", "Pluck"),
    (4, 8): Label("Detuned tine piano", "Pluck"),
    (5, 0): Label("FM piano", "Pluck"),
    (5, 8): Label("Detuned FM piano", "Pluck"),
    (6, 0): Label("Harpsichord", "Pluck"),
    (6, 8): Label("Coupled harpsichord", "Pluck"),
    (7, 0): Label("Clavinet", "Pluck"),
    (8, 0): Label("Celesta", "Bell"),
    (9, 0): Label("Glockenspiel", "Bell"),
    (10, 0): Label("Music box", "Bell"),
    (11, 0): Label("Vibraphone", "Bell"),
    (12, 0): Label("Marimba", "Bell"),
    (13, 0): Label("Xylophone", "Bell"),
    (14, 0): Label("Tubular bells", "Bell"),
    (14, 8): Label("Church bell", "Bell"),
    (15, 0): Label("Dulcimer", "Bell"),
    (24, 0): Label("Nylon guitar", "Pluck"),
    (24, 8): Label("Ukulele", "Pluck"),
    (25, 0): Label("Steel guitar", "Pluck"),
    (25, 8): Label("12-string guitar", "Pluck"),
    (25, 16): Label("Mandolin", "Pluck"),
    (26, 0): Label("Jazz guitar", "Pluck"),
    (26, 8): Label("Hawaiian guitar", "Pluck"),
    (27, 0): Label("Clean guitar", "Pluck"),
    (28, 0): Label("Muted guitar", "Pluck"),
    (28, 8): Label("Funk guitar", "Pluck"),
    (32, 0): Label("Acoustic bass", "Pluck"),
    (33, 0): Label("Fingered bass", "Pluck"),
    (34, 0): Label("Picked bass", "Pluck"),
    (35, 0): Label("Fretless bass", "Pluck"),
    (36, 0): Label("Slap bass", "Pluck"),
    (37, 0): Label("Pop bass", "Pluck"),
    (38, 0): Label("Synth bass 1", "Pluck"),
    (38, 8): Label("Synth bass 3", "Pluck"),
    (39, 0): Label("Synth bass 2", "Pluck"),
    (39, 8): Label("Synth bass 4", "Pluck"),
    (45, 0): Label("Pizzicato", "Pluck"),
    (46, 0): Label("Harp", "Pluck"),
    (47, 0): Label("Timpani", "Tom"),
    (52, 0): Label("Choir aahs", "Texture"),
    (53, 0): Label("Voice oohs", "Texture"),
    (54, 0): Label("Synth voice", "Texture"),
    (55, 0): Label("Orchestra hit", "Texture"),
    (104, 0): Label("Sitar", "Pluck"),
    (105, 0): Label("Banjo", "Pluck"),
    (106, 0): Label("Shamisen", "Pluck"),
    (107, 0): Label("Koto", "Pluck"),
    (107, 8): Label("Taisho koto", "Pluck"),
    (108, 0): Label("Kalimba", "Bell"),
    (109, 0): Label("Bagpipe", "Texture"),
    (110, 0): Label("Fiddle", "Texture"),
    (111, 0): Label("Shenai", "Texture"),
    (112, 0): Label("Tinker bell", "Bell"),
    (113, 0): Label("Agogo", "Percussion"),
    (114, 0): Label("Steel drum", "Bell"),
    (115, 0): Label("Wood block", "Percussion"),
    (115, 1): Label("Temple block", "Percussion"),
    (115, 8): Label("Castanets", "Percussion"),
    (115, 10): Label("Metronome", "Percussion"),
    (116, 0): Label("Taiko", "Tom"),
    (116, 8): Label("Concert bass drum", "Kick"),
    (117, 0): Label("Melodic tom", "Tom"),
    (117, 8): Label("Melodic tom 2", "Tom"),
    (118, 0): Label("Synth drum", "Tom"),
    (118, 8): Label("808 tom", "Tom"),
    (119, 0): Label("Reverse cymbal", "Cymbal"),
    (120, 0): Label("Fret noise", "Texture"),
    (121, 0): Label("Breath noise", "Texture"),
    (122, 0): Label("Sea shore", "Texture"),
    (123, 0): Label("Bird tweet", "Texture"),
    (124, 0): Label("Telephone", "Texture"),
    (125, 0): Label("Helicopter", "Texture"),
    (125, 9): Label("Burst noise", "Texture"),
    (126, 0): Label("Applause", "Texture"),
    (127, 0): Label("Gun shot", "Texture"),
}

#: Sample names of Sonic Pi: longest prefix first.
_SONIC_PI: tuple[tuple[str, str], ...] = (
    ("drum_bass", "Kick"),
    ("drum_heavy_kick", "Kick"),
    ("drum_snare", "Snare"),
    ("drum_roll", "Snare"),
    ("drum_tom", "Tom"),
    ("drum_cymbal", "Cymbal"),
    ("drum_splash", "Cymbal"),
    ("drum_cowbell", "Percussion"),
    ("elec_bell", "Bell"),
    ("elec_chime", "Bell"),
    ("elec_ping", "Bell"),
    ("elec_triangle", "Bell"),
    ("elec_beep", "Bell"),
    ("elec_bong", "Tom"),
    ("elec_fuzz_tom", "Tom"),
    ("elec_cymbal", "Cymbal"),
    ("elec_hollow_kick", "Kick"),
    ("elec_soft_kick", "Kick"),
    ("elec_filt_snare", "Snare"),
    ("elec_hi_snare", "Snare"),
    ("elec_lo_snare", "Snare"),
    ("elec_mid_snare", "Snare"),
    ("elec_snare", "Snare"),
    ("elec_twang", "Pluck"),
    ("elec_", "Percussion"),
    ("ambi_piano", "Pluck"),
    ("ambi_glass_rub", "Texture"),
    ("ambi_", "Texture"),
    ("bass_", "Pluck"),
    ("bd_", "Kick"),
    ("guit_", "Pluck"),
    ("hat_", "Cymbal"),
    ("ride_", "Cymbal"),
    ("sn_", "Snare"),
    ("perc_bell", "Bell"),
    ("perc_till", "Bell"),
    ("perc_swash", "Cymbal"),
    ("perc_swoosh", "Texture"),
    ("perc_", "Percussion"),
    ("tabla_", "Percussion"),
    ("tbd_highkey", "Bell"),
    ("tbd_perc_hat", "Cymbal"),
    ("tbd_perc", "Percussion"),
    ("glitch_perc", "Percussion"),
    ("glitch_", "Texture"),
    ("mehackit_", "Texture"),
    ("misc_", "Texture"),
    ("vinyl_", "Texture"),
    ("tbd_", "Texture"),
)

_WORDS = {
    "ambi": "Ambience",
    "bass": "Bass",
    "bd": "Kick",
    "drum": "Drum",
    "elec": "Electric",
    "glitch": "Glitch",
    "guit": "Guitar",
    "hat": "Hat",
    "mehackit": "Mehackit",
    "misc": "Misc",
    "perc": "Percussion",
    "ride": "Ride",
    "sn": "Snare",
    "tabla": "Tabla",
    "tbd": "Black Dog",
    "vinyl": "Vinyl",
}


def sonic_pi_label(stem: str) -> Label:
    """Label of a Sonic Pi sample, e.g. ``bd_808`` -> Kick 808."""
    family = next((family for prefix, family in _SONIC_PI if stem.startswith(prefix)), "Texture")
    first, _, rest = stem.partition("_")
    rest = re.sub(r"(?<=[a-z])(\d+)$", r" \1", rest.replace("_", " "))
    return Label(f"{_WORDS.get(first, first.title())} {rest}".strip(), family)


#: Words in the names of instruments and files of drum kits; the first that occurs decides.
_KIT_WORDS: tuple[tuple[str, str], ...] = (
    (r"stick|rim ?click|\brim\b|clap|snap|click|cowbell|clave|wood ?block|shaker|maraca", "Percussion"),
    (r"tambourine|cajon|bongo|conga|djembe|kenkeni|sangban|dununba|whistle", "Percussion"),
    (r"kick|bass ?drum|\bbd", "Kick"),
    (r"snare|\bsn", "Snare"),
    (r"(?<!cus)tom|\bdrum\b", "Tom"),
    (r"hat|\bhh|chh|ohh|ride|crash|cymbal|splash|china", "Cymbal"),
    (r"glass|bell|triangle|chime|gong", "Bell"),
    (r"strum|guitar", "Pluck"),
    (r"zap|fx|noise|scratch", "Texture"),
)


def kit_family(*names: str) -> str | None:
    """Family from the names of an instrument and its file; None when they say nothing."""
    for name in names:
        text = name.lower().replace("_", " ")
        for pattern, family in _KIT_WORDS:
            if re.search(pattern, text):
                return family
    return None


#: Families a sound without a telling name may be given: such files are drum hits, not notes or textures.
GUESSED_FAMILIES = ("Kick", "Tom", "Snare", "Cymbal", "Percussion", "Bell")
NEAREST = 3
#: Frames (23 ms each) between which the maps are averaged to compare them: fine at the attack.
_EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 18, 28, 45, 65)


def guess_families(unnamed: Sequence[Map], named: Sequence[Map], families: Sequence[str]) -> list[str]:
    """Families of sounds whose names say nothing, by vote of the nearest sounds whose names do.

    The maps are those of ``fingerprint.fingerprint``; votes weigh the inverse of the distance. With a sound's
    own kit left out this is right for 68 % of the named drum sounds.
    """
    usable = [i for i, family in enumerate(families) if family in GUESSED_FAMILIES]
    shapes = np.stack([_shape(named[i]) for i in usable])
    guesses = []
    for sound in unnamed:
        distance = np.abs(shapes - _shape(sound)).mean(axis=(1, 2))
        votes: Counter[str] = Counter()
        for j in np.argsort(distance, kind="stable")[:NEAREST]:
            votes[families[usable[j]]] += 1 / (distance[j] + 1e-6)
        guesses.append(max(GUESSED_FAMILIES, key=lambda family: votes[family]))
    return guesses


def _shape(whole: Map) -> Map:
    below_peak = whole - whole.max()
    return np.stack([below_peak[a:b].mean(axis=0) for a, b in pairwise(_EDGES)])
