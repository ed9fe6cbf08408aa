"""Which of many points stand for all of them: k-medoids.

By alternation (Park and Jun 2009, "A simple and fast algorithm for K-medoids clustering"): each point joins its nearest
medoid, each cluster's medoid becomes the member with the least total distance to the others, until nothing moves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.geodesic.distances import seeds
from sonifold.types import Points

ROUNDS = 50


def k_medoids(points: Points, k: int, seed: int = 0) -> Tensor:
    """Indices (k,) of the medoids of points (count, latent), ascending; all of them where k >= count.

    Raises ``ValueError`` for k < 1.
    """
    if k < 1:
        raise ValueError(f"k-medoids needs k >= 1, got {k}")
    if k >= len(points):
        return torch.arange(len(points))
    chosen = seeds(points.cpu(), k, torch.Generator().manual_seed(seed)).to(points.device)
    for _ in range(ROUNDS):
        labels = torch.cdist(points, points[chosen]).argmin(1)
        moved = torch.stack([_medoid(points, labels == c, chosen[c]) for c in range(k)])
        if torch.equal(moved, chosen):
            break
        chosen = moved
    return chosen.sort().values


def _medoid(points: Points, members: Tensor, before: Tensor) -> Tensor:
    which = members.nonzero().flatten()
    if not len(which):  # two equal medoids: one of them has no members
        return before
    return which[torch.cdist(points[which], points[which]).sum(1).argmin()]
