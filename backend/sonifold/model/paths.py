"""Paths between two sounds: solved in latent space, timed by what is heard, drawn on the map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.atlas import smooth_course
from sonifold.choices import MetricName, PathKind
from sonifold.geodesic import NeighbourGraph
from sonifold.metric import Metric
from sonifold.model.core import LatentModel
from sonifold.morph.path import HEARD, NODES, Path
from sonifold.shared import RecentValues
from sonifold.sound import Sound, require_sounds
from sonifold.types import Curve, Curves, FeatureMaps, Points, Timbre

MAX_WEIGHT = 10.0  # of the data term; beyond lies the graph path
RECENT_LINES = 8  # measured straight lines kept: a second path between the same sounds costs half
MAX_STEPS = 129
MAP_POINTS = 65  # of a path as drawn
EVEN = 0.04  # variation of the steps that a path is timed for; rendered, it comes out a little more

Pair = tuple[Sound, Sound]


class _Choice(NamedTuple):
    """The kind of a path, its metric, and the weight of the metric's data term."""

    kind: PathKind
    metric: MetricName
    weight: float


class Heard(NamedTuple):
    """Measures of the sounds along a curve, the features where they were computed, the others on the CPU."""

    timbre: Timbre  # (NODES, 512)
    descriptors: dict[str, Tensor]  # name -> (HEARD,)
    features: FeatureMaps  # (HEARD, band, frame)


class Solved(NamedTuple):
    """A curve before it is timed."""

    curve: Curve
    outcome: str
    converged: bool
    energy: float
    line_energy: float


