"""The note of a sound, where it has one: SwiftF0 (Nieradzik 2025), a small network that runs on onnxruntime, and the
sound's own period.

The network hears harmonic tones from about 60 to 2,000 Hz; it has no note for pure bass, and takes high tones, and
those with few or wide partials, for others. So where a sound is clearly periodic its period is believed, then the
network, then a period that is less clear.

A good guess at the note, which a user should be able to correct. onnxruntime is loaded when the first pitch is asked
for.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.periodicity import Periods, periods
from sonifold.audio.resample import resampled

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

RATE = 16_000  # Hz, of the network's input
VOICED = 0.5  # confidence of a frame above which it counts, as the network's authors have it
SHARE = (
    0.35  # of the audible frames that must be voiced, and agree within a semitone, for a sound to have a note
)
SEMITONE = math.log2(2) / 12
AUDIBLE = 10 ** (-40 / 20)  # of the loudest frame
#: Clarity of a period above which it is believed before the network, and above which where the network hears nothing.
#: Of 518 library sounds whose note is known the network has 476 within half a semitone, both together 506, and none of
#: the 476 is lost (tests/benchmarks/pitch.py).
CLEAR, LIKELY = 0.97, 0.95
#: Where no audible frame is as clear as this the network has no steady note either and is not asked: of 256 altered
#: library sounds it had one in 1 of the 44 that are so, and of 170 library notes none was lost by it.
UNCLEAR = 0.5


def pitch(samples: NDArray[np.floating], sample_rate: int) -> float | None:
    """The fundamental frequency of a sound (sample,) in Hz, 25 to 9,000; None where there is no steady one.

    Of the frames that can be heard, enough must have one and agree with their median, by confidence and loudness
    weighted, within a semitone.
    """
    if not np.any(samples) or not np.isfinite(samples).all():
        return None
    estimates = periods(samples, sample_rate)
    if estimates is None:
        return learned_pitch(samples, sample_rate)
    clear, likely = (agreed(*estimates, least) for least in (CLEAR, LIKELY))
    if clear is not None or highest_clarity(estimates) < UNCLEAR:
        return clear
    return learned_pitch(samples, sample_rate) or likely


def highest_clarity(estimates: Periods) -> float:
    """Of the audible frames."""
    audible = estimates.level >= estimates.level.max() * AUDIBLE
    return float(estimates.clarity[audible].max())


def learned_pitch(samples: NDArray[np.floating], sample_rate: int) -> float | None:
    """The same by the network alone."""
    mono = np.asarray(resampled(samples, sample_rate, RATE), dtype=np.float32)
    if len(mono) < 256:
        return None
    detection = _detector().detect(mono, RATE)
    level = 10 ** (np.asarray(detection.loudness_db) / 20)
    return agreed(np.asarray(detection.pitch_hz), np.asarray(detection.confidence), level, VOICED)


def agreed(
    hertz: NDArray[np.float64], confidence: NDArray[np.float64], level: NDArray[np.float64], least: float
) -> float | None:
    """The frequency that enough of the audible frames agree on, of those that are at ``least`` so confident."""
    audible = level >= level.max() * AUDIBLE
    voiced = audible & (confidence >= least) & (hertz > 0)
    if not voiced.any():
        return None
    octaves, weight = np.log2(hertz[voiced]), confidence[voiced] * level[voiced]
    agree = np.abs(octaves - weighted_median(octaves, weight)) <= SEMITONE
    if agree.sum() < SHARE * audible.sum():
        return None
    return float(2 ** np.average(octaves[agree], weights=weight[agree]))


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value at which half of the weight is reached."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


@cache
def _detector() -> SwiftF0:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1, spin=False)
