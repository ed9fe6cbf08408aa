"""Which pairs are compared, and in which order they are played: random, and the same again for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True)
class Trial:
    """The key of one trial. ``first``: the condition that is played as 1, 0 or 1; ``x``: the one that is X."""

    pair: int
    first: int
    x: int

    @property
    def answer(self) -> str:
        """What X is, ``1`` or ``2``."""
        return "1" if self.x == self.first else "2"

    @property
    def played(self) -> tuple[int, int]:
        """The conditions that are played as 1 and 2."""
        return self.first, 1 - self.first


def draw_pairs(ids: Sequence[str], count: int, seed: int) -> list[Pair]:
    """Random pairs of different sounds, none twice in either order while others are left.

    Raises:
        ValueError: fewer than two sounds.
    """
    if len(ids) < 2:
        raise ValueError(f"a pair needs two sounds, got {len(ids)}.")
    ordered, rng = sorted(ids), random.Random(f"pairs {seed}")  # noqa: S311 - drawn again from its seed
    possible = len(ordered) * (len(ordered) - 1) // 2
    pairs: list[Pair] = []
    used: set[frozenset[str]] = set()
    while len(pairs) < count:
        pair = tuple(rng.sample(ordered, 2))
        if frozenset(pair) in used and len(used) < possible:
            continue
        used.add(frozenset(pair))
        pairs.append((pair[0], pair[1]))
    return pairs


def draw_trials(count: int, pairs: int, seed: str) -> list[Trial]:
    """So many trials over the pairs, each pair as often as any other, give or take one, in random order.

    Which condition is 1 and which is X is drawn for every trial by itself: were they balanced, the last could be told
    from the others, and hits were not binomial.
    """
    rng = random.Random(f"trials {seed}")  # noqa: S311 - the seed is secret, 128 bits of it
    order = [index % pairs for index in range(count)]
    rng.shuffle(order)
    return [Trial(pair, rng.randrange(2), rng.randrange(2)) for pair in order]
