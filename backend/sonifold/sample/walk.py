r"""Wandering: a Riemannian random walk from a given sound, wide where the metric is small, careful where it is large.

Proposals z' ~ N(z, pace^2/d G^-1(z)), accepted by Metropolis and Hastings so that the walk's long run is the density of
the volume element; since the proposal depends on the place, the ratio counts the way there and the way back.
Girolami and Calderhead 2011, section 5, without the drift.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.metric import KernelMetric, Metric
from sonifold.types import Points

from .base import generator
from .volume import VolumeDensity

#: How long a step is under the metric.
PACE = 0.1


@dataclass(frozen=True)
class Walk:
    """A random walk, step by step."""

    points: Points  #: (steps + 1, latent), the start first; where no step was taken a place repeats
    acceptance: float
    seed: int


@torch.no_grad()
def wander(
    metric: KernelMetric, start: Tensor, steps: int, seed: int = 0, pace: float = PACE, every: int = 1
) -> Walk:
    """``steps`` places on a walk from the start (latent,), ``every`` steps of about ``pace`` under the metric apart.

    Raises ``ValueError`` unless the pace is positive and ``every`` at least 1.
    """
    if not pace > 0:
        raise ValueError(f"pace must be positive, got {pace}")
    if every < 1:
        raise ValueError(f"a walk is looked at after every step or more of them, not after {every}")
    source, density = generator(seed), VolumeDensity(metric)
    spread = pace / len(start) ** 0.5
    z = start[None].to(metric.centroids)
    log_density = density(z)[0]
    visited, accepted = [z], 0
    for k in range(steps * every):
        factor = linalg.cholesky(metric.cometric(z))
        noise = torch.randn(z.shape, generator=source, dtype=z.dtype).to(z)
        trial = z + spread * (factor @ noise[..., None])[..., 0]
        trial_density = density(trial)[0]
        ratio = (
            trial_density
            - log_density
            + _log_step(metric, trial, z, spread)
            - _log_step(metric, z, trial, spread)
        )
        if torch.rand(1, generator=source, dtype=z.dtype).to(z).log() < ratio:
            z, log_density, accepted = trial, trial_density, accepted + 1
        if (k + 1) % every == 0:
            visited.append(z)
    return Walk(torch.cat(visited).to(start), accepted / max(steps * every, 1), seed)


def _log_step(metric: Metric, z: Points, to: Points, spread: float) -> Tensor:
    """log N(to; z, spread^2 G^-1(z)) up to a constant; (batch,)."""
    step = (to - z) / spread
    return metric.magnification(z) - metric.inner(z, step, step) / 2
