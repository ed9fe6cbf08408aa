"""Samples as a sound file in memory, with its texts."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import soundfile
from numpy.typing import NDArray

from sonifold.audio.formats import subtype_of

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
    buffer = io.BytesIO()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(buffer, "w", sample_rate, channels, subtype, format=container) as file:
        for name, text in (tags or {}).items():
            setattr(file, name, text)
        for start in range(0, len(samples), BLOCK):
            file.write(encodable(samples[start : start + BLOCK], subtype))
    return buffer.getvalue()


def encodable(samples: NDArray[np.float32], subtype: str) -> NDArray[np.float32] | NDArray[np.int32]:
    """Samples as the encoder takes them: floats as they are, else rounded to the nearest integer of the file's depth.

    Left to libsndfile (1.2.2) they would be rounded down, half a step too low on average.
    """
    if subtype == "FLOAT":
        return samples
    if not subtype.startswith("PCM_"):
        return np.clip(samples, -1.0, 1.0)
    bits = int(subtype.removeprefix("PCM_"))
    limit = 2 ** (bits - 1)
    steps = np.clip(np.rint(samples.astype(np.float64) * limit), -limit, limit - 1)
    shifted: NDArray[np.float32] | NDArray[np.int32] = steps.astype(np.int32) << (32 - bits)
    return shifted
