"""Encoder and decoder: residual MLPs on perceptual coefficients, the decoder with a linear head.

The linear head is what makes the pulled-back metric cheap: see :mod:`sonifold.metric`.
"""

from __future__ import annotations

from typing import Self, TypeVar

import torch
from torch import Tensor, nn

from sonifold.metric import RESIDUAL_BLOCKS, ResidualMLPTangents, TangentDecoder
from sonifold.types import Points
from sonifold.vae.config import VAEConfig
from sonifold.vae.field import FieldTangents, ResidualField

Network = TypeVar("Network", bound=nn.Module)

LOG_VARIANCE = (-10.0, 3.0)  # beyond these a posterior is a point, or the whole prior and more


class ResidualBlock(nn.Module):
    """x + down(gelu(up(norm(x)))); the identity at initialisation."""

    def __init__(self, width: int, hidden: int, dropout: float = 0.0):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = x + self.down(self.dropout(nn.functional.gelu(self.up(self.norm(x)))))
        return output


RESIDUAL_BLOCKS.add(ResidualBlock)


class VAE(nn.Module):
    """Coefficients (batch, coefficients) <-> latent points (batch, latent_dim).

    ``field`` is what adapting to a few sounds may add to the decoder; None as trained.
    """

    field: ResidualField | None

    def __init__(self, config: VAEConfig, dropout: float = 0.0):
        super().__init__()
        self.config = config
        c = config
        self.encoder = nn.Sequential(
            nn.Linear(c.coefficients, c.width),
            *[ResidualBlock(c.width, c.hidden, dropout) for _ in range(c.encoder_blocks)],
            nn.LayerNorm(c.width),
            nn.Linear(c.width, 2 * c.latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(c.latent_dim, c.width),
            *[ResidualBlock(c.width, c.hidden) for _ in range(c.decoder_blocks)],
            nn.LayerNorm(c.width),
            nn.Linear(c.width, c.coefficients),
        )
        self.field = None

    @classmethod
    def from_tensors(cls, config: VAEConfig, tensors: dict[str, Tensor]) -> Self:
        """A network with the weights that a pack stores, the field among them if there is one."""
        vae = cls(config)
        if "field.centres" in tensors:
            parts = (torch.empty_like(tensors[f"field.{name}"]) for name in ("centres", "values", "scale"))
            vae.field = ResidualField(*parts)
        vae.load_state_dict(tensors)
        return vae

    def tangents(
        self, head: Tensor | None = None, exact: bool = False, condition: Tensor | None = None
    ) -> TangentDecoder:
        """The decoder under a condition, with its derivatives; see :class:`sonifold.metric.SequentialTangents`."""
        decoder = self.conditioned(condition)
        if self.field is None:
            return ResidualMLPTangents(decoder, head, exact=exact)
        return FieldTangents(decoder, self.field, head, exact)

    def conditioned(self, condition: Tensor | None) -> nn.Sequential:
        """The decoder as a function of the latent point alone: a condition (number,) joins the first layer's bias.

        Raises:
            ValueError: the condition has another length than the decoder takes besides the latent point.
        """
        first = self.decoder[0]
        assert isinstance(first, nn.Linear)
        numbers = 0 if condition is None else len(condition)
        if numbers != first.in_features - self.config.latent_dim:
            raise ValueError(
                f"the decoder takes a condition of {first.in_features - self.config.latent_dim} numbers, got {numbers}."
            )
        if condition is None:
            return self.decoder
        latent_weight, weight = first.weight.split([self.config.latent_dim, numbers], 1)
        joined = nn.Linear(self.config.latent_dim, first.out_features)
        joined.weight = nn.Parameter(latent_weight.detach(), requires_grad=False)
        joined.bias = nn.Parameter((first.bias + weight @ condition.to(weight)).detach(), requires_grad=False)
        return nn.Sequential(joined, *list(self.decoder)[1:])

    def encode(self, coefficients: Tensor) -> tuple[Points, Tensor]:
        """Mean and log variance of the posterior, both (batch, latent_dim)."""
        mean, log_variance = self.encoder(coefficients).chunk(2, dim=-1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def decode(self, points: Points, condition: Tensor | None = None) -> Tensor:
        """Coefficients (batch, coefficients), under a condition (number,) if the decoder takes one."""
        decoded = self.decoder(points) if condition is None else self.conditioned(condition)(points)
        coefficients: Tensor = decoded if self.field is None else decoded + self.field(points)
        return coefficients

    def forward(self, coefficients: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction, mean and log variance; ``noise`` is standard normal, (batch, latent_dim)."""
        mean, log_variance = self.encode(coefficients)
        return self.decode(mean + (0.5 * log_variance).exp() * noise), mean, log_variance


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(posterior || N(0, I)) in nats, (batch,). Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def freeze(module: Network) -> Network:
    """The module in evaluation mode with no gradients to its parameters."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module.eval()


def finite(module: nn.Module) -> bool:
    """True when every parameter is a finite number."""
    return all(bool(torch.isfinite(p).all()) for p in module.parameters())
