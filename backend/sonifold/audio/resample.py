"""Other sample rates, by libsoxr: what would fold back is 120 dB down, whatever the two rates are."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

CHUNK = 1 << 18  # samples at once
SLACK = 64  # samples by which libsoxr may round the length up


def resampled(samples: NDArray[np.floating], sample_rate: int, target: int) -> NDArray[np.floating]:
    """A recording (sample,) or (sample, channel) at another rate, in its own precision, where it was in time."""
    if sample_rate == target or not len(samples):
        return samples
    samples = np.asarray(samples, dtype=np.float32 if samples.dtype == np.float32 else np.float64)
    if samples.size <= CHUNK:
        converted: NDArray[np.floating] = soxr.resample(samples, sample_rate, target, "HQ")
        return converted
    stream = soxr.ResampleStream(
        sample_rate, target, samples[:1].size, dtype=samples.dtype.name, quality="HQ"
    )
    room = np.empty((len(samples) * target // sample_rate + SLACK, *samples.shape[1:]), samples.dtype)
    count = 0
    for start in range(0, len(samples), CHUNK):
        part = stream.resample_chunk(samples[start : start + CHUNK], last=start + CHUNK >= len(samples))
        room[count : count + len(part)] = part
        count += len(part)
    return room[:count]
