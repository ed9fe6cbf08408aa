"""Which sounds are trained on, and which are kept to test with.

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

from .dedupe import Map, Neighbours, active_distance

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
    seen = Neighbours()
    for i, (unit, map_) in enumerate(zip(units, maps, strict=True)):
        for j in [first.setdefault(unit, i), *(j for j, _ in seen.within(map_, radius))]:
            parent[max(root(i), root(j))] = min(root(i), root(j))
        seen.add(map_)
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
    enough to test with, and may not be trained on either. The order in which clusters are held out
    follows a hash of their units, so it does not depend on the order or number of the other sounds.
    """
    apart = dict.fromkeys(held_out_groups, HELD_OUT_KITS) | dict.fromkeys(foreign_groups, FOREIGN)
    held = [group in apart for group in groups]
    known = Neighbours()
    for map_, out in zip(maps, held, strict=True):
        if not out:
            known.add(map_)
    splits: list[str | None] = [TRAIN] * len(groups)
    for i, map_ in enumerate(maps):
        if held[i]:
            splits[i] = None if known.within(map_, NEAR_DB) else apart[groups[i]]
    rest = [i for i, out in enumerate(held) if not out]
    numbers = clusters([units[i] for i in rest], [maps[i] for i in rest])
    members: dict[int, list[int]] = defaultdict(list)
    for i, number in zip(rest, numbers, strict=True):
        members[number].append(i)
    wanted = fraction * len(rest)
    taken = 0
    for cluster in sorted(members.values(), key=lambda cluster: _shuffled(min(units[i] for i in cluster))):
        if len(cluster) > max(8, LARGEST * len(rest)) or taken + len(cluster) > wanted:
            continue
        taken += len(cluster)
        for i in cluster:
            splits[i] = HELD_OUT_SOUNDS
    _return_near(splits, list(members.values()), maps)
    return splits


def _return_near(splits: list[str | None], members: Sequence[Sequence[int]], maps: Sequence[Map]) -> None:
    """Give back to training, in place, the clusters held out that are near it after all.

    ``clusters`` goes by the stricter of the two distances and can miss a pair; by the laxer one nothing
    that is held out may come within ``NEAR_DB`` of what is trained on.
    """
    known = [maps[i] for i, name in enumerate(splits) if name == TRAIN]
    waiting = [cluster for cluster in members if splits[cluster[0]] == HELD_OUT_SOUNDS]
    while known:
        trained = np.stack(known)
        near = [c for c in waiting if any(active_distance(maps[i], trained).min() < NEAR_DB for i in c)]
        waiting = [cluster for cluster in waiting if cluster not in near]
        known = [maps[i] for cluster in near for i in cluster]
        for i in (i for cluster in near for i in cluster):
            splits[i] = TRAIN


def _shuffled(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
