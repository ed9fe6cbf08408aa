"""The two models of the experiment, one pair a seed: a VAE and an RHVAE of the same sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sonifold.vae.dense import DenseConfig, DenseVAE
from sonifold.vae.fit import EpochInfo, FitConfig, fit
from sonifold.vae.rhvae import RHVAE, RHVAEConfig

from .digits import SIDE, Examples

#: (what is being done, how far, of how much)
Progress = Callable[[str, int, int], None]
Network = TypeVar("Network", bound=DenseVAE)

WIDTHS = (256,)
VAE_CONFIG = DenseConfig(features=SIDE**2, latent_dim=2, encoder=WIDTHS, decoder=WIDTHS)
#: T, lambda, leapfrog and tempering as in the published experiment.
RHVAE_CONFIG = RHVAEConfig(
    features=SIDE**2,
    latent_dim=2,
    encoder=WIDTHS,
    decoder=WIDTHS,
    metric=WIDTHS,
    temperature=0.8,
    ridge=1e-3,
    leapfrogs=3,
    step=0.01,
)


def models(
    examples: Examples, seed: int, folder: Path, progress: Progress, training: FitConfig
) -> tuple[DenseVAE, RHVAE]:
    """Both models of a seed, from the folder if they are there, else trained (and gone on with) and kept there."""
    training = training.model_copy(update={"seed": seed})
    vae = _model(DenseVAE, VAE_CONFIG, "VAE", examples, seed, folder, progress, training)
    return vae, _model(RHVAE, RHVAE_CONFIG, "RHVAE", examples, seed, folder, progress, training)


def _model(
    network: type[Network],
    config: DenseConfig,
    name: str,
    examples: Examples,
    seed: int,
    folder: Path,
    progress: Progress,
    training: FitConfig,
) -> Network:
    file = folder / f"{name.lower()}-{seed}.safetensors"
    if file.exists():
        return network.load(file)

    def show(info: EpochInfo) -> None:
        progress(f"seed {seed}, {name}, loss {info.best:.1f}", info.epoch, info.epochs)

    checkpoint = folder / f"{name.lower()}-{seed}.checkpoint"
    model, how = fit(network, config, examples.images, training, checkpoint, show)
    model.save(file)
    about = {"epochs": how.epochs, "best_epoch": how.best_epoch, "best": how.best, "skipped": how.skipped}
    file.with_suffix(".json").write_text(json.dumps({**about, "ending": how.ending}, indent=1) + "\n")
    checkpoint.unlink(missing_ok=True)
    return model
