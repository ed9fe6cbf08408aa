"""Overlapping frames of a long recording, without a second copy of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating]


def frames(
    samples: Samples, width: int, hop: int, silence: tuple[int, int], at_once: int
) -> Iterator[Samples]:
    """Frames (frame, width) of a recording (sample,), ``at_once`` at a time, each ``hop`` samples after the last.

    silence: samples of zero before the recording and behind it. No frame goes past its end.
    """
    before, behind = silence
    count = (before + len(samples) + behind - width) // hop + 1
    for first in range(0, count, at_once):
        start = first * hop - before
        stop = start + (min(at_once, count - first) - 1) * hop + width
        part = samples[max(0, start) : max(0, stop)]
        if start < 0 or stop > len(samples):
            early = min(max(0, -start), stop - start)
            part = np.pad(part, (early, stop - start - early - len(part)))
        yield np.lib.stride_tricks.sliding_window_view(part, width)[::hop]


def peak(samples: Samples) -> float:
    """The largest magnitude in samples, 0 of none; NaN where one is NaN."""
    return float(np.maximum(samples.max(initial=0.0), -samples.min(initial=0.0)))
