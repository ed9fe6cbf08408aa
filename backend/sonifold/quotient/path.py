"""Geodesics modulo transposition: the shortest path from a registered copy to the other sound."""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.metric.base import Metric

from .orbit import Orbits


def lengths(metric: Metric, a: Orbits, b: Orbits, octaves: Tensor) -> Tensor:
    """Length of the geodesic of each pair (pair,) modulo transposition.

    Registering by geodesics would take one for every transposition, so the transposition comes from a distance that
    costs less; where the copy is further than the sound as it is, that counts.

    Args:
        a, b: orbits of the two latent points of each pair.
        octaves: (pair,) that transpose ``a`` towards ``b``, from :func:`sonifold.quotient.distances`.
    """
    moved = octaves != 0
    plain = geodesic.lengths(metric, a.base, b.base)
    if not moved.any():
        return plain
    registered = plain.clone()
    registered[moved] = geodesic.lengths(metric, a[moved].at(octaves[moved]), b[moved].base)
    return torch.minimum(plain, registered)
