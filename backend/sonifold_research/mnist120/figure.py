"""The figure: samples as in the literature, the latent space with its magnification, and two ways across it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.metric import Pullback
from sonifold_research import latent_plane

from .digits import COUNTS, SIDE
from .methods import Latent, prior, volume, walk

ROWS, COLUMNS = 6, 8
COLOURS = ("#e4572e", "#17a398", "#7768ae")
DECODED = 10  # points of a path
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
    encoded = _encoded(rhvae)
    pairs = latent_plane.pairs_apart(encoded, PAIRS, seed)
    left, right = middle.subplots(1, 2)
    learned = latent_plane.draw(left, encoded, rhvae.metric, pairs)
    left.set_title("learned metric: log sqrt det G, geodesics, straight lines", fontsize=10)
    pullback = Pullback(rhvae.model.decode, ridge=1e-3)
    pulled = latent_plane.draw(right, encoded, pullback, pairs)
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


def _encoded(latent: Latent) -> latent_plane.Encoded:
    return latent_plane.Encoded(
        latent.means, latent.examples.labels, [str(digit) for digit in COUNTS], COLOURS, "digit"
    )
