"""A few sounds of one's own, as adaptation sees them: coefficients, latent points, residuals, altered copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sonifold.adapt import augment
from sonifold.adapt.ridge import Evidence, hidden
from sonifold.audio.check import near_duplicates
from sonifold.audio.prepare import Pcm
from sonifold.errors import UploadsInvalid
from sonifold.model import Model
from sonifold.sound import Sound
from sonifold.types import FeatureMaps, Points
from sonifold.vae.network import VAE

COPIES = 32  # of each upload
MOST = 100  # uploads; beyond that a pack wants training, not adapting


@dataclass(frozen=True)
class Uploads:
    """Columns over the uploads and over their copies (copy 1 of each, copy 2 of each, ...), on the model's device."""

    sounds: tuple[Sound, ...]
    coefficients: Tensor  # (upload, K)
    z: Points  # (upload, latent), inverted
    copies: Tensor  # (copy * upload, K)
    copies_z: Points  # (copy * upload, latent), the encoder's means
    repeats: int = 0  # sounds that came and are left out, since they are the same as others

    def __len__(self) -> int:
        return len(self.sounds)

    @classmethod
    @torch.no_grad()
    def of(cls, model: Model, sounds: Sequence[Sound], copies: int = COPIES, seed: int = 0) -> Uploads:
        """From recorded sounds, as :meth:`sonifold.Model.encode` gives them.

        Raises:
            UploadsInvalid: none, too many, or one without a recording behind it.
        """
        features = recorded_features(sounds).to(model.device)
        coefficients = model.coefficients.analyse(features)
        rng = np.random.default_rng(seed)
        altered = augment.copies(features, copies, model.representation, rng).flatten(0, 1)
        values = model.coefficients.analyse(altered)
        z = torch.stack([sound.z for sound in sounds]).to(model.device)
        return cls(tuple(sounds), coefficients, z, values, model.vae.encode(values)[0])

    @classmethod
    def different(cls, model: Model, sounds: Sequence[Sound], seed: int = 0) -> Uploads:
        """From those that are not the same sound as one before them: repeats would count twice.

        Raises:
            UploadsInvalid: none, too many, or one without a recording behind it.
        """
        recorded_features(sounds)
        different = distinct(sounds)
        return replace(cls.of(model, different, seed=seed), repeats=len(sounds) - len(different))

    def part(self, indices: Sequence[int]) -> Uploads:
        """Only the uploads at these places, with their copies."""
        copies, z = (rows.unflatten(0, (-1, len(self)))[:, indices] for rows in (self.copies, self.copies_z))
        return Uploads(
            tuple(self.sounds[i] for i in indices),
            self.coefficients[indices],
            self.z[indices],
            copies.flatten(0, 1),
            z.flatten(0, 1),
        )

    def thinned(self, copies: int) -> Uploads:
        """With at most so many copies of each upload, evenly picked."""
        have = len(self.copies) // len(self)
        if copies >= have:
            return self
        indices = torch.linspace(0, have - 1, copies).round().long()
        columns = (
            rows.unflatten(0, (-1, len(self)))[indices].flatten(0, 1) for rows in (self.copies, self.copies_z)
        )
        return Uploads(self.sounds, self.coefficients, self.z, *columns)

    @property
    def points(self) -> Points:
        """Of the evidence's rows, (row, latent)."""
        return torch.cat([self.z, self.copies_z])

    @torch.no_grad()
    def evidence(self, vae: VAE) -> Evidence:
        """Reconstruction errors of the head of ``vae`` on the uploads and their copies."""
        z = self.points
        residuals = torch.cat([self.coefficients, self.copies]) - vae.decode(z)
        return Evidence(hidden(vae, z), residuals, len(self))

    @torch.no_grad()
    def residuals(self, vae: VAE) -> Tensor:
        """Coefficients less their decodings, (upload, K)."""
        return self.coefficients - vae.decode(self.z)


def distinct(sounds: Sequence[Sound]) -> list[Sound]:
    """Those that are not the same sound as one before them, at whatever gain; bare points of sounds all stay."""
    audible = [row for row, sound in enumerate(sounds) if sound.audio is not None]
    prepared = [as_pcm(sounds[row]) for row in audible]
    repeated = {audible[later] for _, later, _ in near_duplicates(prepared)}
    return [sound for row, sound in enumerate(sounds) if row not in repeated]


def as_pcm(sound: Sound) -> Pcm:
    assert sound.audio is not None, "only recorded sounds are compared"
    return np.round(sound.audio.cpu().numpy() * 32_768).clip(-32_768, 32_767).astype(np.int16)


def recorded_features(sounds: Sequence[Sound]) -> FeatureMaps:
    """Features (sound, band, frame) of recorded sounds.

    Raises:
        UploadsInvalid: none, too many, or one without a recording behind it.
    """
    if not 1 <= len(sounds) <= MOST:
        raise UploadsInvalid(f"expected 1 to {MOST} sounds to adapt to, best 5 to 20; got {len(sounds)}.")
    features = [sound.features for sound in sounds if sound.features is not None]
    if len(features) < len(sounds):
        raise UploadsInvalid(
            "adaptation needs recordings, got a latent point without one. Pass sounds from model.encode(...) or "
            "model.sound(...)."
        )
    return torch.stack(features)
