r"""A pullback that knows where the data are.

The pullback alone drifts towards the chord between the decoded ends, a cross-fade. A second metric that grows
off the data keeps paths among sounds that exist:

    G(z) = J'J / s^2 + w G_data(z)

w = 0 gives the shortest path in the decoder's output, larger w one that keeps closer to known points.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.types import Curves, Points, Tensors, Vectors

from .base import GeodesicOrigin, Metric, Quadratic
from .kernel import KernelMetric
from .pullback import Pullback
from .registry import MetricParts, register

#: Points from which the default scale is estimated; the median settles well before.
SCALE_POINTS = 256


class Blend(Metric):
    """J'J / s^2 + w G_data, two metrics added.

    pullback
        The decoder's metric.
    data
        A metric that is larger off the data, such as ``KernelMetric``.
    weight
        w >= 0, relative: at 1 both terms weigh about the same on the data if ``data`` is normalised.
    scale
        s, in output units per latent unit; see ``typical_scale``.
    region
        Points (count, latent) among which paths will be; the centroids of a kernel metric where it is left out.

    Energy: N sum_k ( |f(z_{k+1}) - f(z_k)|^2 / s^2 + w dz_k' G_data dz_k ), G_data the mean over the step's samples.
    Raises ``ValueError`` when the weight is negative or infinite, or the scale not positive.
    """

    chordal = True

    def __init__(
        self,
        pullback: Pullback,
        data: Metric,
        weight: float = 1.0,
        scale: float = 1.0,
        region: Points | None = None,
    ):
        if not 0 <= weight < float("inf"):
            raise ValueError(
                f"the weight of the data term must be a finite number >= 0, got {weight}; "
                "the limit of infinite weight is the graph path (geodesic.graph)"
            )
        if not scale > 0:
            raise ValueError(
                f"scale must be positive, got {scale}; typical_scale(pullback, points) estimates it"
            )
        self.pullback, self.data, self.weight, self.scale = pullback, data, float(weight), float(scale)
        self.dtype, self.device = pullback.dtype or data.dtype, pullback.device or data.device
        self.latent_dim = pullback.latent_dim or data.latent_dim
        self.region = data.centroids if region is None and isinstance(data, KernelMetric) else region

    @classmethod
    def over(cls, pullback: Pullback, data: Metric, points: Points, weight: float = 1.0) -> Blend:
        """The blend for a library at these points (batch, latent), with its scale."""
        return cls(pullback, data, weight, cls.typical_scale(pullback, points), points)

    def computed_typical(self) -> Tensor | None:
        """The sum of the parts' typical tensors, taken in the blend's region where a part has none of its own."""
        if self.typical is None:
            first, second = (self._typical_of(part) for part in (self.pullback, self.data))
            self.typical = None if first is None or second is None else self._sum(first, second)
        return self.typical

    def _typical_of(self, part: Metric) -> Tensor | None:
        typical = part.computed_typical()
        return part.mean_between(self.region) if typical is None and self.region is not None else typical

    @staticmethod
    def typical_scale(pullback: Pullback, points: Points) -> float:
        """s, s^2 the median of tr(J'J)/d over points (batch, latent), at most 256 of them."""
        subset = points[:: max(1, len(points) // SCALE_POINTS)]
        with torch.no_grad():
            tensors = pullback.tensor(subset)
        return torch.diagonal(tensors, dim1=1, dim2=2).mean(1).median().sqrt().item()

    def reweighted(self, weight: float) -> Blend:
        """The same metrics with another weight."""
        return Blend(self.pullback, self.data, weight, self.scale, self.region)

    def _sum(self, first: Tensor, second: Tensor) -> Tensor:
        return first / self.scale**2 + self.weight * second

    def tensor(self, z: Points) -> Tensors:
        return self._sum(self.pullback.tensor(z), self.data.tensor(z))

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return self._sum(self.pullback.inner(z, u, v), self.data.inner(z, u, v))

    def gradient(self, z: Points, u: Vectors) -> Vectors:
        return self._sum(self.pullback.gradient(z, u), self.data.gradient(z, u))

    def connection(self, z: Points, u: Vectors, v: Vectors) -> Vectors:
        return self._sum(self.pullback.connection(z, u, v), self.data.connection(z, u, v))

    def connections(self, samples: Curves, velocities: Curves, rates: Tensor) -> tuple[Tensor, Tensor]:
        decoded = self.pullback.connections(samples, velocities, rates)
        from_data = self.data.connections(samples, velocities, rates)
        return self._sum(decoded[0], from_data[0]), self._sum(decoded[1], from_data[1])

    def geodesic_origin(self, z: Points) -> GeodesicOrigin:
        decoded, from_data = self.pullback.geodesic_origin(z), self.data.geodesic_origin(z)
        return GeodesicOrigin(
            self._sum(decoded.tensor, from_data.tensor),
            lambda others: self._sum(decoded.slope(others), from_data.slope(others)),
        )

    def squared_steps(self, curves: Curves) -> Tensor:
        squared = self.pullback.squared_steps(curves)
        return (
            squared / self.scale**2
            if self.weight == 0
            else self._sum(squared, self.data.squared_steps(curves))
        )

    def rounding(self, z: Points) -> Tensor:
        return self.pullback.rounding(z) / self.scale

    def anchors(self, curves: Curves) -> Tensor | None:
        return self.pullback.anchors(curves)

    def energy_gradient(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        energy, gradient = self.pullback.energy_gradient(curves, anchors)
        if self.weight == 0:
            return energy / self.scale**2, gradient / self.scale**2
        data_energy, data_gradient = self.data.energy_gradient(curves)
        return self._sum(energy, data_energy), self._sum(gradient, data_gradient)

    def quadratic(self, curves: Curves) -> Quadratic:
        decoded = self.pullback.quadratic(curves)
        if self.weight == 0:
            return Quadratic(*(part / self.scale**2 for part in decoded))
        return Quadratic(
            *(self._sum(*parts) for parts in zip(decoded, self.data.quadratic(curves), strict=True))
        )


@register("blend")
def of_model(parts: MetricParts) -> Blend:
    """The blend of a model."""
    return Blend(parts.pullback, parts.kernel, parts.weight, parts.scale)
