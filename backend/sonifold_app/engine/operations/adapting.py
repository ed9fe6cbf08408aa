"""Adapting a model to a few of the user's sounds, and embedding them in such a model.

torch is imported where it is used: the server answers before it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sonifold_app.engine.answers import Adapted, Reembedded, SliderFacts
from sonifold_app.engine.numbers import numbers
from sonifold_app.engine.operations.sounds import samples_of
from sonifold_app.engine.parallel import MapParallel, map_serially
from sonifold_app.engine.protocol import Operation
from sonifold_app.engine.questions import UserSoundData

if TYPE_CHECKING:
    from sonifold.adapt import AdaptedModel
    from sonifold.model import Model


def adapted(model: Model, sounds: Sequence[UserSoundData], seed: int) -> AdaptedModel:
    """The model adapted to a user's sounds. Raises UploadsInvalid."""
    import torch

    from sonifold import adapt

    recorded = [
        model.recorded(
            samples_of(sound.audio),
            torch.from_numpy(sound.z) if len(sound.z) else None,
            sound.name,
            sound.seconds,
        )
        for sound in sounds
    ]
    return adapt.instant(model, recorded, seed)


def facts_of(model: AdaptedModel) -> Adapted:
    """The forecast, the sliders, and the memory of an adapted model."""
    forecast = model.forecast
    return Adapted(
        coherence=forecast.coherence,
        gain=forecast.gain,
        text=str(forecast),
        carries=model.adaptation.field is not None,
        sliders=tuple(
            SliderFacts(slider.name, slider.title, slider.low, slider.high, slider.share)
            for slider in model.sliders
        ),
        bytes=bytes_of(model),
    )


def bytes_of(model: AdaptedModel) -> int:
    """Memory that an adapted model takes beside its base."""
    uploads = model.adaptation.uploads
    tensors = [*model.vae.state_dict().values(), model.atlas.coordinates]
    tensors += [getattr(uploads, name) for name in ("coefficients", "z", "copies", "copies_z")]
    for sound in uploads.sounds:
        tensors += [part for part in (sound.audio, sound.features, sound.residual) if part is not None]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors}
    return sum(storage.nbytes() for storage in storages.values())


def reembed(
    model: Model, sounds: Sequence[UserSoundData], map_parallel: MapParallel = map_serially
) -> list[Reembedded]:
    """The points at which an adapted model's decoder comes closest to sounds of its base, from the base's points on."""
    import torch

    from sonifold.adapt.instant import STEPS
    from sonifold.vae.inversion import invert

    features, _ = model.representation.analyse(torch.stack([samples_of(sound.audio) for sound in sounds]))
    base_points = torch.stack([torch.from_numpy(sound.z) for sound in sounds])
    z = invert(model.vae, model.coefficients.analyse(features), base_points, STEPS)
    positions, in_distribution = model.project(z).tolist(), model.distribution.contains(z).tolist()
    return [
        Reembedded(numbers(point), (x, y), bool(within))
        for point, (x, y), within in zip(z, positions, in_distribution, strict=True)
    ]


REEMBED = Operation("reembed", UserSoundData, Reembedded, reembed, most=8, rank=1)
