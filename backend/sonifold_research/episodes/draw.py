"""Episodes: a few sounds of each class that may be known, and others to recognise, from other groups.

Supports are nested: those of one sound are the first of those of three, and a 3-way episode is the first three classes
of a 5-way one, so that all comparisons are of the same queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sonifold_research.episodes.sounds import ForeignSounds

WAYS, COUNTS, QUERIES = (5, 3), (1, 3, 5, 10, 20), 5
Protocol = Literal["families", "instruments"]
PROTOCOLS: tuple[Protocol, ...] = ("families", "instruments")


@dataclass(frozen=True)
class Episode:
    """Rows of sounds and the numbers of their classes."""

    support: np.ndarray  # (sound,)
    support_labels: np.ndarray
    queries: np.ndarray
    query_labels: np.ndarray

    def part(self, ways: int, count: int) -> Episode | None:
        """Its first classes with the first ``count`` sounds of each; None where one class has fewer."""
        rows = [np.flatnonzero(self.support_labels == label)[:count] for label in range(ways)]
        if min(len(members) for members in rows) < count:
            return None
        support, queries = np.concatenate(rows), np.flatnonzero(self.query_labels < ways)
        return Episode(
            self.support[support],
            self.support_labels[support],
            self.queries[queries],
            self.query_labels[queries],
        )


def draw(sounds: ForeignSounds, protocol: Protocol, seed: int) -> Episode:
    """One episode.

    ``families``: classes are families such as Snare; half of a family's groups are known, queries come from the others.
    ``instruments``: classes are instruments; the lower or the higher half of the notes is known, queries come from the
    other half.
    """
    generator = np.random.default_rng([seed, PROTOCOLS.index(protocol)])
    pools = _families(sounds, generator) if protocol == "families" else _instruments(sounds, generator)
    chosen = generator.permutation(len(pools))[: max(WAYS)]
    support = [pools[index][0][: max(COUNTS)] for index in chosen]
    queries = [pools[index][1][:QUERIES] for index in chosen]
    return Episode(np.concatenate(support), _labels(support), np.concatenate(queries), _labels(queries))


def _families(sounds: ForeignSounds, generator: np.random.Generator) -> list[tuple[list[int], list[int]]]:
    pools = []
    for family in sorted(set(sounds.families)):
        rows = generator.permutation(sounds.rows(family))
        groups = generator.permutation(sorted({sounds.groups[row] for row in rows}))
        if len(groups) < 2:
            continue
        near = set(groups[: len(groups) // 2])
        pools.append(
            (
                [int(row) for row in rows if sounds.groups[row] in near],
                [int(row) for row in rows if sounds.groups[row] not in near],
            )
        )
    return pools


def _instruments(sounds: ForeignSounds, generator: np.random.Generator) -> list[tuple[list[int], list[int]]]:
    from sonifold_research.fewshot.groups import PROGRAMS

    pools = []
    for group in sorted(set(sounds.groups)):
        if group in PROGRAMS and PROGRAMS[group][0] == "instrument":
            rows = sounds.rows(group=group)
            halves = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
            low = int(generator.integers(2))
            pools.append(
                (generator.permutation(halves[low]).tolist(), generator.permutation(halves[1 - low]).tolist())
            )
    return pools


def _labels(parts: list[list[int]]) -> np.ndarray:
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts])
