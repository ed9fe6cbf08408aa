"""The VAE's prior N(0, I): what a VAE is trained to be sampled from, and seldom matches."""

from __future__ import annotations

import torch

from .base import Sampler, Samples, check, generator


class Prior(Sampler):
    """z ~ N(0, temperature^2 I) in ``latent_dim`` dimensions."""

    name = "prior"

    def __init__(self, latent_dim: int, dtype: torch.dtype | None = None):
        self.latent_dim, self.dtype = latent_dim, dtype

    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        check(count, temperature)
        noise = torch.randn(count, self.latent_dim, generator=generator(seed), dtype=self.dtype)
        return Samples(temperature * noise, self.name, seed, temperature)
