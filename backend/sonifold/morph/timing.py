"""When a sound does what, and the times between those of two sounds.

A sound's times are those at which certain shares of its energy have sounded: first the attack, as it comes up from
40 dB under the whole, then the decay, as what is still to come falls to 60 dB under it. Between two sounds each of
these times lies at the geometric mean: this moves energy the shortest way on a logarithmic time axis (optimal
transport in one dimension), so attack goes to attack, decay to decay and end to end, and one sound stays one.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.representation.spectral import ONSET
from sonifold.types import Audio

Times = NDArray[np.float64]

RISEN_DB = (-40.0, -20.0, -10.0, -5.0)  # of the energy so far, under the whole
LEFT_DB = (-3.0, -6.0, -10.0, -15.0, -20.0, -30.0, -40.0, -60.0)  # of the energy to come
EARLIEST = 100.0  # samples: added to times before their logarithm is taken
SMOOTH = 64  # samples


def landmarks(audio: Audio) -> Times:
    """Samples after the onset at which shares of a recording's energy have sounded, rising, (mark,)."""
    power = audio.double().square().numpy()[ONSET:]
    power = power[: len(power) // SMOOTH * SMOOTH].reshape(-1, SMOOTH).sum(1)
    reached = np.concatenate([[0.0], np.cumsum(power)]) / max(power.sum(), 1e-20)
    left = np.concatenate([np.cumsum(power[::-1])[::-1], [0.0]]) / max(power.sum(), 1e-20)
    grid = np.arange(len(reached)) * float(SMOOTH)
    risen = np.interp([10 ** (level / 10) for level in RISEN_DB], reached, grid)
    fallen = np.interp([-(10 ** (level / 10)) for level in LEFT_DB], -left, grid)
    return np.maximum.accumulate(np.concatenate([risen, fallen])) + np.arange(len(risen) + len(fallen))


def between(first: Times, last: Times, fraction: float) -> Times:
    """Landmarks at a fraction of the way between two sounds'."""
    return np.exp((1 - fraction) * _log(first) + fraction * _log(last)) - EARLIEST


def source_times(wanted: Tensor, there: Times, here: Times, speed: float) -> Tensor:
    """Where in a sound with landmarks ``here`` to read what sounds at times ``wanted`` among landmarks ``there``.

    Before the onset and after the last landmark time goes on at the speed of reading. Samples, (frame,).
    """
    time = wanted.numpy().astype(float)
    inside = (
        np.exp(np.interp(_log(np.maximum(time, 0)), _log(_from_zero(there)), _log(_from_zero(here))))
        - EARLIEST
    )
    source_seconds = np.where(time < 0, time * speed, inside + np.maximum(time - there[-1], 0) * speed)
    return torch.from_numpy(source_seconds).float()


def _from_zero(times: Times) -> Times:
    return np.concatenate([[0.0], times])


def _log(times: Times) -> Times:
    return np.asarray(np.log(times + EARLIEST))
