"""The result of a geodesic solver: curves, their lengths and energies, and why each solve ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor

from sonifold.types import Curves

from .spline import at, resample


class Stop(StrEnum):
    """Reasons why a solve ends, as sentences."""

    CONVERGED = "converged: the energy left to gain is below the tolerance"
    STRAIGHT = "converged: the straight line is already the shortest path"
    COINCIDENT = "the end points coincide, so the path is a single point"
    FLAT = (
        "the decoder stands still, to within rounding, or goes in jumps between these points, so that no path can be "
        "told from another; this is the straight line"
    )
    OUT_OF_STEPS = "step limit reached before the energy settled; raise max_steps or loosen tolerance"
    STALLED = "no step lowered the energy any further, though the tolerance was not reached"
    LINE_KEPT = "no path shorter than the straight line was found on the fine grid; this is the straight line"
    NOT_FINITE = (
        "the metric is not finite between these points; nothing shorter than straight lines was found"
    )


#: The outcomes that mean: this is a geodesic, to within the tolerance.
CONVERGED = frozenset({Stop.CONVERGED, Stop.STRAIGHT, Stop.COINCIDENT})


@dataclass(frozen=True)
class Geodesics:
    """A batch of solved paths, each beside the straight line between the same ends.

    A path is the cubic spline through its nodes. Energy and length (squared and plain units of the metric) of a path
    and of its line are measured on the same grid: the nodes, or one 8 times finer where the nodes are too few to see
    which is shorter. No path has more energy than its line, or is longer, there and on the finer grid.
    """

    nodes: Curves  #: (batch, node, latent), ends included and met exactly
    energy: Tensor  #: (batch,), the integral of the squared speed over t in [0, 1]
    length: Tensor  #: (batch,)
    line_energy: Tensor  #: (batch,)
    line_length: Tensor  #: (batch,)
    steps: Tensor  #: (batch,), solver steps taken
    stop: list[Stop]

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def converged(self) -> list[bool]:
        """True for each path that is a geodesic to within the tolerance, (batch,)."""
        return [stop in CONVERGED for stop in self.stop]

    def sample(self, nodes: int) -> Curves:
        """The paths at ``nodes`` evenly spaced times; (batch, nodes, latent)."""
        return resample(self.nodes, nodes)

    def at(self, times: Tensor) -> Curves:
        """The paths at ``times`` in [0, 1], (time,) or (batch, time); (batch, time, latent)."""
        return at(self.nodes, times)
