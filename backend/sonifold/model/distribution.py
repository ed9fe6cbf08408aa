"""Latent points in distribution, and the library sounds near them.

A point is *in distribution* where the model's sound for it is as close to that of some library sound as library sounds
are to one another (all but the loneliest twentieth of them), and no further out than they are. Elsewhere the decoder
was never trained and may answer with anything; every result that lies there carries a caveat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from sonifold.caveat import Caveat
from sonifold.model.core import LatentModel
from sonifold.sound import Sound
from sonifold.types import Points

#: Share of the library's sounds that are in distribution with the rest of it as the only evidence.
SHARE_INSIDE = 0.95
#: Library sounds named beside a new point.
NAMED = 3


@dataclass(frozen=True)
class Point:
    """A new latent point and what is around it."""

    z: Tensor  #: (latent,)
    position: Tensor  #: (2,) on the map
    in_distribution: bool
    nearest: list[tuple[str, float]]  #: library sounds of least decoded distance: (id, decoded distance)
    caveats: list[Caveat]
    sound: Sound = field(repr=False)  #: ready to be an end of a path

    @property
    def decoded_distance(self) -> float:
        """To the nearest library sound, in the model's unit: both as the model decodes them."""
        return self.nearest[0][1]


class Distribution:
    """Tells what is in distribution by the decoded distances to a model's library."""

    def __init__(self, model: LatentModel):
        self._model = model

    @cached_property
    def reach(self) -> float:
        """Largest distance of Phi to the nearest library sound at which a point is in distribution."""
        timbre = self._model.atlas.coordinates
        distances = torch.cdist(timbre, timbre)
        distances.fill_diagonal_(math.inf)
        return float(distances.amin(1).quantile(SHARE_INSIDE))

    def contains(self, points: Points, distances: Tensor | None = None) -> Tensor:
        """True for each latent point (batch, latent) that is in distribution, (batch,); see the top of this module.

        ``distances``: :meth:`distances` of the points, where they are known already.
        """
        points = points.cpu()
        distances = self.distances(points) if distances is None else distances
        edge = self._model.library.z.norm(dim=1).max()
        in_distribution: Tensor = (distances.amin(1) <= self.reach) & (points.norm(dim=1) <= edge)
        return in_distribution

    def distances(self, points: Points) -> Tensor:
        """Decoded distances to all library sounds, in Phi, (batch, sound)."""
        return torch.cdist(self._model.coordinates(points), self._model.atlas.coordinates)

    def nearest(self, distances: Tensor, count: int) -> list[tuple[str, float]]:
        """The sounds of least decoded distance (sound,) in Phi, nearest first: (id, the same in the model's unit)."""
        near, index = distances.topk(min(count, len(distances)), largest=False)
        labels, scale = self._model.library.labels, self._model.config.unit_per_phi
        return [(labels[i].id, d * scale) for i, d in zip(index.tolist(), near.tolist(), strict=True)]

    def around(self, z: Tensor, caveats: list[Caveat]) -> Point:
        """A latent point (latent,) with the library sounds near it; one more caveat where it is not in distribution."""
        distances = self.distances(z[None])
        in_distribution = bool(self.contains(z[None], distances)[0])
        nearest = self.nearest(distances[0], NAMED)
        if not in_distribution:
            name = self._model.library.labels[self._model.library.index(nearest[0][0])].name
            caveats = [
                *caveats,
                Caveat(
                    "off_the_data",
                    f"outside what the model knows: no sound that it knows is nearer than {name}",
                ),
            ]
        sound = self._model.point(z)
        return Point(z, self._model.project(z[None])[0], in_distribution, nearest, caveats, sound)
