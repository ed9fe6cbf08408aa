"""One entry for every metric: many pairs in, as many paths with their outcome out."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import PointInvalid
from ..metric.base import Metric
from ..types import Curves, Points
from . import quasi_newton
from .line import line
from .outcome import Geodesics, Stop
from .spline import resample

#: Nodes on which the path is found; a cubic spline through them gives the rest.
COARSE = 9
#: How much finer than the nodes the grid is on which a path is held against the line.
FINE = 8
#: A path that beats its line by this on the nodes is not checked on the fine grid, if the metric measures
#: chords.
CLEAR = 0.02
#: A path must beat its line by this to be told from rounding (float32, a sum of 256 steps).
ROUND_OFF = 1e-5
#: Curves solved together; more are bound by memory rather than arithmetic.
CHUNK = 64


@torch.no_grad()
def solve(
    metric: Metric,
    starts: Points,
    ends: Points,
    nodes: int = 33,
    tolerance: float = 2e-3,
    max_steps: int = 40,
    polish: bool = False,
    typical: Tensor | None = None,
) -> Geodesics:
    """Shortest paths between starts and ends (batch, latent) under a metric.

    nodes
        Nodes of the paths returned, >= 3.
    tolerance
        Part of the energy that may be left to gain.
    polish
        Go on from the coarse grid on all the nodes; costs some ten times as much, for the last half percent
        of energy.
    typical
        A tensor of the metric (latent, latent), typical of where the paths will be; worked out from the pairs
        when left out.

    The paths are found on nine nodes from the straight line, interpolated, and compared with the line
    on a finer grid. One that is dearer is solved again on all its nodes, and if that does not help the line
    itself is returned, with an outcome that says so. The result has the precision and device of ``starts``.
    Raises ``PointInvalid`` for points that do not match or are not finite.
    """
    a, b = _points(starts, ends, metric)
    if nodes < 3:
        raise ValueError(f"a path needs at least 3 nodes, got {nodes}")
    if typical is None:
        typical = quasi_newton.typical_tensor(metric, line(a, b, 5))
    parts = [
        _solve(metric, *pair, nodes, tolerance, max_steps, polish, typical)
        for pair in zip(a.split(CHUNK), b.split(CHUNK), strict=True)
    ]
    return _joined(parts, like=starts)


def _solve(
    metric: Metric,
    starts: Points,
    ends: Points,
    nodes: int,
    tolerance: float,
    max_steps: int,
    polish: bool,
    typical: Tensor,
) -> Geodesics:
    straight = line(starts, ends, nodes)
    line_energy = metric.energy(straight)
    curves = straight.clone()
    steps = torch.zeros(len(curves), dtype=torch.long)
    stop = [Stop.NOT_FINITE] * len(curves)
    same = _coincident(starts, ends) | (line_energy == 0)
    for k in same.nonzero().flatten().tolist():
        stop[k] = Stop.COINCIDENT
    todo = (~same & torch.isfinite(line_energy)).nonzero().flatten()

    def descend(which: Tensor, begin: Curves) -> None:
        """Solve some of the pairs from ``begin``; write curves, steps and outcomes."""
        descent = quasi_newton.minimise(metric, begin, typical, tolerance, max_steps)
        curves[which] = resample(descent.curves, nodes)
        steps[which] += descent.steps
        for k, why, count in zip(which.tolist(), descent.stop, descent.steps.tolist(), strict=True):
            stop[k] = Stop.STRAIGHT if why is Stop.CONVERGED and count == 1 and steps[k] == 1 else why

    if len(todo):
        descend(todo, line(starts[todo], ends[todo], min(COARSE, nodes)))
        if polish and nodes > COARSE:
            descend(todo, curves[todo])
        worse = _not_better(metric, curves, straight, line_energy, todo)
        if len(worse) and nodes > COARSE:
            descend(worse, straight[worse])
            worse = _not_better(metric, curves, straight, line_energy, worse)
        for k in worse.tolist():
            stop[k] = (
                Stop.STRAIGHT
                if stop[k] in {Stop.STRAIGHT, Stop.CONVERGED} and steps[k] <= 2
                else Stop.LINE_KEPT
            )
        curves[worse] = straight[worse]
    return Geodesics(
        curves,
        metric.energy(curves),
        line_energy,
        metric.length(curves),
        metric.length(straight),
        steps,
        stop,
    )


def _not_better(
    metric: Metric, curves: Curves, straight: Curves, line_energy: Tensor, which: Tensor
) -> Tensor:
    """Those of ``which`` whose curve has not clearly less energy than the line, looked at finely where it
    is close.
    """
    if metric.chordal:
        energy = metric.energy(curves[which])
        which = which[~(energy < (1 - CLEAR) * line_energy[which])]
    if not len(which):
        return which
    fine = FINE * (curves.shape[1] - 1) + 1
    energies = [
        [metric.energy(resample(part, fine)) for part in kind[which].split(FINE)]
        for kind in (curves, straight)
    ]
    ours, lines = (torch.cat(parts) for parts in energies)
    return which[~(ours < (1 - ROUND_OFF) * lines)]


def _coincident(starts: Points, ends: Points) -> Tensor:
    apart = (starts - ends).abs().amax(1)
    return apart <= 16 * torch.finfo(starts.dtype).eps * (1 + starts.abs().amax(1))


def _points(starts: Points, ends: Points, metric: Metric) -> tuple[Points, Points]:
    if starts.ndim != 2 or starts.shape != ends.shape:
        raise PointInvalid(
            f"starts and ends must be (batch, latent), got {tuple(starts.shape)}, {tuple(ends.shape)}; "
            "for one pair use start[None], end[None]"
        )
    for name, points in (("start", starts), ("end", ends)):
        bad = (~torch.isfinite(points).all(1)).nonzero().flatten().tolist()
        if bad:
            raise PointInvalid(
                f"{name} points {bad[:5]} have NaN or infinity in them; every coordinate must be finite"
            )
    dtype = metric.dtype or (starts.dtype if starts.is_floating_point() else torch.get_default_dtype())
    return starts.detach().to(dtype), ends.detach().to(dtype)


def _joined(parts: list[Geodesics], like: Points) -> Geodesics:
    def cat(name: str) -> Tensor:
        whole = torch.cat([getattr(part, name) for part in parts])
        return whole.to(like.dtype) if whole.is_floating_point() and like.is_floating_point() else whole

    return Geodesics(
        cat("nodes"),
        cat("energy"),
        cat("line_energy"),
        cat("length"),
        cat("line_length"),
        cat("steps"),
        [stop for part in parts for stop in part.stop],
    )
