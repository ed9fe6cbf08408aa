"""Points that stand for many, by Euclidean distance: k-means++ seeds and k-medoids.

Both draw from torch generators and work where the points are, so that a seed gives the same points on every device;
scikit-learn's draw from NumPy's and on the CPU alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.types import Points

ROUNDS = 50


def plus_plus(points: Points, k: int, generator: torch.Generator) -> Tensor:
    """Indices (k,) of k-means++ seeds of points (count, latent). Arthur & Vassilvitskii 2007.

    Each seed is drawn with a chance proportional to its squared distance to the nearest seed before it.
    """
    rows = [int(torch.randint(len(points), (1,), generator=generator))]
    squares = (points - points[rows[0]]).square().sum(1)
    for _ in range(k - 1):
        chance = squares.cpu() if squares.sum() > 0 else torch.ones(len(squares))
        rows.append(int(torch.multinomial(chance, 1, generator=generator)))
        squares = torch.minimum(squares, (points - points[rows[-1]]).square().sum(1))
    return torch.tensor(rows)


def k_medoids(points: Points, k: int, seed: int = 0) -> Tensor:
    """Indices (k,) of the medoids of points (count, latent), ascending; all of them where k >= count.

    By alternation (Park & Jun 2009): each point joins its nearest medoid, and each medoid becomes the member of its
    cluster with the least total distance to the others, until nothing moves.

    Raises:
        ValueError: k < 1.
    """
    if k < 1:
        raise ValueError(f"k-medoids needs k >= 1, got {k}")
    if k >= len(points):
        return torch.arange(len(points))
    medoids = plus_plus(points.cpu(), k, torch.Generator().manual_seed(seed)).to(points.device)
    for _ in range(ROUNDS):
        labels = torch.cdist(points, points[medoids]).argmin(1)
        updated = torch.stack([_medoid(points, labels == c, medoids[c]) for c in range(k)])
        if torch.equal(updated, medoids):
            break
        medoids = updated
    return medoids.sort().values


def _medoid(points: Points, members: Tensor, before: Tensor) -> Tensor:
    rows = members.nonzero().flatten()
    if not len(rows):  # two equal medoids: one of them has no members
        return before
    return rows[torch.cdist(points[rows], points[rows]).sum(1).argmin()]
