r"""Densities made of a metric's volume element: high where sounds are, on a bounded support.

The kernel metric is small on the data, and its samplers follow sqrt det G^-1; the metric of "A geometric perspective
on variational autoencoders" (NeurIPS 2022) is large there, and is sampled by sqrt det G. Both tend to a constant far
away, so neither is a density on all of R^d: chains that run long enough leave for good. Here the density falls off
beyond a reach around the centroids.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.metric import KernelMetric, SamplingMetric
from sonifold.metric.kernel import nearest_distances
from sonifold.types import Points

#: How far from the nearest centroid the support reaches, in temperatures T: there the kernel of a centroid has fallen
#: to 2 %.
REACH = 2.0
#: Width of its edge, in temperatures; points more than ESCAPE widths beyond the reach are escapes.
EDGE, ESCAPE = 0.25, 6.0


class VolumeDensity:
    """log p(z) = (+-) log sqrt det G(z) / temperature - 1/2 ((r(z) - R)_+ / w)^2, up to a constant.

    r(z): Euclidean distance to the nearest centroid. Sign and centroids are the metric's.
    """

    def __init__(self, metric: KernelMetric | SamplingMetric, temperature: float = 1.0, reach: float = REACH):
        self.metric = metric
        self.sign = -1.0 if isinstance(metric, KernelMetric) else 1.0
        self.temperature = temperature
        unit = metric.temperature if isinstance(metric, KernelMetric) else _spacing(metric.centroids)
        self.reach, self.edge = reach * unit, EDGE * unit

    def __call__(self, z: Points) -> tuple[Tensor, Tensor]:
        """(log p(z) (batch,), its exact gradient (batch, latent))."""
        volume, slope = self.metric.magnification_gradient(z)
        scale, distances = self.sign / self.temperature, torch.cdist(z, self.metric.centroids)
        log_density, gradient = scale * volume, scale * slope
        beyond = (~(distances.amin(1) <= self.reach)).nonzero().flatten()
        if len(beyond):  # few are, and to find which centroid is nearest costs more than how far it is
            least, nearest = distances[beyond].min(1)
            outside = (least - self.reach) / self.edge
            outwards = (z[beyond] - self.metric.centroids[nearest]) / least[:, None]
            log_density = log_density.index_add(0, beyond, -outside.square() / 2)
            gradient = gradient.index_add(0, beyond, -(outside / self.edge)[:, None] * outwards)
        return log_density, gradient

    def escaped(self, z: Points) -> Tensor:
        """True for each point outside the sampling region; (batch,)."""
        least = torch.cdist(z, self.metric.centroids).amin(1)
        return ~(least <= self.reach + ESCAPE * self.edge)


def _spacing(centroids: Points) -> float:
    return float(nearest_distances(centroids).median())
