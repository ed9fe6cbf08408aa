"""What one cell of the evaluation is made of: uploads of a group, its other sounds, and how they are scored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sonifold.adapt import replay
from sonifold.adapt.instant import statistics
from sonifold.adapt.ridge import Statistics
from sonifold.adapt.uploads import Uploads
from sonifold.metric import SequentialTangents
from sonifold.model import Model
from sonifold.sound import Sound
from sonifold.training.datasets import table
from sonifold.types import Points
from sonifold.vae.inversion import PRIOR, invert
from sonifold.vae.network import VAE
from sonifold_research.fewshot import encodings, groups
from sonifold_research.fewshot.encodings import Encodings
from sonifold_research.fewshot.groups import Group, Sounds

OTHERS = 24  # sounds of a group that are scored, at most
FEWEST = 5  # others that must be left of a group
DRIFT_SOUNDS = 30  # of the base's own held-out sounds
STEPS = 2  # of latent refinement, from where the base had put a sound
CHORDS = 4  # of its cheap form, for decoders that share their hidden layers with the base
DAMPING = 1e-2  # of the mean curvature
Extra = Callable[[Points], Tensor]  # what is added to decodings, (batch, K)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Score:
    """Phi errors in the domain of features, from refined points, without residuals."""

    others: float  # of the group's other sounds
    own: float  # of the uploads
    drift: float  # change of the base's error on its own held-out sounds
    seconds: float  # that adapting took


@dataclass(frozen=True)
class Bench:
    """Everything the cells share."""

    model: Model
    sounds: Sounds
    encodings: Encodings
    statistics: Statistics
    library: Tensor  # (sound, K) that the base was trained on
    timbre_weight: Tensor  # (512, K)
    offset: Tensor  # (512,)
    held_out: tuple[Tensor, Tensor, Points]  # coefficients, timbre and points of the base's held-out sounds
    cache: Path | None = None  # where what takes long is kept

    @classmethod
    def build(cls, model: Model, dataset: Path, cache: Path, progress: Progress) -> Bench:
        """Sounds and encodings, made once and kept in ``cache``."""
        sounds = groups.build(dataset, cache / "notes.safetensors", progress)
        encoded = encodings.encode(model, sounds, cache / "encodings.safetensors", progress)
        timbre_weight, offset = model.coefficients.timbre_map
        rows = [row for row in table.read(dataset) if row.split == "held_out_sounds"][::2][:DRIFT_SOUNDS]
        features = torch.cat(
            [model.representation.analyse(part)[0] for part in table.load_audio(dataset, rows).split(16)]
        )
        values = model.coefficients.analyse(features)
        held_out = values, model.representation.timbre(features), model.inverted(values)
        library = replay.coefficients(model)[replay.trained(model.library)]
        return cls(model, sounds, encoded, statistics(model), library, timbre_weight, offset, held_out, cache)

    @staticmethod
    def draw(group: Group, count: int, seed: int) -> tuple[list[int], list[int]]:
        """Indices of ``count`` uploads and of the other sounds they are judged by."""
        order = np.random.default_rng([seed, 17]).permutation(group.indices).tolist()
        return order[:count], order[count : count + OTHERS]

    def uploads(self, indices: list[int], seed: int) -> Uploads:
        """As the app would make them."""
        features, _ = self.model.representation.analyse(self.sounds.audio[indices])
        sounds = [
            Sound(self.encodings.z[index], str(index), features=features[i], audio=self.sounds.audio[index])
            for i, index in enumerate(indices)
        ]
        return Uploads.of(self.model, sounds, seed=seed)

    @torch.no_grad()
    def phi_error(self, vae: VAE, indices: list[int], inverted: bool = True) -> float:
        """Mean Phi error of sounds rebuilt by ``vae``."""
        values = self.encodings.coefficients[indices]
        z = invert(vae, values, self.encodings.z[indices], STEPS) if inverted else vae.encode(values)[0]
        return self._mean_error(vae.decode(z), self.encodings.timbre[indices])

    @torch.no_grad()
    def base_error(self, vae: VAE) -> float:
        """Mean Phi error on the base's own held-out sounds."""
        values, timbre, z = self.held_out
        return self._mean_error(vae.decode(invert(vae, values, z, 1)), timbre)

    def _mean_error(self, decoded: Tensor, timbre: Tensor) -> float:
        return float((decoded @ self.timbre_weight.T + self.offset - timbre).norm(dim=1).mean())

    @cached_property
    def undrifted(self) -> float:
        """The base's own error on them."""
        return self.base_error(self.model.vae)

    def score(self, vae: VAE, upload_indices: list[int], others: list[int], began: float) -> Score:
        """Of an adaptation that began at ``began`` (``time.perf_counter``) and has just ended."""
        seconds = time.perf_counter() - began
        drift = self.base_error(vae) - self.undrifted
        return Score(self.phi_error(vae, others), self.phi_error(vae, upload_indices), drift, seconds)

    def closed(self, upload_indices: list[int], others: list[int]) -> ClosedScores:
        """Scores of many closed forms on one cell."""
        return ClosedScores(self, upload_indices, others)


