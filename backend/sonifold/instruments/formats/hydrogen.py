"""Hydrogen's ``.h2drumkit``: a gzipped TAR with a folder of ``drumkit.xml`` and the sounds.

Elements and their order by the schema that comes with Hydrogen 1.2. An instrument answers to one note; there are no
key ranges, so that only a drum kit fits. A song names its kit, and Hydrogen looks for a folder of that name: the kit's
name and the folder's are one.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from sonifold.audio.archive import LONGEST_NAME, with_credits
from sonifold.audio.provenance import unique
from sonifold.choices import InstrumentName, Layout
from sonifold.instruments.format import Container, InstrumentFormat, Limits, register
from sonifold.instruments.instrument import Instrument, Zone
from sonifold.instruments.package import SoundOptions, child, one_line, sound_files, xml_bytes

NAMESPACE = "http://www.hydrogen-music.org/drumkit"
KEYS = 128  # notes that MIDI has
RELEASE_FRAMES = 1000
FORBIDDEN = str.maketrans(dict.fromkeys('\\/:*?"<>|', "-"))  # in names of folders, on one system or another


def write(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    name = folder_name(instrument.name)
    folder = f"{name}/"
    files = sound_files(instrument, options.format or "wav", options.depth, folder)
    sources = instrument.sources
    root = ET.Element("drumkit_info", {"xmlns": NAMESPACE})
    child(root, "name", name)
    child(root, "author", "; ".join(unique(source.credit for source in sources)) or "Sonifold")
    child(root, "info", " ".join(f"{source.sentence()}." for source in sources) or "Made with Sonifold.")
    child(root, "license", "; ".join(unique(source.licence for source in sources)) or "undefined license")
    child(root, "image")
    child(root, "imageLicense")
    component = child(child(root, "componentList"), "drumkitComponent")
    for tag, text in (("id", 0), ("name", "Main"), ("volume", 1.0)):
        child(component, tag, text)
    instruments = child(root, "instrumentList")
    for number, (zone, file) in enumerate(zip(instrument.zones, files, strict=True)):
        add_instrument(instruments, number, zone, file.name.removeprefix(folder))
    return with_credits(files, {f"{folder}drumkit.xml": xml_bytes(root)}, folder)


def folder_name(name: str) -> str:
    """A kit's name as every system can have it for a folder, which is the kit's name in the document too."""
    return one_line(name).translate(FORBIDDEN)[:LONGEST_NAME].strip(" .") or "kit"


def add_instrument(instruments: ET.Element, number: int, zone: Zone, file: str) -> None:
    element = child(instruments, "instrument")
    fields = {
        "id": number,
        "name": zone.sound.name,
        "volume": 1.0,
        "isMuted": False,
        "isSoloed": False,
        "pan": 0.0,
        "pitchOffset": 0.0,
        "randomPitchFactor": 0.0,
        "gain": 1.0,
        "applyVelocity": True,
        "filterActive": False,
        "filterCutoff": 1.0,
        "filterResonance": 0.0,
        "Attack": 0,
        "Decay": 0,
        "Sustain": 1.0,
        "Release": RELEASE_FRAMES,
        "muteGroup": -1,
        "midiOutChannel": -1,
        "midiOutNote": zone.root,
        "isStopNote": False,
        "sampleSelectionAlgo": "VELOCITY",
        "isHihat": -1,
        "lower_cc": 0,
        "higher_cc": 127,
    }
    for tag, value in fields.items():
        child(element, tag, value)
    component = child(element, "instrumentComponent")
    child(component, "component_id", 0)
    child(component, "gain", 1.0)
    layer = child(component, "layer")
    gain = 10 ** (zone.gain_db / 20)
    for tag, layer_value in (("filename", file), ("min", 0.0), ("max", 1.0), ("gain", gain), ("pitch", 0.0)):
        child(layer, tag, layer_value)


register(
    InstrumentFormat(
        InstrumentName.H2DRUMKIT,
        "h2drumkit",
        Container.TAR,
        (Layout.DRUMS,),
        ("wav", "flac"),
        write,
        Limits(sounds=KEYS),
    )
)
