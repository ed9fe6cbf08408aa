"""The ``smpl`` chunk of a WAV: root note, fine tuning, loop (Multimedia Data Standards Update, 1994)."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from sonifold.audio import encode
from sonifold.audio.containers import chunks
from sonifold.audio.notes import MIDDLE_C
from sonifold.audio.view import View
from sonifold.instruments.instrument import HIGHEST, Loop

FRACTIONS = 2**32  # of a semitone, the chunk's unit of fine tuning
NANOSECONDS = 1_000_000_000
HEADER = struct.Struct("<9I")
LOOP = struct.Struct("<6I")
FORWARD = 0  # kind of loop
RIFF_HEADER = 12  # bytes before the first chunk


class SamplerChunk(NamedTuple):
    """What a sampler wants to know of a sound."""

    key: float  # MIDI's, with its fraction
    loop: Loop | None


def with_sampler_chunk(wav: bytes, sample_rate: int, chunk: SamplerChunk) -> bytes:
    """A WAV with the chunk behind its others.

    The note is the highest one at or below the key, and the fraction what is missing: a reader that leaves the
    fraction out comes as close as it can.
    """
    key = min(float(HIGHEST), max(0.0, round(chunk.key, 4)))
    note = math.floor(key)
    fraction = min(FRACTIONS - 1, round((key - note) * FRACTIONS))
    period = round(NANOSECONDS / sample_rate)
    data = HEADER.pack(0, 0, period, note, fraction, 0, 0, 1 if chunk.loop else 0, 0)
    if chunk.loop:
        data += LOOP.pack(0, FORWARD, chunk.loop.start, chunk.loop.end - 1, 0, 0)
    whole = wav + b"\0" * (len(wav) % 2) + encode.chunk(b"smpl", data)
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def sampler_chunk(file: View) -> SamplerChunk | None:
    """The chunk of a WAV; None where there is none, or it says no more than what programs write without knowing."""
    data = chunk_data(file, b"smpl")
    if len(data) < HEADER.size:
        return None
    _, _, _, note, fraction, _, _, loops, _ = HEADER.unpack_from(data)
    loop = None
    if loops and len(data) >= HEADER.size + LOOP.size:
        _, kind, start, end, _, _ = LOOP.unpack_from(data, HEADER.size)
        loop = Loop(start, end + 1) if kind == FORWARD and start < end else None
    is_set = note <= HIGHEST and (note, fraction) not in ((0, 0), (MIDDLE_C, 0))
    return (
        SamplerChunk(note + fraction / FRACTIONS if is_set else float(MIDDLE_C), loop)
        if is_set or loop
        else None
    )


def chunk_data(file: View, name: bytes) -> bytes:
    """The contents of a chunk of a WAV; empty where there is none."""
    header = file.at(0, RIFF_HEADER)
    if header[:4] != b"RIFF" or header[8:] != b"WAVE":
        return b""
    return next(
        (file.at(begin, size) for id, size, begin in chunks(file, RIFF_HEADER, "<") if id == name), b""
    )
