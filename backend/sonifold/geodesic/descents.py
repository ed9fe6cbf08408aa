"""From curves to paths: through grids that grow finer, by the solver that fits the metric."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.metric.base import Metric
from sonifold.types import Curves

from . import georce, newton, quasi_newton
from .line import line
from .outcome import Stop
from .quasi_newton import Descent
from .spline import resample

#: Nodes on which a path is found, one grid after the other; a cubic spline through the last gives the rest. A metric
#: that looks at each step only once can hide a bump between so few nodes, and is solved on all of them.
GRIDS = (5, 9)
#: The same for a metric that has no typical tensor, and so nobody's word that nine nodes are enough for it. On small
#: decoders of drawings, curves of nine nodes had up to 3 % more energy than the best, of thirteen less than 1 % nearly
#: always; from five nodes first, more of them end in a worse minimum.
GRID_UNKNOWN = (13,)
#: And where the inverse tensor is a formula and GEORCE finds the path. On fewer, one of 24 was 1 % above the best.
GRID_CLOSED = (17,)
#: Part of the tolerance to which a decoder that nobody vouches for is solved: its energy bends more than the quadratic
#: model, by which a path is said to have settled, knows of.
STRICT = 0.5
#: The tolerance on grids that only lead to the next one, over that on the last: what is left is gained there.
COARSE = 4.0
#: GEORCE's own estimate of what is left to gain, over what turned out to be left, at worst on 48 pairs.
MODEST = 0.5
#: The fewest nodes in two and three dimensions, where they are cheap and geodesics turn sharply.
FEWEST_LOW = 33
#: Points of each line at which the tensor is taken where no typical one is known.
LINE_SAMPLES = 3
#: Steps of Gauss-Newton for the paths that quasi-Newton has not brought home.
NEWTON_STEPS = 40


@dataclass(frozen=True)
class Descents:
    """How paths are found, the same for all pairs of points; see :func:`sonifold.geodesic.solve`."""

    metric: Metric
    typical: Tensor | None  #: the metric's typical tensor
    nodes: int  #: of the paths
    tolerance: float
    max_steps: int
    polish: bool
    low_dimensional: bool  #: two or three, where many nodes at once are cheap

    @property
    def grids(self) -> tuple[int, ...]:
        """Nodes, one grid after the other."""
        if self.low_dimensional:
            return (max(FEWEST_LOW, self.nodes),)
        grids = (
            (GRID_UNKNOWN if self.typical is None else GRIDS) if not self.metric.closed_form else GRID_CLOSED
        )
        coarse = tuple(
            n for n in grids if n <= self.nodes and (self.metric.chordal or self.metric.samples_per_step > 1)
        )
        return (*coarse, self.nodes) if self.polish or not coarse else coarse

    def run(self, begin: Curves, grids: tuple[int, ...]) -> Descent:
        """From curves, mostly straight lines, through the grids; STRAIGHT where the first look was enough on each."""
        curves, anchors = begin, self.metric.anchors(begin)
        steps = torch.zeros(len(begin), dtype=torch.long, device=begin.device)
        typical = None if self.metric.closed_form else self._typical(begin)
        for n in grids:
            tolerance = self._tolerance(n, last=n == grids[-1])
            grid = resample(curves, n)
            if typical is None:
                descent = georce.minimise(self.metric, grid, MODEST * tolerance, self.max_steps)
            else:
                descent = quasi_newton.minimise(
                    self.metric, grid, typical, tolerance, self.max_steps, anchors
                )
            curves, steps = descent.curves, steps + descent.steps
        unconverged = torch.tensor([why is not Stop.CONVERGED for why in descent.stop], device=begin.device)
        if unconverged.any():
            descent = self._bring_home(descent, unconverged.nonzero().flatten(), tolerance)
            curves, steps = descent.curves, steps + descent.steps * unconverged
        stop = [
            Stop.STRAIGHT if why is Stop.CONVERGED and count == len(grids) else why
            for why, count in zip(descent.stop, steps.tolist(), strict=True)
        ]
        return Descent(curves, descent.energy, steps, stop)

    def _tolerance(self, nodes: int, last: bool) -> float:
        """Part of the energy that may be left to gain on a grid of so many nodes."""
        if self.polish and nodes == self.nodes:
            return self.tolerance / 10
        unmarked = self.typical is None and not self.metric.closed_form
        return self.tolerance * (STRICT if unmarked else 1.0) * (1.0 if last else COARSE)

    def _typical(self, curves: Curves) -> Tensor:
        """The metric's typical tensor (latent, latent), or tensors (batch, place, latent, latent) along the lines."""
        if self.typical is not None:
            return self.typical.to(curves)
        samples = line(curves[:, 0], curves[:, -1], LINE_SAMPLES)
        tensors: Tensor = self.metric.tensor(samples.flatten(0, 1)).unflatten(0, samples.shape[:2])
        return tensors

    def _bring_home(self, descent: Descent, indices: Tensor, tolerance: float) -> Descent:
        """Go on with some of the curves by Gauss-Newton."""
        minimised = newton.minimise(self.metric, descent.curves[indices], tolerance, NEWTON_STEPS)
        return with_replaced(descent, indices, minimised)


def with_replaced(descent: Descent, indices: Tensor, replacement: Descent) -> Descent:
    """The descent with some of its curves replaced by others."""
    curves, energy, steps = descent.curves.clone(), descent.energy.clone(), descent.steps.clone()
    curves[indices], energy[indices], steps[indices] = (
        replacement.curves,
        replacement.energy,
        replacement.steps,
    )
    stop = list(descent.stop)
    for k, why in zip(indices.tolist(), replacement.stop, strict=True):
        stop[k] = why
    return Descent(curves, energy, steps, stop)
