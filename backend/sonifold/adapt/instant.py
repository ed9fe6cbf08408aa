"""Adaptation at once: what the base leaves out of the uploads, interpolated over latent space.

How far it carries is chosen by leaving out one upload at a time. The base's own weights stay as they are: adapting adds
a field of residuals to what is decoded, and taking it away again is an exact undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from sonifold.adapt import residual_field
from sonifold.adapt.forecast import Forecast
from sonifold.adapt.replay import trained
from sonifold.adapt.residual_field import Choice
from sonifold.adapt.ridge import Statistics
from sonifold.adapt.sliders import Slider, sliders
from sonifold.adapt.uploads import Uploads
from sonifold.model import Model
from sonifold.sound import Sound
from sonifold.types import Points
from sonifold.vae.field import ResidualField
from sonifold.vae.inversion import invert
from sonifold.vae.network import VAE

STEPS = 4  # of latent inversion, from where the base had put an upload


@dataclass(frozen=True)
class Adaptation:
    """The change to the base, and the evidence that it was computed from."""

    base: Model  # untouched: going back to it is the undo
    uploads: Uploads
    choice: Choice
    forecast: Forecast
    field: ResidualField | None  # what was added; None where nothing of the uploads carries to others


class AdaptedModel(Model):
    """A pack whose decoder has taken in a few sounds. Everything a :class:`~sonifold.Model` does, it does.

    The map stays where it was; what is decoded from a place on it has moved.
    """

    def __init__(self, adaptation: Adaptation, vae: VAE):
        base = adaptation.base
        super().__init__(replace(base.parts, vae=vae), base.device)
        # decoded timbre has turned with the head: the library's places must be known by the new one
        self.atlas = replace(base.atlas, coordinates=self.coordinates(base.library.z))
        self.adaptation = adaptation

    base = property(lambda self: self.adaptation.base, doc="The model before: the exact undo.")
    forecast = property(lambda self: self.adaptation.forecast, doc="What was expected of adapting.")

    @cached_property
    def uploads(self) -> tuple[Sound, ...]:
        """The uploads, each where the adapted decoder comes closest to it, ready to be an end of a path."""
        uploads = self.adaptation.uploads
        z = invert(self.vae, uploads.coefficients, uploads.z, STEPS).cpu()
        features = torch.stack([sound.features for sound in uploads.sounds if sound.features is not None])
        residuals = self.renderer.residual(features, z).cpu()
        return tuple(replace(sound, z=z[i], residual=residuals[i]) for i, sound in enumerate(uploads.sounds))

    @cached_property
    def sliders(self) -> tuple[Slider, ...]:
        """Named directions that the uploads vary along and the base does not, as sliders."""
        return sliders(self.adaptation.base, self.adaptation.uploads)


def statistics(model: Model) -> Statistics:
    """The base's hidden features over the sounds it was trained on; a few milliseconds, from the pack's library."""
    return Statistics.of(model.vae, trained_points(model))


def trained_points(model: Model) -> Points:
    """Latent points (sound, latent) of the sounds the base was trained on, on its device."""
    return model.library.z[trained(model.library)].to(model.device)


def forecast(model: Model, sounds: Sequence[Sound], seed: int = 0) -> Forecast:
    """The gain expected of adapting to these sounds, computed beforehand; those that repeat another are left out.

    Raises:
        UploadsInvalid: no sounds, too many, or one without a recording.
    """
    uploads = Uploads.different(_base(model), sounds, seed)
    return Forecast.of(_base(model), uploads, choose(_base(model), uploads))


def instant(
    model: Model, sounds: Sequence[Sound], seed: int = 0, budget: float = residual_field.BUDGET
) -> AdaptedModel:
    """The model adapted to a few recorded sounds; ``model`` itself stays as it is.

    Args:
        sounds: 1 to 100, best 5 to 20, as ``model.encode`` gives them; those that repeat another are left out.
        seed: of the altered copies.
        budget: how far the base's own decodings may move, mean square in Phi^2.

    Raises:
        UploadsInvalid: no sounds, too many, or one without a recording.
    """
    return adapted_to(_base(model), Uploads.different(_base(model), sounds, seed), budget)


def adapted_to(base: Model, uploads: Uploads, budget: float = residual_field.BUDGET) -> AdaptedModel:
    """The same from uploads that were prepared before."""
    choice = choose(base, uploads)
    field = field_of(base, base.vae, uploads, choice, budget)
    adaptation = Adaptation(base, uploads, choice, Forecast.of(base, uploads, choice), field)
    return AdaptedModel(adaptation, residual_field.with_field(base.vae, field))


def choose(base: Model, uploads: Uploads) -> Choice:
    """The length scale and the noise of the uploads' residuals."""
    few = uploads.thinned(residual_field.rows(len(uploads)))
    timbre_map, _ = base.coefficients.timbre_map
    apart = torch.pdist(uploads.z)
    unit = float(apart.median()) if len(apart) else base.config.metric.temperature
    return residual_field.choose(few.points, few.evidence(base.vae), timbre_map, max(unit, 1e-3))


def field_of(
    base: Model, vae: VAE, uploads: Uploads, choice: Choice, budget: float = residual_field.BUDGET
) -> ResidualField | None:
    """The field of what ``vae`` leaves out of the uploads."""
    few = uploads.thinned(residual_field.rows(len(uploads)))
    timbre_map, _ = base.coefficients.timbre_map
    return residual_field.within_budget(
        few.points, few.evidence(vae), choice, trained_points(base), timbre_map, budget
    )


def _base(model: Model) -> Model:
    return model.base if isinstance(model, AdaptedModel) else model
