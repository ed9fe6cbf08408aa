"""The uploads' own residual directions as a few sliders: "more of your sounds", and what sets them apart.

The base leaves something out of each upload. The mean of what it leaves out, and the principal directions of the
rest, are directions in sound that the latent space does not have; a slider adds one of them to any sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sonifold.adapt.uploads import Uploads
from sonifold.audio.clip import Clip
from sonifold.errors import PointInvalid
from sonifold.model import Model, provenance
from sonifold.sound import Sound

MOST = 4
REACH = 2.0  # standard deviations of the uploads, either way


@dataclass(frozen=True)
class Slider:
    """One direction; an amount of 1 is as much as the uploads have of it, typically."""

    name: str  # stable: common, own-1, own-2 ...
    title: str  # for people
    direction: Tensor  # (K,), coefficients at amount 1
    low: float
    high: float
    share: float  # of the uploads' squared residual that lies along it


def sliders(model: Model, uploads: Uploads, most: int = MOST) -> tuple[Slider, ...]:
    """The mean residual of the uploads, then their principal components, by the share of the residual explained."""
    residuals = uploads.residuals(model.vae)
    total = float(residuals.square().sum())
    mean = residuals.mean(0)
    directions = [
        Slider(
            "common",
            "more of your sounds",
            mean,
            -1.0,
            REACH,
            len(uploads) * float(mean.square().sum()) / total,
        )
    ]
    if len(uploads) < 3:
        return tuple(directions)
    scores, spread, axes = torch.linalg.svd(residuals - mean, full_matrices=False)
    for number in range(min(most - 1, len(uploads) - 1)):
        along, deviation = scores[:, number], float(spread[number]) / len(uploads) ** 0.5
        ends = [uploads.sounds[int(i)].name for i in (along.argmin(), along.argmax())]
        title = " - ".join(name or "unnamed" for name in ends)
        share = float(spread[number] ** 2) / total
        directions.append(Slider(f"own-{number + 1}", title, axes[number] * deviation, -REACH, REACH, share))
    return tuple(directions)


def turned(model: Model, sound: Sound, chosen: Sequence[Slider], amounts: Mapping[str, float]) -> Sound:
    """The sound with ``amounts`` of sliders added, by name; ready to be played or to be an end of a path.

    Raises:
        PointInvalid: no slider of that name, or an amount out of its reach.
    """
    by_name = {slider.name: slider for slider in chosen}
    offset = torch.zeros(model.coefficients.count, device=model.device)
    for name, amount in amounts.items():
        if name not in by_name:
            raise PointInvalid(f"no slider {name!r}; these sounds have {', '.join(by_name)}.")
        slider = by_name[name]
        if not slider.low <= amount <= slider.high:
            raise PointInvalid(f"slider {name} takes {slider.low:g} to {slider.high:g}, got {amount}.")
        offset += amount * slider.direction.to(offset)
    features = (model.coefficients.synthesise(offset[None])[0] - model.coefficients.mean).cpu()
    return replace(sound, residual=features if sound.residual is None else sound.residual + features)


def play(model: Model, sound: Sound) -> Clip:
    """The sound as its latent point and residual say, Clip.audio (sample,)."""
    audio = model.renderer.steps(sound.z[None], torch.zeros(1), sound, sound)
    return Clip(audio[0], model.sample_rate, provenance.of_changed(model, sound, "sliders"))
