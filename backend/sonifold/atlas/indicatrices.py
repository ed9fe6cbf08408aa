r"""The metric as the map shows it: ellipses of equal distance, Tissot's indicatrices.

The metric on latent space is pulled back to the paper through the atlas's lift, H = S' G S with S = dz/d(x, y). Where
the lift hardly moves, as on stretched coasts, H is close to singular; ellipses too large for the picture are cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.atlas.atlas import Atlas
from sonifold.metric import Metric, indicatrices
from sonifold.types import Positions

#: Mean radius of the median ellipse, in spacings of the grid: neighbours rarely touch.
SIZE = 0.35
LARGEST = 1.0  # spacings: longer axes are cut to this
CORNERS = 24


@dataclass(frozen=True)
class Indicatrices:
    """Ellipses on the map."""

    positions: Positions  #: (count, 2), their middles
    outlines: Tensor  #: (count, corner, 2), relative to the middles
    cut: Tensor  #: (count,) bool: one of its axes is longer than drawn
    radius: float  #: how far the outlines are from the middles under the metric, where they are not cut


@torch.no_grad()
def indicatrices_on_land(atlas: Atlas, metric: Metric, count: int = 100) -> Indicatrices:
    """About ``count`` ellipses, evenly over the land, all of one radius that suits the picture.

    Raises:
        ValueError: a count below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}.")
    positions, spacing = land_grid(atlas, count)
    if not len(positions):
        return Indicatrices(positions, torch.zeros(0, CORNERS, 2), torch.zeros(0, dtype=torch.bool), 0.0)
    slopes = atlas.slopes(positions)
    tensors = slopes @ metric.tensor(atlas.lift(positions)).cpu() @ slopes.mT
    radius = SIZE * spacing * float(torch.linalg.det(tensors).clamp_min(1e-30).quantile(0.5)) ** 0.25
    values, vectors = torch.linalg.eigh(tensors)
    least = (radius / (LARGEST * spacing)) ** 2
    bounded = vectors @ torch.diag_embed(values.clamp_min(least)) @ vectors.mT
    return Indicatrices(
        positions, indicatrices(bounded, radius, CORNERS), (values < least).any(dim=1), radius
    )


def land_grid(atlas: Atlas, count: int) -> tuple[Positions, float]:
    """About ``count`` places on a square grid that are on land, (n, 2), and the grid's spacing."""
    x0, x1, y0, y1 = atlas.extent
    share = float((atlas.field.values <= atlas.field.coast).float().mean())
    spacing = ((x1 - x0) * (y1 - y0) * share / count) ** 0.5 if share else max(x1 - x0, y1 - y0)
    xs = torch.arange(x0 + spacing / 2, x1, spacing)
    ys = torch.arange(y0 + spacing / 2, y1, spacing)
    grid = torch.cartesian_prod(xs, ys).reshape(-1, 2)
    return grid[atlas.on_land(grid)], spacing
