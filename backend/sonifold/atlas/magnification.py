r"""How much a metric magnifies, over the map: log sqrt det H, H = S' G S the metric on the paper, S = dz/d(x, y).

Where the map is the latent space itself this is log sqrt det G, exactly. On other maps the lift folds and stretches:
there the field is worked out on land and along its coast, smoothed over one cell of its grid, and the sea is as high as
the highest place that was.
"""

from __future__ import annotations

import torch
from scipy.ndimage import binary_dilation, gaussian_filter
from torch import Tensor

from sonifold.atlas.atlas import Atlas, Field
from sonifold.metric import Metric
from sonifold.types import Positions

#: Share of library sounds below whose value the field counts as low, as for the map's own.
COAST_QUANTILE = 0.97
#: Grid points at which tensors are worked out at once.
BLOCK = 256
LEAST = 1e-30  # of a determinant
COAST = 2  # grid cells around the land


@torch.no_grad()
def magnification_field(atlas: Atlas, metric: Metric, columns: int = 64, rows: int = 48) -> Field:
    """The field of a metric on a grid over the map's extent.

    Raises:
        ValueError: fewer than two columns or rows.
    """
    if columns < 2 or rows < 2:
        raise ValueError(f"a field needs at least 2 columns and 2 rows, got {columns} and {rows}.")
    x0, x1, y0, y1 = atlas.extent
    x, y = torch.linspace(x0, x1, columns), torch.linspace(y0, y1, rows)
    cells = torch.cartesian_prod(y, x).flip(1)
    if atlas.is_latent_space:
        values = _magnification(atlas, metric, cells).view(rows, columns)
    else:
        on_land = atlas.on_land(cells).view(rows, columns).numpy()
        near = torch.from_numpy(binary_dilation(on_land, iterations=COAST)).flatten()
        magnified = _magnification(atlas, metric, cells[near])
        values = torch.full((len(cells),), float(magnified.max()))
        values[near] = magnified
        smooth = gaussian_filter(values.view(rows, columns).double().numpy(), 1.0, mode="nearest")
        values = torch.from_numpy(smooth).float()
    field = Field(x, y, values, coast=0.0)
    coast = float(field.at(atlas.positions).quantile(COAST_QUANTILE))
    # under a metric that is the same everywhere no place is worse than another
    return Field(x, y, values, coast=max(coast, float(values.min()) + 1e-3))


def _magnification(atlas: Atlas, metric: Metric, positions: Positions) -> Tensor:
    """log sqrt det H at map positions (batch, 2); (batch,)."""
    parts = []
    for part in positions.split(BLOCK):
        slopes = atlas.slopes(part)
        tensors = slopes @ metric.tensor(atlas.lift(part)).cpu().float() @ slopes.mT
        parts.append(torch.linalg.det(tensors).clamp_min(LEAST).log() / 2)
    return torch.cat(parts)
