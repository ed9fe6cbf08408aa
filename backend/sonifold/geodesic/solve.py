"""One entry for every metric: many pairs in, as many paths with their outcome out."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from sonifold.errors import PointInvalid
from sonifold.metric.base import Metric, Steps
from sonifold.types import Curves, Points

from .descents import LINE_SAMPLES, Descents, with_replaced
from .lattice import SIDES, Lattice, lattice
from .line import line
from .outcome import Geodesics, Stop
from .quasi_newton import Descent
from .retime import even_times
from .spline import resample

#: How much finer than the nodes the grid is on which a path is held against the line.
FINE = 8
#: A path is not looked at on the fine grid if it beats its line by this on the nodes, after its energy has been
#: raised by DISTRUST times its change from the solver's grid to the nodes. Only where the metric measures chords, which
#: underestimate and so favour the line, and has a typical tensor: a decoder that nobody vouches for may have creases
#: between the nodes. Chosen so that the fine grid reversed none of 1,500 verdicts on trained decoders.
#: In two and three dimensions it reversed one of 500 (digits, a kernel term of weight 10), and all are looked at there.
CLEAR = 0.02
DISTRUST = 3.0
#: The same margin where the tensor itself is cheap, on a grid GLANCE times finer and looked at once a step: places the
#: solver did not look at. The fine grid reversed none of 5,400 verdicts (kernel
#: metrics of strokes and of the pack, 8 to 32 dimensions).
GLANCE = 4
#: A path must beat its line by this to be told from rounding (float32, a sum of 256 steps).
ROUND_OFF = 1e-5
#: A path beside its line is kept if the line's steps on the fine grid are longer than this many roundings of the
#: outputs. On decoders that normalise over two or four samples, lengths of shorter steps were wrong by 1e-3 to 1.
RESOLVED = 128
#: A way through the lattice is followed if it is at most this much longer than the path found from the line: what the
#: corners of the lattice cost.
ROUGH = 1.1
#: Curves solved together; more are bound by memory rather than arithmetic.
CHUNK = 64


@torch.no_grad()
def solve(
    metric: Metric,
    starts: Points,
    ends: Points,
    nodes: int = 17,
    tolerance: float = 5e-3,
    max_steps: int = 60,
    polish: bool = False,
    check: bool = True,
) -> Geodesics:
    """Shortest paths between starts and ends (batch, latent) under a metric.

    nodes
        Nodes of the paths returned, >= 3; energies and lengths are measured on them.
    tolerance
        Part of the energy that may be left to gain, by the solver's own estimate.
    polish
        Go on from the coarse grid to all the nodes, at a tenth of the tolerance: several times the work, for the
        last half percent of energy.

    check
        Hold the paths against their lines on a finer grid. Without it, a path that seems shorter is believed, and
        lengths are all that may be asked of the result: neighbours, whose paths are nearly straight, cost a third.

    From the straight line, quasi-Newton on a few nodes and then more, or GEORCE where the inverse tensor is a formula;
    Gauss-Newton for those it does not bring home.
    In two and three dimensions the shortest path through a lattice is a second place to start from, and the better path
    is kept. The paths are compared with the line on a finer grid. One that is dearer or longer is solved again on twice
    the nodes, from the line at an even pace, and if that does not help the line itself is returned, with an outcome
    that says so. The result has the precision and is on the device of ``starts``.
    Raises ``PointInvalid`` for points that do not match or are not finite, and what the metric raises.
    """
    a, b = _points(starts, ends, metric)
    if nodes < 3:
        raise ValueError(f"a path needs at least 3 nodes, got {nodes}")
    if not len(a):
        return _none(a, nodes, like=starts)
    other_ways = lattice(metric, torch.cat([a, b])) if a.shape[1] in SIDES else None
    low_dimensional = other_ways is not None
    descents = Descents(
        metric, metric.computed_typical(), nodes, tolerance, max_steps, polish, low_dimensional
    )
    work = _Work(descents, check, other_ways)
    return _joined(
        [work.solve(*pair) for pair in zip(a.split(CHUNK), b.split(CHUNK), strict=True)], like=starts
    )


@dataclass(frozen=True)
class _Work:
    """What is asked for, the same for every chunk of pairs."""

    descents: Descents
    check: bool
    other_ways: Lattice | None

    @property
    def metric(self) -> Metric:
        return self.descents.metric

    @property
    def nodes(self) -> int:
        return self.descents.nodes

    @property
    def tolerance(self) -> float:
        return self.descents.tolerance

    def solve(self, starts: Points, ends: Points) -> Geodesics:
        straight = line(starts, ends, self.nodes)
        result = _Result.lines(straight, *_measure(self.metric, straight))
        same, flat = coincident(starts, ends), result.line_energy == 0
        result.end(same, Stop.COINCIDENT)
        result.end(flat & ~same, Stop.FLAT)
        todo = (~same & ~flat & torch.isfinite(result.line_energy)).nonzero().flatten()
        if len(todo):
            descent = self.descents.run(
                line(starts[todo], ends[todo], self.descents.grids[0]), self.descents.grids
            )
            if self.other_ways is not None:
                descent = self._other_way(self.other_ways, descent)
            curves = resample(descent.curves, self.nodes)
            result.put(todo, curves, *_measure(self.metric, curves), descent)
            if self.check:
                self._hold_against_lines(result, straight, todo, descent.energy)
        return Geodesics(*(getattr(result, part.name) for part in fields(result)))

    def _hold_against_lines(
        self, result: _Result, straight: Curves, indices: Tensor, coarse_energy: Tensor
    ) -> None:
        """Look closer at those of the paths that may be no better than their lines, and mend or replace these."""
        indices = indices[self._doubtful(result, indices, coarse_energy)]
        if not len(indices):
            return
        result.remeasure(indices, *self._fine(result.nodes[indices]), *self._fine(straight[indices]))
        worse = indices[result.no_better(indices)]
        if len(worse):
            finer = self.descents.run(self._evenly(straight[worse]), (2 * self.nodes - 1,))
            curves = resample(finer.curves, self.nodes)
            result.put(worse, curves, *self._fine(curves), finer)
            result.keep_lines(straight, worse[result.no_better(worse)], self.tolerance)
        stationary = self._stands_still(result, straight)
        stationary[indices] |= self._unresolved(result, straight, indices)
        result.keep_lines(straight, stationary.nonzero().flatten(), self.tolerance)
        result.end(stationary, Stop.FLAT)
        self._report_on_nodes(result, straight, indices)

    def _report_on_nodes(self, result: _Result, straight: Curves, which: Tensor) -> None:
        """Energies and lengths on the nodes, as for the others, unless these belie the verdict of the fine grid."""
        fine = [part[which] for part in result.measures]
        result.remeasure(
            which, *_measure(self.metric, result.nodes[which]), *_measure(self.metric, straight[which])
        )
        belied = result.no_better(which) & (result.nodes[which] != straight[which]).flatten(1).any(1)
        result.remeasure(which[belied], *(part[belied] for part in fine))

    def _evenly(self, straight: Curves) -> Curves:
        """Lines walked at the speed at which they are as long everywhere: no way along them has less energy."""
        fine = resample(straight, FINE * (self.nodes - 1) + 1)
        steps = self.metric.squared_steps(fine).clamp_min(0).sqrt()
        times = torch.stack([even_times(along, 2 * self.nodes - 1) for along in steps]).to(straight)
        return torch.lerp(straight[:, :1], straight[:, -1:], times[:, :, None])

    def _stands_still(self, result: _Result, straight: Curves) -> Tensor:
        """Which lines were called shortest because the decoder's derivative is zero all along them; (batch,)."""
        stationary = torch.tensor([why is Stop.STRAIGHT for why in result.stop], device=straight.device)
        if not self.metric.chordal or not stationary.any():
            return torch.zeros_like(stationary)
        samples = line(straight[stationary, 0], straight[stationary, -1], LINE_SAMPLES)
        along = (straight[stationary, -1] - straight[stationary, 0]).repeat_interleave(LINE_SAMPLES, 0)
        squared = self.metric.inner(samples.flatten(0, 1), along, along)
        stationary[stationary.clone()] = (squared.view(-1, LINE_SAMPLES) == 0).all(1)
        return stationary

    def _unresolved(self, result: _Result, straight: Curves, indices: Tensor) -> Tensor:
        """Whether rounding of the outputs decides between each path and its line on the fine grid; (some,)."""
        beside = (result.nodes[indices] != straight[indices]).flatten(1).any(1)
        if beside.any():
            step = result.line_energy[indices[beside]].sqrt() / (FINE * (self.nodes - 1))
            rounding = self.metric.rounding(straight[indices[beside], -1])
            beside[beside.clone()] = step < RESOLVED * rounding
        return beside

    def _other_way(self, lattice: Lattice, descent: Descent) -> Descent:
        """The better of what was found from the lines and what is found from the ways through the lattice."""
        starts, ends = descent.curves[:, 0], descent.curves[:, -1]
        ways, lengths = lattice.paths(starts, ends, self.descents.grids[0])
        # on few nodes a path can seem shorter than it is; so its length, too, is that on the fine grid
        indices = (lengths < ROUGH * self._fine_energy(descent.curves).sqrt()).nonzero().flatten()
        if not len(indices):
            return descent
        descent = self._better(descent, indices, self.descents.run(ways[indices], self.descents.grids))
        # a descent that leapt over what lies between its nodes has lost the way it was given
        leapt = indices[
            self._fine_energy(ways[indices]) < (1 - ROUND_OFF) * self._fine_energy(descent.curves[indices])
        ]
        if len(leapt):
            descent = self._better(
                descent, leapt, self.descents.run(ways[leapt], (4 * self.descents.grids[-1] - 3,))
            )
            energy, none = self.metric.energy(ways[leapt]), torch.zeros_like(leapt)
            descent = self._better(
                descent, leapt, Descent(ways[leapt], energy, none, [Stop.STALLED] * len(leapt))
            )
        return descent

    def _better(self, descent: Descent, indices: Tensor, other: Descent) -> Descent:
        """What was found, with some of its curves replaced by others where these have less energy on the fine grid."""
        better = self._fine_energy(other.curves) < (1 - ROUND_OFF) * self._fine_energy(
            descent.curves[indices]
        )
        replaced = better.nonzero().flatten()
        if not len(replaced):
            return descent
        n = descent.curves.shape[1]
        curves, energy, steps = (part[replaced] for part in other[:3])
        # a way through the lattice that needed no step is not the straight line
        stop = [
            Stop.CONVERGED if other.stop[k] is Stop.STRAIGHT else other.stop[k] for k in replaced.tolist()
        ]
        return with_replaced(descent, indices[replaced], Descent(resample(curves, n), energy, steps, stop))

    def _fine_energy(self, curves: Curves) -> Tensor:
        return self._fine(curves)[0]

    def _fine(self, curves: Curves) -> tuple[Tensor, Tensor]:
        """(energy, length) on the fine grid, each (batch,)."""
        fine = FINE * (self.nodes - 1) + 1
        parts = [_measure(self.metric, resample(part, fine)) for part in curves.split(FINE)]
        energies, lengths = zip(*parts, strict=True)
        return torch.cat(energies), torch.cat(lengths)

    def _doubtful(self, result: _Result, indices: Tensor, coarse_energy: Tensor) -> Tensor:
        """Whether each path, found on a coarser grid with the energy it had there, needs a closer look; (batch,)."""
        curves, energy, line_energy = (
            result.nodes[indices],
            result.energy[indices],
            result.line_energy[indices],
        )
        vouched = self.metric.closed_form or (self.metric.chordal and self.descents.typical is not None)
        if self.other_ways is not None or not vouched:
            return torch.ones_like(energy).bool()
        if self.metric.chordal:
            energy = energy + DISTRUST * (energy - coarse_energy).abs()
        else:
            energy, line_energy = (
                self._glance(part) for part in (curves, line(curves[:, 0], curves[:, -1], 2))
            )
        shorter = result.length[indices] < (1 - CLEAR / 2) * result.line_length[indices]
        return ~(shorter & (energy < (1 - CLEAR) * line_energy))

    def _glance(self, curves: Curves) -> Tensor:
        """Energy, the metric looked at in the middle of each step of a finer grid; (batch,)."""
        finer = resample(curves, GLANCE * (self.nodes - 1) + 1)
        steps = Steps.of(finer, 1)
        squared = self.metric.inner(steps.samples, steps.moves, steps.moves)
        return (finer.shape[1] - 1) * squared.view(len(curves), -1).sum(1)


