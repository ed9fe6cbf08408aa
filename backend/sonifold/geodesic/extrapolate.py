"""Beyond B: go on from A through B along the same geodesic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.metric.base import Metric
from sonifold.types import Curves, Points

from .exponential import continued
from .solve import solve

#: Nodes from start to end.
NODES = 17


@dataclass(frozen=True)
class Extrapolation:
    """Geodesics that go on beyond their ends."""

    nodes: Curves  #: (batch, node, latent); those before time 1 are the geodesic between the ends
    times: Tensor  #: (node,), 0 at the start, 1 at the end, evenly spaced
    left: list[float | None]  #: when each path left the data for good, None if it is still among them

    def warnings(self) -> list[str | None]:
        """A sentence for each path that left the data."""
        return [None if time is None else f"left the data at t = {time:.2f}" for time in self.left]


@torch.no_grad()
def extrapolate(
    metric: Metric,
    starts: Points,
    ends: Points,
    to: float = 1.5,
    within_data: Callable[[Points], Tensor] | None = None,
) -> Extrapolation:
    """exp_start(t log_start(end)) for t from 0 to ``to`` > 1; starts and ends (batch, latent).

    within_data
        Tells which points (count, latent) lie among the data; (count,) bool. Without it nothing is said about that.

    Raises ``ValueError`` when ``to`` is not above 1.
    """
    if not to > 1:
        raise ValueError(f"extrapolation goes beyond the end, so `to` must be above 1, got {to}")
    solved = solve(metric, starts, ends, NODES).nodes
    further = round((to - 1) * (NODES - 1)) or 1
    nodes = continued(metric, solved, further)
    times = torch.arange(nodes.shape[1]) / (NODES - 1)
    if within_data is None:
        return Extrapolation(nodes, times, [None] * len(nodes))
    inside = within_data(nodes.flatten(0, 1)).view(nodes.shape[:2])
    return Extrapolation(nodes, times, [_left(path, times) for path in inside])


def _left(inside: Tensor, times: Tensor) -> float | None:
    """The time after which no node is inside any more; None if the last one is."""
    if inside[-1]:
        return None
    last = inside.nonzero().flatten()
    return float(times[int(last[-1]) + 1]) if len(last) else 0.0
