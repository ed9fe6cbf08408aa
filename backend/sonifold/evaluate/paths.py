"""Is a geodesic better than a straight line? The protocol: optimise one metric, judge with measures it did not see.

Pairs are random library sounds. What is judged is the rendered audio, residuals included. Mid points are the steps
with t in [.4, .6]; they are judged against the real sounds of the library without the two ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.audio.levels import mel_levels
from sonifold.audio.timbre import timbre_features
from sonifold.choices import MetricName
from sonifold.intervals import Estimate, bootstrap
from sonifold.model import Model
from sonifold.morph.crossfade import cross_fade
from sonifold.morph.path import Path
from sonifold.representation.spectral import ONSET
from sonifold.sound import Sound
from sonifold.types import AudioBatch

NEIGHBOURS = 5  # k of the density
FINER = 8  # grid on which energies are compared
STEPS = 17
MIDDLE = slice(7, 10)  # steps 8 to 10 of 17: t = .44, .5, .56


class Method(NamedTuple):
    """A kind of path between two sounds."""

    kind: str = "geodesic"
    metric: str = "blend"
    weight: float | None = None  # of the blend's data term; the pack's default when None


def by_method(results: dict[str, Any]) -> dict[str, Any]:
    """What was measured of each method, from a part of a card; cards of packs built before say "ways"."""
    estimates: dict[str, Any] = results["methods"] if "methods" in results else results["ways"]
    return estimates


#: The default path and what it is compared with.
METHODS = {kind: Method(kind) for kind in ("geodesic", "linear", "retimed", "graph")}
#: Every metric that all models have, for choosing the default among them.
METRIC_METHODS = {
    "line": Method("linear", "flat"),
    "line, re-timed": Method("retimed", "flat"),
    "pullback": Method(metric="pullback"),
    "kernel": Method(metric="kernel"),
    "blend, w = 1": Method(weight=1.0),
    "blend, w = 3": Method(weight=3.0),
    "blend, w = 10": Method(weight=10.0),
    "graph": Method("graph"),
}


def metric_methods(model: Model) -> dict[str, Method]:
    """Every metric of a model."""
    learned = {"learned (RHVAE)": Method(metric=MetricName.LEARNED)}
    return METRIC_METHODS | (learned if MetricName.LEARNED in model.metric_names else {})


def pairs(model: Model, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Random pairs of different library sounds, by id."""
    draw = np.random.default_rng(seed)
    rows = [draw.choice(len(model.library), 2, replace=False) for _ in range(count)]
    ids = model.library.ids
    return [(ids[a], ids[b]) for a, b in rows]


@dataclass(frozen=True)
class EnergyReport:
    """Energies of solved paths against their lines, on a finer grid."""

    worse_than_line: int
    not_finite: int
    converged: float  # share
    ratio: Estimate  # energy over the line's
    straight: float  # share of pairs whose line is within 2 % of the geodesic
    n: int


def energies(model: Model, count: int, seed: int = 0, block: int = 50) -> EnergyReport:
    """Solve ``count`` random pairs under the default metric and measure them 8 times finer than they were solved."""
    metric = model.metric()
    ids = pairs(model, count, seed)
    rows = torch.tensor([[model.library.index(a), model.library.index(b)] for a, b in ids])
    starts, ends = model.library.z[rows[:, 0]], model.library.z[rows[:, 1]]
    ratios, converged = [], []
    for a, b in zip(starts.split(block), ends.split(block), strict=True):
        solved = geodesic.solve(metric, a, b)
        fine = FINER * (solved.nodes.shape[1] - 1) + 1
        ratios.append(
            metric.energy(geodesic.resample(solved.nodes, fine)) / metric.energy(geodesic.line(a, b, fine))
        )
        converged += solved.converged
    ratio = torch.cat(ratios).double().numpy()
    return EnergyReport(
        int((ratio > 1 + 1e-5).sum()),
        int((~np.isfinite(ratio)).sum()),
        float(np.mean(converged)),
        bootstrap(ratio),
        float(np.mean(ratio > 0.98)),
        count,
    )


@dataclass(frozen=True)
class Judgement:
    """Measures of one kind of path between one pair."""

    variation: float  # of the steps in Phi of the rendered audio
    variation_mel: float  # of the steps in log-mel dB, which nothing optimised
    largest_mel: float  # largest step over the mean one, log-mel dB
    length: float  # in the model's unit
    straightness: float  # distance between the ends over the length
    energy: float  # under its own metric, over the line's
    nearest: float  # Phi distance of mid points to the nearest real sound
    density: float  # of real sounds around the mid points (Naeem et al. 2020), 1 among the data
    nearest_mel: float  # as ``nearest``, in RMS log-mel dB
    density_mel: float  # as ``density``, in log-mel dB
    reencoding: float  # latent distance from mid points to what the encoder makes of their decodings
    switches: float  # changes of family of the real sound that is nearest in log-mel dB, along the way
    end_error: float  # log-mel error of the ends against the recordings, dB


