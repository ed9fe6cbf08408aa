"""New points from old: averages, analogies, extrapolations and samples, each with what is near it.

A point is *in distribution* where the model's sound for it is as close to that of some library sound as library sounds
are to one another (all but the loneliest twentieth of them), and no further out than they are. Elsewhere the decoder
was never trained and may answer with anything; every result that lies there carries a caveat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.atlas import smooth_course
from sonifold.caveat import Caveat
from sonifold.choices import SamplerName
from sonifold.model.core import LatentModel
from sonifold.sample import (
    PACE,
    AggregatedPosterior,
    ImportanceResampling,
    Mixture,
    Prior,
    Sampler,
    Samples,
    VolumeHMC,
    wander,
)
from sonifold.sound import Sound
from sonifold.types import Curve, Points, Positions

#: Share of the library's sounds that are in distribution with the rest of it as the only evidence.
SHARE_INSIDE = 0.95
#: Library sounds named beside a new point.
NAMED = 3
#: An average of more sounds than this takes too long to ask for by hand.
MOST_ANCHORS = 16
#: Furthest extrapolation, in distances from A to B.
FURTHEST = 4.0
MOST_SAMPLES = 256
#: Trajectories of HMC after and during its warm-up: .3 s for 16 sounds of the pack. Their mean log density is 26 then,
#: 29 after 400; neither lets a chain cross between groups of sounds.
HMC_STEPS, HMC_WARM_UP = 20, 25
#: Steps of a walk between two sounds of it, so that they differ to the ear.
WALK_EVERY = 20


@dataclass(frozen=True)
class Point:
    """A new latent point and what is around it."""

    z: Tensor  #: (latent,)
    position: Tensor  #: (2,) on the map
    in_distribution: bool
    nearest: list[tuple[str, float]]  #: library sounds nearest to what the model makes of it: (id, distance)
    caveats: list[Caveat]
    sound: Sound = field(repr=False)  #: ready to be an end of a path

    @property
    def distance(self) -> float:
        """To the nearest library sound, in the model's unit, both as the model makes them."""
        return self.nearest[0][1]


@dataclass(frozen=True)
class MeanPoint(Point):
    """A weighted Frechet mean."""

    spokes: list[Positions]  #: (point, 2) on the map, from the mean to each sound
    distances: Tensor  #: (sound,) lengths of the spokes under the metric
    variance: float  #: weighted mean of their squares
    converged: bool


@dataclass(frozen=True)
class AnalogyPoint(Point):
    """A is to B as C is to this."""

    curve: Curve  #: (node, latent) from C to here
    course: Positions  #: the same on the map, (node, 2)


@dataclass(frozen=True)
class ExtrapolationPoint(Point):
    """What lies beyond B, seen from A."""

    curve: Curve  #: (node, latent) from A through B to here
    course: Positions  #: the same on the map, (node, 2)
    times: Tensor  #: (node,), 0 at A, 1 at B
    left: (
        float | None
    )  #: the time after which no point of the curve is in distribution; None: it never leaves for good


@dataclass(frozen=True)
class Draw:
    """New points by one of the samplers."""

    samples: Samples
    positions: Positions  #: (count, 2)
    in_distribution: Tensor  #: (count,) bool
    nearest: list[tuple[str, float]]  #: of each, (id, distance)
    caveats: list[Caveat]

    @property
    def points(self) -> Points:
        """(count, latent)."""
        return self.samples.points


