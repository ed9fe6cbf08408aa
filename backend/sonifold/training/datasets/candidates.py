"""Which sounds of which package are candidates for the data set, with their labels, licences and credits.

Licences and credits are those of the packages' copyright files. Kits under the GPL or CC-BY-SA are
*foreign*: a model may be evaluated on them, but they are never trained on and never shipped.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sonifold.audio.notes import note_hz, note_name

from . import labels, render
from .sources import FLUID, HYDROGEN, HYDROGEN_EFFECTS, MUSESCORE, SUPERSONIC, Package


@dataclass(frozen=True)
class Candidate:
    """Everything about a sound but the sound. An empty ``family`` is to be guessed from the audio."""

    name: str
    family: str
    source: str
    package: str
    version: str
    licence: str
    credit: str
    group: str
    unit: str  # what must not be torn apart by a split: a note of a kit or program, or one file
    note: int | None = None
    velocity: int | None = None
    pitch_hz: float | None = None
    shippable: bool = True


SoundFile = tuple[Candidate, Path]
SoundNote = tuple[Candidate, render.Note]

# ----------------------------------------------------------------------------------------- soundfonts

FONT_FILES = {
    FLUID: "usr/share/sounds/sf2/FluidR3_GM.sf2",
    MUSESCORE: "usr/share/sounds/sf2/MuseScore_General_Full.sf2",
}
FONT_SOURCES = {FLUID: "Fluid R3 GM", MUSESCORE: "MuseScore General"}
FONT_CREDITS = {
    FLUID: "Copyright 2000-2002, 2008 Frank Wen",
    MUSESCORE: "Copyright 2018-2021 S. Christian Collins, mirabilos; 2014-2017 Michael Cowgill; "
    "2000-2002, 2008 Frank Wen; 2002 Ethan Winer; 2016 Michael Schorsch",
}
DRUM_NOTES = range(27, 88)
DRUM_VELOCITIES = (120, 64)
VELOCITY = 110
USUAL_NOTES = (36, 48, 55, 60, 67, 72, 84)
NOTES: dict[int, tuple[int, ...]] = {
    8: (60, 67, 72, 79, 84, 91, 96),  # celesta
    9: (67, 72, 79, 84, 91, 96, 103),  # glockenspiel
    10: (60, 67, 72, 79, 84, 91, 96),  # music box
    14: (48, 55, 60, 65, 67, 72, 79),  # tubular bells
    **dict.fromkeys(range(32, 40), (28, 33, 36, 40, 45, 48, 55)),  # basses
    47: (36, 40, 43, 45, 48, 52, 57),  # timpani
    112: (60, 67, 72, 79, 84, 91, 96),  # tinker bell
}
#: Programs without one certain pitch: bells whose strongest partial is another than the note's, hits,
#: drones, percussion and effects. The others were checked on both fonts: the strongest partial is the note
#: or a harmonic of it (of timpani, the note or its fifth, as it should be).
UNPITCHED = frozenset({9, 14, 55, 109, 112, 113, *range(115, 128)})


def font_notes(package: Package) -> list[SoundNote]:
    """The notes to render from one of the two soundfonts."""
    presets = render.presets(package.find(FONT_FILES[package.name]))
    common: dict[str, Any] = {
        "source": FONT_SOURCES[package.name],
        "package": package.name,
        "version": package.version,
        "licence": "MIT",
        "credit": FONT_CREDITS[package.name],
    }
    sound_notes: list[SoundNote] = []
    for preset in presets:
        if preset.bank == render.DRUM_BANK:
            sound_notes += _drum_notes(preset, common)
        elif (preset.program, preset.bank) in labels.PROGRAMS:
            sound_notes += _program_notes(preset, common)
    return sound_notes


def _drum_notes(kit: render.Preset, common: dict[str, Any]) -> list[SoundNote]:
    notes: list[SoundNote] = []
    for velocity in DRUM_VELOCITIES:
        for note in DRUM_NOTES:
            name, family = labels.drum_label(kit.program, kit.name, note, velocity)
            candidate = Candidate(
                name=name,
                family=family,
                group=f"Kit {kit.name}",
                unit=f"kit {kit.program} note {note}",
                note=note,
                velocity=velocity,
                **common,
            )
            notes.append((candidate, render.Note(kit, note, velocity)))
    return notes


def _program_notes(preset: render.Preset, common: dict[str, Any]) -> list[SoundNote]:
    name, family = labels.PROGRAMS[preset.program, preset.bank]
    notes: list[SoundNote] = []
    for note in NOTES.get(preset.program, USUAL_NOTES):
        candidate = Candidate(
            name=f"{name}, {note_name(note)}",
            family=family,
            group=name,
            unit=f"program {preset.bank} {preset.program} note {note}",
            note=note,
            velocity=VELOCITY,
            pitch_hz=None if preset.program in UNPITCHED else note_hz(note),
            **common,
        )
        notes.append((candidate, render.Note(preset, note, VELOCITY)))
    return notes


# ------------------------------------------------------------------------------------------ Sonic Pi

#: Loops, beats and beds are music, not one-shots.
NOT_ONE_SHOTS = ("loop_", "arovane_beat", "tbd_fxbed")


def sonic_pi_files(package: Package) -> list[SoundFile]:
    """The one-shots among Sonic Pi's samples (all CC0), credited to whoever recorded them."""
    authors = _authors(package.find("package/PROVENANCE.md").read_text(encoding="utf-8"))
    files: list[SoundFile] = []
    for path in sorted(package.find("package/samples").glob("*.flac")):
        if path.stem.startswith(NOT_ONE_SHOTS):
            continue
        name, family = labels.sonic_pi_label(path.stem)
        candidate = Candidate(
            name=name,
            family=family,
            source="Sonic Pi",
            package=package.name,
            version=package.version,
            licence="CC0-1.0",
            credit=authors.get(path.stem, "Sonic Pi contributors"),
            group=f"Sonic Pi {path.stem.split('_')[0]}",
            unit=f"sonic-pi {path.stem}",
        )
        files.append((candidate, path))
    return files


