r"""The sum of kernels behind the kernel metric, and the metric tensor at points, in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.types import Points, Tensors, Vectors

from .base import Metric

#: G is at most 1/RIDGE, twenty times its typical value on the data when the kernel is normalised.
RIDGE = 0.05
#: With three samples a step, paths of nine nodes under a blend of weight 1 to 10 had within .3 % of the energy that a
#: grid 16 times finer found on them (one-shots, 32 dimensions); with one, up to twice less, and some were worse
#: than the line.
SAMPLES_PER_STEP = 3
#: Weights below the smallest normal number to this power are zero.
FAINT = 0.8
#: Points whose weights are worked out at once: a (points, centroids) table that stays in the cache.
ROWS = 256


class KernelTensors(Metric):
    r"""G^-1(z) = sum_i M_i exp(-|z - c_i|^2 / T^2) + lambda I at points; see :class:`KernelMetric`."""

    closed_form = True

    def __init__(
        self,
        centroids: Points,
        matrices: Tensor,
        temperature: float,
        ridge: float = RIDGE,
        samples_per_step: int = SAMPLES_PER_STEP,
    ):
        k, d = _shape(centroids, "centroids")
        if matrices.shape not in {(k, d), (k, d, d)}:
            raise ValueError(
                f"{k} centroids in {d} dimensions need matrices of shape {(k, d)} or {(k, d, d)}, "
                f"got {tuple(matrices.shape)}"
            )
        if not temperature > 0 or not ridge > 0:
            raise ValueError(f"temperature and ridge must be positive, got {temperature} and {ridge}")
        self.centroids = centroids.detach().contiguous()
        self.matrices = matrices.detach().to(centroids).contiguous()
        self.temperature, self.ridge, self.samples_per_step = (
            float(temperature),
            float(ridge),
            samples_per_step,
        )
        self.diagonal = matrices.ndim == 2
        self.dtype, self.device, self.latent_dim = centroids.dtype, centroids.device, d
        self._table = self.matrices.reshape(k, -1)
        scale = -1 / self.temperature**2
        self._exponents = scale * (self.centroids * self.centroids).sum(1)
        self._slopes = -2 * scale * self.centroids.T

    def weights(self, z: Points) -> Tensor:
        """exp(-|z - c_i|^2 / T^2); (batch, K)."""
        exponents = torch.addmm(self._exponents, z, self._slopes)
        squares = (z * z).sum(1, keepdim=True) / self.temperature**2
        if exponents.requires_grad:
            return (exponents - squares).clamp_max(0).exp()
        # rounding can put a point closer than zero to a centroid; what is left of one far away would be a number
        # too small for the processor's quick path: it counts for nothing, and ten times the time
        exponents = exponents.sub_(squares).clamp_max_(0)
        faint = FAINT * math.log(torch.finfo(exponents.dtype).tiny)
        return torch.threshold_(exponents, faint, -math.inf).exp_()

    def _sum(self, z: Points, table: Tensor) -> Tensor:
        """Weighted sums of a table (K, ...) at each point, in rows that stay in the cache; (batch, ...)."""
        z = z.to(self.centroids)
        return torch.cat([self.weights(part) @ table for part in z.split(ROWS)])

    def cometric_diagonal(self, z: Points) -> Tensor:
        """The diagonal of G^-1(z) (batch, latent); all of it when the M_i are diagonal."""
        table = self.matrices if self.diagonal else torch.diagonal(self.matrices, dim1=1, dim2=2)
        return self._sum(z, table) + self.ridge

    def cometric(self, z: Points) -> Tensors:
        z = z.to(self.centroids)
        if self.diagonal:
            return torch.diag_embed(self.cometric_diagonal(z))
        d = z.shape[1]
        full = self._sum(z, self._table).view(-1, d, d)
        return full + self.ridge * torch.eye(d, dtype=z.dtype, device=z.device)

    def tensor(self, z: Points) -> Tensors:
        if self.diagonal:
            return torch.diag_embed(1 / self.cometric_diagonal(z))
        return linalg.inverse(self.cometric(z))

    def saturation(self, z: Points) -> Tensor:
        """ridge tr G(z) / d, how close the metric is to its ceiling 1/ridge; (batch,) in 0 to 1.

        Near 0 among the centroids and 1 far from all of them: what a path that is short under this metric keeps low.
        """
        if self.diagonal:
            return (self.ridge / self.cometric_diagonal(z)).mean(1)
        return self.ridge * torch.diagonal(self.tensor(z), dim1=1, dim2=2).mean(1)

    def lower(self, z: Points, u: Vectors) -> Vectors:
        """G(z) u, without forming G; (batch, latent)."""
        if self.diagonal:
            return u / self.cometric_diagonal(z)
        return linalg.solve(self.cometric(z), u[..., None])[..., 0]

    def raised(self, z: Points, covectors: Vectors) -> Vectors:
        if self.diagonal:
            return covectors * self.cometric_diagonal(z)
        return (self.cometric(z) @ covectors[..., None])[..., 0]

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return (u.to(self.centroids) * self.lower(z, v.to(self.centroids))).sum(-1)

    def log_det(self, z: Points) -> Tensor:
        if self.diagonal:
            return -self.cometric_diagonal(z).log().sum(-1)
        return -linalg.log_det(self.cometric(z))


def _shape(points: Points, name: str) -> tuple[int, int]:
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(
            f"{name} must be a non-empty (count, latent) tensor, got shape {tuple(points.shape)}"
        )
    return points.shape[0], points.shape[1]
