"""Other ways round, in two or three dimensions: shortest paths through a lattice over the region of the pairs.

A descent from the straight line finds the minimum nearest to it, and in few dimensions there often is a better one on
the other side of a hill. A lattice of tensors shows all of them at once; in many dimensions it cannot be laid,
and minima beside the line's were not seen to matter. The path through the lattice, smoothed, is another start.

A lattice is kept with its metric and used again for pairs inside it. One gone stale, because the decoder was trained
on, only starts worse: what starts there is judged by the metric as it is.
"""

from __future__ import annotations

import itertools
import math
import weakref

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from sonifold.metric.base import Metric
from sonifold.types import Curves, Points

from .graph import smooth

#: Points on each side of the lattice, by latent dimension.
SIDES = {2: 60, 3: 16}
#: How far it reaches beyond the box around all ends, in sides of the box.
MARGIN = 0.3
#: Edges go to neighbours so many steps away along each axis, which is what keeps the lengths through the lattice close
#: to those of free curves.
REACH = {2: 3, 3: 1}


#: Points of the lattice whose tensors are taken at once.
ROWS = 512

_LATTICES: weakref.WeakKeyDictionary[Metric, Lattice] = weakref.WeakKeyDictionary()


def lattice(metric: Metric, points: Points) -> Lattice | None:
    """One that holds these points (count, latent): the one kept, or a new one over its region and theirs.

    It reaches beyond the points only where the metric can be asked there: a decoder may refuse what lies outside its
    domain. None where it cannot be asked everywhere between them either.
    """
    lattice = _LATTICES.get(metric)
    if lattice is not None and lattice.holds(points):
        return lattice
    before = points[:0] if lattice is None else lattice.corners.to(points)
    for margin in (MARGIN, 0.0):
        try:
            _LATTICES[metric] = lattice = Lattice(metric, torch.cat([points, before]), margin)
        except Exception:  # noqa: S112 - whatever a foreign decoder raises; None says so
            continue
        return lattice
    return None


class Lattice:
    """Tensors of a metric on a regular lattice over the box of some points (count, latent), 2 or 3 dimensions.

    The metric is asked where the points are; everything else is on the CPU, where SciPy finds the ways.
    """

    def __init__(self, metric: Metric, points: Points, margin: float = MARGIN):
        d = points.shape[1]
        low, high = points.amin(0).cpu().double(), points.amax(0).cpu().double()
        self.corners = torch.stack([low, high])
        beyond = margin * (high - low).amax()
        self.low, self.side = low - beyond, SIDES[d]
        self.spacing = (high + beyond - self.low) / (self.side - 1)
        cells = torch.cartesian_prod(*[torch.arange(self.side)] * d)
        self.points = self.low + cells * self.spacing
        self.tensors = torch.cat(
            [metric.tensor(part.to(points)).cpu().double() for part in self.points.split(ROWS)]
        )
        self.edges, self.lengths = self._edges(cells)

    def holds(self, points: Points) -> bool:
        """True if all points (count, latent) lie in its box."""
        low, high = self.corners
        points = points.cpu()
        return points.shape[1] == len(low) and bool(((points >= low) & (points <= high)).all())

    def _edges(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Pairs of lattice points (2, edge) and what it costs to go between them."""
        d, reach = cells.shape[1], REACH[cells.shape[1]]
        strides = torch.tensor([self.side**k for k in reversed(range(d))])
        pairs = []
        for offset in itertools.product(range(-reach, reach + 1), repeat=d):
            # one direction of each, and only the shortest of those that point the same way
            if offset <= (0,) * d or math.gcd(*offset) != 1:
                continue
            step = torch.tensor(offset)
            to = cells + step
            inside = ((to >= 0) & (to < self.side)).all(1).nonzero().flatten()
            pairs.append(torch.stack([inside, inside + int(step @ strides)]))
        edges = torch.cat(pairs, 1)
        return edges, self._length(edges[0], edges[1], self.points[edges[1]] - self.points[edges[0]])

    def _length(self, begin: Tensor, other: Tensor, steps: Tensor) -> Tensor:
        """Of steps (count, latent) between lattice points, under the mean tensor of both. NaN where there is none."""
        g = (self.tensors[begin] + self.tensors[other]) / 2
        return torch.einsum("ei,eij,ej->e", steps, g, steps).clamp_min(0).sqrt()

    def paths(self, starts: Points, ends: Points, nodes: int) -> tuple[Curves, Tensor]:
        """(smoothed curves (batch, nodes, latent), lengths through the lattice (batch,), infinite without a way)."""
        count, b = len(self.points), len(starts)
        ends_of_paths = torch.cat([starts, ends]).cpu().double()
        corners, steps = self._corners(ends_of_paths)
        joints = torch.arange(count, count + 2 * b).repeat_interleave(corners.shape[1])
        joined = self._length(corners.flatten(), corners.flatten(), steps.flatten(0, 1))
        graph = _symmetric(
            torch.cat([self.edges, torch.stack([joints, corners.flatten()])], 1),
            torch.cat([self.lengths, joined]),
            count + 2 * b,
        )
        lengths, before = dijkstra(graph, indices=np.arange(count, count + b), return_predecessors=True)
        reached = torch.from_numpy(lengths[np.arange(b), count + b + np.arange(b)])
        curves = []
        for k in range(b):
            if not math.isfinite(reached[k]):
                curves.append(ends_of_paths[[k] * (nodes - 1) + [b + k]])
                continue
            waypoints, node = [count + b + k], int(before[k, count + b + k])
            while node != count + k:
                waypoints.append(node)
                node = int(before[k, node])
            waypoints.append(count + k)
            order = waypoints[::-1]
            points = torch.cat([self.points, ends_of_paths])[order]
            curves.append(smooth(points, torch.from_numpy(lengths[k][order])[:, None], nodes))
        return torch.stack(curves).to(starts), reached.to(starts)

    def _corners(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The lattice points around each point (count, 2^d) and the steps to them (count, 2^d, latent)."""
        d = points.shape[1]
        cell = ((points - self.low) / self.spacing).floor().long().clamp(0, self.side - 2)
        corner = torch.cartesian_prod(*[torch.arange(2)] * d)
        strides = torch.tensor([self.side**k for k in reversed(range(d))])
        indices = ((cell[:, None] + corner) * strides).sum(2)
        return indices, self.points[indices] - points[:, None]


def _symmetric(edges: Tensor, lengths: Tensor, size: int) -> csr_array:
    good = torch.isfinite(lengths)
    rows, columns = edges[:, good].numpy()
    # an edge of length zero would be no edge to scipy
    weights = lengths[good].clamp_min(1e-12).numpy()
    both = (np.concatenate([rows, columns]), np.concatenate([columns, rows]))
    return coo_array((np.concatenate([weights, weights]), both), shape=(size, size)).tocsr()
