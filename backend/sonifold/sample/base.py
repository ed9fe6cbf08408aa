"""The protocol of samplers, and the samples they return."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from sonifold.types import Points


@dataclass(frozen=True)
class Samples:
    """New latent points, and how well they were drawn."""

    points: Points  #: (count, latent)
    sampler: str
    seed: int
    temperature: float
    #: Share of proposals accepted, where there are any.
    acceptance: float | None = None
    #: How many independent draws these are worth (Kong 1992), where they are not independent.
    effective: float | None = None
    #: Points outside the sampler's support: none, unless something is wrong. None: the support is unbounded.
    escapes: int | None = None


class Sampler(ABC):
    """Draws latent points. The same seed draws the same points."""

    name: str

    @abstractmethod
    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        """``count`` points. Above temperature 1 they are more varied, below more typical; > 0."""


def generator(seed: int) -> torch.Generator:
    """The source of all randomness of one draw."""
    return torch.Generator().manual_seed(seed)


def check(count: int, temperature: float) -> None:
    """Raise ``ValueError`` for a request no sampler can fulfil."""
    if count < 1:
        raise ValueError(f"a sampler draws at least one point, not {count}")
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature must be a positive number, got {temperature}; 1 is neutral")
