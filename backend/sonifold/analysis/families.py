"""The family of a sound by its nearest labelled sounds."""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.pack.library import Library
from sonifold.types import Timbre

NEIGHBOURS = 9


class FamilyGuess:
    """Lets the library sounds that are nearest in Phi vote, each the more the nearer it is."""

    def __init__(self, library: Library) -> None:
        self._timbre, self._names = library.timbre, library.family_names
        number = {name: index for index, name in enumerate(library.family_names)}
        families = torch.tensor([number[family] for family in library.families])
        self._members = torch.nn.functional.one_hot(families, len(self._names)).float()

    def of(self, timbre: Timbre) -> list[tuple[str, float]]:
        """(family, its share of the votes from 0 to 1) of sounds (sound, 512)."""
        shares = self.shares(timbre)
        best = shares.argmax(1).tolist()
        return [(self._names[family], float(shares[row, family])) for row, family in enumerate(best)]

    def shares(self, timbre: Timbre) -> Tensor:
        """Shares of the votes, (sound, family)."""
        distances, rows = torch.cdist(timbre, self._timbre).topk(
            min(NEIGHBOURS, len(self._timbre)), largest=False
        )
        weights = 1 / distances.clamp(min=1e-3)
        votes = torch.einsum("sn,snf->sf", weights, self._members[rows])
        return votes / votes.sum(1, keepdim=True)
