"""A sound as the model sees it: a latent point and, when it was recorded, what the point leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from sonifold.caveat import Caveat
from sonifold.types import Audio, FeatureMap, FeatureMaps


@dataclass(frozen=True, eq=False)
class Sound:
    """An end of a path: a library sound, an upload, or a bare latent point.

    A recorded sound carries its residual r = features(sound) - decoded(z), so that the ends of a morph are the
    sounds themselves and not the model's idea of them.
    """

    z: Tensor = field(repr=False)  # (latent,)
    name: str = ""
    id: str | None = None  # in the library
    seconds: float | None = None  # until 60 dB under the peak
    audio: Audio | None = field(default=None, repr=False)  # (sample,) as prepared
    features: FeatureMap | None = field(default=None, repr=False)  # (band, frame) of the original
    residual: FeatureMap | None = field(default=None, repr=False)  # (band, frame)
    pitch_hz: float | None = None  # where it is known for certain
    level: float | None = None  # dB, of the loudest frame; the library's median for a bare point
    file: Path | None = field(default=None, repr=False)  # it was read from; never written over
    caveats: tuple[Caveat, ...] = ()  # what was done to the recording to make it a one-shot

    @property
    def recorded(self) -> bool:
        """True if the sound has a recording."""
        return self.audio is not None


def require_sounds(*values: object) -> None:
    """Raises TypeError where something else was given for a sound, such as the name of a file."""
    for value in values:
        if not isinstance(value, Sound):
            raise TypeError(
                f"expected a Sound, got {type(value).__name__} {str(value)[:60]!r}; `model.encode(file)` makes one of "
                "a recording, `model.sound(id)` is one of the library, `model.point(z)` one at a latent point."
            )


def residuals(sounds: list[Sound], like: FeatureMaps) -> FeatureMaps:
    """Residuals (len(sounds), band, frame), zero for bare points."""
    zero = torch.zeros_like(like[0])
    return torch.stack([zero if sound.residual is None else sound.residual.to(like) for sound in sounds])
