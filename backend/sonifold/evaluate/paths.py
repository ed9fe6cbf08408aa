"""Is a geodesic better than a straight line? The protocol: optimise one metric, judge with measures it did not see.

Pairs are random library sounds. What is judged is the rendered audio, residuals included. Mid points are the steps
with t in [.4, .6]; they are judged against the real sounds of the library without the two ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.audio.timbre import timbre_features
from sonifold.evaluate.audio import mel_levels
from sonifold.evaluate.intervals import Estimate, bootstrap
from sonifold.model import Model
from sonifold.path import Kind
from sonifold.representation.spectral import ONSET
from sonifold.sound import Sound
from sonifold.types import AudioBatch

NEIGHBOURS = 5  # k of the density
FINER = 8  # grid on which energies are compared
STEPS = 17
MIDDLE = slice(7, 10)  # steps 8 to 10 of 17: t = .44, .5, .56
WAYS: tuple[Kind, ...] = ("geodesic", "linear", "retimed", "graph")


def pairs(model: Model, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Random pairs of different library sounds, by id."""
    draw = np.random.default_rng(seed)
    chosen = [draw.choice(len(model.library), 2, replace=False) for _ in range(count)]
    ids = model.library.ids
    return [(ids[a], ids[b]) for a, b in chosen]


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
    places = torch.tensor([[model.library.index(a), model.library.index(b)] for a, b in ids])
    starts, ends = model.library.z[places[:, 0]], model.library.z[places[:, 1]]
    ratios, done = [], []
    for a, b in zip(starts.split(block), ends.split(block), strict=True):
        solved = geodesic.solve(metric, a, b)
        fine = FINER * (solved.nodes.shape[1] - 1) + 1
        ratios.append(
            metric.energy(geodesic.resample(solved.nodes, fine)) / metric.energy(geodesic.line(a, b, fine))
        )
        done += solved.converged
    ratio = torch.cat(ratios).double().numpy()
    return EnergyReport(
        int((ratio > 1 + 1e-5).sum()),
        int((~np.isfinite(ratio)).sum()),
        float(np.mean(done)),
        bootstrap(ratio),
        float(np.mean(ratio > 0.98)),
        count,
    )


@dataclass(frozen=True)
class Judgement:
    """What was measured on one way between one pair."""

    variation: float  # of the steps in Phi of the rendered audio
    variation_mel: float  # of the steps in log-mel dB, which nothing optimised
    length: float  # in the model's unit
    nearest: float  # Phi distance of mid points to the nearest real sound
    density: float  # of real sounds around the mid points (Naeem et al. 2020), 1 among the data
    nearest_mel: float  # as ``nearest``, in RMS log-mel dB
    end_error: float  # log-mel error of the ends against the recordings, dB


def judge(model: Model, count: int, seed: int = 1) -> Iterator[dict[str, Judgement]]:
    """For each of ``count`` random pairs, every way between them and the cross-fade, judged by its rendered audio."""
    real = _Reality(model)
    for first, second in pairs(model, count, seed):
        ends = model.sound(first), model.sound(second)
        apart = [model.library.index(first), model.library.index(second)]
        found: dict[str, Judgement] = {}
        for way in WAYS:
            path, clip = model.morph(model.paths([ends], way, steps=STEPS)[0])
            found[way] = real.judge(clip.audio, apart, path.length, ends)
        found["cross-fade"] = real.judge(_cross_fade(*ends), apart, float("nan"), ends)
        yield found


def summary(judgements: list[dict[str, Judgement]]) -> dict[str, dict[str, Estimate]]:
    """Mean and interval of every number, by way."""
    ways = judgements[0]
    return {
        way: {
            name: bootstrap([getattr(j[way], name) for j in judgements])
            for name in Judgement.__dataclass_fields__
        }
        for way in ways
    }


def advantage(judgements: list[dict[str, Judgement]], name: str, way: str, other: str) -> Estimate:
    """Paired difference of a measure between two ways, with its interval."""
    return bootstrap([getattr(j[way], name) - getattr(j[other], name) for j in judgements])


def _cross_fade(start: Sound, end: Sound) -> AudioBatch:
    assert start.audio is not None
    assert end.audio is not None
    t = torch.linspace(0, 1, STEPS)[:, None]
    return (1 - t) * start.audio + t * end.audio


class _Reality:
    """The library's recordings as a reference set."""

    def __init__(self, model: Model):
        self.model = model
        self.phi = model.library.timbre
        distance = torch.cdist(self.phi, self.phi)
        self.radius = distance.kthvalue(NEIGHBOURS + 1, dim=1).values  # itself is the first
        self.mel = torch.cat(
            [self._mel(model.library.audio(i, model.sound_samples)[None]) for i in model.library.ids]
        )

    def _mel(self, audio: AudioBatch) -> Tensor:
        """Coarse log-mel levels (batch, n): a feature space no metric here was fitted in."""
        levels = mel_levels(audio, self.model.sample_rate)
        return torch.nn.functional.avg_pool2d(levels[:, None], (2, 4))[:, 0].flatten(1)

    def judge(
        self, audio: AudioBatch, apart: list[int], length: float, ends: tuple[Sound, Sound]
    ) -> Judgement:
        rate = self.model.sample_rate
        phi = timbre_features(audio, rate, ONSET / rate)
        mel = self._mel(audio)
        to_real = torch.cdist(phi[MIDDLE], self.phi)
        to_real[:, apart] = torch.inf
        to_mel = torch.cdist(mel[MIDDLE], self.mel)
        to_mel[:, apart] = torch.inf
        density = (to_real < self.radius).sum(1) / NEIGHBOURS
        cells = mel.shape[1] ** 0.5
        recorded = torch.stack([end.audio for end in ends if end.audio is not None])
        error = (mel[[0, -1]] - self._mel(recorded)).abs().mean()
        return Judgement(
            _variation(phi),
            _variation(mel),
            length,
            float(to_real.amin(1).mean()),
            float(density.float().mean()),
            float(to_mel.amin(1).mean() / cells),
            float(error),
        )


def _variation(points: Tensor) -> float:
    steps = points.diff(dim=0).norm(dim=1)
    return float(steps.std(correction=0) / steps.mean().clamp(min=1e-9))