class PointOperations:
    """What can be done with a model's points besides walking between two of them."""

    def __init__(self, model: LatentModel):
        self._model = model

    # -- in distribution --------------------------------------------------------------------------

    @cached_property
    def reach(self) -> float:
        """Distance of decoded timbre (of Phi) within which a point has company: see the top of this module."""
        timbre = self._model.atlas.coordinates
        distances = torch.cdist(timbre, timbre)
        distances.fill_diagonal_(math.inf)
        return float(distances.amin(1).quantile(SHARE_INSIDE))

    def in_distribution(self, points: Points) -> Tensor:
        """Which latent points (batch, latent) are in distribution, (batch,) bool; see the top of this module."""
        return self._in_distribution(points, self.away(points))

    def _in_distribution(self, points: Points, distances: Tensor) -> Tensor:
        edge = self._model.library.z.norm(dim=1).max()
        in_distribution: Tensor = (distances.amin(1) <= self.reach) & (points.norm(dim=1) <= edge)
        return in_distribution

    def away(self, points: Points) -> Tensor:
        """Distances of Phi to all library sounds, both as the model makes them, (batch, sound)."""
        return torch.cdist(self._model.coordinates(points), self._model.atlas.coordinates)

    def _nearest(self, distances: Tensor, count: int) -> list[tuple[str, float]]:
        near, index = distances.topk(min(count, len(distances)), largest=False)
        labels, scale = self._model.library.labels, self._model.config.unit_per_phi
        return [(labels[i].id, d * scale) for i, d in zip(index.tolist(), near.tolist(), strict=True)]

    def _around(self, z: Tensor, caveats: list[Caveat]) -> Point:
        distances = self.away(z[None])
        in_distribution = bool(self._in_distribution(z[None], distances)[0])
        nearest = self._nearest(distances[0], NAMED)
        if not in_distribution:
            name = self._model.library.labels[self._model.library.index(nearest[0][0])].name
            caveats = [
                *caveats,
                Caveat(
                    "off_the_data",
                    f"outside what the model knows: the nearest sound, {name}, is {nearest[0][1]:.1f} "
                    f"{self._model.unit} away",
                ),
            ]
        sound = self._model.point(z)
        return Point(z, self._model.project(z[None])[0], in_distribution, nearest, caveats, sound)

    def _drawn(self, curve: Curve) -> Positions:
        return smooth_course(self._model.project(curve))

    # -- operations -------------------------------------------------------------------------------

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
        place = self._around(average.point, caveats)
        return MeanPoint(
            **vars(place),
            spokes=[self._drawn(curve) for curve in geodesic.resample(average.curves, 33)],
            distances=average.distances,
            variance=average.variance,
            converged=average.converged,
        )

    def analogy(
        self, a: Sound, b: Sound, c: Sound, metric: str = "blend", weight: float | None = None
    ) -> AnalogyPoint:
        """A is to B as C is to what? The direction from A to B, carried along the geodesic to C and followed there."""
        flow = geodesic.analogy(self._model.metric(metric, weight), a.z[None], b.z[None], c.z[None])
        curve, caveats = self._finite(flow.nodes[0])
        if not caveats and float(flow.drift[0]) > 0.1:
            caveats.append(
                Caveat(
                    "uneven",
                    f"the speed of the last leg drifted by {float(flow.drift[0]):.0%}: a rough answer",
                )
            )
        return AnalogyPoint(**vars(self._around(curve[-1], caveats)), curve=curve, course=self._drawn(curve))

    def extrapolate(
        self,
        a: Sound,
        b: Sound,
        to: float = 1.5,
        metric: str = "blend",
        weight: float | None = None,
    ) -> ExtrapolationPoint:
        """On from A through B along their geodesic, as far as ``to`` times the way between them.

        Raises:
            ValueError: ``to`` is not above 1, or above 4.
        """
        if not 1 < to <= FURTHEST:
            raise ValueError(f"`to` must be greater than 1 and at most {FURTHEST:g} (1 is B), got {to}.")
        extrapolated = geodesic.extrapolate(
            self._model.metric(metric, weight), a.z[None], b.z[None], to, self.in_distribution
        )
        curve, caveats = self._finite(extrapolated.nodes[0])
        left = extrapolated.left[0]
        if left is not None:
            caveats.append(Caveat("left_the_data", f"left the data at t = {left:.2f}"))
        place = self._around(curve[-1], caveats)
        return ExtrapolationPoint(
            **vars(place),
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
            "stopped where the way ran off to where no sounds are"
            if torch.isfinite(curve[first]).all()
            else "stopped where the metric has no direction to go on in: the decoder is flat there"
        )
        return curve[: max(1, first)], [Caveat("stopped_early", why)]

    # -- samples ----------------------------------------------------------------------------------

    def sample(
        self,
        sampler: str = "hmc",
        count: int = 16,
        seed: int = 0,
        temperature: float = 1.0,
        start: Sound | None = None,
    ) -> Draw:
        """New points by one of :class:`sonifold.choices.SamplerName`; the same seed draws the same ones.

        Args:
            count: 1 to 256.
            temperature: above 1 more varied, below more typical; a walk takes longer or shorter steps.
            start: where a walk begins.

        Raises:
            ValueError: an unknown sampler, a count or temperature out of range, a walk without a start.
        """
        name = SamplerName.of(sampler)
        if not 1 <= count <= MOST_SAMPLES:
            raise ValueError(f"1 to {MOST_SAMPLES} sounds are drawn at once, got {count}.")
        samples = (
            self._walk(count, seed, temperature, start)
            if name is SamplerName.WALK
            else self._sampler(name).sample(count, seed, temperature)
        )
        samples = replace(samples, points=samples.points.cpu())
        distances = self.away(samples.points)
        in_distribution = self._in_distribution(samples.points, distances)
        caveats = []
        if samples.effective is not None and samples.effective < count / 2:
            caveats.append(
                Caveat("few_effective", f"these {count} are worth {samples.effective:.1f} independent draws")
            )
        if samples.acceptance is not None and samples.acceptance < 0.2:
            caveats.append(
                Caveat("low_acceptance", f"only {samples.acceptance:.0%} of the proposals were accepted")
            )
        if samples.escapes:
            caveats.append(Caveat("escaped", f"{samples.escapes} of {count} left the sampling region"))
        return Draw(
            samples,
            self._model.project(samples.points),
            in_distribution,
            [self._nearest(row, 1)[0] for row in distances],
            caveats,
        )

    def _walk(self, count: int, seed: int, temperature: float, start: Sound | None) -> Samples:
        if start is None:
            raise ValueError("a walk needs a sound to start from.")
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature must be a positive number, got {temperature}; 1 is neutral")
        walk = wander(self._model.kernel, start.z, count, seed, PACE * temperature, WALK_EVERY)
        return Samples(walk.points[1:], "walk", seed, temperature, walk.acceptance)

    def _sampler(self, name: SamplerName) -> Sampler:
        model, library = self._model, self._model.library
        match name:
            case SamplerName.PRIOR:
                return Prior(model.latent_dim)
            case SamplerName.MIXTURE:
                return self._mixture
            case SamplerName.AGGREGATED:
                return AggregatedPosterior(library.z, library.log_variance.exp())
            case SamplerName.HMC:
                return VolumeHMC(model.working_kernel, steps=HMC_STEPS, warm_up=HMC_WARM_UP)
            case _:
                return ImportanceResampling(model.working_kernel)

    @cached_property
    def _mixture(self) -> Mixture:
        return Mixture(self._model.library.z)
