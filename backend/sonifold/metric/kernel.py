r"""The kernel metric: cheap near data, dear far from it, everything in closed form.

    G^-1(z) = (1/c) sum_i M_i exp(-|z - c_i|^2 / T^2) + lambda I

c_i are centroids (latent means of real sounds), M_i positive semidefinite matrices, T the temperature,
lambda the ridge, which bounds G at 1/lambda far from the data. Chadebec, Thibeau-Sutre, Burgos and
Allassonniere, "Data augmentation in high dimensional low sample size setting using a geometry-based VAE",
IEEE TPAMI 2022, eq. 9.

Since G is *small* near data, shortest paths keep to it. The metric of "A geometric perspective on variational
autoencoders" (NeurIPS 2022) is the other way round and drives paths away: it is for sampling, and not this
one.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.types import Curves, Points, Vectors

from .base import GeodesicOrigin, Steps
from .kernel_tensors import RIDGE, ROWS, KernelTensors
from .registry import MetricParts, register

#: Temperature over the median distance of a centroid to its nearest neighbour. Measured on one-shots: at 1
#: and above the middles of paths look denser than the data themselves, below .5 the kernels no longer
#: overlap.
RELATIVE_TEMPERATURE = 0.7
#: Points whose distances to all others are worked out at once.
CHUNK = 4096


class KernelMetric(KernelTensors):
    r"""G^-1(z) = sum_i M_i exp(-|z - c_i|^2 / T^2) + lambda I.

    centroids
        (K, latent).
    matrices
        The M_i: (K, latent) the diagonals of diagonal ones, which is many times faster, or (K, latent,
        latent) positive semidefinite. ``factors`` below gives them as L_i L_i'.
    temperature
        T, in latent units.
    ridge
        lambda > 0, in units of the inverse metric.
    samples_per_step
        Places on each step of a curve at which the metric is looked at. With one, a path on few nodes can leap over
        the dear places between the data unseen.

    Raises ``ValueError`` when shapes disagree, or T or lambda is not positive.
    """

    @classmethod
    def factors(cls, centroids: Points, factors: Tensor, temperature: float, ridge: float = RIDGE) -> Self:
        """From factors L_i (K, latent, latent), M_i = L_i L_i'."""
        return cls(centroids, factors @ factors.mT, temperature, ridge)

    @classmethod
    def posterior(
        cls,
        means: Points,
        variances: Tensor,
        temperature: float | None = None,
        ridge: float = RIDGE,
        normalise: bool = True,
    ) -> Self:
        """From the posteriors N(mu_i, diag(sigma_i^2)) of any trained VAE: c_i = mu_i, M_i ~ diag(sigma_i^2).

        means, variances: (K, latent). ``temperature`` defaults to .7 x the median distance between nearest
        means. ``normalise`` divides so that the mean eigenvalue of the kernel sum at a typical centroid, its
        own kernel left out, is 1: then G is about I on the data and at most 1/ridge off it, whatever the
        units of z.
        """
        if variances.shape != means.shape:
            raise ValueError(
                f"means are {tuple(means.shape)} and variances {tuple(variances.shape)}; both are (K, latent)"
            )
        if not (variances > 0).all():
            raise ValueError("variances must be positive; pass exp(log_variance), not the log")
        temperature = temperature or RELATIVE_TEMPERATURE * nearest_distances(means).median().item()
        metric = cls(means, variances / variances.mean(), temperature, ridge)
        return metric.normalised() if normalise else metric

    @classmethod
    def isotropic(
        cls, centroids: Points, temperature: float | None = None, ridge: float = RIDGE, normalise: bool = True
    ) -> Self:
        """M_i = I: distance to the data alone shapes the metric. Defaults as in ``posterior``."""
        return cls.posterior(centroids, torch.ones_like(centroids), temperature, ridge, normalise)

    def normalised(self) -> Self:
        """The same with the M_i over the median, over centroids, of the kernel sum's mean eigenvalue there.

        Each centroid's own kernel is left out: the point stands for a place between the data. A single
        centroid has no others, and is left as it is.
        """
        weights = self.weights(self.centroids).fill_diagonal_(0)
        trace = self.matrices if self.diagonal else torch.diagonal(self.matrices, dim1=1, dim2=2)
        typical = (weights @ trace.mean(1)).median().item()
        scale = typical if typical > 0 else 1.0
        return type(self)(
            self.centroids, self.matrices / scale, self.temperature, self.ridge, self.samples_per_step
        )

    def to(self, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same in another precision, or on another device."""
        centroids, matrices = (part.to(device, dtype) for part in (self.centroids, self.matrices))
        return type(self)(centroids, matrices, self.temperature, self.ridge, self.samples_per_step)

    def magnification_gradient(self, z: Points) -> tuple[Tensor, Vectors]:
        """With A = G^-1 and t_i = w_i tr(A^-1 M_i), grad log sqrt det G = (z sum_i t_i - sum_i t_i c_i) / T^2."""
        z = z.to(self.centroids)
        weights = self.weights(z)
        if self.diagonal:
            a = weights @ self.matrices + self.ridge
            volume, inverted = -a.log().sum(-1) / 2, 1 / a
        else:
            d = z.shape[1]
            eye = torch.eye(d, dtype=z.dtype, device=z.device)
            factor = linalg.cholesky((weights @ self._table).view(-1, d, d) + self.ridge * eye)
            volume = -torch.diagonal(factor, dim1=1, dim2=2).log().sum(-1)
            # twice as quick as torch.cholesky_inverse on many small matrices
            half = torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)
            inverted = (half.mT @ half).flatten(1)
        pull = weights * (inverted @ self._table.T)
        return volume, (pull.sum(1, keepdim=True) * z - pull @ self.centroids) / self.temperature**2

    def gradient(self, z: Points, u: Vectors) -> Vectors:
        """(2/T^2) sum_i w_i (v' M_i v) (z - c_i) with v = G(z) u; (batch, latent)."""
        z, u = z.to(self.centroids), u.to(self.centroids)
        v = self.lower(z, u)
        outer = v * v if self.diagonal else (v[:, :, None] * v[:, None, :]).flatten(1)
        pull = self.weights(z) * (outer @ self._table.T)
        return (2 / self.temperature**2) * (pull.sum(1, keepdim=True) * z - pull @ self.centroids)

    def connection(self, z: Points, u: Vectors, v: Vectors) -> Vectors:
        """For diagonal M_i, with c = G^-1: 1/2 (-(D_u c) v / c^2 - (D_v c) u / c^2 + grad (u v / c^2) . c)."""
        if not self.diagonal:
            return super().connection(z, u, v)
        weights, factor = self.weights(z), -2 / self.temperature**2
        c = weights @ self.matrices + self.ridge

        def along(w: Vectors) -> Tensor:
            """D_w c."""
            towards = (z * w).sum(1, keepdim=True) - w @ self.centroids.T
            return factor * ((weights * towards) @ self.matrices)

        pull = weights * ((u * v / c**2) @ self.matrices.T)
        across = factor * (pull.sum(1, keepdim=True) * z - pull @ self.centroids)
        return (across - (along(u) * v + along(v) * u) / c**2) / 2

    def connections(self, samples: Curves, velocities: Curves, rates: Tensor) -> tuple[Tensor, Tensor]:
        """For diagonal M_i, with g = 1/c and P_ji = dg_i/dz_j: 1/2 (diag(P'u) + diag(u) P' - P diag(u))."""
        if not self.diagonal:
            return super().connections(samples, velocities, rates)
        z, u = samples.flatten(0, 1).to(self.centroids), velocities.flatten(0, 1).to(self.centroids)
        weights = self.weights(z)
        kernels = weights @ self.matrices
        c = kernels + self.ridge
        slopes = (weights[:, None, :] * self.centroids.T) @ self.matrices - z[:, :, None] * kernels[:, None]
        p = slopes * (-2 / self.temperature**2 / c**2)[:, None]
        turned = u[:, :, None] * p.mT
        connection = (torch.diag_embed((u[:, None] @ p)[:, 0]) + turned - turned.mT) / 2
        shape = (*samples.shape, samples.shape[-1])
        return torch.diag_embed(1 / c).view(shape), connection.view(shape)

    def geodesic_origin(self, z: Points) -> GeodesicOrigin:
        """By one step to each of the others."""
        z = z.to(self.centroids)

        def slope(others: Tensor) -> Tensor:
            steps = Steps.of(
                torch.stack([z[:, None].expand_as(others), others], 2).flatten(0, 1), self.samples_per_step
            )
            lowered, turn, _ = self._look(steps.samples, steps.moves)
            return (steps.split(turn)[0] - 2 * steps.mean(lowered)).view(others.shape)

        return GeodesicOrigin(self.tensor(z), slope)

    def energy_gradient(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.energy_model(curves)[:2]

    def energy_model(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """In closed form: with u the steps, m their middles (or the other samples), v = G(m) u: E = N sum u'v and

        dE/dz_k = N [ 2 v_{k-1} - 2 v_k + (nu_{k-1} + nu_k)/2 ],  nu = grad_m u'G(m)u.
        """
        curves = curves.to(self.centroids)
        steps = Steps.of(curves, self.samples_per_step)
        parts = [
            self._look(*part) for part in zip(steps.samples.split(ROWS), steps.moves.split(ROWS), strict=True)
        ]
        lowered, turn, inverse = (
            torch.cat(part) if len(parts) > 1 else part[0] for part in zip(*parts, strict=True)
        )
        v, (to_start, to_end) = steps.mean(lowered), steps.split(turn)
        moves, n = curves.diff(dim=1), curves.shape[1] - 1
        gradient = 2 * (v[:, :-1] - v[:, 1:]) + to_end[:, :-1] + to_start[:, 1:]
        return n * (moves * v).sum((1, 2)), n * gradient, steps.mean(inverse)

    def _look(self, z: Points, u: Vectors) -> tuple[Vectors, Vectors, Tensor]:
        """(v = G(z) u, grad_z u'G(z)u, G^-1(z) or its diagonal if that is all), from one table of weights."""
        weights = self.weights(z)
        if self.diagonal:
            inverse = weights @ self.matrices + self.ridge
            v = u / inverse
            outer = v * v
        else:
            d = z.shape[1]
            eye = torch.eye(d, dtype=z.dtype, device=z.device)
            inverse = (weights @ self._table).view(-1, d, d) + self.ridge * eye
            v = linalg.solve(inverse, u[..., None])[..., 0]
            outer = (v[:, :, None] * v[:, None, :]).flatten(1)
        pull = weights * (outer @ self._table.T)
        turn = (2 / self.temperature**2) * (pull.sum(1, keepdim=True) * z - pull @ self.centroids)
        return v, turn, inverse


def nearest_distances(points: Points) -> Tensor:
    """Euclidean distance of each point to its nearest other one; (batch,). Infinite for a single point's."""
    distances = torch.cat([torch.cdist(part, points) for part in points.split(CHUNK)])
    return (
        distances.fill_diagonal_(float("inf")).amin(1) if len(points) > 1 else torch.ones_like(points[:, 0])
    )


def largest_gap(points: Points) -> float:
    """rho = max_i min_j |c_i - c_j|, the paper's temperature; 1 for a single point or equal ones."""
    gap = float(nearest_distances(points).max())
    return gap if gap > 0 else 1.0


@register("kernel")
def of_model(parts: MetricParts) -> KernelMetric:
    """The data term of a model by itself."""
    return parts.kernel
