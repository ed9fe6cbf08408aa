"""A plain VAE of fully connected layers, for any feature vectors or flat images: small sets, experiments, researchers.

The packs' own network is :mod:`sonifold.vae.network`. This one takes its sizes and its likelihood from a config, and
is the baseline of, and the base for, :mod:`sonifold.vae.rhvae`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from sonifold.tensor_files import save_tensors
from sonifold.types import Points

from .metric_network import mlp
from .network import LOG_VARIANCE, divergence


class DenseConfig(BaseModel):
    """Sizes and likelihood of one VAE."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: int = Field(gt=0, description="Numbers in one example; an image counts its pixels.")
    latent_dim: int = Field(2, gt=0)
    encoder: tuple[int, ...] = Field((400,), description="Widths of the hidden layers.")
    decoder: tuple[int, ...] = Field((400,), description="Widths of the hidden layers.")
    likelihood: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="Bernoulli for features in [0, 1], Gaussian for any others."
    )
    deviation: float = Field(1.0, gt=0, description="Of the Gaussian likelihood, in feature units.")


class Loss(NamedTuple):
    """The training loss and its parts; scalars, nats per example."""

    total: Tensor
    reconstruction: Tensor  #: -log p(x|z), less the constants of the Gaussian
    rest: Tensor  #: everything else; the divergence from the prior in a plain VAE


class DenseVAE(nn.Module):
    """Examples (batch, features) <-> latent points (batch, latent). Kingma and Welling 2014."""

    #: Standard normal numbers that ``loss`` wants for each example, in units of ``latent_dim``.
    noises = 1
    config_class: type[DenseConfig] = DenseConfig

    def __init__(self, config: DenseConfig):
        super().__init__()
        self.config = config
        self.encoder = mlp([config.features, *config.encoder, 2 * config.latent_dim])
        self.decoder = mlp([config.latent_dim, *config.decoder, config.features])

    def encode(self, examples: Tensor) -> tuple[Points, Tensor]:
        """Mean and log variance of the posterior, both (batch, latent)."""
        mean, log_variance = self.encoder(examples).chunk(2, dim=-1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def decode(self, points: Points) -> Tensor:
        """The mean of the likelihood: examples (batch, features), in [0, 1] if it is Bernoulli."""
        output = self.decoder(points)
        means: Tensor = output.sigmoid() if self.config.likelihood == "bernoulli" else output
        return means

    def log_likelihood(self, points: Points, examples: Tensor) -> Tensor:
        """log p(x|z) in nats, without the constants of the Gaussian; (batch,)."""
        output = self.decoder(points)
        if self.config.likelihood == "bernoulli":
            return -nn.functional.binary_cross_entropy_with_logits(output, examples, reduction="none").sum(-1)
        log_likelihood: Tensor = -0.5 * ((examples - output) / self.config.deviation).square().sum(-1)
        return log_likelihood

    def log_joint(self, points: Points, examples: Tensor) -> Tensor:
        """log p(x|z) + log N(z; 0, I), without constants; (batch,)."""
        return self.log_likelihood(points, examples) - 0.5 * points.square().sum(-1)

    def loss(self, examples: Tensor, noise: Tensor) -> Loss:
        """The negative evidence lower bound; ``noise`` is standard normal, (1, batch, latent)."""
        mean, log_variance = self.encode(examples)
        reconstruction = -self.log_likelihood(mean + (0.5 * log_variance).exp() * noise[0], examples).mean()
        nats = divergence(mean, log_variance).mean()
        return Loss(reconstruction + nats, reconstruction, nats)

    def save(self, path: Path) -> None:
        """Weights and config, as one safetensors file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        about = {"class": type(self).__name__, "config": self.config.model_dump_json()}
        save_tensors(scratch, self.state_dict(), about)
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The network that ``save`` wrote, on the CPU. Raises ``ValueError`` for a file of another class."""
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
        if about.get("class") != cls.__name__:
            raise ValueError(
                f"{path} holds a {about.get('class', 'file of something else')}, not a {cls.__name__}; "
                "load it with the class that saved it"
            )
        model = cls(cls.config_class(**json.loads(about["config"])))
        tensors = load_file(path)
        model.to(next(iter(tensors.values())).dtype).load_state_dict(tensors)
        return model.eval()
