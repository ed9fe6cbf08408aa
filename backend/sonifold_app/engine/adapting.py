"""What the engine does to adapt a model to a few sounds of the user's own, and where such a model has them.

torch is imported where it is used, as in ``compute``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sonifold_app.engine.base import Adapted, Kept, Settled, SliderFacts
from sonifold_app.engine.batching import Spread, serially
from sonifold_app.engine.compute import numbers

if TYPE_CHECKING:
    from torch import Tensor

    from sonifold.adapt import AdaptedModel
    from sonifold.model import Model


def adapted(model: Model, sounds: Sequence[Kept], seed: int) -> AdaptedModel:
    """The model adapted to own sounds. Raises UploadsInvalid."""
    import torch

    from sonifold import adapt

    return adapt.instant(
        model,
        [
            model.recorded(
                samples_of(one), torch.from_numpy(one.z) if len(one.z) else None, one.name, one.seconds
            )
            for one in sounds
        ],
        seed,
    )


def told(model: AdaptedModel) -> Adapted:
    """What is said of an adapted model."""
    forecast = model.forecast
    return Adapted(
        coherence=forecast.coherence,
        gain=forecast.gain,
        text=str(forecast),
        carries=model.adaptation.field is not None,
        sliders=tuple(
            SliderFacts(one.name, one.title, one.low, one.high, one.share) for one in model.sliders
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
    return sum({one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}.values())


def settled(model: Model, sounds: Sequence[Kept], spread: Spread = serially) -> list[Settled]:
    """Where the model has sounds, from where its base had put them."""
    import torch

    from sonifold.adapt.instant import STEPS
    from sonifold.vae.inversion import invert

    features, _ = model.representation.analyse(torch.stack([samples_of(one) for one in sounds]))
    begun = torch.stack([torch.from_numpy(one.z) for one in sounds])
    z = invert(model.vae, model.coefficients.analyse(features), begun, STEPS)
    positions, known = model.project(z).tolist(), model.points.in_distribution(z).tolist()
    return [
        Settled(numbers(point), (x, y), bool(within))
        for point, (x, y), within in zip(z, positions, known, strict=True)
    ]


def samples_of(sound: Kept) -> Tensor:
    """A kept sound's recording, (sample,)."""
    import soundfile
    import torch

    samples, _ = soundfile.read(io.BytesIO(sound.audio), dtype="float32")
    return torch.from_numpy(samples)
