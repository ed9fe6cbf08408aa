"""The aggregated posterior: near a sound of the library, as far as the encoder was unsure of it."""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.types import Points

from .base import Sampler, Samples, check, generator


class AggregatedPosterior(Sampler):
    """z ~ 1/K sum_i N(mu_i, temperature^2 diag(sigma_i^2)); means and variances (K, latent).

    Makhzani et al. 2015, "Adversarial autoencoders", section 2.
    """

    name = "aggregated posterior"

    def __init__(self, means: Points, variances: Tensor):
        if means.shape != variances.shape or not (variances >= 0).all():
            raise ValueError(
                f"means {tuple(means.shape)} and variances {tuple(variances.shape)} need one shape, variances >= 0"
            )
        self.means, self.deviations = means, variances.sqrt()

    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        check(count, temperature)
        source = generator(seed)
        rows = torch.randint(len(self.means), (count,), generator=source).to(self.means.device)
        noise = torch.randn(count, self.means.shape[1], generator=source, dtype=self.means.dtype).to(
            self.means
        )
        points = self.means[rows] + temperature * self.deviations[rows] * noise
        return Samples(points, self.name, seed, temperature)
