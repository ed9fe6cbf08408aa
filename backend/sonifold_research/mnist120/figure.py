"""The figure: samples as in the literature, the latent space with its magnification, and two ways across it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.metric import Metric, Pullback

from .digits import COUNTS, SIDE
from .methods import Latent, prior, volume, walk

ROWS, COLUMNS = 6, 8
COLOURS = ("#e4572e", "#17a398", "#7768ae")
#: Points of the field on each axis, and of a path as drawn and decoded.
GRID, DRAWN, DECODED = 100, 65, 10
PAIRS = 6  # of training digits, joined by both ways


def draw(latents: dict[str, Latent], seed: int, file: Path) -> None:
    """Write the figure of one seed as a PNG.

    Raises ``ModuleNotFoundError`` without matplotlib (the extra ``plots``).
    """
    from matplotlib.figure import Figure

    vae, rhvae = latents["VAE"], latents["RHVAE"]
    count = ROWS * COLUMNS
    figure = Figure(figsize=(12, 9.9), layout="constrained")
    top, middle, bottom = figure.subfigures(3, 1, squeeze=False, height_ratios=[2.4, 5.2, 1.5], hspace=0.02)[
        :, 0
    ]
    grids = {
        "VAE + N(0, I)": prior(vae, count, seed),
        "RHVAE + N(0, I)": prior(rhvae, count, seed),
        "RHVAE + random walk": walk(rhvae, 10 * count, seed),
        "RHVAE + metric sampling": volume(rhvae, count, seed),
    }
    for axes, (title, examples) in zip(
        top.subplots(1, 4, gridspec_kw={"wspace": 0.08}), grids.items(), strict=True
    ):
        _show(axes, _mosaic(examples.first(count).images, COLUMNS))
        axes.set_title(title, fontsize=10)
    pairs = _pairs(rhvae, seed)
    left, right = middle.subplots(1, 2)
    learned = _latent_space(left, rhvae, rhvae.metric, pairs)
    left.set_title("learned metric: log sqrt det G, geodesics, straight lines", fontsize=10)
    pullback = Pullback(rhvae.model.decode, ridge=1e-3)
    pulled = _latent_space(right, rhvae, pullback, pairs)
    right.set_title("pullback of the decoder: the same", fontsize=10)
    strips = bottom.subplots(1, 2)
    for axes, curve, name in zip(strips, (learned, pulled), ("learned metric", "pullback"), strict=True):
        line = geodesic.line(curve[:1], curve[-1:], DECODED)[0]
        ways = torch.cat([geodesic.resample(curve[None], DECODED)[0], line])
        with torch.no_grad():
            images = rhvae.model.decode(ways)
        _show(axes, _mosaic(images, DECODED))
        axes.set_title(f"thick pair: geodesic of the {name} (above), straight line (below)", fontsize=9)
    figure.savefig(file, dpi=100, pil_kwargs={"optimize": True})


def _show(axes: Any, image: Tensor) -> None:
    axes.imshow(1 - image.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()


def _mosaic(images: Tensor, columns: int) -> Tensor:
    """Images (count, 784) as one, ``columns`` in a row."""
    rows = images.view(-1, columns, SIDE, SIDE)
    return rows.transpose(1, 2).reshape(len(rows) * SIDE, columns * SIDE)


def _pairs(latent: Latent, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of training digits of different classes, the first pair the furthest apart of those drawn."""
    source = torch.Generator().manual_seed(seed)
    first, second = torch.randint(len(latent.means), (2, 40 * PAIRS), generator=source)
    labels, means = latent.examples.labels, latent.means
    different = labels[first] != labels[second]
    first, second = first[different][:PAIRS], second[different][:PAIRS]
    order = (means[first] - means[second]).norm(dim=1).argsort(descending=True)
    return first[order], second[order]


def _latent_space(axes: Any, latent: Latent, metric: Metric, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Draw the field, the digits' means and both ways of each pair; the first pair's geodesic (node, latent)."""
    means = latent.means
    low, high = means.amin(0) - 1.2, means.amax(0) + 1.2
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
        axes.plot(*curve.T.numpy(), color="#0b3c5d", linewidth=width)
        axes.plot(*torch.stack([start, end]).T.numpy(), color="#d9a404", linewidth=width, linestyle="--")
    for digit, colour in zip(COUNTS, COLOURS, strict=True):
        digit_means = means[latent.examples.labels == digit]
        axes.scatter(
            *digit_means.T.numpy(),
            s=14,
            color=colour,
            edgecolors="white",
            linewidths=0.4,
            zorder=3,
            label=str(digit),
        )
    axes.set_aspect("equal")
    axes.legend(title="digit", fontsize=8, title_fontsize=8, loc="best")
    axes.set_xlim(float(low[0]), float(high[0]))
    axes.set_ylim(float(low[1]), float(high[1]))
    return solved.nodes[0]
