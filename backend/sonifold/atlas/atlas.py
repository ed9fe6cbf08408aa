"""The map: library sounds in the plane, a way there and back for any latent point, and the land they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from sonifold.errors import PositionInvalid
from sonifold.types import Points, Positions

NEIGHBOURS = 12  # library sounds that say where a point belongs
SLOPE_NEIGHBOURS, SLOPE_RIDGE = 24, 1e-4  # of the fit that says how z changes over the map
COURSE_SMOOTHING = 2.0  # points of 65
SHARPNESS = 4.0  # exponent of the inverse distance


@dataclass(frozen=True)
class Field:
    """Magnification log sqrt det G on a grid over the map."""

    x: Tensor  # (column,)
    y: Tensor  # (row,)
    values: Tensor  # (row, column)
    coast: float  # up to which a place counts as land

    @property
    def levels(self) -> list[float]:
        """Contour levels from the heart of the land to the coast."""
        low = float(self.values.min())
        return torch.linspace(low, self.coast, 9).tolist()[1:]

    def at(self, positions: Positions) -> Tensor:
        """The field at map positions (batch, 2), bilinear; its border's value outside, (batch,)."""
        low, high = torch.stack([self.x[0], self.y[0]]), torch.stack([self.x[-1], self.y[-1]])
        grid = (positions - low) / (high - low) * 2 - 1
        sampled = torch.nn.functional.grid_sample(
            self.values[None, None], grid[None, None].float(), align_corners=True, padding_mode="border"
        )
        return sampled[0, 0, 0]


@dataclass(frozen=True)
class Atlas:
    """Map positions of latent points and back, by the library sounds around them; no call to UMAP.

    ``project`` weighs the positions of the nearest library sounds by inverse distance (Shepard 1968) in decoded timbre;
    a library sound is placed exactly where the layout put it. ``lift`` is a local affine fit of z over the plane
    through the nearest sounds (moving least squares), exact at them as well. A latent space of two dimensions can be
    its own map: then nothing is fitted, and ``project`` is not needed.
    """

    coordinates: Tensor  # (sound, m), decoded timbre of the library
    z: Points  # (sound, latent) of the library
    positions: Positions  # (sound, 2)
    field: Field
    placement_error: dict[str, float]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """x0, x1, y0, y1 of the field."""
        f = self.field
        return float(f.x[0]), float(f.x[-1]), float(f.y[0]), float(f.y[-1])

    @cached_property
    def is_latent_space(self) -> bool:
        """Whether the map is the latent space itself: of two dimensions, each sound at its latent point."""
        return bool(self.z.shape == self.positions.shape and torch.equal(self.z, self.positions))

    def project(self, coordinates: Tensor) -> Positions:
        """Map positions (batch, 2) of points of decoded timbre (batch, m)."""
        return project(coordinates, self.coordinates, self.positions)

    def lift(self, positions: Positions) -> Points:
        """A latent point for each map position (batch, 2).

        Raises:
            PositionInvalid: not two finite numbers.
        """
        checked = _checked(positions)
        return checked if self.is_latent_space else lift(checked, self.positions, self.z)

    def slopes(self, positions: Positions) -> Tensor:
        """dz/dx and dz/dy at map positions (batch, 2): how the latent point moves, (batch, 2, latent).

        Raises:
            PositionInvalid: not two finite numbers.
        """
        checked = _checked(positions)
        if self.is_latent_space:
            return torch.eye(2).expand(len(checked), 2, 2)
        return slopes(checked, self.positions, self.z)

    def on_land(self, positions: Positions) -> Tensor:
        """True for each map position (batch, 2) that is on land, (batch,)."""
        return self.field.at(positions) <= self.field.coast

    def water(self, course: Positions) -> float:
        """Share of a drawn course (point, 2) that leads over sea, 0 to 1."""
        middles, lengths = _along(course)
        return float((lengths * ~self.on_land(middles)).sum() / lengths.sum().clamp(min=1e-9))


