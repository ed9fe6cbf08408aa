"""Samples as a sound file in memory, with its texts."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import soundfile
from numpy.typing import NDArray

from sonifold.audio.formats import subtype_of
from sonifold.audio.memory import contents, memory_file

#: Fields of a WAV file, by soundfile's names for what they hold.
INFO_FIELDS = {
    "title": b"INAM",
    "artist": b"IART",
    "copyright": b"ICOP",
    "software": b"ISFT",
    "comment": b"ICMT",
}
LARGEST_WAV = 1 << 30  # samples; beyond it sizes do not fit into the header
BLOCK = 1 << 16  # frames handed to the encoder at once: libvorbis overflows its stack on long blocks


def encoded(
    samples: NDArray[np.float32],
    sample_rate: int,
    format: str = "wav",
    depth: int | None = None,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """Samples (sample,) or (sample, channel), full scale = 1, as a file.

    Args:
        format: one of :data:`sonifold.audio.formats.FORMATS`.
        depth: bits a sample; the format's usual one when None.
        tags: texts by soundfile's names for them.

    Raises:
        ValueError: another format or depth.
    """
    container, subtype = subtype_of(format, depth)
    if (container, subtype) == ("WAV", "PCM_16") and samples.size < LARGEST_WAV:
        return wav(steps_of(samples, 16).astype("<i2"), sample_rate, tags or {})
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with memory_file() as memory:
        with soundfile.SoundFile(
            memory, "w", sample_rate, channels, subtype, format=container, closefd=False
        ) as file:
            for name, text in (tags or {}).items():
                setattr(file, name, text)
            for start in range(0, len(samples), BLOCK):
                file.write(encodable(samples[start : start + BLOCK], subtype))
        return contents(memory)


def wav(steps: NDArray[np.int16], sample_rate: int, tags: Mapping[str, str]) -> bytes:
    """Samples of 16 bits as a WAV file, with those texts that such files have a field for.

    The same as libsndfile writes, in one piece: through some fifteen calls each sound would wait as often for its turn
    beside computations in other threads.
    """
    channels = 1 if steps.ndim == 1 else steps.shape[1]
    form = struct.pack("<HHIIHH", 1, channels, sample_rate, 2 * channels * sample_rate, 2 * channels, 16)
    fields = [
        chunk(INFO_FIELDS[name], text.encode() + b"\0") for name, text in tags.items() if name in INFO_FIELDS
    ]
    info = chunk(b"LIST", b"INFO" + b"".join(fields)) if fields else b""
    return chunk(b"RIFF", b"".join((b"WAVE", chunk(b"fmt ", form), info, chunk(b"data", steps.tobytes()))))


def chunk(name: bytes, data: bytes) -> bytes:
    """A piece of a RIFF file, filled up to an even length. What fills a text is counted to it, as libsndfile does."""
    fill = bytes(len(data) % 2)
    return b"".join((name, struct.pack("<I", len(data) + len(fill)), data, fill))


def encodable(samples: NDArray[np.float32], subtype: str) -> NDArray[np.float32] | NDArray[np.int32]:
    """Samples as the encoder takes them: floats as they are, else rounded to the nearest integer of the file's depth.

    Left to libsndfile (1.2.2) they would be rounded down, half a step too low on average.
    """
    if subtype == "FLOAT":
        return samples
    if not subtype.startswith("PCM_"):
        return np.clip(samples, -1.0, 1.0)
    bits = int(subtype.removeprefix("PCM_"))
    shifted: NDArray[np.int32] = steps_of(samples, bits).astype(np.int32) << (32 - bits)
    return shifted


def steps_of(samples: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Samples as whole steps of so many bits, 24 at most: single precision holds these without an error."""
    limit = np.float32(2 ** (bits - 1))
    steps = samples * limit
    np.rint(steps, out=steps)
    return np.clip(steps, -limit, limit - 1, out=steps)