def _authors(provenance: str) -> dict[str, str]:
    """Who made each sample, from lines such as "* `:bd_808` - http://.../people/EKVelika/sounds/208447/"."""
    authors = {}
    for stem, rest in re.findall(r"^\* `:?(\w+)`\s*-\s*(.+)$", provenance, flags=re.MULTILINE):
        on_freesound = re.search(r"freesound\.org/people/([^/]+)/sounds/(\d+)", rest)
        donated = re.search(r"Donated by (.+?) under", rest)
        if on_freesound:
            author = on_freesound[1].replace("%20", " ")
            authors[stem] = f"{author}, Freesound {on_freesound[2]}, by way of Sonic Pi"
        elif donated:
            authors[stem] = f"{donated[1]}, by way of Sonic Pi"
    return authors


# ------------------------------------------------------------------------------------------ Hydrogen


@dataclass(frozen=True)
class Terms:
    licence: str
    credit: str
    shippable: bool = False


KIT_TERMS: dict[str, Terms] = {
    "Audiophob": Terms("CC0-1.0", "audiophobdubstep", True),
    "rumpf_kit_z01_h2": Terms("CC-BY-3.0", "Emanuel Rumpf", True),
    "belofilms_GuitarStrums": Terms("CC-BY-3.0", "Gabriel Verdugo Soto", True),
    "BJA_Pacific": Terms("CC-BY-SA-3.0-US", "Luc Tunguay"),
    "circAfrique v4": Terms("CC-BY-SA-3.0", "Jim Harney"),
    "ColomboAcousticDrumkit": Terms("GPL-2.0-or-later", "Marcos Guglielmetti"),
    "ElectricEmpireKit": Terms("GPL-2.0-or-later", "Artemiy Pavlov"),
    "HardElectro1": Terms("GPL-2.0-or-later", "Artemiy Pavlov"),
    "VariBreaks": Terms("GPL-2.0-or-later", "Artemiy Pavlov"),
    "ForzeeStereo": Terms("GPL-2.0-only", "Vladimir Sadovnikov, Alexander Belokurov"),
    "Gimme A Hand 1.0": Terms("GPL-2.0-only", "Glen MacArthur"),
    "The Black Pearl 1.0": Terms("GPL-2.0-only", "Glen MacArthur"),
    "Millo-Drums_v.1": Terms("GPL-2.0-only", "Emiliano Grilli"),
    "Millo_MultiLayered2": Terms("GPL-2.0-only", "Emiliano Grilli"),
    "Millo_MultiLayered3": Terms("GPL-2.0-only", "Emiliano Grilli"),
}
STRUMS = "belofilms_GuitarStrums"
STRUMS_EVERY = 3  # of 280 strums; more would make the data set a guitar
AUDIO_SUFFIXES = (".wav", ".flac", ".aiff")


