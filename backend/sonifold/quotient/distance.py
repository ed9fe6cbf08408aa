"""Quotient distances: from each sound to the nearest transposition of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .orbit import Orbits

BLOCK = 128  # points whose distances are computed at once: 128 x 500 x 12 doubles are 6 MB
Distance = Callable[[Tensor, Tensor], Tensor]


class Registrations(NamedTuple):
    """How far each of some sounds is from each of others, and by which transposition."""

    distances: Tensor  #: (a, b)
    octaves: Tensor  #: (a, b): what brings b to a where points are measured, a to b where both have orbits


@torch.no_grad()
def from_points(points: Tensor, orbits: Orbits) -> Registrations:
    """From points (a, feature) to the broken lines of orbits (b): exact, with the transposition of b."""
    parts = [_block(part, orbits) for part in points.double().split(BLOCK)]
    octaves, squared = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return Registrations(squared.clamp(min=0).sqrt().to(points), octaves)


def _block(points: Tensor, orbits: Orbits) -> tuple[Tensor, Tensor]:
    """(octaves, squared distance), each (a, b)."""
    lines = orbits.points.double()
    begin, along = lines[:, :-1], lines.diff(dim=1)
    squared = along.square().sum(2).clamp(min=1e-30)
    from_begin = torch.einsum("af,bsf->abs", points, along) - (begin * along).sum(2)
    share = (from_begin / squared).clamp(0, 1)
    to_begin = (
        points.square().sum(1)[:, None, None]
        + begin.square().sum(2)
        - 2 * torch.einsum("af,bsf->abs", points, begin)
    )
    least, segment = (to_begin - 2 * share * from_begin + share.square() * squared).min(2)
    share = share.gather(2, segment[..., None])[..., 0]
    return orbits.shifts[segment] + share * orbits.shifts.diff()[segment], least


@torch.no_grad()
def distances(a: Orbits, b: Orbits | None = None) -> Registrations:
    """Quotient distances of all pairs, (a, b): the lesser of both ways, so that it is symmetric.

    ``octaves`` transpose the sound of ``a`` towards that of ``b``. With ``b`` left out, of ``a`` among themselves: with
    a zero diagonal, and octaves that change sign with the order.
    """
    forth = from_points(a.base, a if b is None else b)  # b is transposed
    back = forth if b is None else from_points(b.base, a)
    other, octaves = back.distances.T, back.octaves.T
    nearer = other < forth.distances
    least = torch.where(nearer, other, forth.distances)
    registered = torch.where(nearer, octaves, -forth.octaves)
    if b is None:
        least.fill_diagonal_(0)
        registered.fill_diagonal_(0)
    return Registrations(least, registered)


def least(distance: Distance, a: Orbits, b: Orbits) -> Registrations:
    """The same pair by pair for any base distance, (pair,): a and b hold the two sounds of each pair.

    Every transposition of the grid is tried, on either side.

    Args:
        distance: of points (batch, feature) twice, (batch,).
    """
    count, grid = a.points.shape[:2]
    forth = distance(_each(a.base, grid), b.points.flatten(0, 1)).view(count, grid)
    back = distance(a.points.flatten(0, 1), _each(b.base, grid)).view(count, grid)
    both, index = torch.cat([back, forth], 1).min(1)
    return Registrations(both, torch.cat([a.shifts, -b.shifts])[index])


def _each(points: Tensor, grid: int) -> Tensor:
    return points.repeat_interleave(grid, 0)
