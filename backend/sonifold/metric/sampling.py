r"""The metric that is sampled from, and along which no path should be laid.

    G(z) = sum_i Sigma_i^-1 exp(-(z - mu_i)' Sigma_i^-1 (z - mu_i) / T^2) + lambda I

Chadebec and Allassonniere, "A geometric perspective on variational autoencoders", NeurIPS 2022, eq. 7. It is *large*
on the data: sqrt det G is a good density to sample, but since distances are long there its shortest paths flee the
data. For paths use ``KernelMetric``, which is the other way round.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from sonifold.types import Points, Tensors, Vectors

from .base import Metric
from .kernel import nearest_distances
from .kernel_tensors import ROWS

#: lambda, as in the paper's experiments.
RIDGE = 1e-2


class SamplingMetric(Metric):
    """The NeurIPS 2022 metric of posteriors N(mu_i, diag(sigma_i^2)), for sampling only.

    means, variances: (K, latent). ``temperature`` T defaults to the paper's choice, the largest distance between
    nearest means, max_i min_j |mu_i - mu_j|. Raises ``ValueError`` for shapes that differ or variances <= 0.
    """

    def __init__(
        self, means: Points, variances: Tensor, temperature: float | None = None, ridge: float = RIDGE
    ):
        if means.shape != variances.shape or not (variances > 0).all():
            raise ValueError(
                f"means {tuple(means.shape)} and variances {tuple(variances.shape)} need one shape, variances > 0"
            )
        self.centroids, self.precisions = means.detach(), 1 / variances.detach()
        self.temperature = float(temperature or _largest_gap(means))
        self.ridge, self.dtype = float(ridge), means.dtype
        self._weighted = self.precisions * self.centroids
        self._constant = (self._weighted * self.centroids).sum(1)

    def weights(self, z: Points) -> Tensor:
        """exp(-(z - mu_i)' Sigma_i^-1 (z - mu_i) / T^2); (batch, K)."""
        squares = (z * z) @ self.precisions.T - 2 * z @ self._weighted.T + self._constant
        return (squares.clamp_min(0) / -(self.temperature**2)).exp()

    def diagonal(self, z: Points) -> Tensor:
        """The diagonal of G(z), which is all of it; (batch, latent)."""
        z = z.to(self.centroids)
        return torch.cat([self.weights(part) @ self.precisions for part in z.split(ROWS)]) + self.ridge

    def tensor(self, z: Points) -> Tensors:
        return torch.diag_embed(self.diagonal(z))

    def cometric(self, z: Points) -> Tensors:
        return torch.diag_embed(1 / self.diagonal(z))

    def lower(self, z: Points, u: Vectors) -> Vectors:
        return u * self.diagonal(z)

    def raised(self, z: Points, covectors: Vectors) -> Vectors:
        return covectors / self.diagonal(z)

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return (u * v * self.diagonal(z)).sum(-1)

    def log_det(self, z: Points) -> Tensor:
        return self.diagonal(z).log().sum(-1)

    def magnification_gradient(self, z: Points) -> tuple[Tensor, Vectors]:
        """With t_i = w_i tr(G^-1 Sigma_i^-1), grad = -(1/T^2) sum_i t_i Sigma_i^-1 (z - mu_i)."""
        weights = self.weights(z)
        diagonal = weights @ self.precisions + self.ridge
        pull = weights * ((1 / diagonal) @ self.precisions.T)
        gradient = (pull @ self._weighted - z * (pull @ self.precisions)) / self.temperature**2
        return diagonal.log().sum(-1) / 2, gradient

    def to(self, dtype: torch.dtype) -> Self:
        """The same in another precision."""
        return type(self)(
            self.centroids.to(dtype), (1 / self.precisions).to(dtype), self.temperature, self.ridge
        )


def _largest_gap(means: Points) -> float:
    return float(nearest_distances(means).max())
