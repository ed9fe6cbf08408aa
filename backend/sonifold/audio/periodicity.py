r"""Periodicity of a sound and its rate: the normalised square difference function (McLeod and Wyvill 2005).

    n[tau] = 2 sum_j x[j] x[j+tau] / sum_j (x[j]^2 + x[j+tau]^2)

It is 1 where a frame repeats itself after tau samples at whatever level, so decay does not disturb it. The period is
the first of its peaks that comes close to the highest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

LOWEST, MIDDLE, HIGHEST = 25.0, 800.0, 9_000.0  # Hz
FRAME_SECONDS = 0.186  # some periods of the lowest
SHORT = 2048  # samples from a frame's middle, in which periods above MIDDLE are looked for
FINER = 4  # lags a sample there: the period of a high tone is some samples
CLOSE = 0.93  # of the highest peak
PRESENT = 10 ** (
    -35 / 20
)  # of the strongest partial: a fundamental; chords repeat with a period that none of them has
LEAST_SAMPLES = 512


class Periods(NamedTuple):
    """Frame by frame."""

    hertz: NDArray[np.float64]  # 0 where there is no period
    clarity: NDArray[np.float64]  # n at the period, 1 for a perfect one
    level: NDArray[np.float64]  # root mean square


def periods(samples: NDArray[np.floating], sample_rate: int) -> Periods | None:
    """Of a sound (sample,); None for one too short to tell."""
    size = min(round(FRAME_SECONDS * sample_rate), len(samples)) // 2 * 2
    if size < LEAST_SAMPLES:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), size)[:: size // 2]
    frames = frames - frames.mean(axis=1, keepdims=True)
    middle = frames[:, max(0, size - SHORT) // 2 :][:, :SHORT]
    deep = [period(row, sample_rate, LOWEST, MIDDLE) for row in square_differences(frames, 1)]
    high = [period(row, FINER * sample_rate, MIDDLE, HIGHEST) for row in square_differences(middle, FINER)]
    periods_of_frames = [
        two if two[1] > 0 and two[1] >= CLOSE * low[1] else low for low, two in zip(deep, high, strict=True)
    ]
    hertz, clarity = (np.array(column) for column in zip(*periods_of_frames, strict=True))
    loudest = frames[int(np.argmax(np.square(frames).sum(axis=1)))]
    partials = np.abs(np.fft.rfft(loudest * np.hanning(size)))
    hertz[~np.array([has_fundamental(partials, size / sample_rate, frequency) for frequency in hertz])] = 0
    return Periods(hertz, clarity, np.sqrt(np.square(frames).mean(axis=1)))


def square_differences(frames: NDArray[np.float64], finer: int) -> NDArray[np.float64]:
    """n[tau] of frames (frame, sample), for lags up to half their length, ``finer`` to the sample."""
    size = frames.shape[1]
    length = next_fast_len(2 * size, real=True)
    spectrum = rfft(frames, length, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    products = finer * irfft(power, length * finer, axis=1)[:, : size * finer // 2]
    squares = np.cumsum(np.pad(np.square(frames), ((0, 0), (1, 0))), axis=1)
    lag = np.arange(size // 2 + 1)
    both = squares[:, size - lag] + squares[:, -1:] - squares[:, lag]
    between = np.arange(finer) / finer
    both = (both[:, :-1, None] * (1 - between) + both[:, 1:, None] * between).reshape(len(frames), -1)
    return np.asarray(2 * products / np.maximum(both, 1e-20))


def period(n: NDArray[np.float64], lags: float, lowest: float, highest: float) -> tuple[float, float]:
    """(Hz, clarity) by one frame's function, of so many lags a second; (0, 0) where it has no peak in the range behind
    its first fall below zero.
    """
    below = np.flatnonzero(n < 0)
    first = max(int(lags / highest) - 1, int(below[0])) if len(below) else len(n)
    part = n[first : int(lags / lowest) + 2]
    peaks = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] > part[2:]) & (part[1:-1] > 0)) + 1
    if not len(peaks):
        return 0.0, 0.0
    heights = part[peaks]
    at = first + int(peaks[heights >= CLOSE * heights.max()][0])
    before, centre, after = n[at - 1 : at + 2]
    shift = 0.5 * (before - after) / (before - 2 * centre + after)
    return float(lags / (at + shift)), float(centre - 0.25 * (before - after) * shift)


def has_fundamental(partials: NDArray[np.float64], seconds: float, hertz: float) -> bool:
    """True if a frame of this length has a partial at this frequency, by its magnitudes (bin,)."""
    bin_ = hertz * seconds
    low, high = int(0.95 * bin_ - 1), int(1.05 * bin_ + 2)
    return bool(hertz > 0 and partials[max(0, low) : high + 1].max() >= PRESENT * partials.max())