class ClosedScores:
    """Scores of decoders that share their hidden layers with the base: only the head differs, or something is added.

    Points are refined by chords: Gauss-Newton steps with the Jacobian of where the base had put the sound, whose
    hidden part is the same for all of them. A step that does not help is not taken.
    """

    @torch.no_grad()
    def __init__(self, bench: Bench, upload_indices: list[int], others: list[int]):
        self.bench, self.counts = bench, (len(others), len(upload_indices))
        indices = [*others, *upload_indices]
        values, timbre, z = bench.held_out
        self.values = torch.cat([bench.encodings.coefficients[indices], values])
        self.timbre = torch.cat([bench.encodings.timbre[indices], timbre])
        self.z = torch.cat([bench.encodings.z[indices], z])
        width = bench.model.vae.config.width
        trunk = nn.Sequential(*list(bench.model.vae.decoder)[:-1], _identity(width))
        _, self.slopes = SequentialTangents(trunk, exact=True).with_jacobian(self.z)  # (sound, latent, width)
        self.before = self._drifted(self._errors(bench.model.vae, None))

    def _errors(self, vae: VAE, extra: Extra | None) -> Tensor:
        head = vae.decoder[-1]
        assert isinstance(head, nn.Linear)  # what VAE builds
        jacobian = self.slopes @ head.weight.T / self.values.shape[1] ** 0.5
        curvature = jacobian @ jacobian.mT + PRIOR * torch.eye(self.z.shape[1])
        mean = torch.diagonal(curvature, dim1=1, dim2=2).mean(1)[:, None, None]
        factor = torch.linalg.cholesky(curvature + DAMPING * mean * torch.eye(self.z.shape[1]))

        def at(z: Points) -> tuple[Tensor, Tensor]:
            residual = vae.decode(z) + (extra(z) if extra is not None else 0) - self.values
            return residual, residual.square().mean(1) + PRIOR * z.square().sum(1)

        z = self.z
        error_rows, loss = at(z)
        for _ in range(CHORDS):
            slope = (jacobian @ error_rows[..., None])[..., 0] / self.values.shape[1] ** 0.5 + PRIOR * z
            candidate = z - torch.cholesky_solve(slope[..., None], factor)[..., 0]
            reached, lower = at(candidate)
            better = (lower < loss)[:, None]
            z, error_rows = torch.where(better, candidate, z), torch.where(better, reached, error_rows)
            loss = torch.minimum(loss, lower)
        decoded = error_rows + self.values
        errors: Tensor = (decoded @ self.bench.timbre_weight.T + self.bench.offset - self.timbre).norm(dim=1)
        return errors

    def _drifted(self, errors: Tensor) -> float:
        return float(errors[sum(self.counts) :].mean())

    @torch.no_grad()
    def score(self, vae: VAE, began: float, extra: Extra | None = None) -> Score:
        """Of an adaptation that began at ``began`` (``time.perf_counter``) and has just ended."""
        seconds = time.perf_counter() - began
        errors = self._errors(vae, extra)
        others, upload_errors = errors[: self.counts[0]], errors[self.counts[0] : sum(self.counts)]
        return Score(
            float(others.mean()), float(upload_errors.mean()), self._drifted(errors) - self.before, seconds
        )


def _identity(width: int) -> nn.Linear:
    """A last layer that changes nothing: tangents are propagated to what comes before it."""
    layer = nn.Linear(width, width)
    layer.weight.data, layer.bias.data = torch.eye(width), torch.zeros(width)
    return layer