def hydrogen_files(package: Package) -> list[SoundFile]:
    """The sounds of Hydrogen's kits; kits without known terms are left alone."""
    files: list[SoundFile] = []
    folders = package.find("usr/share/hydrogen/data/drumkits").iterdir()
    for folder in sorted(folders, key=lambda path: path.name):
        has_sounds = folder.name == STRUMS if package.name == HYDROGEN_EFFECTS else folder.name != STRUMS
        if folder.name in KIT_TERMS and folder.is_dir() and has_sounds:
            files += _kit_files(package, folder)
    return files


def _kit_files(package: Package, folder: Path) -> list[SoundFile]:
    terms = KIT_TERMS[folder.name]
    instruments = _instruments(folder / "drumkit.xml")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES)
    if folder.name == STRUMS:
        paths = paths[::STRUMS_EVERY]
    blank = Candidate(
        name="",
        family="",
        source=f"Hydrogen {folder.name}",
        package=package.name,
        version=package.version,
        licence=terms.licence,
        credit=terms.credit,
        group=f"Hydrogen {folder.name}",
        unit="",
        shippable=terms.shippable,
    )
    files: list[SoundFile] = []
    for path in paths:
        name, family = kit_label(folder.name, path.stem, instruments.get(path.name, ""))
        unit = f"{folder.name} {path.name}"
        files.append((replace(blank, name=name, family=family, unit=unit), path))
    return files


def kit_label(kit: str, stem: str, instrument: str) -> labels.Label:
    """Label of a file of a Hydrogen kit from the name of its instrument, or its own; "" if neither tells."""
    if kit == STRUMS:
        chord = stem.replace("minro", "minor").replace("sharp ", "# ").replace("_", " ").removesuffix("wav")
        return labels.Label(f"Strum {chord}", "Pluck")
    instrument = "" if instrument.lower().startswith("sample") else re.sub(r"^[a-g]#?\d - *", "", instrument)
    name = instrument or stem.removeprefix("beats_")
    return labels.Label(name[:1].upper() + name[1:], labels.kit_family(instrument, stem) or "")


def _instruments(drumkit: Path) -> dict[str, str]:
    """Names of instruments by sound file, from a kit's drumkit.xml with or without a namespace."""
    if not drumkit.is_file():
        return {}
    names: dict[str, str] = {}
    name = ""
    for element in ElementTree.parse(drumkit).iter():  # noqa: S314 - of a distribution's package, unpacked by us
        tag = element.tag.rpartition("}")[2]
        if tag == "instrument":
            name = next((c.text or "" for c in element if c.tag.rpartition("}")[2] == "name"), "")
        elif tag == "filename" and element.text:
            names.setdefault(element.text, name.strip())
    return names


FILE_SOURCES = {SUPERSONIC: sonic_pi_files, HYDROGEN: hydrogen_files, HYDROGEN_EFFECTS: hydrogen_files}
#: Of two equal sounds the one from the package named first is kept.
PRIORITY = (SUPERSONIC, HYDROGEN, HYDROGEN_EFFECTS, MUSESCORE, FLUID)
