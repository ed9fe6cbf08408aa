"""Distances between sounds, and the nearest ones: among a model's library and any sounds beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from sonifold import geodesic, quotient
from sonifold.choices import DistanceName, MetricName
from sonifold.model.core import LatentModel
from sonifold.model.orbits import SoundOrbits
from sonifold.pack.library import Library
from sonifold.sound import Sound
from sonifold.types import Points, Timbre

CANDIDATES = 2  # for every neighbour modulo transposition


@dataclass(frozen=True)
class SoundTable:
    """Sounds that others are compared with, a row each: a library's, and after them a user's."""

    ids: tuple[str, ...]
    z: Points
    timbre: Timbre  # of the recordings

    @classmethod
    def of(cls, library: Library) -> Self:
        """The sounds of a library."""
        return cls(tuple(library.ids), library.z, library.timbre)

    def with_sounds(self, ids: Sequence[str], z: Points, timbre: Timbre) -> SoundTable:
        """The same with more sounds after its own; z (sound, latent), timbre (sound, 512)."""
        if not len(ids):
            return self
        return SoundTable((*self.ids, *ids), torch.cat([self.z, z]), torch.cat([self.timbre, timbre]))

    def nearest(self, distances: Tensor, count: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """The ``count`` sounds of least distance (sound,), nearest first: (id, distance)."""
        rows = self.rows_without(exclude)
        near, index = distances[rows].topk(min(count, len(rows)), largest=False)
        return [(self.ids[row], d) for row, d in zip(rows[index].tolist(), near.tolist(), strict=True)]

    def rows_without(self, sound_id: str | None) -> Tensor:
        """Numbers of the rows of all sounds but one."""
        return torch.tensor([row for row, id in enumerate(self.ids) if id != sound_id], dtype=torch.long)


class Neighbours:
    """Measures distances between sounds of a model."""

    def __init__(self, model: LatentModel):
        self._model = model

    @cached_property
    def library(self) -> SoundTable:
        """The library's sounds."""
        return SoundTable.of(self._model.library)

    def distances(self, sounds: Sequence[Sound], distance: str = DistanceName.PERCEPTUAL) -> Tensor:
        """See :meth:`sonifold.Model.distances`."""
        name, scale = DistanceName.of(distance), self._model.config.unit_per_phi
        if name is DistanceName.PERCEPTUAL:
            phi = torch.stack([self._model.timbre(sound) for sound in sounds])
            return torch.cdist(phi, phi, compute_mode="donot_use_mm_for_euclid_dist") * scale
        z = torch.stack([sound.z for sound in sounds])
        if name is DistanceName.GEODESIC:
            return geodesic.distances(self._model.metrics.pullback, z) * scale
        return torch.cdist(z, z)

    def nearest_modulo(self, sound: Sound, count: int, orbits: SoundOrbits) -> list[tuple[str, float]]:
        """The library sounds nearest in Phi modulo transposition, without the sound itself: (id, distance).

        The sound's orbit is measured to all; twice as many as wanted are then transposed as well and ranked anew.
        """
        rows = self.library.rows_without(sound.id)
        orbit = orbits.timbre([sound])
        away = quotient.from_points(self.library.timbre[rows], orbit).distances[:, 0]
        pool = rows[away.topk(min(CANDIDATES * count, len(rows)), largest=False).indices].tolist()
        others = [self._model.sound(self.library.ids[row]) for row in pool]
        exact = (
            quotient.distances(orbit, orbits.timbre(others)).distances[0] * self._model.config.unit_per_phi
        )
        order = exact.argsort()[:count].tolist()
        return [(self.library.ids[pool[i]], float(exact[i])) for i in order]

    def perceptual(self, timbre: Tensor, table: SoundTable | None = None) -> Tensor:
        """|Phi - timbre| of every recording of a table, the library's when None, (sound,), in the model's unit."""
        distances: Tensor = ((table or self.library).timbre - timbre).norm(
            dim=1
        ) * self._model.config.unit_per_phi
        return distances

    def nearest(
        self,
        sound: Sound,
        count: int = 8,
        distance: str | None = None,
        metric: str | None = None,
        weight: float | None = None,
        table: SoundTable | None = None,
        timbre: Tensor | None = None,
        exclude: str | None = None,
    ) -> list[tuple[str, float]]:
        """The sounds of a table nearest to a sound, nearest first: (id, distance).

        Args:
            distance, metric, weight: see :meth:`sonifold.Model.neighbours`.
            table: the library when None.
            timbre: Phi of the sound, (512,), where it is known already.
            exclude: the id of a sound that is left out.
        """
        table, name = table or self.library, DistanceName.asked_for(distance, metric, weight)
        if name is DistanceName.PERCEPTUAL:
            timbre = self._model.timbre(sound) if timbre is None else timbre
            return table.nearest(self.perceptual(timbre, table), count, exclude)
        if name is DistanceName.EUCLIDEAN:
            return table.nearest((table.z - sound.z).norm(dim=1), count, exclude)
        return self._nearest_by_geodesic(sound, count, metric or MetricName.PULLBACK, weight, table, exclude)

    def _nearest_by_geodesic(
        self,
        sound: Sound,
        count: int,
        metric: str,
        weight: float | None,
        table: SoundTable,
        exclude: str | None,
    ) -> list[tuple[str, float]]:
        rows = table.rows_without(exclude)
        measure = self._model.metrics.named(metric, weight)
        near = geodesic.neighbours(measure, sound.z, table.z[rows], max(0, min(count, len(rows))))
        unit = self._model.config.unit_per_phi if metric == MetricName.PULLBACK else 1.0
        return [
            (table.ids[row], unit * d)
            for row, d in zip(rows[near.indices].tolist(), near.distances.tolist(), strict=True)
        ]
