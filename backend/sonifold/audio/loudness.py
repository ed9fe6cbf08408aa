"""A-weighting: how loud a frequency is to the ear at moderate levels (IEC 61672-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