@dataclass
class _Result:
    """What ``Geodesics`` will hold, pair by pair, as it is found. Paths and lines are measured on the same grid."""

    nodes: Curves
    energy: Tensor
    length: Tensor
    line_energy: Tensor
    line_length: Tensor
    steps: Tensor
    stop: list[Stop]

    @classmethod
    def lines(cls, straight: Curves, energy: Tensor, length: Tensor) -> _Result:
        """The straight lines, for pairs that no path is looked for."""
        steps = torch.zeros(len(straight), dtype=torch.long, device=straight.device)
        paths = energy.clone(), length.clone()
        return cls(straight.clone(), *paths, energy, length, steps, [Stop.NOT_FINITE] * len(straight))

    def end(self, mask: Tensor, why: Stop) -> None:
        """Name the end of some, given by a mask."""
        for k in mask.nonzero().flatten().tolist():
            self.stop[k] = why

    def put(self, indices: Tensor, curves: Curves, energy: Tensor, length: Tensor, descent: Descent) -> None:
        """Paths for some of the pairs."""
        self.nodes[indices], self.energy[indices], self.length[indices] = curves, energy, length
        self.steps[indices] = descent.steps
        for k, why in zip(indices.tolist(), descent.stop, strict=True):
            self.stop[k] = why

    @property
    def measures(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Energy and length of the paths, and of the lines."""
        return self.energy, self.length, self.line_energy, self.line_length

    def remeasure(self, indices: Tensor, *measures: Tensor) -> None:
        """The same four of some of them, on another grid."""
        for part, values in zip(self.measures, measures, strict=True):
            part[indices] = values

    def no_better(self, indices: Tensor) -> Tensor:
        """Whether each path has no less energy than its line, or is longer; (some,)."""
        cheaper = self.energy[indices] < (1 - ROUND_OFF) * self.line_energy[indices]
        return ~(cheaper & (self.length[indices] <= (1 + ROUND_OFF) * self.line_length[indices]))

    def keep_lines(self, straight: Curves, indices: Tensor, tolerance: float) -> None:
        """Lines instead of paths that are no better; the shortest where a settled path is about as long."""
        for k in indices.tolist():
            settled = self.stop[k] in (Stop.STRAIGHT, Stop.CONVERGED)
            near = abs(float(self.length[k] / self.line_length[k]) - 1) <= tolerance
            self.stop[k] = Stop.STRAIGHT if settled and near else Stop.LINE_KEPT
        self.nodes[indices] = straight[indices]
        self.energy[indices], self.length[indices] = self.line_energy[indices], self.line_length[indices]
        self.end(~torch.isfinite(self.line_energy), Stop.NOT_FINITE)


def _measure(metric: Metric, curves: Curves) -> tuple[Tensor, Tensor]:
    """(energy, length), each (batch,)."""
    squared = metric.squared_steps(curves).clamp_min(0)
    return squared.sum(1) * squared.shape[1], squared.sqrt().sum(1)


def coincident(starts: Points, ends: Points) -> Tensor:
    """True for each pair that is one point to within rounding; (batch,)."""
    apart = (starts - ends).abs().amax(1)
    return apart <= 16 * torch.finfo(starts.dtype).eps * (1 + starts.abs().amax(1))


def _points(starts: Points, ends: Points, metric: Metric) -> tuple[Points, Points]:
    for name, points in (("start", starts), ("end", ends)):
        if not isinstance(points, Tensor):
            raise PointInvalid(
                f"{name} points must be a torch tensor (batch, latent), not {type(points).__name__}; "
                "torch.as_tensor(points) makes one"
            )
    if starts.ndim != 2 or starts.shape != ends.shape:
        raise PointInvalid(
            f"starts and ends must be (batch, latent), got {tuple(starts.shape)}, {tuple(ends.shape)}; "
            "for one pair use start[None], end[None]"
        )
    if metric.latent_dim is not None and starts.shape[1] != metric.latent_dim:
        raise PointInvalid(
            f"the metric takes latent points of {metric.latent_dim} numbers, got {starts.shape[1]}"
        )
    for name, points in (("start", starts), ("end", ends)):
        bad = (~torch.isfinite(points).all(1)).nonzero().flatten().tolist()
        if bad:
            raise PointInvalid(
                f"{name} points {bad[:5]} have NaN or infinity in them; every coordinate must be finite"
            )
    return _there(starts, metric), _there(ends, metric)


def _there(points: Points, metric: Metric) -> Points:
    """Points in the precision of the metric, and on its device; half precision as float32."""
    dtype = metric.dtype or (
        points.dtype if points.dtype in (torch.float32, torch.float64) else torch.float32
    )
    return points.detach().to(metric.device or points.device, dtype)


def _none(points: Points, nodes: int, like: Points) -> Geodesics:
    """No paths, for no pairs."""
    number = points.new_zeros(0)
    curves = points.new_zeros(0, nodes, points.shape[1])
    return _joined([Geodesics(curves, number, number, number, number, number.long(), [])], like)


def _joined(parts: list[Geodesics], like: Points) -> Geodesics:
    def cat(name: str) -> Tensor:
        whole = torch.cat([getattr(part, name) for part in parts]).to(like.device)
        return whole.to(like.dtype) if whole.is_floating_point() and like.is_floating_point() else whole

    return Geodesics(
        cat("nodes"),
        cat("energy"),
        cat("length"),
        cat("line_energy"),
        cat("line_length"),
        cat("steps"),
        [stop for part in parts for stop in part.stop],
    )
