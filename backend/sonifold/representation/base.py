"""The base class of representations: fixed pairs of analysis and synthesis without trained parts."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from sonifold.types import AudioBatch, FeatureMaps, Timbre


class Representation(Protocol):
    """Audio <-> features in which perceptual distance is Euclidean."""

    sample_rate: int  # Hz
    samples: int  # of a prepared sound
    onset: int  # samples of lead-in before a prepared sound begins

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
