"""The numbers of one VAE and of its training, frozen."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class VAEConfig(BaseModel):
    """Sizes of the networks. What follows from them is computed, not stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coefficients: int = Field(
        512, gt=0, description="Perceptual principal components that go in and come out."
    )
    latent_dim: int = Field(32, gt=0)
    width: int = Field(256, gt=0, description="Of the residual stream.")
    hidden: int = Field(512, gt=0, description="Of the MLP inside each residual block.")
    encoder_blocks: int = Field(2, ge=0)
    decoder_blocks: int = Field(3, ge=0)


class HamiltonianConfig(BaseModel):
    """A metric that is trained with a VAE, and the Hamiltonian it is trained by; see :mod:`sonifold.vae.rhvae`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: tuple[int, ...] = Field((400,), description="Widths of the metric network's hidden layers.")
    temperature: float | None = Field(
        None,
        gt=0,
        description="T. None: the largest distance between nearest means, of each batch and in the end.",
    )
    ridge: float = Field(1e-3, gt=0, description="lambda.")
    leapfrogs: int = Field(3, ge=0, description="Leapfrog steps; 0 for none.")
    step: float = Field(0.01, gt=0, description="Step size of the leapfrog; s if there is none.")
    beta: float = Field(0.3, gt=0, le=1, description="Inverse temperature at the start of the trajectory.")
    clip: float = Field(100.0, gt=0, description="Largest norm of a force dH/dz.")


class TrainingConfig(BaseModel):
    """Settings of a pack's training. Everything random follows from ``seed``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(16_000, gt=0)
    batch: int = Field(128, gt=0)
    learning_rate: float = Field(1.2e-3, gt=0)
    warmup: int = Field(200, ge=0, description="Steps over which the learning rate rises.")
    weight_decay: float = Field(0.02, ge=0)
    reconstruction: float = Field(
        6000.0, gt=0, description="Weight of the squared error; total variance is 1."
    )
    dropout: float = Field(0.05, ge=0, lt=1, description="Inside the encoder's blocks.")
    noise: float = Field(
        0.05, ge=0, description="Added to the input, in standard deviations of each coefficient."
    )
    mix_share: float = Field(
        0.3, ge=0, le=1, description="Share of each batch that is a blend of two sounds."
    )
    augmentations: int = Field(20, ge=0, description="Altered copies of each training sound.")
    phi_share: float = Field(0.7, ge=0, lt=1, description="Share of the perceptual map in the PCA's metric.")
    seed: int = 0
    checkpoint_every: int = Field(500, gt=0, description="Steps between resumable checkpoints.")
