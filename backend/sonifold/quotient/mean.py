"""The average of sounds modulo transposition: each is taken in the key in which it is nearest to the average."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .distance import distances, from_points
from .orbit import Orbits

ROUNDS = 50
TOLERANCE = 1e-4  # part of the variance that a round must gain


@dataclass(frozen=True)
class Mean:
    """A Frechet mean modulo transposition."""

    point: Tensor  #: (feature,)
    octaves: Tensor  #: (sound,) that transpose each sound towards the mean
    distances: Tensor  #: (sound,)
    variance: float  #: weighted mean of their squares
    converged: bool


def frechet_mean(orbits: Orbits, weights: Tensor | None = None) -> Mean:
    """Of sounds with weights (sound,) >= 0, equal when left out; over Euclidean distance of the features.

    From the sound that is nearest to all others in turns: every sound registered to the mean, and the mean of what
    they are in those keys. No turn raises the variance; there may be other minima.

    Raises:
        ValueError: no sound, or weights that do not fit.
    """
    w = torch.ones(len(orbits)) if weights is None else torch.as_tensor(weights)
    if not len(orbits) or w.shape != (len(orbits),) or not (w >= 0).all() or not w.sum() > 0:
        raise ValueError(f"{len(orbits)} sounds need as many weights >= 0, not all zero, got {w.tolist()}")
    w = (w / w.sum()).double()
    spread = (distances(orbits).distances.double().square() * w).sum(1)
    point, variance, converged = orbits.base[int(spread.argmin())].double(), float("inf"), False
    for _ in range(ROUNDS):
        registered = from_points(point[None], orbits)
        octaves, away = registered.octaves[0], registered.distances[0]
        before, variance = variance, float((w * away.square()).sum())
        converged = before - variance <= TOLERANCE * variance
        if converged:
            break
        point = (w[:, None] * orbits.at(octaves).double()).sum(0)
    return Mean(point.to(orbits.points), octaves, away.to(orbits.points), variance, converged)
