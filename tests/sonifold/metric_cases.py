"""Decoders with known geometry, and every metric the contract is held against."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sonifold.metric import (
    Blend,
    Flat,
    ForwardMode,
    Headed,
    KernelMetric,
    Metric,
    Pullback,
    SamplingMetric,
    SequentialTangents,
)


def sphere(z: Tensor) -> Tensor:
    """Colatitude and longitude -> the unit sphere."""
    colatitude, longitude = z[:, 0], z[:, 1]
    ring = colatitude.sin()
    return torch.stack([ring * longitude.cos(), ring * longitude.sin(), colatitude.cos()], 1)


#: Slope of the cone: a circle at distance r from the tip is 2 pi r CONE long.
CONE = 0.5


def cone(z: Tensor) -> Tensor:
    """Distance from the tip and angle -> a cone."""
    r, angle = z[:, 0], z[:, 1]
    return torch.stack([r * CONE * angle.cos(), r * CONE * angle.sin(), r * math.sqrt(1 - CONE**2)], 1)


def torus(z: Tensor) -> Tensor:
    """Two angles -> the flat torus in four dimensions, locally a plane."""
    return torch.stack([z[:, 0].cos(), z[:, 0].sin(), z[:, 1].cos(), z[:, 1].sin()], 1)


class HalfPlane(Metric):
    """The hyperbolic half-plane, G = I / y^2 for y > 0."""

    def tensor(self, z: Tensor) -> Tensor:
        return torch.eye(2, dtype=z.dtype) / z[:, 1, None, None] ** 2


class ResidualBlock(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.norm, self.up, self.down = (
            nn.LayerNorm(width),
            nn.Linear(width, hidden),
            nn.Linear(hidden, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(nn.functional.gelu(self.up(self.norm(x))))


def residual_decoder(latent: int = 4, width: int = 24, outputs: int = 16, seed: int = 0) -> nn.Sequential:
    """A random decoder of the shape the packs have, in double precision, bent enough to matter."""
    torch.manual_seed(seed)
    blocks = [ResidualBlock(width, 2 * width) for _ in range(3)]
    decoder = nn.Sequential(nn.Linear(latent, width), *blocks, nn.LayerNorm(width), nn.Linear(width, outputs))
    for parameter in decoder.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return decoder.double()


def points(count: int, latent: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.4 + torch.rand(count, latent, generator=generator, dtype=torch.float64)


def spread(count: int, latent: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.2 + torch.rand(count, latent, generator=generator, dtype=torch.float64)


def kernel(latent: int, centroids: int = 12, full: bool = False) -> KernelMetric:
    c, variances = spread(centroids, latent), spread(centroids, latent, seed=2)
    if not full:
        return KernelMetric.posterior(c, variances, temperature=0.6)
    generator = torch.Generator().manual_seed(3)
    factors = torch.randn(centroids, latent, latent, generator=generator, dtype=torch.float64).tril()
    return KernelMetric.factors(c, factors, temperature=0.6)


def residual_pullback(head: Tensor | None = None) -> Pullback:
    return Pullback(SequentialTangents(residual_decoder(), head))


def head(outputs: int = 40, width: int = 16) -> Tensor:
    return torch.randn(outputs, width, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


#: name -> (metric, latent dimensions)
METRICS: dict[str, tuple[Metric, int]] = {
    "flat": (Flat(2.0), 3),
    "flat, one dimension": (Flat(), 1),
    "half-plane": (HalfPlane(), 2),
    "kernel, diagonal": (kernel(3), 3),
    "kernel, full": (kernel(3, full=True), 3),
    "kernel, one centroid": (kernel(2, centroids=1), 2),
    "kernel, one dimension": (kernel(1), 1),
    "kernel, isotropic": (KernelMetric.isotropic(spread(9, 3)), 3),
    "sampling": (SamplingMetric(spread(12, 3), 0.3 * spread(12, 3, seed=2)), 3),
    "pullback, sphere": (Pullback(sphere), 2),
    "pullback, with a floor": (Pullback(lambda z: z[:, :1].sin(), ridge=0.1), 3),
    "pullback, residual": (residual_pullback(), 4),
    "pullback, residual with a head": (residual_pullback(head()), 4),
    "pullback, headed trunk": (Pullback(Headed(ForwardMode(residual_decoder()), head())), 4),
    "blend": (Blend(residual_pullback(), kernel(4), weight=0.7, scale=2.0), 4),
    "blend, no data term": (Blend(residual_pullback(), kernel(4), weight=0.0), 4),
    "blend, full kernel": (Blend(residual_pullback(head()), kernel(4, full=True), weight=3.0), 4),
}
