"""A linear autoencoder of the model's size, with the same rendering: where lines are right by construction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from sonifold.evaluate.reconstruction import principal_components
from sonifold.model import Model
from sonifold.morph.render import Renderer
from sonifold.representation.spectral import suppress_hiss
from sonifold.sound import Sound
from sonifold.types import FeatureMaps, Points

BLOCK = 32


@dataclass(frozen=True, eq=False)
class LinearRenderer(Renderer):
    """A renderer that decodes principal components of the library's sounds."""

    centre: Tensor  # (K,)
    principal: Tensor  # (K, latent): orthonormal

    @classmethod
    def of(cls, model: Model, count: int | None = None) -> Self:
        """As many components as the model has latent coordinates, of its library's sounds or the first ``count``."""
        ids = model.library.ids[:count]
        audio = [model.library.audio(sound_id, model.sound_samples) for sound_id in ids]
        coefficients = torch.cat(
            [
                model.coefficients.analyse(model.representation.analyse(part)[0])
                for part in torch.stack(audio).split(BLOCK)
            ]
        )
        components = principal_components(coefficients, model.latent_dim)
        return cls(model.representation, model.vae, model.coefficients, *components)

    def encode(self, features: FeatureMaps) -> Points:
        """Scores (batch, latent) of features (batch, band, frame)."""
        return (self.coefficients.analyse(features) - self.centre) @ self.principal

    def features(self, points: Points, condition: Tensor | None = None) -> FeatureMaps:
        """Features (batch, band, frame) at scores (batch, latent)."""
        return suppress_hiss(self.coefficients.synthesise(self.centre + points @ self.principal.T))

    def moved(self, features: FeatureMaps) -> Points:
        """Scores of features that were moved along a path."""
        return self.encode(features)

    def sound(self, sound: Sound) -> Sound:
        """A recorded sound with its scores for its latent point, and what they leave out for its residual."""
        assert sound.features is not None, "a recorded sound has features"
        point = self.encode(sound.features[None])
        return replace(sound, z=point[0], residual=self.residual(sound.features[None], point)[0])
