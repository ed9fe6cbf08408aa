"""Reconstruction of unseen sounds by a model and by simpler baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sonifold.audio.levels import all_measures
from sonifold.audio.timbre import timbre_features
from sonifold.intervals import Estimate, bootstrap
from sonifold.model import Model
from sonifold.morph.render import POINT_ITERATIONS
from sonifold.representation.spectral import ONSET
from sonifold.types import AudioBatch, FeatureMaps

BLOCK = 16
Rebuild = Callable[[AudioBatch], AudioBatch]


@dataclass(frozen=True)
class Baselines:
    """Baselines of reconstruction: the training sounds, their mean, and linear PCA of the model's dimension."""

    audio: AudioBatch  # (sound, sample) of the training split
    timbre: Tensor  # (sound, 512)
    mean: FeatureMaps  # (1, band, frame)
    principal: Tensor  # (K, latent): orthonormal, in coefficient space
    centre: Tensor  # (K,)

    @classmethod
    def of(cls, model: Model, audio: AudioBatch) -> Baselines:
        """From the training sounds."""
        spectral = model.representation
        maps = [spectral.analyse(part)[0] for part in audio.split(BLOCK)]
        coefficients = torch.cat([model.coefficients.analyse(part) for part in maps])
        centre, principal = principal_components(coefficients, model.latent_dim)
        total = torch.stack([part.sum(0) for part in maps]).sum(0) / len(audio)
        return cls(audio, _timbre(audio, model), total[None], principal, centre)


def principal_components(coefficients: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(mean (K,), the first ``count`` orthonormal axes (K, count)) of coefficients (sound, K)."""
    centre = coefficients.mean(0)
    _, _, axes = torch.linalg.svd(coefficients - centre, full_matrices=False)
    return centre, axes[:count].T


def rebuilders(model: Model, baselines: Baselines) -> dict[str, Rebuild]:
    """Methods to rebuild a sound, by name; all without residuals and through the same synthesis."""
    spectral, coefficients = model.representation, model.coefficients

    def rendered(maps: FeatureMaps) -> AudioBatch:
        return spectral.synthesise(spectral.normalise(maps), iterations=POINT_ITERATIONS)

    def analysed(audio: AudioBatch) -> Tensor:
        return coefficients.analyse(spectral.analyse(audio)[0])

    def through_model(audio: AudioBatch) -> AudioBatch:
        return rendered(model.renderer.features(model.inverted(analysed(audio))))

    def through_encoder(audio: AudioBatch) -> AudioBatch:
        return rendered(model.renderer.features(model.vae.encode(analysed(audio))[0]))

    def linear(audio: AudioBatch) -> AudioBatch:
        scores = (analysed(audio) - baselines.centre) @ baselines.principal
        return rendered(coefficients.synthesise(baselines.centre + scores @ baselines.principal.T))

    def nearest(audio: AudioBatch) -> AudioBatch:
        return baselines.audio[torch.cdist(_timbre(audio, model), baselines.timbre).argmin(1)]

    def mean(audio: AudioBatch) -> AudioBatch:
        return rendered(baselines.mean).expand(len(audio), -1)

    def ceiling(audio: AudioBatch) -> AudioBatch:
        return rendered(spectral.analyse(audio)[0])

    return {
        "model": through_model,
        "model, encoder's mean only": through_encoder,
        f"linear PCA of {model.latent_dim} dimensions": linear,
        "nearest training sound": nearest,
        "mean of the training set": mean,
        "analysis and resynthesis (ceiling)": ceiling,
    }


@torch.no_grad()
def evaluate(model: Model, audio: AudioBatch, rebuild: Rebuild) -> dict[str, Estimate]:
    """Every measure of :mod:`sonifold.audio.levels` over sounds (sound, sample), with intervals."""
    onset = ONSET / model.sample_rate
    parts = [all_measures(part, rebuild(part), model.sample_rate, onset) for part in audio.split(BLOCK)]
    return {name: bootstrap(values) for name, values in _joined(parts).items()}


def _joined(parts: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    parts = list(parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _timbre(audio: AudioBatch, model: Model) -> Tensor:
    onset = ONSET / model.sample_rate
    return torch.cat([timbre_features(part, model.sample_rate, onset) for part in audio.split(BLOCK)])
