"""New points drawn at random, each with the library sound nearest to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from sonifold.caveat import Caveat
from sonifold.choices import MetricName, SamplerName
from sonifold.metric import KernelMetric
from sonifold.model.core import LatentModel
from sonifold.model.distribution import Distribution
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
from sonifold.types import Points, Positions

MOST_SAMPLES = 256
#: Trajectories of HMC after and during its warm-up: .3 s for 16 sounds of the pack. Their mean log density is 26 then,
#: 29 after 400; neither lets a chain cross between groups of sounds.
HMC_STEPS, HMC_WARM_UP = 20, 25
#: Steps of a walk between two sounds of it, so that they differ to the ear.
WALK_EVERY = 20


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


class PointSampler:
    """Draws new points of a model."""

    def __init__(self, model: LatentModel, distribution: Distribution):
        self._model, self._distribution = model, distribution

    def sample(
        self,
        sampler: str = "hmc",
        count: int = 16,
        seed: int = 0,
        temperature: float = 1.0,
        start: Sound | None = None,
        metric: str = MetricName.KERNEL,
    ) -> Draw:
        """New points by one of :class:`sonifold.choices.SamplerName`; the same seed draws the same ones.

        Args:
            count: 1 to 256.
            temperature: above 1 more varied, below more typical; a walk takes longer or shorter steps.
            start: where a walk begins.
            metric: the one whose volume is drawn by, one of the model's ``volume_metric_names``; the samplers that
                know of none leave it alone.

        Raises:
            MetricUnavailable: a metric that points cannot be drawn by.
            ValueError: an unknown sampler, a count or temperature out of range, a walk without a start.
        """
        name = SamplerName.of(sampler)
        if not 1 <= count <= MOST_SAMPLES:
            raise ValueError(f"1 to {MOST_SAMPLES} sounds are drawn at once, got {count}.")
        volume = self._model.volume_metric(metric)
        samples = (
            self._walk(volume, count, seed, temperature, start)
            if name is SamplerName.WALK
            else self._sampler(name, volume).sample(count, seed, temperature)
        )
        samples = replace(samples, points=samples.points.cpu())
        distances = self._distribution.distances(samples.points)
        in_distribution = self._distribution.contains(samples.points, distances)
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
            [self._distribution.nearest(row, 1)[0] for row in distances],
            caveats,
        )

    def _walk(
        self, metric: KernelMetric, count: int, seed: int, temperature: float, start: Sound | None
    ) -> Samples:
        if start is None:
            raise ValueError("a walk needs a sound to start from.")
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature must be a positive number, got {temperature}; 1 is neutral")
        walk = wander(metric, start.z, count, seed, PACE * temperature, WALK_EVERY)
        return Samples(walk.points[1:], "walk", seed, temperature, walk.acceptance)

    def _sampler(self, name: SamplerName, metric: KernelMetric) -> Sampler:
        model, library = self._model, self._model.library
        match name:
            case SamplerName.PRIOR:
                return Prior(model.latent_dim)
            case SamplerName.MIXTURE:
                return self._mixture
            case SamplerName.AGGREGATED:
                return AggregatedPosterior(library.z, library.log_variance.exp())
            case SamplerName.HMC:
                return VolumeHMC(metric, steps=HMC_STEPS, warm_up=HMC_WARM_UP)
            case _:
                return ImportanceResampling(metric)

    @cached_property
    def _mixture(self) -> Mixture:
        return Mixture(self._model.library.z)
