"""The metric of plain latent space, the baseline of every comparison."""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.types import Points, Tensors, Vectors

from .base import Metric
from .registry import MetricParts, register


class Flat(Metric):
    """G(z) = s I: geodesics are straight lines, distances sqrt(s) times the Euclidean ones.

    Raises ``ValueError`` when ``scale`` is not positive.
    """

    def __init__(self, scale: float = 1.0):
        if not scale > 0:
            raise ValueError(f"a flat metric needs a positive scale, got {scale}; 1 is the Euclidean metric")
        self.scale = scale

    def tensor(self, z: Points) -> Tensors:
        eye = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        return (self.scale * eye).expand(len(z), -1, -1)

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return self.scale * (u * v).sum(-1)

    def lower(self, z: Points, u: Vectors) -> Vectors:
        return self.scale * u

    def raised(self, z: Points, covectors: Vectors) -> Vectors:
        return covectors / self.scale

    def gradient(self, z: Points, u: Vectors) -> Vectors:
        return torch.zeros_like(z)


@register("flat")
def of_model(parts: MetricParts) -> Flat:
    """The Euclidean metric, whatever the model."""
    return Flat()
