"""Sounds of a model modulo transposition: their orbits, distances between these, copies in another key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sonifold import quotient
from sonifold.choices import DistanceName, GroupName
from sonifold.model.core import LatentModel
from sonifold.morph.transpose import Transposer
from sonifold.quotient import Orbits
from sonifold.shared import RecentValues
from sonifold.sound import Sound
from sonifold.types import Audio

RECENT = 256  # orbits kept in memory, 27 kB each in Phi
BATCH = 26  # copies analysed at once


@dataclass(frozen=True)
class Registration:
    """A sound in the key in which it is nearest to another."""

    sound: Sound  #: the copy, or the sound itself where none is nearer
    octaves: float  #: by which it was transposed
    distance: float  #: perceptual, in the model's unit, modulo transposition


class SoundOrbits:
    """Transpositions of a model's sounds."""

    def __init__(self, model: LatentModel):
        self._model = model
        self.shifts = quotient.shifts()
        self._timbre = RecentValues(self._timbre_orbit, RECENT)
        self._latent = RecentValues(self._latent_orbit, RECENT)

    def timbre(self, sounds: Sequence[Sound]) -> Orbits:
        """In Phi of the recordings, or of what is decoded at bare points."""
        return Orbits(self.shifts, torch.stack([self._timbre(sound) for sound in sounds]))

    def latent(self, sounds: Sequence[Sound]) -> Orbits:
        """In latent space: where the model puts the transposed copies."""
        return Orbits(self.shifts, torch.stack([self._latent(sound) for sound in sounds]))

    def distances(self, sounds: Sequence[Sound], distance: str) -> Tensor:
        """Quotient distances of all pairs, (sound, sound); see :meth:`sonifold.Model.distances`."""
        name, scale = DistanceName.of(distance), self._model.config.unit_per_phi
        if name is DistanceName.PERCEPTUAL:
            return quotient.distances(self.timbre(sounds)).distances * scale
        latent = self.latent(sounds)
        if name is DistanceName.EUCLIDEAN:
            return quotient.distances(latent).distances
        rows, columns = torch.triu_indices(len(sounds), len(sounds), 1)
        octaves = quotient.distances(self._decoded(latent)).octaves[rows, columns]
        metric = self._model.metrics.pullback
        lengths = quotient.lengths(metric, latent[rows], latent[columns], octaves) * scale
        matrix = lengths.new_zeros(len(sounds), len(sounds))
        matrix[rows, columns] = matrix[columns, rows] = lengths
        return matrix

    def register(self, sound: Sound, other: Sound) -> Registration:
        """See :meth:`sonifold.Model.register`."""
        registered = quotient.distances(self.timbre([sound]), self.timbre([other]))
        octaves = float(registered.octaves)
        distance = float(registered.distances) * self._model.config.unit_per_phi
        return Registration(self.transposed(sound, octaves), octaves, distance)

    def align(self, sounds: Sequence[Sound]) -> list[Sound]:
        """The sounds in the keys in which they are nearest to their mean, a Frechet mean modulo transposition."""
        octaves = quotient.frechet_mean(self.timbre(sounds)).octaves
        return [self.transposed(sound, float(by)) for sound, by in zip(sounds, octaves, strict=True)]

    def transposed(self, sound: Sound, octaves: float) -> Sound:
        """The sound so much higher, encoded anew; itself for none."""
        if octaves == 0:
            return sound
        copy = self._model.recorded(
            Transposer(self._audio(sound))(octaves), name=sound.name, seconds=sound.seconds
        )
        return replace(copy, pitch_hz=sound.pitch_hz and sound.pitch_hz * 2**octaves)

    def _audio(self, sound: Sound) -> Audio:
        return self._model.decode(sound.z[None]).audio[0] if sound.audio is None else sound.audio

    def _timbre_orbit(self, sound: Sound) -> Tensor:
        model = self._model
        audio = self._audio(sound)[None].to(model.device)
        orbit = quotient.timbre_orbits(audio, model.sample_rate, model.representation.onset, self.shifts)
        return orbit.points[0].cpu()

    @torch.no_grad()
    def _latent_orbit(self, sound: Sound) -> Tensor:
        model, audio = self._model, quotient.copies(self._audio(sound), self.shifts)
        features = torch.cat([model.representation.analyse(part)[0] for part in audio.split(BATCH)])
        points = model.inverted(model.coefficients.analyse(features))
        points[int(self.shifts.abs().argmin())] = sound.z
        return points

    def _decoded(self, latent: Orbits) -> Orbits:
        points = self._model.coordinates(latent.points.flatten(0, 1))
        return Orbits(self.shifts, points.unflatten(0, latent.points.shape[:2]))


def check_group(modulo: str | None) -> bool:
    """Whether distances are modulo a group. Raises ValueError for one that there is not."""
    return modulo is not None and GroupName.of(modulo) is GroupName.TRANSPOSITION
