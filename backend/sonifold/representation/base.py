"""The base class of representations: fixed pairs of analysis and synthesis without trained parts."""

from __future__ import annotations

import copy
from typing import Protocol, Self

import torch
from torch import Tensor

from sonifold.audio.banded import Banded
from sonifold.device import is_on
from sonifold.types import AudioBatch, FeatureMaps, Timbre


class Representation(Protocol):
    """Audio <-> features in which perceptual distance is Euclidean."""

    sample_rate: int  # Hz
    samples: int  # of a prepared sound
    onset: int  # samples of lead-in before a prepared sound begins
    device: torch.device  # where it computes

    def on(self, device: torch.device) -> Self:
        """The same on a device: itself, or a copy with all its tensors there."""
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, (Tensor, Banded))}
        if all(is_on(device, tensor) for tensor in tensors.values()):
            return self
        copied = copy.copy(self)
        vars(copied).update({name: tensor.to(device) for name, tensor in tensors.items()}, device=device)
        return copied

    def analyse(self, audio: AudioBatch) -> tuple[FeatureMaps, Tensor]:
        """Features (batch, band, frame) and level (batch,) in dB of prepared sounds (batch, samples)."""
        ...

    def synthesise(
        self, features: FeatureMaps, start: Tensor | None = None, iterations: int = 8
    ) -> AudioBatch:
        """Sounds (batch, samples) whose analysis comes close to the features, all equally loud."""
        ...

    def timbre(self, features: FeatureMaps) -> Timbre:
        """The perceptual map Phi, linear in the features, (batch, 512)."""
        ...
