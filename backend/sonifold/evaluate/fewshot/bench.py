"""What one cell of the evaluation is made of: uploads of a group, its other sounds, and how they are scored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonifold.adapt import replay
from sonifold.adapt.instant import statistics
from sonifold.adapt.ridge import Statistics
from sonifold.adapt.uploads import Uploads
from sonifold.datasets import table
from sonifold.evaluate.fewshot import encodings, groups
from sonifold.evaluate.fewshot.encodings import Encodings
from sonifold.evaluate.fewshot.groups import Group, Sounds
from sonifold.model import Model
from sonifold.sound import Sound
from sonifold.types import Points
from sonifold.vae.network import VAE
from sonifold.vae.refine import refine

OTHERS = 24  # sounds of a group that are scored, at most
FEWEST = 5  # others that must be left of a group
DRIFT_SOUNDS = 40  # of the base's own held-out sounds
STEPS = 3  # of latent refinement, from where the base had put a sound
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
    heard: Tensor  # (512, K)
    offset: Tensor  # (512,)
    kept: tuple[Tensor, Tensor, Points]  # coefficients, timbre and points of the base's held-out sounds

    @classmethod
    def build(cls, model: Model, dataset: Path, cache: Path, progress: Progress) -> Bench:
        """Sounds and encodings, made once and kept in ``cache``."""
        sounds = groups.build(dataset, cache / "notes.safetensors", progress)
        encoded = encodings.encode(model, sounds, cache / "encodings.safetensors", progress)
        heard, offset = model.coefficients.timbre_map(model.representation)
        rows = [row for row in table.read(dataset) if row.split == "held_out_sounds"][::2][:DRIFT_SOUNDS]
        features = torch.cat(
            [model.representation.analyse(part)[0] for part in table.load_audio(dataset, rows).split(16)]
        )
        values = model.coefficients.analyse(features)
        kept = values, model.representation.timbre(features), model.refined(values)
        library = replay.coefficients(model)[replay.trained(model.library)]
        return cls(model, sounds, encoded, statistics(model), library, heard, offset, kept)

    def draw(self, group: Group, count: int, seed: int) -> tuple[list[int], list[int]]:
        """Places of ``count`` uploads and of the other sounds they are judged by."""
        order = np.random.default_rng([seed, 17]).permutation(group.places).tolist()
        return order[:count], order[count : count + OTHERS]

    def uploads(self, places: list[int], seed: int) -> Uploads:
        """As the app would make them."""
        features, _ = self.model.representation.analyse(self.sounds.audio[places])
        given = [
            Sound(self.encodings.z[place], str(place), features=features[i], audio=self.sounds.audio[place])
            for i, place in enumerate(places)
        ]
        return Uploads.of(self.model, given, seed=seed)

    @torch.no_grad()
    def phi_error(
        self, vae: VAE, places: list[int], extra: Extra | None = None, refined: bool = True
    ) -> float:
        """Mean Phi error of sounds rebuilt by ``vae``."""
        values = self.encodings.coefficients[places]
        z = refine(vae, values, self.encodings.z[places], STEPS) if refined else vae.encode(values)[0]
        decoded = vae.decode(z) + (extra(z) if extra is not None else 0)
        return float(
            (decoded @ self.heard.T + self.offset - self.encodings.timbre[places]).norm(dim=1).mean()
        )

    @torch.no_grad()
    def base_error(self, vae: VAE, extra: Extra | None = None) -> float:
        """Mean Phi error on the base's own held-out sounds."""
        values, timbre, z = self.kept
        z = refine(vae, values, z, STEPS - 1)
        decoded = vae.decode(z) + (extra(z) if extra is not None else 0)
        return float((decoded @ self.heard.T + self.offset - timbre).norm(dim=1).mean())

    @cached_property
    def undrifted(self) -> float:
        """The base's own error on them."""
        return self.base_error(self.model.vae)

    def score(
        self, vae: VAE, own: list[int], others: list[int], began: float, extra: Extra | None = None
    ) -> Score:
        """Of an adaptation that began at ``began`` (``time.perf_counter``) and has just ended."""
        seconds = time.perf_counter() - began
        return Score(
            self.phi_error(vae, others, extra),
            self.phi_error(vae, own, extra),
            self.base_error(vae, extra) - self.undrifted,
            seconds,
        )