class PathFinder:
    """Finds paths between a model's sounds."""

    def __init__(self, model: LatentModel):
        self._model = model
        self._recent_line = RecentValues(self._heard_on_line, RECENT_LINES)

    def paths(
        self,
        pairs: Sequence[Pair],
        kind: str = "geodesic",
        metric: str = "blend",
        weight: float | None = None,
        steps: int = 17,
    ) -> list[Path]:
        """See :meth:`sonifold.Model.paths`."""
        require_sounds(*(end for pair in pairs for end in pair))
        weight = self._model.config.metric.weight if weight is None else weight
        _check_numbers(weight, steps)
        choice = _Choice(PathKind.of(kind), MetricName.of(metric), weight)
        if choice.kind == "geodesic" and choice.metric == "blend" and math.isinf(weight):
            choice = choice._replace(kind=PathKind.GRAPH)
        measure = self._model.metrics.named(metric, min(weight, MAX_WEIGHT))
        solved = self._solve(pairs, choice.kind, measure)
        return [self._timed(choice, pair, each, steps) for pair, each in zip(pairs, solved, strict=True)]

    def retimed(self, path: Path, heard: Tensor, pinned: int = 0) -> Path:
        """The same curve with its steps at nearly equal distances to the ear; as few are moved as that takes.

        Args:
            heard: (step - 1,) distances that were heard between the steps.
            pinned: steps after A that stay where they are; those after them are spread over the rest.
        """
        reached = torch.cat([torch.zeros(1), heard.cumsum(0)])
        even = torch.linspace(float(reached[pinned]), float(reached[-1]), path.steps - pinned)
        target = torch.from_numpy(np.interp(even, reached, path.times)).to(path.times)
        target = torch.cat([path.times[:pinned], target])
        return self.timed_at(path, torch.where(displaced(heard, pinned), target, path.times))

    def timed_at(self, path: Path, times: Tensor) -> Path:
        """The same curve with its steps at other times (step,)."""
        positions = geodesic.at(path.map[None], times)[0]
        return replace(
            path,
            times=times,
            nodes=geodesic.at(path.curve[None], times)[0],
            step_positions=positions,
            on_land=self._model.atlas.on_land(positions),
            descriptors=_interpolated(path.descriptors, times, path.times),
        )

    # -- solving ----------------------------------------------------------------------------------

    def _solve(self, pairs: Sequence[Pair], kind: PathKind, metric: Metric) -> list[Solved]:
        halfway = torch.stack([self._model.renderer.crossing(*pair).halfway() for pair in pairs])
        starts, ends = halfway[:, 0], halfway[:, 1]
        curves, outcomes, converged = self._curves(pairs, kind, metric, starts, ends)
        curves = metric.to_device(curves)
        energies = metric.energy(curves).tolist()
        line_energies = metric.energy(geodesic.line(starts, ends, NODES)).tolist()
        return [
            Solved(*values)
            for values in zip(curves, outcomes, converged, energies, line_energies, strict=True)
        ]

    def _curves(
        self, pairs: Sequence[Pair], kind: PathKind, metric: Metric, starts: Points, ends: Points
    ) -> tuple[Curves, list[str], list[bool]]:
        if kind == "geodesic":
            solved = geodesic.solve(metric, starts, ends, NODES)
            return solved.nodes, [str(stop) for stop in solved.stop], solved.converged
        if kind == "graph":
            curves = torch.stack([self._through_library(*pair) for pair in pairs])
            return curves, ["through real neighbours"] * len(pairs), [True] * len(pairs)
        return geodesic.line(starts, ends, NODES), ["the straight line"] * len(pairs), [True] * len(pairs)

    def _through_library(self, start: Sound, end: Sound) -> Curve:
        first, last = self._model.coordinates(torch.stack([start.z, end.z]))
        return self._graph.path(start.z, end.z, first, last, NODES).nodes

    @cached_property
    def _graph(self) -> NeighbourGraph:
        return NeighbourGraph(self._model.coordinates(self._model.library.z), self._model.library.z)

    # -- timing and measuring ---------------------------------------------------------------------

    def _timed(self, choice: _Choice, pair: Pair, solved: Solved, steps: int) -> Path:
        model, curve, kind = self._model, solved.curve, choice.kind
        if kind != "graph":
            curve = model.renderer.crossing(*pair).curve(curve)
        curve = curve.cpu()
        heard = self._recent_line(*pair) if kind in ("linear", "retimed") else self._heard_along(curve, pair)
        times = (
            torch.linspace(0, 1, steps) if kind == "linear" else geodesic.constant_speed(heard.timbre, steps)
        )
        timbre = geodesic.at(heard.timbre[None], times)[0]
        fine = geodesic.resample(curve[None], MAP_POINTS)[0]
        drawn = smooth_course(model.project(fine))
        step_positions = geodesic.at(drawn[None], times)[0]
        scale = model.config.unit_per_phi
        return Path(
            *choice,
            *pair,
            nodes=geodesic.at(curve[None], times)[0],
            times=times,
            curve=fine,
            map=drawn,
            step_positions=step_positions,
            on_land=model.atlas.on_land(step_positions),
            water=model.atlas.water(drawn),
            guesswork=self._guesswork(curve, heard.timbre),
            length=_length(heard.timbre) * scale,
            line_length=_length(self._recent_line(*pair).timbre) * scale,
            energy=solved.energy,
            line_energy=solved.line_energy,
            speed=distances_between(timbre) * scale,
            outcome=solved.outcome,
            converged=solved.converged,
            descriptors=_interpolated(heard.descriptors, times),
            features=heard.features,
        )

    def _guesswork(self, curve: Curve, timbre: Timbre) -> float:
        """Mean saturation of the kernel metric on a curve (node, latent), weighted by the distances that are heard."""
        weights, saturation = distances_between(timbre), self._model.kernel.saturation(curve).cpu()
        between = (saturation[1:] + saturation[:-1]) / 2
        return (
            float((weights * between).sum() / weights.sum()) if weights.sum() > 0 else float(between.mean())
        )

    def _heard_on_line(self, start: Sound, end: Sound) -> Heard:
        return self._heard(self._model.renderer.on_line(start, end))

    def _heard_along(self, curve: Curve, pair: Pair) -> Heard:
        """What is heard at evenly spaced parameters of a curve (NODES, latent), residuals included."""
        return self._heard(self._model.renderer.along(curve[:: (NODES - 1) // (HEARD - 1)], *pair))

    @torch.no_grad()
    def _heard(self, maps: FeatureMaps) -> Heard:
        """Measures of features (HEARD, band, frame); Phi between them too, since it is linear in the features."""
        timbre, words = self._model.representation.timbre(maps), self._model.readout(maps)
        fine = geodesic.resample(timbre[None], NODES)[0]
        return Heard(fine.cpu(), {name: values.cpu() for name, values in words.items()}, maps)


def distances_between(timbre: Timbre) -> Tensor:
    """Distances of Phi between successive sounds, (step - 1,)."""
    distances: Tensor = timbre.diff(dim=0).norm(dim=1)
    return distances


def variation(distances: Tensor) -> float:
    """Standard deviation over mean."""
    return float(distances.std(correction=0) / distances.mean().clamp(min=1e-9))


def displaced(heard: Tensor, pinned: int = 0) -> Tensor:
    """Of steps with distances ``heard`` (step - 1,) between them, the fewest that have to move for a variation of at
    most ``EVEN``, bool (step,); the first ``pinned`` after A stay.
    """
    still, others = heard[:pinned], heard[pinned:]
    mean = others.mean().clamp(min=1e-9)
    away = torch.cat([torch.zeros(1), (others / mean - 1).cumsum(0)])  # steps
    moved = torch.zeros(len(away), dtype=torch.bool)
    for step in away.abs().argsort(descending=True):
        if variation(torch.cat([still / mean, 1 + away.diff()])) <= EVEN:
            break
        away[step], moved[step] = 0, True
    return torch.cat([torch.zeros(pinned, dtype=torch.bool), moved])


def _length(timbre: Timbre) -> float:
    return float(timbre.diff(dim=0).norm(dim=1).sum())


def _interpolated(
    along: Mapping[str, Tensor | list[float]], times: Tensor, measured: Tensor | None = None
) -> dict[str, list[float]]:
    """Descriptors at ``times`` from those at the times ``measured``, evenly spaced when None."""
    at = np.linspace(0, 1, len(next(iter(along.values())))) if measured is None else measured.numpy()
    return {name: np.interp(times.numpy(), at, values).tolist() for name, values in along.items()}


def _check_numbers(weight: float, steps: int) -> None:
    if not weight >= 0:
        raise ValueError(f"the data term's weight must be 0 or more, got {weight}.")
    if not 2 <= steps <= MAX_STEPS:
        raise ValueError(f"a path has 2 to {MAX_STEPS} steps, got {steps}.")
