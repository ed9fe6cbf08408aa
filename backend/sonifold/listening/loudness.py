"""Two sounds brought to one loudness before they are compared: the louder one would be taken for the better one.

Integrated loudness by ITU-R BS.1770-5: mean power after K-weighting over blocks of 400 ms, every 100 ms, without those
under -70 LUFS and then without those 10 LU under the rest. A sound shorter than a few blocks has none: so it is
measured as a listening test plays it, over and over. The repeated sound is periodic and fills every block whole, down
to sounds of a few milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from sonifold.audio.loudness import SILENT, k_response, lufs_of

BLOCK_SECONDS, HOP_SECONDS = 0.4, 0.1
#: Of the repeated sound, in whole repeats: blocks begin elsewhere in each, so that no single one decides at the gate.
MEASURED_SECONDS = 9.0
QUIETEST_LUFS, QUIETEST_LU = -70.0, -10.0  # of blocks that count; under the mean of the others
TARGET = -20.0  # LUFS
CEILING = 0.98  # of full scale, that no peak goes beyond

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Matched:
    """Two sounds (sample,) of one loudness, and what was done to them."""

    sounds: tuple[Samples, Samples]
    gains_db: tuple[float, float]
    lufs: float


def match(first: NDArray[np.floating], second: NDArray[np.floating], sample_rate: int) -> Matched:
    """Bring two sounds to the same integrated loudness, and to the same length by silence at the end.

    Gains alone, no limiter: both come to ``TARGET``, or to less where a peak would go beyond ``CEILING``. Silence
    stays silent.
    """
    length = max(len(first), len(second))
    padded = [np.pad(np.asarray(sound, float), (0, length - len(sound))) for sound in (first, second)]
    loudness = [integrated(sound, sample_rate) for sound in padded]
    target = min(TARGET, *(_loudest(sound, lufs) for sound, lufs in zip(padded, loudness, strict=True)))
    gains = [target - lufs if lufs > SILENT else 0.0 for lufs in loudness]
    a, b = (sound * 10 ** (gain / 20) for sound, gain in zip(padded, gains, strict=True))
    return Matched((a, b), (gains[0], gains[1]), target)


def integrated(sound: NDArray[np.floating], sample_rate: int) -> float:
    """LUFS of a sound (sample,) that is repeated without a pause; -120 of silence."""
    blocks = _block_power(_k_weighted(np.asarray(sound, float), sample_rate), sample_rate)
    gated = blocks[lufs_of(blocks) > QUIETEST_LUFS]
    if not len(gated):
        return SILENT
    return float(lufs_of(gated[lufs_of(gated) > lufs_of(gated.mean()) + QUIETEST_LU].mean()))


def _k_weighted(period: Samples, sample_rate: int) -> Samples:
    """One period (sample,) of a repeated sound after both filters, which have long settled: circular convolution."""
    return np.asarray(irfft(rfft(period) * k_response(sample_rate, len(period)), len(period)))


def _block_power(period: Samples, sample_rate: int) -> Samples:
    """Mean power of each block, (block,)."""
    block = round(BLOCK_SECONDS * sample_rate)
    repeated = np.tile(period**2, 2 + block // len(period))
    reached = np.concatenate([[0.0], np.cumsum(repeated)])
    repeats = math.ceil(MEASURED_SECONDS * sample_rate / len(period))
    hop = round(HOP_SECONDS * sample_rate)
    starts = np.arange(0, repeats * len(period) - block + 1, hop) % len(period)
    power: Samples = (reached[starts + block] - reached[starts]) / block
    return power


def _loudest(sound: Samples, lufs: float) -> float:
    """LUFS that a sound may be brought to before its peak reaches the ceiling; without bound of silence."""
    return lufs + 20 * math.log10(CEILING / peak) if (peak := float(np.abs(sound).max())) > 0 else math.inf
