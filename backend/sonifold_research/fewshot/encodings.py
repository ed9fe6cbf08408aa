"""What the evaluation needs of each sound, computed once: coefficients, timbre, and classic altered copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sonifold.model import Model
from sonifold.training.augment import augment
from sonifold.types import AudioBatch
from sonifold_research.fewshot.groups import Sounds

COPIES = 10  # classic augmentations of each sound
BLOCK = 16
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Encodings:
    """Columns over the sounds of all groups."""

    coefficients: Tensor  # (sound, K)
    timbre: Tensor  # (sound, 512), Phi of the features
    copies: Tensor  # (sound, COPIES, K)
    z: Tensor  # (sound, latent), refined by the base


def encode(model: Model, sounds: Sounds, cache: Path, progress: Progress) -> Encodings:
    """Analyse every sound and its copies, kept in ``cache``; nothing of another sound is mixed into a copy."""
    if not cache.exists():
        values, timbre, copies = [], [], []
        audio = sounds.audio.numpy()
        for start in range(0, len(audio), BLOCK):
            part = range(start, min(start + BLOCK, len(audio)))
            features, _ = model.representation.analyse(sounds.audio[start : start + BLOCK])
            values.append(model.coefficients.analyse(features))
            timbre.append(model.representation.timbre(features))
            altered = [
                augment(audio[i], audio[[i]], np.random.default_rng([i, copy]), model.sample_rate)
                for i in part
                for copy in range(COPIES)
            ]
            copies.append(
                _coefficients(model, torch.from_numpy(np.stack(altered))).unflatten(0, (-1, COPIES))
            )
            progress("groups: features", part.stop, len(audio))
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {
                "coefficients": torch.cat(values),
                "timbre": torch.cat(timbre),
                "copies": torch.cat(copies),
                "z": torch.cat([model.inverted(part) for part in torch.cat(values).split(64)]),
            },
            cache,
        )
    return Encodings(**load_file(cache))


def _coefficients(model: Model, audio: AudioBatch) -> Tensor:
    return torch.cat(
        [model.coefficients.analyse(model.representation.analyse(part)[0]) for part in audio.split(BLOCK)]
    )
