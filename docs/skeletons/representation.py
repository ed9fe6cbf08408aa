"""A new representation: the spectral one, of sounds whose high partials were raised first.

Copy this file to ``backend/sonifold/representation``; nothing else changes. A pack whose ``pack.json`` has
``"representation": "emphasised"`` is then read with it, and one that names an unknown representation is refused.
"""

from __future__ import annotations

from scipy.signal import lfilter
from torch import Tensor, from_numpy

from sonifold.representation.registry import register
from sonifold.representation.spectral import Spectral
from sonifold.types import AudioBatch, FeatureMaps

EMPHASIS = 0.5  # of the sample before, subtracted: +9.5 dB from the lowest to the highest frequency


@register("emphasised")
class Emphasised(Spectral):
    """Features of y[n] = x[n] - EMPHASIS x[n - 1], and back by the inverse filter."""

    def analyse(self, audio: AudioBatch) -> tuple[FeatureMaps, Tensor]:
        """Features (batch, band, frame) and level (batch,) in dB of prepared sounds (batch, samples)."""
        return super().analyse(_filtered([1.0, -EMPHASIS], [1.0], audio))

    def synthesise(
        self, features: FeatureMaps, start: Tensor | None = None, iterations: int = 8
    ) -> AudioBatch:
        """Sounds (batch, samples) whose analysis comes close to the features."""
        return _filtered([1.0], [1.0, -EMPHASIS], super().synthesise(features, start, iterations))


def _filtered(b: list[float], a: list[float], audio: AudioBatch) -> AudioBatch:
    return from_numpy(lfilter(b, a, audio.cpu().numpy(), axis=1)).to(audio)
