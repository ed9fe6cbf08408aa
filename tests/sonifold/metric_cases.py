"""Decoders with known geometry, and every metric the contract is held against."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import torch
from torch import Tensor, nn

from sonifold.metric import (
    Blend,
    DecoderEnsemble,
    Flat,
    ForwardMode,
    Headed,
    KernelMetric,
    Metric,
    Pullback,
    SamplingMetric,
    SequentialTangents,
)
from sonifold.vae.network import ResidualBlock
from sonifold.vae.rhvae import RHVAE, RHVAEConfig

DOUBLE = torch.float64


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


def saddle(z: Tensor) -> Tensor:
    """Another map of the plane to three dimensions, bent otherwise."""
    return torch.stack([z[:, 0], z[:, 1], z[:, 0] * z[:, 1]], 1)


class HalfPlane(Metric):
    """The hyperbolic half-plane, G = I / y^2 for y > 0."""

    def tensor(self, z: Tensor) -> Tensor:
        return torch.eye(2, dtype=z.dtype) / z[:, 1, None, None] ** 2


def residual_decoder(
    latent: int = 4, width: int = 24, outputs: int = 16, seed: int = 0, dtype: torch.dtype = DOUBLE
) -> nn.Sequential:
    """A random decoder of the shape the packs have, bent enough to matter."""
    torch.manual_seed(seed)
    blocks = [ResidualBlock(width, 2 * width) for _ in range(3)]
    decoder = nn.Sequential(nn.Linear(latent, width), *blocks, nn.LayerNorm(width), nn.Linear(width, outputs))
    for parameter in decoder.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return decoder.double().to(dtype)


def points(count: int, latent: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.4 + torch.rand(count, latent, generator=generator, dtype=torch.float64)


def spread(count: int, latent: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.2 + torch.rand(count, latent, generator=generator, dtype=torch.float64)


def kernel(latent: int, centroids: int = 12, full: bool = False, dtype: torch.dtype = DOUBLE) -> KernelMetric:
    c, variances = spread(centroids, latent), spread(centroids, latent, seed=2)
    if not full:
        return KernelMetric.posterior(c, variances, temperature=0.6).to(dtype)
    generator = torch.Generator().manual_seed(3)
    factors = torch.randn(centroids, latent, latent, generator=generator, dtype=DOUBLE).tril()
    return KernelMetric.factors(c, factors, temperature=0.6).to(dtype)


def residual_pullback(head: Tensor | None = None, dtype: torch.dtype = DOUBLE) -> Pullback:
    return Pullback(SequentialTangents(residual_decoder(dtype=dtype), head))


def head(outputs: int = 40, width: int = 16) -> Tensor:
    return torch.randn(outputs, width, generator=torch.Generator().manual_seed(5), dtype=DOUBLE)


def ensemble(count: int = 3, dtype: torch.dtype = DOUBLE, **others: float) -> DecoderEnsemble:
    decoders = [residual_decoder(width=12, outputs=8, seed=seed, dtype=dtype) for seed in range(count)]
    return DecoderEnsemble(decoders, **others)


def learned(latent: int, dtype: torch.dtype = DOUBLE) -> KernelMetric:
    """The metric of an RHVAE as it begins."""
    examples = points(10, 5)
    torch.manual_seed(0)
    config = RHVAEConfig(features=5, latent_dim=latent, encoder=(8,), decoder=(8,), metric=(8,), ridge=0.05)
    return RHVAE(config).double().learned_metric(examples, temperature=0.8).to(dtype)


def metrics(dtype: torch.dtype = DOUBLE) -> dict[str, tuple[Metric, int]]:
    """name -> (metric that computes in this precision, latent dimensions)."""
    pullback = residual_pullback(dtype=dtype)
    headed = residual_pullback(head(), dtype)
    trunk = ForwardMode(residual_decoder(dtype=dtype))
    sampling = SamplingMetric(spread(12, 3), 0.3 * spread(12, 3, seed=2)).to(dtype)
    return {
        "flat": (Flat(2.0), 3),
        "flat, one dimension": (Flat(), 1),
        "half-plane": (HalfPlane(), 2),
        "skeleton": (skeleton(), 3),
        "kernel, diagonal": (kernel(3, dtype=dtype), 3),
        "kernel, full": (kernel(3, full=True, dtype=dtype), 3),
        "kernel, one centroid": (kernel(2, centroids=1, dtype=dtype), 2),
        "kernel, one dimension": (kernel(1, dtype=dtype), 1),
        "kernel, learned": (learned(3, dtype), 3),
        "kernel, learned, one dimension": (learned(1, dtype), 1),
        "kernel, isotropic": (KernelMetric.isotropic(spread(9, 3)).to(dtype), 3),
        "sampling": (sampling, 3),
        "pullback, sphere": (Pullback(sphere), 2),
        "pullback, with a floor": (Pullback(lambda z: z[:, :1].sin(), ridge=0.1), 3),
        "pullback, residual": (pullback, 4),
        "pullback, residual with a head": (headed, 4),
        "pullback, headed trunk": (Pullback(Headed(trunk, head().to(dtype))), 4),
        "ensemble": (ensemble(dtype=dtype, reach=0.5), 4),
        "ensemble of any callables": (DecoderEnsemble([sphere, saddle], ridge=0.1), 2),
        "ensemble of one": (ensemble(1, dtype), 4),
        "ensemble, one dimension": (DecoderEnsemble([torch.sin, torch.cos], scale=2.0, ridge=0.2), 1),
        "blend": (Blend(pullback, kernel(4, dtype=dtype), weight=0.7, scale=2.0), 4),
        "blend, no data term": (Blend(pullback, kernel(4, dtype=dtype), weight=0.0), 4),
        "blend, full kernel": (Blend(headed, kernel(4, full=True, dtype=dtype), weight=3.0), 4),
        "blend, ensemble": (Blend(pullback, ensemble(dtype=dtype, reach=2.0), weight=0.5), 4),
    }


def skeleton() -> Metric:
    """The metric that CONTRIBUTING.md has newcomers copy."""
    file = Path(__file__).parents[2] / "docs" / "skeletons" / "metric.py"
    return runpy.run_path(str(file))["Growing"]()


METRICS = metrics()
