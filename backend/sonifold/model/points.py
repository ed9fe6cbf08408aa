"""New points from old: averages, analogies and extrapolations, each with what is near it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.atlas import smooth_course
from sonifold.caveat import Caveat
from sonifold.model.core import LatentModel
from sonifold.model.distribution import Distribution, Point
from sonifold.sound import Sound
from sonifold.types import Curve, Positions

#: An average of more sounds than this takes too long to ask for by hand.
MOST_ANCHORS = 16
#: Furthest extrapolation, in distances from A to B.
FURTHEST = 4.0


@dataclass(frozen=True)
class MeanPoint(Point):
    """A weighted Frechet mean."""

    spokes: list[Positions]  #: (point, 2) on the map, from the mean to each sound
    distances: Tensor  #: (sound,) lengths of the spokes under the metric
    variance: float  #: weighted mean of their squares
    converged: bool


@dataclass(frozen=True)
class AnalogyPoint(Point):
    """The point that relates to C as B relates to A."""

    curve: Curve  #: (node, latent) from C to here
    course: Positions  #: the same on the map, (node, 2)


@dataclass(frozen=True)
class ExtrapolationPoint(Point):
    """A point beyond B on the geodesic from A."""

    curve: Curve  #: (node, latent) from A through B to here
    course: Positions  #: the same on the map, (node, 2)
    times: Tensor  #: (node,), 0 at A, 1 at B
    left: (
        float | None
    )  #: the time after which no point of the curve is in distribution; None: it never leaves for good


class PointOperations:
    """Averages, analogies and extrapolations of a model's points."""

    def __init__(self, model: LatentModel, distribution: Distribution):
        self._model, self._distribution = model, distribution

    def _drawn(self, curve: Curve) -> Positions:
        return smooth_course(self._model.project(curve))

    def mean(
        self,
        sounds: Sequence[Sound],
        weights: Sequence[float] | None = None,
        metric: str = "blend",
        weight: float | None = None,
    ) -> MeanPoint:
        """The weighted Frechet mean of 2 to 16 sounds: the least sum of weighted squared geodesic distances.

        Raises:
            ValueError: too few or too many sounds; weights that are negative, infinite, all zero or too few.
        """
        if not 2 <= len(sounds) <= MOST_ANCHORS:
            raise ValueError(f"expected 2 to {MOST_ANCHORS} sounds to average, got {len(sounds)}.")
        if weights is not None and not (
            len(weights) == len(sounds) and all(0 <= w < math.inf for w in weights) and sum(weights) > 0
        ):
            raise ValueError(
                f"expected {len(sounds)} finite weights >= 0, one for each sound and not all zero; got {list(weights)}."
            )
        points = torch.stack([sound.z for sound in sounds])
        average = geodesic.frechet_mean(
            self._model.metric(metric, weight), points, None if weights is None else torch.tensor(weights)
        )
        caveats = []
        if not average.converged:
            caveats.append(Caveat("not_converged", f"the average may be a little off: {average.stop}"))
        point = self._distribution.around(average.point, caveats)
        return MeanPoint(
            **vars(point),
            spokes=[self._drawn(curve) for curve in geodesic.resample(average.curves, 33)],
            distances=average.distances,
            variance=average.variance,
            converged=average.converged,
        )

    def analogy(
        self, a: Sound, b: Sound, c: Sound, metric: str = "blend", weight: float | None = None
    ) -> AnalogyPoint:
        """The point that relates to C as B relates to A.

        The initial velocity of the geodesic from A to B is transported in parallel along the geodesic from A to C, and
        followed from there.
        """
        flow = geodesic.analogy(self._model.metric(metric, weight), a.z[None], b.z[None], c.z[None])
        curve, caveats = self._finite(flow.nodes[0])
        if not caveats and float(flow.drift[0]) > 0.1:
            caveats.append(
                Caveat(
                    "uneven",
                    f"the speed of the last leg drifted by {float(flow.drift[0]):.0%}: a rough answer",
                )
            )
        return AnalogyPoint(
            **vars(self._distribution.around(curve[-1], caveats)), curve=curve, course=self._drawn(curve)
        )

    def extrapolate(
        self,
        a: Sound,
        b: Sound,
        to: float = 1.5,
        metric: str = "blend",
        weight: float | None = None,
    ) -> ExtrapolationPoint:
        """The geodesic from A through B, continued to ``to`` times the distance between them.

        Raises:
            ValueError: ``to`` is not above 1, or above 4.
        """
        if not 1 < to <= FURTHEST:
            raise ValueError(f"`to` must be greater than 1 and at most {FURTHEST:g} (1 is B), got {to}.")
        extrapolated = geodesic.extrapolate(
            self._model.metric(metric, weight), a.z[None], b.z[None], to, self._distribution.contains
        )
        curve, caveats = self._finite(extrapolated.nodes[0])
        left = extrapolated.left[0]
        if left is not None:
            caveats.append(Caveat("left_the_data", f"left the data at t = {left:.2f}"))
        point = self._distribution.around(curve[-1], caveats)
        return ExtrapolationPoint(
            **vars(point),
            curve=curve,
            course=self._drawn(curve),
            times=extrapolated.times[: len(curve)],
            left=left,
        )

    def _finite(self, curve: Curve) -> tuple[Curve, list[Caveat]]:
        """The part of a curve (node, latent) before it runs away or ends in NaN, and a caveat if it does."""
        limit = 2 * float(self._model.library.z.abs().max())
        inside = curve.abs().amax(1) <= limit  # False for NaN
        if inside.all():
            return curve, []
        first = int((~inside).nonzero()[0])
        why = (
            "stopped where the path ran off to where no sounds are"
            if torch.isfinite(curve[first]).all()
            else "stopped where the metric has no direction to go on in: the decoder is flat there"
        )
        return curve[: max(1, first)], [Caveat("stopped_early", why)]
