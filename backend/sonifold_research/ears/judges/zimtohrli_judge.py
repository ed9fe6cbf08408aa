"""Zimtohrli (Google, 2025): a model of the ear, from its filters to loudness, fitted to listeners' ratings of codecs.

It hears the whole sound at 48 kHz, full scale at its default of 80 dB SPL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Judge:
    """The distance of two sounds, 0 for equal ones, below 1."""

    rate = 48_000

    def __init__(self) -> None:
        from zimtohrli import Pyohrli

        self._ear = Pyohrli()

    def prepared(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The samples: it has no form between."""
        return samples

    def distance(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
        """Of two sounds (sample,)."""
        return float(self._ear.distance(first, second))
