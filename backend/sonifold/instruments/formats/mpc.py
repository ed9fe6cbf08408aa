"""Akai MPC: a folder with a program (``.xpm``, XML) and its WAVs, for MPC software 2 and the standalone MPCs.

There is no published description. What is written here is what programs of several makers have in common: sounds are
named without their ending and looked for beside the program; a drum program has 128 pads and a map from pad to note; a
keygroup's root note is counted from 1.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

from sonifold.audio.archive import file_stem, with_credits
from sonifold.choices import InstrumentName, Layout
from sonifold.instruments.format import Container, InstrumentFormat, Limits, register
from sonifold.instruments.instrument import HIGHEST, Instrument, Span, Zone
from sonifold.instruments.package import SoundOptions, child, sound_files, xml_bytes

PADS = 128
LAYERS = 4  # that every generation has
RELEASE = 0.05  # of the envelope's range


def write(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    louder = [with_gain(zone) for zone in instrument.zones]
    instrument = replace(instrument, zones=tuple(louder))
    files = sound_files(instrument, options.format or "wav", options.depth)
    root = ET.Element("MPCVObject")
    version = child(root, "Version")
    for tag, text in (
        ("File_Version", "2.1"),
        ("Application", "MPC-V"),
        ("Application_Version", "2.10.0.0"),
        ("Platform", "Linux"),
    ):
        child(version, tag, text)
    add_program(root, instrument)
    return with_credits(files, {f"{file_stem(instrument.name)}.xpm": xml_bytes(root)})


def with_gain(zone: Zone) -> Zone:
    """A zone with its gain in its samples: how far the program's own volumes reach is not published."""
    if not zone.gain_db:
        return zone
    samples = zone.sound.samples * 10 ** (zone.gain_db / 20)
    return replace(zone, gain_db=0.0, sound=replace(zone.sound, samples=samples.astype("float32")))


def add_program(root: ET.Element, instrument: Instrument) -> None:
    is_kit = instrument.layout is Layout.DRUMS
    program = child(root, "Program", type="Drum" if is_kit else "Keygroup")
    child(program, "ProgramName", instrument.name)
    child(program, "ProgramPads-v2.10", pad_colours())
    for tag, text in (("Volume", "0.707946"), ("Mute", "False"), ("Pan", "0.500000"), ("Pitch", "0.000000"),
                      ("TuneCoarse", 0), ("TuneFine", 0), ("Mono", "False"), ("Program_Polyphony", 32)):  # fmt: skip
        child(program, tag, text)
    keygroups = by_keys(instrument)
    instruments = child(program, "Instruments")
    for number in range(PADS if is_kit else len(keygroups)):
        zones = keygroups[number] if number < len(keygroups) else []
        add_instrument(instruments, number + 1, zones, is_kit=is_kit)
    if is_kit:
        add_pad_notes(program, [zones[0].root for zones in keygroups])
    else:
        child(program, "KeygroupNumKeygroups", len(keygroups))
        child(program, "KeygroupPitchBendRange", "0.160000")
        child(program, "KeygroupWheelToLfo", "0.000000")


def by_keys(instrument: Instrument) -> list[list[Zone]]:
    """The zones of each range of keys together, the loudest velocities first."""
    ranges: dict[Span, list[Zone]] = {}
    for zone in instrument.zones:
        ranges.setdefault(zone.keys, []).insert(0, zone)
    return list(ranges.values())


def pad_colours() -> str:
    """The pads' colours, as the JSON that stands in the program: none is set."""
    pads = {f"value{pad}": 0 for pad in range(PADS)}
    fields = {
        "Universal": {"value0": True},
        "Type": {"value0": 5},
        "universalPad": 32512,
        "pads": pads,
        "UnusedPads": {"value0": 1},
    }
    return json.dumps({"ProgramPads": fields})


def add_pad_notes(program: ET.Element, keys: list[int]) -> None:
    """Pads from the first on play the kit's notes, the others the notes that are left."""
    notes = [*keys, *(note for note in range(HIGHEST + 1) if note not in keys)]
    note_map = child(program, "PadNoteMap")
    for pad, note in enumerate(notes, start=1):
        child(child(note_map, "PadNote", number=pad), "Note", note)


def add_instrument(instruments: ET.Element, number: int, zones: list[Zone], *, is_kit: bool) -> None:
    keys = zones[0].keys if zones and not is_kit else Span()
    element = child(instruments, "Instrument", number=number)
    for tag, text in (
        ("Volume", "1.000000"), ("Mute", "False"), ("Pan", "0.500000"), ("TuneCoarse", 0), ("TuneFine", 0),
        ("Mono", "False"), ("Polyphony", 0 if is_kit else 16), ("LowNote", keys.low), ("HighNote", keys.high),
        ("IgnoreBaseNote", "False"), ("ZonePlay", 1), ("MuteGroup", 0), ("TriggerMode", 0 if is_kit else 2),
        ("FilterType", 0), ("Cutoff", "1.000000"), ("Resonance", "0.000000"), ("VolumeAttack", "0.000000"),
        ("VolumeHold", "0.000000"), ("VolumeDecay", "0.000000"), ("VolumeSustain", "1.000000"),
        ("VolumeRelease", f"{0 if is_kit else RELEASE:.6f}"), ("VelocitySensitivity", "1.000000"),
    ):  # fmt: skip
        child(element, tag, text)
    layers = child(element, "Layers")
    for layer in range(LAYERS):
        add_layer(layers, layer + 1, zones[layer] if layer < len(zones) else None)


def add_layer(layers: ET.Element, number: int, zone: Zone | None) -> None:
    frames = len(zone.sound.samples) if zone else 0
    loop = zone.sound.loop if zone else None
    semitones = round(zone.tune) if zone else 0
    velocities = zone.velocities if zone else Span()
    low = 0 if velocities.low == 1 else velocities.low
    element = child(layers, "Layer", number=number)
    for tag, text in (
        ("Active", "True"), ("Volume", "1.000000"), ("Pan", "0.500000"), ("Pitch", "0.000000"),
        ("TuneCoarse", semitones), ("TuneFine", round(100 * (zone.tune - semitones)) if zone else 0),
        ("VelStart", low), ("VelEnd", velocities.high), ("SampleStart", 0), ("SampleEnd", frames),
        ("Loop", "True" if loop else "False"), ("LoopStart", loop.start if loop else 0),
        ("LoopEnd", loop.end if loop else 0), ("LoopTune", 0), ("Mute", "False"),
        ("RootNote", zone.root + 1 if zone else 0), ("KeyTrack", "True" if zone and zone.tracks else "False"),
        ("SampleName", zone.stem if zone else ""), ("SampleFile", ""), ("SliceIndex", 128), ("Direction", 0),
        ("Offset", 0), ("SliceStart", 0), ("SliceEnd", frames), ("SliceLoopStart", loop.start if loop else 0),
        ("SliceLoop", 1 if loop else 0),
    ):  # fmt: skip
        child(element, tag, text)


register(
    InstrumentFormat(
        InstrumentName.XPM,
        "xpm",
        Container.FOLDER,
        (Layout.KEYS, Layout.DRUMS),
        ("wav",),
        write,
        Limits(sounds=PADS, layers=LAYERS),
    )
)
