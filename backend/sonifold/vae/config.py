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