class Judge:
    """Random pairs, every method between them and the cross-fade, judged by their rendered audio."""

    def __init__(self, model: Model, count: int, seed: int = 1, methods: dict[str, Method] = METHODS):
        self.model, self.methods, self.pairs, self.real = (
            model,
            methods,
            pairs(model, count, seed),
            _Reality(model),
        )

    def __call__(self, index: int) -> dict[str, Judgement]:
        """Of one pair, by method."""
        first, second = self.pairs[index]
        ends = self.model.sound(first), self.model.sound(second)
        apart = [self.model.library.index(first), self.model.library.index(second)]
        judgements: dict[str, Judgement] = {}
        for name, method in self.methods.items():
            path, clip = self.model.morph(
                self.model.paths([ends], method.kind, method.metric, method.weight, STEPS)[0]
            )
            judgements[name] = self.real.judge(clip.audio, apart, ends, path)
        judgements["cross-fade"] = self.real.judge(_faded(*ends), apart, ends)
        return judgements


def judge(model: Model, count: int, seed: int = 1) -> Iterator[dict[str, Judgement]]:
    """For each of ``count`` random pairs, the default path and what it is compared with, judged."""
    judge_pair = Judge(model, count, seed)
    return (judge_pair(index) for index in range(count))


def summary(judgements: list[dict[str, Judgement]]) -> dict[str, dict[str, Estimate]]:
    """Mean and interval of every number, by method."""
    methods = judgements[0]
    return {
        method: {
            name: bootstrap([getattr(j[method], name) for j in judgements])
            for name in Judgement.__dataclass_fields__
        }
        for method in methods
    }


def advantage(judgements: list[dict[str, Judgement]], name: str, method: str, other: str) -> Estimate:
    """Paired difference of a measure between two methods, with its interval."""
    return bootstrap([getattr(j[method], name) - getattr(j[other], name) for j in judgements])


def _faded(start: Sound, end: Sound) -> AudioBatch:
    assert start.audio is not None
    assert end.audio is not None
    return cross_fade(start.audio, end.audio, STEPS)


class _Reality:
    """The library's recordings as a reference set."""

    def __init__(self, model: Model):
        self.model = model
        self.phi = model.library.timbre
        distance = torch.cdist(self.phi, self.phi)
        self.radius = distance.kthvalue(NEIGHBOURS + 1, dim=1).values  # itself is the first
        self.families = np.unique(model.library.families, return_inverse=True)[1]
        self.mel = torch.cat(
            [self._mel(model.library.audio(i, model.sound_samples)[None]) for i in model.library.ids]
        )
        distance = torch.cdist(self.mel, self.mel)
        self.radius_mel = distance.kthvalue(NEIGHBOURS + 1, dim=1).values

    def _mel(self, audio: AudioBatch) -> Tensor:
        """Coarse log-mel levels (batch, n): a feature space no metric here was fitted in."""
        levels = mel_levels(audio, self.model.sample_rate)
        return torch.nn.functional.avg_pool2d(levels[:, None], (2, 4))[:, 0].flatten(1)

    def judge(
        self, audio: AudioBatch, apart: list[int], ends: tuple[Sound, Sound], path: Path | None = None
    ) -> Judgement:
        rate = self.model.sample_rate
        phi = timbre_features(audio, rate, ONSET / rate)
        mel = self._mel(audio)
        to_real, to_mel = torch.cdist(phi[MIDDLE], self.phi), torch.cdist(mel, self.mel)
        for distance in (to_real, to_mel):
            distance[:, apart] = torch.inf
        families = self.families[to_mel.argmin(1).numpy()]
        cells = mel.shape[1] ** 0.5
        recorded = torch.stack([end.audio for end in ends if end.audio is not None])
        steps = mel.diff(dim=0).norm(dim=1)
        length = float("nan") if path is None else path.length
        apart_phi = float((self.phi[apart[0]] - self.phi[apart[1]]).norm()) * self.model.config.unit_per_phi
        return Judgement(
            variation=_variation(phi),
            variation_mel=_variation(mel),
            largest_mel=float(steps.max() / steps.mean().clamp(min=1e-9)),
            length=length,
            straightness=apart_phi / length,
            energy=float("nan") if path is None else path.energy / max(path.line_energy, 1e-12),
            nearest=float(to_real.amin(1).mean()),
            density=float((to_real < self.radius).sum(1).float().mean() / NEIGHBOURS),
            nearest_mel=float(to_mel[MIDDLE].amin(1).mean() / cells),
            density_mel=float((to_mel[MIDDLE] < self.radius_mel).sum(1).float().mean() / NEIGHBOURS),
            reencoding=float("nan") if path is None else self._reencoding(path.nodes[MIDDLE]),
            switches=float((np.diff(families) != 0).sum()),
            end_error=float((mel[[0, -1]] - self._mel(recorded)).abs().mean()),
        )

    @torch.no_grad()
    def _reencoding(self, points: Tensor) -> float:
        reencoded, _ = self.model.vae.encode(self.model.vae.decode(points))
        return float((reencoded - points).norm(dim=1).mean())


def _variation(points: Tensor) -> float:
    steps = points.diff(dim=0).norm(dim=1)
    return float(steps.std(correction=0) / steps.mean().clamp(min=1e-9))
