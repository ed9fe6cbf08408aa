"""Geodesic distances among many points, nearest neighbours and clusters by them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.cluster import plus_plus
from sonifold.metric.base import Metric
from sonifold.types import Points

from .mean import frechet_mean
from .solve import solve

#: Nodes of the paths whose lengths are taken, and the part of their energy that may be left to gain.
NODES, TOLERANCE = 9, 1e-2
#: Candidates by Euclidean distance for every neighbour asked for, and at least so many.
CANDIDATES, FEWEST = 3, 50
#: Members of a cluster from which its mean is taken.
MEMBERS = 16


def lengths(
    metric: Metric, starts: Points, ends: Points, nodes: int = NODES, tolerance: float = TOLERANCE
) -> Tensor:
    """Length of the geodesic of each pair (batch, latent); (batch,). An upper bound that the tolerance makes close."""
    paths = solve(metric, starts, ends, nodes, tolerance, check=False)
    return torch.minimum(paths.length, paths.line_length)


def distances(metric: Metric, points: Points, nodes: int = NODES, tolerance: float = TOLERANCE) -> Tensor:
    """Geodesic distances between all points (count, latent); (count, count), symmetric with a zero diagonal."""
    rows, columns = torch.triu_indices(len(points), len(points), 1)
    pair_lengths = lengths(metric, points[rows], points[columns], nodes, tolerance)
    matrix = pair_lengths.new_zeros(len(points), len(points))
    matrix[rows, columns] = matrix[columns, rows] = pair_lengths
    return matrix


@dataclass(frozen=True)
class Neighbours:
    """The nearest of many points, nearest first."""

    indices: Tensor  #: (count,)
    distances: Tensor  #: (count,)


def neighbours(
    metric: Metric, point: Tensor, points: Points, count: int = 8, candidates: int | None = None
) -> Neighbours:
    """The ``count`` of the points (many, latent) nearest to the point (latent,) by geodesic distance.

    The nearest ``candidates`` by Euclidean distance (three times the count, at least 50) are ranked anew in one
    batch. A neighbour is missed only if it is not among them.
    """
    pool = min(candidates or max(FEWEST, CANDIDATES * count), len(points))
    near = (points - point).norm(dim=1).topk(pool, largest=False).indices
    distances_to_point = lengths(metric, point.expand(pool, -1), points[near])
    order = distances_to_point.argsort()[:count]
    return Neighbours(near[order], distances_to_point[order])


@dataclass(frozen=True)
class Clusters:
    """Points in groups about Frechet means."""

    centres: Points  #: (k, latent)
    labels: Tensor  #: (count,)
    inertia: list[float]  #: sum of squared geodesic distances to the own centre, round by round


def k_means(
    metric: Metric, points: Points, k: int, seed: int = 0, rounds: int = 10, reach: int = 3
) -> Clusters:
    """Lloyd's algorithm by geodesic distance, from k-means++ seeds (Arthur and Vassilvitskii 2007).

    Each point is measured to the ``reach`` centres nearest by Euclidean distance; each centre becomes the Frechet mean
    of at most 16 of its members. A round that does not lower the inertia ends it. Raises ``ValueError`` unless 1 <= k
    <= count.
    """
    if not 1 <= k <= len(points):
        raise ValueError(f"{len(points)} points make 1 to {len(points)} clusters, not {k}")
    generator = torch.Generator().manual_seed(seed)
    centres = points[plus_plus(points, k, generator)]
    labels, distances_to_centre = _assign(metric, points, centres, reach)
    inertia = [float(distances_to_centre.square().sum())]
    for _ in range(rounds):
        trial = torch.stack([_centre(metric, points[labels == c], centres[c], generator) for c in range(k)])
        trial_labels, distances_to_centre = _assign(metric, points, trial, reach)
        total = float(distances_to_centre.square().sum())
        if total >= inertia[-1]:
            break
        centres, labels = trial, trial_labels
        inertia.append(total)
    return Clusters(centres, labels, inertia)


def _assign(metric: Metric, points: Points, centres: Points, reach: int) -> tuple[Tensor, Tensor]:
    """(label, distance) of each point."""
    near = torch.cdist(points, centres).topk(min(reach, len(centres)), largest=False).indices
    starts = points[:, None].expand(-1, near.shape[1], -1).flatten(0, 1)
    path_lengths = lengths(metric, starts, centres[near.flatten()]).view(near.shape)
    best = path_lengths.argmin(1, keepdim=True)
    return near.gather(1, best)[:, 0], path_lengths.gather(1, best)[:, 0]


def _centre(metric: Metric, members: Points, before: Tensor, generator: torch.Generator) -> Tensor:
    if not len(members):
        return before
    rows = torch.randperm(len(members), generator=generator)[:MEMBERS]
    return frechet_mean(metric, members[rows]).point
