"""Laying a library out in the plane, and the magnification field over it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from sonifold.atlas.atlas import Field, lift, project
from sonifold.types import Points, Positions

NEIGHBOURS = 15
MIN_DISTANCE = 0.35  # UMAP's min_dist: keeps points apart enough to be clicked
SPREAD = 1.6
MARGIN = 0.35  # of the layout's size: sea around the land
GRID = (128, 96)  # columns, rows of the field
COAST_QUANTILE = 0.97  # share of library sounds that stand on land
SMOOTHING = 1.2  # grid cells
REACH = 0.1  # of half the map's width: how far a sound makes its surroundings known
RELATIVE_TEMPERATURE = 1.5  # of the median distance between nearest sounds, in decoded timbre
RIDGE = 0.02  # bounds the magnification at sea


def layout(coordinates: Tensor, seed: int = 0) -> Positions:
    """Map positions (sound, 2) by UMAP (McInnes, Healy & Melville 2018) of perceptual coordinates (sound, m).

    Centred, turned so that the longer axis lies flat, and scaled to about -1..1 across.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TensorFlow is missing, and that a seed costs UMAP its threads
        from umap import UMAP

        raw = UMAP(
            n_neighbors=NEIGHBOURS, min_dist=MIN_DISTANCE, spread=SPREAD, random_state=seed, n_epochs=500
        ).fit_transform(coordinates.numpy().astype(np.float32))
    centred = torch.from_numpy(raw.astype(np.float32)) - torch.from_numpy(
        np.median(raw, 0).astype(np.float32)
    )
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    turned = centred @ axes.T
    positions: Positions = turned / turned.abs().quantile(0.995)
    return positions


def field(positions: Positions, z: Points, coordinates: Tensor, decoded: Callable[[Points], Tensor]) -> Field:
    """Magnification over the map: low where a known sound is near *and* what is decoded there resembles it.

    log sqrt det G of the isotropic kernel metric in the plane, G^-1(p) = (sum_i w_i(p) + ridge) I with
    w_i(p) = exp(-|p - p_i|^2 / REACH^2 - |f(lift(p)) - f(z_i)|^2 / T^2): Chadebec et al. 2022, eq. 9, over map
    position and decoded timbre f together. In timbre alone all that lies off the map would pass for its nearest
    shore; in the plane alone a fold of the map, where neighbours sound nothing alike, would pass for land.

    The coast is drawn at the value under which most library sounds lie.
    """
    low, high = positions.amin(0), positions.amax(0)
    margin = MARGIN * (high - low).amax()
    x = torch.linspace(float(low[0] - margin), float(high[0] + margin), GRID[0])
    y = torch.linspace(float(low[1] - margin), float(high[1] + margin), GRID[1])
    cells = torch.cartesian_prod(y, x).flip(1)
    # a map that is the latent space has its units, others are about -1 to 1 across
    is_latent_space = torch.equal(positions, z) if positions.shape == z.shape else False
    reach = REACH * (float(positions.abs().quantile(0.995)) if is_latent_space else 1.0)
    between = torch.cdist(coordinates, coordinates).fill_diagonal_(torch.inf)
    temperature = RELATIVE_TEMPERATURE * between.amin(1).median()
    parts = []
    for part in cells.split(512):
        near = torch.cdist(part, positions).square() / reach**2
        points = part if is_latent_space else lift(part, positions, z)
        alike = torch.cdist(decoded(points), coordinates).square() / temperature**2
        parts.append(-((-near - alike).exp().sum(1) + RIDGE).log())
    smooth = gaussian_filter(
        torch.cat(parts).reshape(len(y), len(x)).double().numpy(), SMOOTHING, mode="nearest"
    )
    drawn = Field(x, y, torch.from_numpy(smooth).float(), coast=0.0)
    return replace(drawn, coast=float(drawn.at(positions).quantile(COAST_QUANTILE)))


def placement_error(coordinates: Tensor, positions: Positions) -> dict[str, float]:
    """Distance on the map between each library sound and its projection from all other sounds.

    ``median`` and ``p90`` as a share of the map's width; ``chance`` is the median for a random other sound's spot.
    """
    rows = torch.arange(len(coordinates))
    placed = torch.cat(
        [
            project(part, coordinates, positions, leave_out=index)
            for part, index in zip(coordinates.split(256), rows.split(256), strict=True)
        ]
    )
    width = float((positions.amax(0) - positions.amin(0)).amax())
    error = (placed - positions).norm(dim=1) / width
    shuffled = positions[torch.randperm(len(positions), generator=torch.Generator().manual_seed(0))]
    chance = (shuffled - positions).norm(dim=1) / width
    return {
        "median": float(error.median()),
        "p90": float(error.quantile(0.9)),
        "chance": float(chance.median()),
    }
