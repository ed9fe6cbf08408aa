"""The VAE's prior N(0, I): what a VAE is trained to be sampled from, and seldom matches."""

from __future__ import annotations

import torch

from .base import Sampler, Samples, check, generator


class Prior(Sampler):
    """z ~ N(0, temperature^2 I) in ``latent_dim`` dimensions, on a device."""

    name = "prior"

    def __init__(self, latent_dim: int, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"):
        self.latent_dim, self.dtype, self.device = latent_dim, dtype, device

    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        check(count, temperature)
        noise = torch.randn(count, self.latent_dim, generator=generator(seed), dtype=self.dtype)
        return Samples(temperature * noise.to(self.device), self.name, seed, temperature)
