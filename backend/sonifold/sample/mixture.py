"""A Gaussian mixture fitted to the latent means: cheap, and the baseline every other sampler has to beat."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.cluster import plus_plus
from sonifold.types import Points

from .base import Sampler, Samples, check, generator

#: Added to the covariances, as a part of the mean variance of the data: no component collapses onto a point.
FLOOR = 1e-3
#: Rounds of expectation maximisation, and the gain in mean log likelihood below which they end.
ROUNDS, SETTLED = 100, 1e-4


class Mixture(Sampler):
    """z ~ sum_k pi_k N(m_k, temperature^2 C_k), full covariances, fitted by expectation maximisation.

    points (count, latent). Bishop 2006, section 9.2.2. ``components`` defaults to 10 or fewer, so that each
    has ten points. Raises ``ValueError`` with fewer points than components.
    """

    name = "mixture"

    def __init__(self, points: Points, components: int | None = None, seed: int = 0):
        k = components or max(1, min(10, len(points) // 10))
        if not 1 <= k <= len(points):
            raise ValueError(f"{len(points)} points make a mixture of 1 to {len(points)} components, not {k}")
        variance = points.var(0, unbiased=False).mean().clamp_min(1e-12)
        self._floor = FLOOR * variance * torch.eye(points.shape[1]).to(points)
        self.means = points[plus_plus(points, k, generator(seed))].clone()
        self.covariances = (variance * torch.eye(points.shape[1]).to(points)).expand(k, -1, -1)
        self.shares = torch.full((k,), 1 / k).to(points)
        self.log_likelihood = [-math.inf]  #: mean per point, round by round
        for _ in range(ROUNDS):
            joint = self._joint(points)
            total = joint.logsumexp(1)
            self.log_likelihood.append(total.mean().item())
            if self.log_likelihood[-1] - self.log_likelihood[-2] < SETTLED:
                break
            self._maximise(points, (joint - total[:, None]).exp())

    def log_density(self, z: Points) -> Tensor:
        """log p(z); (batch,)."""
        return self._joint(z).logsumexp(1)

    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        check(count, temperature)
        source = generator(seed)
        # drawn on the CPU, so that a seed draws the same everywhere
        components = torch.multinomial(self.shares.cpu(), count, replacement=True, generator=source)
        components = components.to(self.means.device)
        noise = torch.randn(count, self.means.shape[1], generator=source, dtype=self.means.dtype)
        noise = noise.to(self.means)
        factors = linalg.cholesky(self.covariances)[components]
        points = self.means[components] + temperature * (factors @ noise[..., None])[..., 0]
        return Samples(points, self.name, seed, temperature)

    def _joint(self, z: Points) -> Tensor:
        """log pi_k N(z; m_k, C_k); (batch, k)."""
        factors = linalg.cholesky(self.covariances)
        differences = (z[None] - self.means[:, None]).mT
        squares = torch.linalg.solve_triangular(factors, differences, upper=False).square().sum(1)
        log_det = 2 * torch.diagonal(factors, dim1=1, dim2=2).log().sum(1)
        constant = z.shape[1] * math.log(2 * math.pi)
        log_joint: Tensor = self.shares.log() - (squares.T + log_det + constant) / 2
        return log_joint

    def _maximise(self, points: Points, belongs: Tensor) -> None:
        """Shares, means and covariances from how much each point belongs to each component (count, k)."""
        mass = belongs.sum(0).clamp_min(1e-6)
        self.shares = mass / mass.sum()
        self.means = (belongs.T @ points) / mass[:, None]
        differences = points[None] - self.means[:, None]
        spread = (belongs.T[..., None] * differences).mT @ differences / mass[:, None, None]
        self.covariances = spread + self._floor