def _checked(positions: Positions) -> Positions:
    xy = torch.as_tensor(positions, dtype=torch.float32).reshape(-1, 2)
    if not torch.isfinite(xy).all():
        raise PositionInvalid("a map position must be two finite numbers x, y; got NaN or infinity.")
    return xy


def _along(course: Positions, pieces: int = 8) -> tuple[Positions, Tensor]:
    """Middles of equal pieces of each stretch of a course (point, 2), and the length of each piece."""
    fractions = (torch.arange(pieces) + 0.5) / pieces
    middles = torch.lerp(course[:-1, None], course[1:, None], fractions[None, :, None]).flatten(0, 1)
    return middles, (course.diff(dim=0).norm(dim=1) / pieces).repeat_interleave(pieces)


def project(
    points: Tensor, coordinates: Tensor, positions: Positions, leave_out: Tensor | None = None
) -> Positions:
    """Shepard interpolation of map positions; ``leave_out`` (batch,) skips one sound a point."""
    distance = torch.cdist(points, coordinates)
    if leave_out is not None:
        distance[torch.arange(len(points)), leave_out] = torch.inf
    near, index = distance.topk(min(NEIGHBOURS, len(coordinates)), largest=False)
    near = near.clamp(min=1e-6)
    weight = (near[:, :1] / near) ** SHARPNESS
    return (weight[..., None] * positions[index]).sum(1) / weight.sum(1, keepdim=True)


def lift(targets: Positions, positions: Positions, z: Points) -> Points:
    """Moving least squares of latent points over the plane: a weighted affine fit through the nearest sounds."""
    distance = torch.cdist(targets, positions)
    near, index = distance.topk(min(NEIGHBOURS, len(z)), largest=False)
    reach = near[:, -1:].clamp(min=1e-6)
    weight = (1 / (near / reach).clamp(min=1e-4).square() - 1).clamp(min=0) + 1e-6  # 0 at the last neighbour
    offset = torch.cat(
        [torch.ones(*index.shape, 1), (positions[index] - targets[:, None]) / reach[..., None]], 2
    )
    weighted = offset.mT * weight[:, None]
    ridge = torch.diag(torch.tensor([0.0, 0.02, 0.02])) * weight.sum(1)[:, None, None]  # tame slopes
    solution = torch.linalg.solve(weighted @ offset + ridge, weighted @ z[index])
    points: Points = solution[:, 0]
    return points


def slopes(targets: Positions, positions: Positions, z: Points) -> Tensor:
    """Derivatives of latent points over the plane, (batch, 2, latent), by local linear regression.

    Cleveland 1979, tricube weights. Smooth, unlike ``lift``, which passes through every sound.
    """
    distance = torch.cdist(targets, positions)
    near, index = distance.topk(min(SLOPE_NEIGHBOURS, len(z)), largest=False)
    reach = near[:, -1:].clamp(min=1e-6) * 1.001
    weight = (1 - (near / reach) ** 3) ** 3
    share = (weight / weight.sum(1, keepdim=True))[..., None]
    offset = (positions[index] - targets[:, None]) / reach[..., None]
    offset = offset - (share * offset).sum(1, keepdim=True)
    values = z[index] - (share * z[index]).sum(1, keepdim=True)
    spread = offset.mT @ (share * offset) + SLOPE_RIDGE * torch.eye(2)
    regression: Tensor = torch.linalg.solve(spread, offset.mT @ (share * values)) / reach[..., None]
    return regression


def smooth_course(positions: Positions) -> Positions:
    """A path's positions on the map (point, 2) as a line that can be followed by eye; its ends are kept.

    Points of a path change their nearest sounds one by one, which makes their positions jump a little.
    """
    course = positions.double().numpy()
    padded = np.concatenate([2 * course[0] - course[:0:-1], course, 2 * course[-1] - course[-2::-1]])
    smooth = gaussian_filter1d(padded, COURSE_SMOOTHING, axis=0)[len(course) - 1 : 2 * len(course) - 1]
    smooth[[0, -1]] = course[[0, -1]]
    return torch.from_numpy(smooth).to(positions)
