"""DecentSampler: a ZIP named ``.dslibrary`` with a preset in XML and the sounds.

Elements by the DecentSampler Developers' Guide. A morph has a knob, which the modulation wheel turns and whose
bindings set the volumes of the steps.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

from sonifold.audio.archive import file_stem, with_credits
from sonifold.choices import InstrumentName, Layout
from sonifold.instruments.format import Container, InstrumentFormat, register
from sonifold.instruments.instrument import HIGHEST, Crossfade, Instrument, Zone
from sonifold.instruments.package import SoundOptions, child, sound_files, text_of, xml_bytes

SOUNDS = "Samples/"
WIDTH, HEIGHT = 812, 375  # pixels of the player's window
RELEASE_SECONDS = 0.1
ONE_SHOT_SECONDS = 20.0  # a release longer than any drum, so that letting go does not end it
FADE_POINTS = 8  # straight pieces that a curve of equal power is made of, on either side


def write(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    files = sound_files(instrument, options.format or "wav", options.depth, SOUNDS)
    root = ET.Element("DecentSampler", {"minVersion": "1.0.0"})
    if instrument.layout is Layout.MORPH:
        add_knob(root, instrument)
    release = ONE_SHOT_SECONDS if instrument.layout is Layout.DRUMS else RELEASE_SECONDS
    groups = child(root, "groups", attack=0.0, decay=0.0, sustain=1.0, release=release, ampVelTrack=1.0)
    group = None
    for zone, file in zip(instrument.zones, files, strict=True):
        if group is None or instrument.layout is Layout.MORPH:
            group = child(
                groups, "group", volume=1.0 if zone.wheel is None else at(zone.wheel, 0, instrument)
            )
        add_sample(group, zone, file.name)
    return with_credits(files, {f"{file_stem(instrument.name)}.dspreset": xml_bytes(root)})


def add_sample(group: ET.Element, zone: Zone, path: str) -> None:
    loop = zone.sound.loop
    looping: dict[str, object] = {"loopEnabled": loop is not None}
    if loop:
        looping |= {"loopStart": loop.start, "loopEnd": loop.end - 1}
    child(
        group,
        "sample",
        path=path,
        rootNote=zone.root,
        loNote=zone.keys.low,
        hiNote=zone.keys.high,
        loVel=zone.velocities.low,
        hiVel=zone.velocities.high,
        tuning=zone.tune,
        pitchKeyTrack=1.0 if zone.tracks else 0.0,
        volume=f"{zone.gain_db:g}dB",
        **looping,
    )


def add_knob(root: ET.Element, instrument: Instrument) -> None:
    """The knob, and the wheel that turns it."""
    ui = child(root, "ui", width=WIDTH, height=HEIGHT)
    tab = child(ui, "tab", name="main")
    knob = child(
        tab,
        "labeled-knob",
        x=WIDTH // 2 - 45,
        y=HEIGHT // 2 - 50,
        label="Morph",
        type="float",
        minValue=0,
        maxValue=HIGHEST,
        value=0,
    )
    for position, zone in enumerate(instrument.zones):
        child(
            knob,
            "binding",
            type="amp",
            level="group",
            position=position,
            parameter="AMP_VOLUME",
            translation="table",
            translationTable=fade_table(zone.wheel, instrument) if zone.wheel else "0,1;127,1",
        )
    wheel = child(child(root, "midi"), "cc", number=1)
    child(
        wheel,
        "binding",
        type="control",
        level="ui",
        position=0,
        parameter="VALUE",
        translation="linear",
        translationOutputMin=0,
        translationOutputMax=HIGHEST,
    )


def fade_table(wheel: Crossfade, instrument: Instrument) -> str:
    """``0,0;32,1;64,0;127,0``: the volume of a step for positions of the wheel, straight between them."""
    pieces = 1 if instrument.coherent else FADE_POINTS
    positions = {0.0, float(HIGHEST)}
    for low, high in ((wheel.start, wheel.peak), (wheel.peak, wheel.end)):
        positions |= {low + (high - low) * piece / pieces for piece in range(pieces + 1)}
    return ";".join(
        f"{text_of(position)},{text_of(at(wheel, position, instrument))}" for position in sorted(positions)
    )


def at(wheel: Crossfade, position: float, instrument: Instrument) -> float:
    """The gain of a step where the wheel stands, 0 to 1."""
    if not wheel.start <= position <= wheel.end:
        return 0.0
    edge = wheel.start if position < wheel.peak else wheel.end
    share = 1.0 if position == wheel.peak else (position - edge) / (wheel.peak - edge)
    return share if instrument.coherent else math.sin(share * math.pi / 2)


register(
    InstrumentFormat(
        InstrumentName.DSLIBRARY,
        "dslibrary",
        Container.ZIP,
        (Layout.KEYS, Layout.DRUMS, Layout.MORPH),
        ("wav", "flac"),
        write,
    )
)
