"""Teenage Engineering OP-1, OP-1 field, OP-Z: one AIFF with up to 24 sounds in a row, and where each begins in JSON.

The JSON stands in an ``APPL`` chunk with the signature ``op-1`` before the sound. There is no published description;
positions are counted in a unit of which 12 seconds have 2^31 - 2.
"""

from __future__ import annotations

import io
import json
import struct

import numpy as np

from sonifold.audio.archive import file_stem
from sonifold.audio.containers import chunks
from sonifold.audio.encode import encoded
from sonifold.audio.provenance import Provenance
from sonifold.audio.view import View
from sonifold.choices import InstrumentName, Layout
from sonifold.instruments.format import Container, InstrumentFormat, Limits, register
from sonifold.instruments.instrument import Instrument
from sonifold.instruments.package import SoundOptions, at_rate
from sonifold.version import __version__

RATE = 44_100  # Hz
SLICES = 24
SECONDS = 12.0
END = 2**31 - 2  # of the 12 seconds, in the unit of positions
UNIT = END / (SECONDS * RATE)
CHUNK_HEADER = 8  # bytes: its name and its size
NEUTRAL = 8192  # of volume, direction and play mode: as recorded, forwards, to the end of the sound


def write(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    sounds = [at_rate(zone, RATE) for zone in instrument.zones]
    row = np.concatenate(sounds)[: int(SECONDS * RATE)]
    edges = [0, *np.cumsum([len(sound) for sound in sounds]).tolist()]
    tags = provenance(instrument).tags()
    del tags["software"]  # libsndfile makes an APPL chunk of it, before the one that the OP-1 looks for
    aiff = encoded(row, RATE, "aiff", 16, tags)
    return {f"{file_stem(instrument.name)}.aif": with_application_chunk(aiff, metadata(edges))}


def provenance(instrument: Instrument) -> Provenance:
    """That of all sounds together."""
    about = next((zone.sound.provenance for zone in instrument.zones if zone.sound.provenance), None)
    model, version = (about.model, about.version) if about else ("", __version__)
    return Provenance(instrument.name, model, version, instrument.sources, {"mode": "drum kit"})


def metadata(edges: list[int]) -> dict[str, object]:
    """The JSON of a kit whose sounds lie between ``edges``, in frames; keys without a sound are empty."""
    marks = [min(END, int(edge * UNIT)) for edge in edges]
    empty = SLICES - (len(marks) - 1)
    same = [NEUTRAL] * SLICES
    return {
        "drum_version": 1,
        "type": "drum",
        "name": "user",
        "octave": 0,
        "pitch": [0] * SLICES,
        "start": marks[:-1] + [marks[-1]] * empty,
        "end": marks[1:] + [marks[-1]] * empty,
        "playmode": same,
        "reverse": same,
        "volume": same,
        "dyna_env": [0, 8192, 0, 8192, 0, 0, 0, 0],
        "fx_active": False,
        "fx_type": "delay",
        "fx_params": [8000] * 8,
        "lfo_active": False,
        "lfo_type": "tremolo",
        "lfo_params": [16000, 16000, 16000, 16000, 0, 0, 0, 0],
    }


def with_application_chunk(aiff: bytes, fields: dict[str, object]) -> bytes:
    """An AIFF with a chunk of the OP-1's before its sound."""
    text = b"op-1" + json.dumps(fields, separators=(",", ":")).encode() + b"\n"
    text += b" " * (len(text) % 2)
    chunk = b"APPL" + struct.pack(">I", len(text)) + text
    offset = sound_chunk(aiff)
    whole = aiff[:offset] + chunk + aiff[offset:]
    return whole[:4] + struct.pack(">I", len(whole) - 8) + whole[8:]


def sound_chunk(aiff: bytes) -> int:
    """Where the chunk with the samples begins."""
    return next(
        begin - CHUNK_HEADER for id, _, begin in chunks(View(io.BytesIO(aiff)), 12, ">") if id == b"SSND"
    )


register(
    InstrumentFormat(
        InstrumentName.OP1,
        "aif",
        Container.FILE,
        (Layout.DRUMS,),
        ("aiff",),
        write,
        Limits(sounds=SLICES, seconds=SECONDS),
    )
)
