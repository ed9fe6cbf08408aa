"""Durations of a morph's steps when they are played one after the other, as the page plays them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.clip import Clip

FRAME_SECONDS = 0.01
AUDIBLE_DB = -45.0  # under the loudest frame: there a one-shot is over to the ear
SHORTEST, LONGEST = 0.25, 1.5  # seconds: long enough to be a step, never all tail


def played_durations(clip: Clip) -> list[float]:
    """Seconds that each sound of a clip (sound, sample) is heard for before the next one begins."""
    return [min(LONGEST, max(SHORTEST, audible_seconds(one.samples, one.sample_rate))) for one in clip.each()]


def audible_seconds(samples: NDArray[np.float32], sample_rate: int) -> float:
    """From the beginning to the end of the last frame that is still audible; 0 for silence."""
    size = max(1, round(FRAME_SECONDS * sample_rate))
    starts = np.arange(0, len(samples), size)
    power = np.add.reduceat(samples.astype(np.float64) ** 2, starts) / np.diff([*starts, len(samples)])
    audible = np.flatnonzero(power >= power.max() * 10 ** (AUDIBLE_DB / 10))
    return min(len(samples) / sample_rate, (int(audible[-1]) + 1) * FRAME_SECONDS) if power.any() else 0.0
