r"""Importance resampling: the volume element in one vectorised pass, quick enough for a button.

Proposals come from Gaussians about the centroids, q(z) = 1/K sum_i N(z; c_i, s^2 I); they are weighted by p/q and
drawn anew. Their effective number (sum w)^2 / sum w^2 (Kong 1992) says what the pass was worth: few in many dimensions,
where ``VolumeHMC`` is the one to use.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sonifold.metric import KernelMetric, SamplingMetric
from sonifold.types import Points

from .base import Sampler, Samples, check, generator
from .volume import REACH, VolumeDensity

#: Proposals for every point asked for.
PROPOSALS = 50
#: Spread s of the proposals about the centroids over the reach of the support, times sqrt(latent): the points of
#: a Gaussian in d dimensions lie s sqrt(d) from its middle.
SPREAD = 0.5
#: Proposals weighed at once.
CHUNK = 2048


class ImportanceResampling(Sampler):
    """Points from the volume element of a kernel metric or a ``SamplingMetric``, on a bounded support."""

    name = "volume element, resampled"

    def __init__(
        self, metric: KernelMetric | SamplingMetric, reach: float = REACH, proposals: int = PROPOSALS
    ):
        self.metric, self.reach, self.proposals = metric, reach, proposals

    @torch.no_grad()
    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        check(count, temperature)
        density, source = VolumeDensity(self.metric, temperature, self.reach), generator(seed)
        centroids = self.metric.centroids
        k, d = centroids.shape
        spread = SPREAD * density.reach / math.sqrt(d)
        # drawn on the CPU, so that a seed draws the same everywhere
        rows = torch.randint(k, (count * self.proposals,), generator=source).to(centroids.device)
        noise = torch.randn(len(rows), d, generator=source, dtype=centroids.dtype).to(centroids)
        proposed = centroids[rows] + spread * noise
        parts = [density(part)[0] - _log_proposal(part, centroids, spread) for part in proposed.split(CHUNK)]
        # where the metric has no volume (NaN) nothing is drawn
        weights = torch.softmax(torch.cat(parts).cpu().double().nan_to_num(-math.inf), 0)
        drawn_rows = torch.multinomial(weights, count, replacement=True, generator=source)
        effective = min(float(1 / weights.square().sum()), float(count))
        points = proposed[drawn_rows.to(proposed.device)]
        escapes = int(density.escaped(points).sum())
        return Samples(points, self.name, seed, temperature, effective=effective, escapes=escapes)


def _log_proposal(z: Points, centroids: Points, spread: float) -> Tensor:
    """log q(z) up to a constant; (batch,)."""
    return (torch.cdist(z, centroids).square() / (-2 * spread**2)).logsumexp(1)
