"""Whole recordings of a collection, as a browser plays them, without ever having one of them in memory.

Files in formats that browsers play are sent as they are. Of others a WAV of 16 bits is made while it is sent, with as
many channels as they have.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import soundfile

from sonifold.audio.decode import opened
from sonifold.audio.view import View
from sonifold.errors import AudioUnreadable

#: Ending -> media type, of what browsers play.
PLAYED = {
    ".wav": "audio/wav", ".wave": "audio/wav", ".bwf": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4", ".mp4": "audio/mp4",
    ".aac": "audio/aac",
}  # fmt: skip
FRAME_BYTES = 2  # of a channel
MOST_BYTES = 2**32 - 2**10  # of a WAV, whose sizes have 32 bits


def media_type(path: str) -> str | None:
    """What a file is sent as, as it is; None where browsers do not play it."""
    return PLAYED.get(os.path.splitext(path)[1].lower())


class WavStream:
    """A file as a WAV. Raises AudioUnreadable where it cannot be read, or nothing says how long it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file, closing(opened(View(file), path.name)) as decoder:
            frames, self._channels, self._rate = decoder.frames, decoder.channels, decoder.rate
        if frames is None or frames * self._channels * FRAME_BYTES > MOST_BYTES:
            raise AudioUnreadable(
                f"{path.name} is too long to be made into a WAV; open it where it lies: {path}"
            )
        self._frames = frames

    def __len__(self) -> int:
        """Bytes."""
        return len(self._header()) + self._data_bytes

    def __iter__(self) -> Iterator[bytes]:
        """Header and samples. A file that ends before its time is followed by silence."""
        yield self._header()
        left = self._data_bytes
        with self._path.open("rb") as file, closing(opened(View(file), self._path.name)) as decoder:
            for block in decoder.blocks(self._frames):
                samples = np.clip(np.round(block * 32768.0), -32768, 32767).astype("<i2").tobytes()[:left]
                left -= len(samples)
                yield samples
        yield bytes(left)

    @property
    def _data_bytes(self) -> int:
        return self._frames * self._channels * FRAME_BYTES

    def _header(self) -> bytes:
        width = self._channels * FRAME_BYTES
        form = struct.pack(
            "<4sIHHIIHH", b"fmt ", 16, 1, self._channels, self._rate, self._rate * width, width, 16
        )
        return b"".join(
            [
                struct.pack("<4sI4s", b"RIFF", 4 + len(form) + 8 + self._data_bytes, b"WAVE"),
                form,
                struct.pack("<4sI", b"data", self._data_bytes),
            ]
        )


def beginning_as_wav(path: Path, seconds: float) -> bytes:
    """The first seconds of a file, with all its channels, in floats. Raises AudioUnreadable."""
    with path.open("rb") as file, closing(opened(View(file), path.name)) as decoder:
        most = int(seconds * decoder.rate)
        samples = np.concatenate([np.zeros((0, decoder.channels), np.float32), *decoder.blocks(most)])[:most]
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, decoder.rate, "FLOAT", format="WAV")
    return buffer.getvalue()
