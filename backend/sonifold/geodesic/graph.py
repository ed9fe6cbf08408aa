"""Paths through real points: shortest in a graph of nearest neighbours, with Fermat weights.

An edge costs the distance between its ends to a power p > 1, so that many small steps among neighbours beat
one long jump; the more so, the denser the data. Bijral, Ratliff and Srebro 2011, "Semi-supervised learning
with density based distances".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from torch import Tensor

from sonifold.types import Curve, Points

#: Power of the distance an edge costs.
POWER = 2.0
#: Edges from each point to its nearest.
NEIGHBOURS = 10
#: Samples the smoothing works on.
FINE = 129
#: Standard deviation of the smoothing, as a part of the path at most, and as a part of the mean step between the
#: points it visits: corners are rounded, turns of the path are kept.
SMOOTHING = 0.04
SMOOTHING_STEPS = 0.5


@dataclass(frozen=True)
class GraphPath:
    """A path through real points."""

    nodes: Curve  #: (node, latent), ends included
    through: list[int]  #: the points it visits between its ends, in order


class NeighbourGraph:
    """Known points joined to their nearest neighbours.

    features
        (count, feature): where closeness is judged, such as perceptual coordinates.
    z
        (count, latent): the same points in latent space, where the path is laid.

    A spanning tree is added, so that any two points are connected.
    """

    def __init__(self, features: Tensor, z: Points, neighbours: int = NEIGHBOURS, power: float = POWER):
        if len(features) != len(z) or not len(z):
            raise ValueError(
                f"need features and z of equally many points, at least one; got {len(features)} and {len(z)}"
            )
        self.features, self.z = features.detach(), z.detach()
        self.neighbours, self.power = min(neighbours, len(z)), power
        distances = torch.cdist(self.features, self.features).double().numpy()
        tree = minimum_spanning_tree(csr_array(distances)).tocoo()
        count = min(neighbours, len(z) - 1)
        nearest = np.argsort(distances, 1)[:, 1 : count + 1] if count else np.empty((len(z), 0), int)
        rows = np.repeat(np.arange(len(z)), count)
        self._rows = np.concatenate([rows, tree.row])
        self._columns = np.concatenate([nearest.reshape(-1), tree.col])
        self._lengths = distances[self._rows, self._columns]

    def path(
        self, start: Tensor, end: Tensor, start_features: Tensor, end_features: Tensor, nodes: int = 33
    ) -> GraphPath:
        """From start to end (latent,), whose features are (feature,); they need not be points of the graph.

        The visited points are joined evenly in feature distance and smoothed; the ends are met exactly.
        """
        n = len(self.z)
        queries = torch.stack([start_features, end_features]).to(self.features)
        distances = torch.cdist(queries, self.features)
        near = distances.topk(self.neighbours, largest=False)
        rows = np.repeat([n, n + 1], self.neighbours)
        weights = np.concatenate([self._lengths, near.values.double().numpy().reshape(-1)])
        ends = (
            np.concatenate([self._rows, rows]),
            np.concatenate([self._columns, near.indices.numpy().reshape(-1)]),
        )
        # an edge of length zero would be no edge to scipy
        graph = _undirected(np.maximum(weights, 1e-9) ** self.power, ends, n + 2)
        _, before = dijkstra(graph, indices=n, return_predecessors=True)
        visited: list[int] = []
        row = int(before[n + 1])
        while row != n:
            visited.append(row)
            row = int(before[row])
        through = [
            k for k in visited[::-1] if not (distances[:, k] <= 1e-6 * (1 + queries.norm(dim=1))).any()
        ]
        waypoints = torch.cat([start[None].to(self.z), self.z[through], end[None].to(self.z)])
        marks = torch.cat([queries[:1], self.features[through], queries[1:]])
        return GraphPath(smooth(waypoints, marks, nodes), through)


def _undirected(weights: np.ndarray, ends: tuple[np.ndarray, np.ndarray], size: int) -> csr_array:
    """The least weight either way of each edge."""
    low, high = np.minimum(*ends), np.maximum(*ends)
    order = np.lexsort((weights, high, low))
    first = np.concatenate([[True], (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)])
    unique = order[first]
    low, high, weights = low[unique], high[unique], weights[unique]
    both = (np.concatenate([low, high]), np.concatenate([high, low]))
    return coo_array((np.concatenate([weights, weights]), both), shape=(size, size)).tocsr()


def smooth(waypoints: Points, marks: Tensor, nodes: int) -> Curve:
    """Stations joined at times proportional to the distance of their marks, and smoothed with the ends
    held.
    """
    steps = marks.diff(dim=0).norm(dim=1).double().numpy()
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    reached = reached / reached[-1] if reached[-1] > 0 else np.linspace(0, 1, len(reached))
    points = waypoints.double().numpy()
    grid = np.linspace(0, 1, FINE)
    joined = np.stack([np.interp(grid, reached, column) for column in points.T], 1)
    # reflected through its ends, a curve keeps them when it is smoothed
    padded = np.concatenate([2 * joined[0] - joined[:0:-1], joined, 2 * joined[-1] - joined[-2::-1]])
    width = min(SMOOTHING, SMOOTHING_STEPS / (len(points) - 1)) * (FINE - 1)
    smooth = gaussian_filter1d(padded, width, axis=0)[FINE - 1 : 2 * FINE - 1]
    curve = np.stack([np.interp(np.linspace(0, 1, nodes), grid, column) for column in smooth.T], 1)
    curve[[0, -1]] = points[[0, -1]]
    return torch.from_numpy(curve).to(waypoints)
