"""Even speed: the times at which to visit a curve so that every step sounds equally large."""

from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from sonifold.types import Curves

from .spline import at

#: Rounds of evening out the chords after the arc length; each takes about a digit off their variation.
ROUNDS = 4


def retime(curves: Curves, features: Tensor, nodes: int) -> tuple[Curves, Tensor]:
    """Curves at constant speed of their features: (batch, nodes, latent), and the times (batch, nodes).

    features: (batch, fine, feature), what is to change evenly (perceptual coordinates, say) at evenly spaced
    times along each curve; the curves' own number of nodes is free. Four fine samples a step are enough for a
    smooth curve.
    """
    times = torch.stack([constant_speed(along, nodes) for along in features]).to(curves)
    return at(curves, times), times


def constant_speed(features: Tensor, nodes: int) -> Tensor:
    """Times in [0, 1] (nodes,) at which successive features are equally far apart.

    features: (fine, feature) at evenly spaced times. Cumulative length is inverted by a monotone cubic, then
    the chords between the chosen times are evened out. Where nothing changes along the curve, the times are
    even.
    """
    along = features.detach().cpu().double().numpy()
    grid = np.linspace(0, 1, len(along))
    lengths = np.linalg.norm(np.diff(along, axis=0), axis=1)
    if not lengths.sum() > 0:
        return torch.linspace(0, 1, nodes, dtype=features.dtype, device=features.device)
    times = _even(grid, lengths, nodes)
    for _ in range(ROUNDS):
        samples = _between(along, times)
        chords = np.linalg.norm(np.diff(samples, axis=0), axis=1)
        if not chords.min() > 0:
            break
        times = _even(times, chords, nodes)
    return torch.from_numpy(times).to(features)


def _between(along: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Rows of (fine, feature) at evenly spaced times, interpolated to other times in [0, 1]."""
    index = times * (len(along) - 1)
    left = np.minimum(index.astype(int), len(along) - 2)
    share = (index - left)[:, None]
    between: np.ndarray = (1 - share) * along[left] + share * along[left + 1]
    return between


def even_times(lengths: Tensor, nodes: int) -> Tensor:
    """Times in [0, 1] (nodes,) that cut a curve into equal lengths, from those of its evenly timed steps (step,)."""
    steps = lengths.detach().cpu().double().numpy()
    if not steps.sum() > 0:
        return torch.linspace(0, 1, nodes, dtype=lengths.dtype, device=lengths.device)
    return torch.from_numpy(_even(np.linspace(0, 1, len(steps) + 1), steps, nodes)).to(lengths)


def _even(times: np.ndarray, lengths: np.ndarray, nodes: int) -> np.ndarray:
    """Times that cut the cumulative sum of the lengths (one less than times) into equal parts."""
    floor = 1e-9 * lengths.sum()  # a curve that stands still for a while still moves forward in time
    reached = np.concatenate([[0.0], np.cumsum(lengths + floor)])
    even = PchipInterpolator(reached, times)(np.linspace(0, reached[-1], nodes))
    even[[0, -1]] = 0.0, 1.0
    return np.maximum.accumulate(even.clip(0, 1))
