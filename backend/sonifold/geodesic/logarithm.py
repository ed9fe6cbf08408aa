"""The logarithm map: the velocity with which to leave a point in order to arrive at another after one unit of time."""

from __future__ import annotations

import torch

from sonifold.metric.base import Metric
from sonifold.types import Points, Vectors

from .exponential import exponential
from .solve import solve
from .spline import slopes

#: Nodes of the geodesics whose first velocity is taken.
NODES = 33


@torch.no_grad()
def logarithm(
    metric: Metric, starts: Points, ends: Points, rounds: int = 0, tolerance: float = 1e-5
) -> Vectors:
    """v (batch, latent) with exp_start(v) = end, from the first velocity of the solved geodesics.

    rounds
        Corrections by shooting, v <- v + (end - exp_start(v)), each kept only where it hits closer. The first
        velocity of a discrete geodesic is right to second order in its spacing; a round or two make it exact where the
        metric is not bent too much between the points.
    """
    velocity = slopes(solve(metric, starts, ends, NODES, tolerance, polish=True).nodes)[:, 0]
    miss = ends - exponential(metric, starts, velocity).ends if rounds else torch.zeros_like(ends)
    for _ in range(rounds):
        trial = velocity + miss
        trial_miss = ends - exponential(metric, starts, trial).ends
        closer = (trial_miss.norm(dim=1) < miss.norm(dim=1))[:, None]
        velocity, miss = torch.where(closer, trial, velocity), torch.where(closer, trial_miss, miss)
    return velocity
