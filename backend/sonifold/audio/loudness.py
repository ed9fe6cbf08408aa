"""Perceived loudness of frequencies and sounds: A-weighting (IEC 61672-1) and loudness (ITU-R BS.1770-5)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Seconds of the blocks that loudness is taken over: a tenth for one-shots that are over sooner than the standard's
#: momentary block of four tenths, which is the other.
BLOCKS = (0.1, 0.4)
SILENT = -120.0  # LUFS, of silence
#: Added to every sample: a recursive filter is many times slower on the denormal numbers that a sound dies away to.
FAINT = 1e-60


def a_weighting(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power gain of the A curve, 1 at 1 kHz.

    Frequencies under 30 Hz are treated as 30 Hz: the curve would otherwise divide by almost nothing
    wherever it is inverted.
    """
    f2 = np.maximum(frequency_hz, 30.0) ** 2
    response = (
        12194.0**2 * f2**2 / ((f2 + 20.6**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2)) * (f2 + 12194.0**2))
    )
    return (response * 10**0.1) ** 2  # the standard's +2.0 dB brings 1 kHz to unity


def momentary(sounds: NDArray[np.floating], sample_rate: int) -> NDArray[np.float64]:
    """Loudness of the loudest moment of sounds (batch, sample) in LUFS, (batch,); full scale = 1.

    The mean of what the loudest block of 100 ms and that of 400 ms measure: the first alone would not tell a click
    from a tone, the second calls a tone of 100 ms 6 LU fainter than a longer one. Around the sounds there is silence.
    """
    return loudest_moment(k_weighted(np.asarray(sounds, float), sample_rate) ** 2, sample_rate)


def k_weighted(sounds: NDArray[np.floating], sample_rate: int) -> NDArray[np.floating]:
    """Sounds (batch, sample) as loud as the ear takes each frequency to be: the filters of BS.1770."""
    from scipy.signal import sosfilt  # which loads most of SciPy: a second that not every process need spend

    return np.asarray(sosfilt(k_weighting(sample_rate), sounds.astype(float) + FAINT))


def k_response(sample_rate: int, length: int) -> NDArray[np.complex128]:
    """Frequency response of both filters, at the bins of a transform of so many samples."""
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(length))  # of one sample
    coefficients = k_weighting(sample_rate)[:, ::-1].reshape(-1, 2, 3)  # of the highest power of it first
    return np.asarray(np.prod([np.polyval(b, delay) / np.polyval(a, delay) for a, b in coefficients], axis=0))


def loudest_moment(power: NDArray[np.floating], sample_rate: float) -> NDArray[np.float64]:
    """The same from K-weighted power (batch, sample) at any rate that has a few samples a block."""
    reached = np.cumsum(power, axis=1, dtype=float)
    mean: NDArray[np.float64] = np.mean(
        [_loudest(reached, round(block * sample_rate)) for block in BLOCKS], axis=0
    )
    return mean


def _loudest(reached: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    """LUFS of the loudest block, from the running sum of power (batch, sample)."""
    most = reached[:, :block].max(axis=1)
    if reached.shape[1] > block:
        most = np.maximum(most, (reached[:, block:] - reached[:, :-block]).max(axis=1))
    return lufs_of(most / block)


def lufs_of(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Loudness of mean power after K-weighting, at least ``SILENT``."""
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENT / 10))) - 0.691)


@lru_cache(maxsize=8)
def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """The two filters of BS.1770 at any rate, as second-order sections (2, 6).

    The standard gives coefficients for 48 kHz; these are the analogue prototypes behind them (De Man 2014), which
    reproduce those to 1e-6.
    """
    gain = 10 ** (3.999843853973347 / 20)
    half = gain**0.4996667741545416
    shelf = _section(1681.974450955533, 0.7071752369554196, (gain, half, 1.0), sample_rate)
    high_pass = _section(38.13547087602444, 0.5003270373238773, (1.0, 0.0, 0.0), sample_rate)
    high_pass[:3] = 1.0, -2.0, 1.0  # as the standard has it: not of unit gain at high frequencies
    return np.stack([shelf, high_pass])


def _section(
    hertz: float, quality: float, gains: tuple[float, float, float], sample_rate: int
) -> NDArray[np.float64]:
    """The bilinear transform of (high s^2 + middle s w/Q + low w^2) / (s^2 + s w/Q + w^2)."""
    warped = math.tan(math.pi * hertz / sample_rate)
    high, middle, low = gains

    def polynomial(second: float, first: float, zeroth: float) -> list[float]:
        linear, square = first * warped / quality, zeroth * warped**2
        return [second + linear + square, 2 * (square - second), second - linear + square]

    above, below = polynomial(high, middle, low), polynomial(1.0, 1.0, 1.0)
    return np.array([*above, *below]) / below[0]
