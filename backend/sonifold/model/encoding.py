"""Recordings and library sounds as sounds of a model: prepared, encoded, their latent points inverted."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from sonifold.audio.check import caveats, examine
from sonifold.audio.prepare import audible_seconds, one_shot, to_float
from sonifold.audio.read import Recording
from sonifold.morph.render import Renderer
from sonifold.pack.read import PackParts
from sonifold.sound import Sound
from sonifold.types import Audio, FeatureMaps, Points


class SoundEncoder:
    """Encodes one sound at a time. One serves many threads."""

    def __init__(self, parts: PackParts, renderer: Renderer):
        self._parts, self._renderer = parts, renderer

    def encode(self, recording: Recording) -> Sound:
        """See :meth:`sonifold.Model.encode_recording`."""
        prepared = one_shot(recording)
        audio = torch.from_numpy(to_float(prepared))
        sound = self.encode_prepared(audio, None, recording.name, audible_seconds(prepared))
        facts = examine(recording.samples, recording.sample_rate, recording.offset)
        return replace(sound, caveats=caveats(recording, facts))

    def library_sound(self, sound_id: str) -> Sound:
        """A sound of the library, with its stored latent point. Raises SoundNotFound."""
        library = self._parts.library
        row = library.index(sound_id)
        label = library.labels[row]
        audio = library.audio(sound_id, self._parts.representation.samples)
        sound = self.encode_prepared(audio, library.z[row], label.name, label.seconds)
        return replace(sound, id=label.id, pitch_hz=label.pitch_hz)

    def encode_prepared(self, audio: Audio, z: Tensor | None, name: str, seconds: float) -> Sound:
        """A prepared one-shot (sample,) as a sound; its latent point is inverted where ``z`` (latent,) is None."""
        features, level = self._parts.representation.analyse(audio[None])
        points = self._inverted(features) if z is None else z[None]
        residual = self._renderer.residual(features, points)
        return Sound(
            points[0].cpu(),
            name,
            None,
            seconds,
            audio,
            features[0].cpu(),
            residual[0].cpu(),
            level=float(level[0]),
        )

    def _inverted(self, features: FeatureMaps) -> Points:
        return self._renderer.inversion(self._parts.coefficients.analyse(features))
