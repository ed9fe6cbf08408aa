"""Altered copies of sounds made in their features: transposed, tilted, decaying sooner; 1-2 ms each.

Resampling a recording scales its spectrum and its time by the same ratio; on features both are interpolations of log
power. As training copies they did as well as resampled audio at a sixth of the cost, and they are what carries an
instrument's notes to its other notes.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from sonifold.arrays import float_tensor
from sonifold.audio.timbre import compress
from sonifold.representation import grid
from sonifold.representation.spectral import BINS, GROUPS, HOP, ONSET, WINDOW, Spectral
from sonifold.types import FeatureMaps

OCTAVES = (0.3, 0.6)  # copies are transposed by up to the first; the second half by up to the second, ...
DECAY_SHARE, DECAY_SECONDS = 0.4, (0.03, 1.0)  # ... decays sooner now and then ...
TILT_SHARE, TILT_PER_OCTAVE, TILT_LIMIT = 0.5, 3.0, 18.0  # dB; ... or is tilted
NOTHING = 1e-12  # power of a cell that came from beyond the grid


def copies(features: FeatureMaps, count: int, spectral: Spectral, rng: np.random.Generator) -> FeatureMaps:
    """``count`` altered copies of each sound (sound, band, frame): (count, sound, band, frame).

    Every sound is altered alike by copy number k, so that a copy says as much of each.
    """
    power = (spectral.expand(features) / spectral.weight + NOTHING).log()
    return torch.stack([_normalised(_altered(power, k >= count / 2, rng), spectral) for k in range(count)])


def transposed(features: FeatureMaps, ratio: float, spectral: Spectral) -> FeatureMaps:
    """The sounds ``ratio`` times higher and faster, as loud as before."""
    power = (spectral.expand(features) / spectral.weight + NOTHING).log()
    return _normalised(_transposed(power, ratio), spectral)


def _altered(power: Tensor, strongly: bool, rng: np.random.Generator) -> Tensor:
    octaves = OCTAVES[int(strongly)]
    out = _transposed(power, 2 ** rng.uniform(-octaves, octaves))
    if strongly and rng.random() < TILT_SHARE:
        hertz = np.maximum(grid.band_centres(out.shape[1], BINS), 0.5) * Spectral.sample_rate / WINDOW
        slope = rng.uniform(-TILT_PER_OCTAVE, TILT_PER_OCTAVE)
        decibels = np.clip(slope * np.log2(hertz / 1000), -TILT_LIMIT, TILT_LIMIT)
        out = out + float_tensor(decibels * math.log(10) / 10, power.device)[:, None]
    if strongly and rng.random() < DECAY_SHARE:
        seconds = np.maximum(_frame_centres() - ONSET / HOP, 0) * HOP / Spectral.sample_rate
        out = out - float_tensor(2 * seconds / np.exp(rng.uniform(*np.log(DECAY_SECONDS))), power.device)
    return out


def _transposed(power: Tensor, ratio: float) -> Tensor:
    """Log power (sound, band, frame) read at bin / ratio and, from the onset on, at time * ratio."""
    bins, frames = grid.band_centres(power.shape[1], BINS), _frame_centres()
    onset = ONSET / HOP
    from_bin, from_frame = bins / ratio, onset + (frames - onset) * ratio
    out = (
        float_tensor(grid.linear_interpolation(bins, from_bin), power.device)
        @ power
        @ float_tensor(grid.linear_interpolation(frames, from_frame), power.device).T
    )
    out[:, torch.from_numpy(from_bin > bins[-1]).to(power.device)] = math.log(NOTHING)
    out[:, :, torch.from_numpy(from_frame > frames[-1]).to(power.device)] = math.log(NOTHING)
    return out


def _normalised(power: Tensor, spectral: Spectral) -> FeatureMaps:
    linear = power.exp()
    loudest = spectral.loudest(linear).clamp(min=1e-20)[:, None, None]
    return compress(spectral.weight * linear / loudest)


def _frame_centres() -> np.ndarray:
    """In hops from the first."""
    start = np.concatenate([[0], np.cumsum(GROUPS)])
    centres: np.ndarray = (start[:-1] + start[1:] - 1) / 2
    return centres
