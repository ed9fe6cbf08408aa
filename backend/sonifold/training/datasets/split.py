"""Split of the sounds into training and test sets.

A random hold-out leaks: the same drum at another velocity, or the same note in another soundfont, would
stand on the other side. So whole groups (kits, programs, folders) are held out, and within the other
groups whole *clusters*: everything that shares a unit (one note of one kit or program, over all
velocities and fonts) or lies within ``NEAR_DB`` of each other, transitively.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from sonifold.audio.fingerprint import Map, Neighbours, active_distance

TRAIN, HELD_OUT_SOUNDS, HELD_OUT_KITS, FOREIGN = "train", "held_out_sounds", "held_out_kits", "foreign"
SPLITS = (TRAIN, HELD_OUT_SOUNDS, HELD_OUT_KITS, FOREIGN)
NEAR_DB = 3.0
FRACTION = 0.1
#: A cluster of more than 8 sounds, and more than this share of all, stays in training: a chain of near
#: doubles would otherwise be a good part of the hold-out.
LARGEST = 0.01


def clusters(units: Sequence[str], maps: Sequence[Map], radius: float = NEAR_DB) -> list[int]:
    """The number of each sound's cluster: sounds that must stay on one side of a split share it."""
    parent = list(range(len(units)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    neighbours = Neighbours()
    for i, (unit, map_) in enumerate(zip(units, maps, strict=True)):
        for j in [first.setdefault(unit, i), *(j for j, _ in neighbours.within(map_, radius))]:
            parent[max(root(i), root(j))] = min(root(i), root(j))
        neighbours.add(map_)
    return [root(i) for i in range(len(units))]


def assign(
    groups: Sequence[str],
    units: Sequence[str],
    maps: Sequence[Map],
    held_out_groups: Collection[str],
    foreign_groups: Collection[str] = (),
    fraction: float = FRACTION,
) -> list[str | None]:
    """The split of each sound; None for one to leave out of the data set.

    Left out are sounds of held-out and foreign groups with a near double outside them: they are not new
    enough to test with, and may not be trained on either. Of the other groups about ``fraction`` of the
    sounds is held out; which clusters come first is decided by a hash of their units, not by the order.
    """
    apart = dict.fromkeys(held_out_groups, HELD_OUT_KITS) | dict.fromkeys(foreign_groups, FOREIGN)
    splits: list[str | None] = [apart.get(group, TRAIN) for group in groups]
    training = [i for i, name in enumerate(splits) if name == TRAIN]
    training_neighbours = Neighbours()
    for i in training:
        training_neighbours.add(maps[i])
    for i, group in enumerate(groups):
        if group in apart and training_neighbours.within(maps[i], NEAR_DB):
            splits[i] = None
    _hold_out(splits, training, units, maps, fraction * len(training))
    return splits


def _hold_out(
    splits: list[str | None], training: Sequence[int], units: Sequence[str], maps: Sequence[Map], most: float
) -> None:
    """Hold out, in place, up to ``wanted`` sounds of the training groups, cluster by cluster."""
    members: dict[int, list[int]] = defaultdict(list)
    for i, number in zip(
        training, clusters([units[i] for i in training], [maps[i] for i in training]), strict=True
    ):
        members[number].append(i)
    held_out = 0
    for cluster in sorted(members.values(), key=lambda cluster: _shuffled(min(units[i] for i in cluster))):
        if len(cluster) <= max(8, LARGEST * len(training)) and held_out + len(cluster) <= most:
            held_out += len(cluster)
            for i in cluster:
                splits[i] = HELD_OUT_SOUNDS
    _return_near(splits, list(members.values()), maps)


def _return_near(splits: list[str | None], members: Sequence[Sequence[int]], maps: Sequence[Map]) -> None:
    """Give back to training, in place, the clusters held out that are near it after all.

    ``clusters`` goes by the stricter of the two distances and can miss a pair; by the laxer one nothing
    that is held out may come within ``NEAR_DB`` of what is trained on.
    """
    frontier = [maps[i] for i, name in enumerate(splits) if name == TRAIN]
    waiting = [cluster for cluster in members if splits[cluster[0]] == HELD_OUT_SOUNDS]
    while frontier:
        trained = np.stack(frontier)
        near = [c for c in waiting if any(active_distance(maps[i], trained).min() < NEAR_DB for i in c)]
        waiting = [cluster for cluster in waiting if cluster not in near]
        returned = [i for cluster in near for i in cluster]
        for i in returned:
            splits[i] = TRAIN
        frontier = [maps[i] for i in returned]


def _shuffled(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
