"""A latent space of two dimensions as a picture: a metric's magnification, what was encoded, and two ways across."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.metric import Metric
from sonifold.types import Points

#: Points of the field on each axis, and of a path as drawn.
GRID, DRAWN = 100, 65
MARGIN = 1.2  # latent units around what was encoded
GEODESIC, LINE = "#0b3c5d", "#d9a404"


class Encoded(NamedTuple):
    """Latent means with their classes."""

    means: Points  # (count, 2)
    labels: Tensor  # (count,), numbers of classes
    classes: Sequence[str]
    colours: Sequence[str]
    title: str  # of the classes


def pairs_apart(encoded: Encoded, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Rows of examples of different classes, the first pair the furthest apart of those drawn."""
    source = torch.Generator().manual_seed(seed)
    first, second = torch.randint(len(encoded.means), (2, 40 * count), generator=source)
    different = encoded.labels[first] != encoded.labels[second]
    first, second = first[different][:count], second[different][:count]
    order = (encoded.means[first] - encoded.means[second]).norm(dim=1).argsort(descending=True)
    return first[order], second[order]


def draw(axes: Any, encoded: Encoded, metric: Metric, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Draw the field, the means and both ways of each pair; the first pair's geodesic (node, 2)."""
    means = encoded.means
    low, high = means.amin(0) - MARGIN, means.amax(0) + MARGIN
    axis_x, axis_y = (torch.linspace(float(a), float(b), GRID) for a, b in zip(low, high, strict=True))
    grid = torch.stack(torch.meshgrid(axis_x, axis_y, indexing="xy"), -1).flatten(0, 1)
    with torch.no_grad():
        field = metric.magnification(grid).view(GRID, GRID)
    shading = axes.pcolormesh(
        axis_x.numpy(),
        axis_y.numpy(),
        field.numpy(),
        cmap="Greys",
        shading="auto",
        alpha=0.75,
        rasterized=True,
    )
    axes.figure.colorbar(shading, ax=axes, shrink=0.7)
    starts, ends = means[pairs[0]], means[pairs[1]]
    solved = geodesic.solve(metric, starts, ends, 33, polish=True)
    for number, (curve, start, end) in enumerate(zip(solved.sample(DRAWN), starts, ends, strict=True)):
        width = 2.6 if number == 0 else 1.2
        axes.plot(*curve.T.numpy(), color=GEODESIC, linewidth=width)
        axes.plot(*torch.stack([start, end]).T.numpy(), color=LINE, linewidth=width, linestyle="--")
    for number, (name, colour) in enumerate(zip(encoded.classes, encoded.colours, strict=True)):
        axes.scatter(
            *means[encoded.labels == number].T.numpy(),
            s=14,
            color=colour,
            edgecolors="white",
            linewidths=0.4,
            zorder=3,
            label=name,
        )
    axes.set_aspect("equal")
    axes.legend(title=encoded.title, fontsize=8, title_fontsize=8, loc="best")
    axes.set_xlim(float(low[0]), float(high[0]))
    axes.set_ylim(float(low[1]), float(high[1]))
    return solved.nodes[0]
