"""Bitwig's ``.multisample``: a ZIP with ``multisample.xml`` and WAVs, read by Bitwig Studio and Studio One.

Elements and their order by the format's published schema (github.com/bitwig/multisample). A morph lies along the
*select* axis, which a modulation wheel can be mapped to.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from sonifold.audio.archive import with_credits
from sonifold.choices import InstrumentName, Layout
from sonifold.instruments.format import Container, InstrumentFormat, register
from sonifold.instruments.instrument import Instrument, Zone
from sonifold.instruments.package import SoundOptions, child, one_line, sound_files, xml_bytes


def write(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    files = sound_files(instrument, options.format or "wav", options.depth)
    root = ET.Element("multisample", {"name": one_line(instrument.name)})
    child(root, "generator", "Sonifold")
    child(root, "category", "Drums" if instrument.layout is Layout.DRUMS else "Keyboards")
    child(root, "creator", "Sonifold")
    child(root, "description", " ".join(f"{source.sentence()}." for source in instrument.sources))
    child(root, "keywords")
    for zone, file in zip(instrument.zones, files, strict=True):
        add_sample(root, zone, file.name)
    return with_credits(files, {"multisample.xml": xml_bytes(root)})


def add_sample(root: ET.Element, zone: Zone, file: str) -> None:
    frames = len(zone.sound.samples)
    sample = child(
        root,
        "sample",
        file=file,
        gain=f"{zone.gain_db:.3f}",
        sample_start="0.000",
        sample_stop=f"{frames}.000",
        zone_logic="always-play",
    )
    child(
        sample,
        "key",
        root=zone.root,
        track=1.0 if zone.tracks else 0.0,
        tune=f"{zone.tune:.4f}",
        low=zone.keys.low,
        high=zone.keys.high,
    )
    child(sample, "velocity", low=zone.velocities.low, high=zone.velocities.high)
    wheel = zone.wheel
    if wheel:
        fades = {"low_fade": wheel.peak - wheel.start, "high_fade": wheel.end - wheel.peak}
        child(sample, "select", low=wheel.start, high=wheel.end, **fades)
    else:
        child(sample, "select", low=0, high=127)
    loop = zone.sound.loop
    if loop:
        child(sample, "loop", mode="loop", start=float(loop.start), stop=float(loop.end))
    else:
        child(sample, "loop", mode="off", start=0.0, stop=float(frames))


register(
    InstrumentFormat(
        InstrumentName.MULTISAMPLE,
        "multisample",
        Container.ZIP,
        (Layout.KEYS, Layout.DRUMS, Layout.MORPH),
        ("wav",),
        write,
    )
)
