"""Training: one resumable loop whose every random number follows from the seed and the step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from sonifold.training.prepare import TrainingSet
from sonifold.vae.checkpoint import load_checkpoint, save_checkpoint
from sonifold.vae.config import HamiltonianConfig, TrainingConfig, VAEConfig
from sonifold.vae.network import VAE, divergence, finite
from sonifold.vae.optimiser import AdamW
from sonifold.vae.rhvae import ResidualRHVAE, RHVAEConfig
from sonifold.vae.schedule import warmup_cosine

CLIP = 5.0  # gradient norm


@dataclass(frozen=True)
class StepInfo:
    """Progress at one step."""

    step: int
    steps: int
    error: float  # squared error as a share of the total variance
    divergence: float  # nats


Report = Callable[[StepInfo], None]


def train(
    data: TrainingSet,
    network: VAEConfig,
    config: TrainingConfig,
    checkpoint: Path | None = None,
    report: Report = lambda info: None,
    device: torch.device | str = "cpu",
) -> VAE:
    """Minimise  w |c - dec(enc(c))|^2 / K + KL  over ``config.steps`` steps of Adam with decoupled decay.

    Interrupted and started again with the same arguments and ``checkpoint``, it ends with the same weights.
    Kingma & Welling 2014; Loshchilov & Hutter 2019.

    Raises:
        FloatingPointError: the loss is no longer finite.
    """
    torch.manual_seed(config.seed)
    model = VAE(network, config.dropout)

    def loss(sounds: Batch, draw: torch.Generator) -> Loss:
        noise = torch.randn(len(sounds.target), network.latent_dim, generator=draw).to(sounds.target)
        decoded, mean, log_variance = model(sounds.noisy, noise)
        error = (decoded - sounds.target).square().mean()
        nats = divergence(mean, log_variance).mean()
        return Loss(config.reconstruction * error + nats, error, nats)

    _descend(model, loss, data, config, _fingerprint(network, config), checkpoint, report, device)
    return model.eval()


def train_riemannian(
    data: TrainingSet,
    network: VAEConfig,
    hamiltonian: HamiltonianConfig,
    config: TrainingConfig,
    checkpoint: Path | None = None,
    report: Report = lambda info: None,
    device: torch.device | str = "cpu",
) -> ResidualRHVAE:
    """The same for an RHVAE, whose loss is :meth:`sonifold.vae.rhvae.RHVAE.loss`; ``config.noise`` plays no part.

    Raises:
        FloatingPointError: the loss is no longer finite.
    """
    torch.manual_seed(config.seed)
    numbers = network.coefficients
    deviation = math.sqrt(numbers / (2 * config.reconstruction))  # gives the error the weight of the config
    sizes = RHVAEConfig(
        **hamiltonian.model_dump(),
        features=numbers,
        latent_dim=network.latent_dim,
        likelihood="gaussian",
        deviation=deviation,
    )
    model = ResidualRHVAE(network, sizes, config.dropout)

    def loss(sounds: Batch, draw: torch.Generator) -> Loss:
        noise = torch.randn(model.noises, len(sounds.target), network.latent_dim, generator=draw)
        parts = model.loss(sounds.target, noise.to(sounds.target))
        return Loss(parts.total, parts.reconstruction / config.reconstruction, parts.rest)

    fingerprint = _fingerprint(network, hamiltonian, config)
    _descend(model, loss, data, config, fingerprint, checkpoint, report, device)
    return model.eval()


class Batch(NamedTuple):
    """Coefficients (batch, K) of sounds, and the same with noise."""

    target: Tensor
    noisy: Tensor


class Loss(NamedTuple):
    """Scalars: the loss, the mean squared error and everything else in nats."""

    total: Tensor
    error: Tensor
    nats: Tensor


def _descend(
    model: nn.Module,
    loss: Callable[[Batch, torch.Generator], Loss],
    data: TrainingSet,
    config: TrainingConfig,
    fingerprint: str,
    checkpoint: Path | None,
    report: Report,
    device: torch.device | str,
) -> None:
    """Train a model in place, from a checkpoint of the same run where there is one."""
    model.to(device).train()
    optimiser = AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    first = 0
    if (stored := load_checkpoint(checkpoint, fingerprint, device)) is not None:
        stored.restore(model, optimiser)
        first = int(stored.facts["step"])
    sounds = torch.cat([data.originals, data.copies]).to(device)
    spread = data.originals.std(0).to(device)
    for step in range(first, config.steps):
        for group in optimiser.param_groups:
            group["lr"] = warmup_cosine(config.learning_rate, step, config.steps, config.warmup)
        draw = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        torch.manual_seed(config.seed * 1_000_003 + step)  # dropout
        target = _batch(sounds, config, draw)
        noisy = target + config.noise * spread * torch.randn(target.shape, generator=draw).to(target.device)
        parts = _step(model, optimiser, loss(Batch(target, noisy), draw))
        last = step + 1 == config.steps
        if (step + 1) % 50 == 0 or last:
            report(StepInfo(step + 1, config.steps, parts.error.item(), parts.nats.item()))
        if checkpoint and ((step + 1) % config.checkpoint_every == 0 or last):
            if not finite(model):
                raise FloatingPointError(
                    f"weights are no longer finite at step {step + 1}; lower learning_rate."
                )
            save_checkpoint(checkpoint, fingerprint, model, optimiser, {"step": str(step + 1)})


def _step(model: nn.Module, optimiser: AdamW, loss: Loss) -> Loss:
    """One step of the optimiser; the loss is that before it."""
    optimiser.zero_grad(set_to_none=True)
    loss.total.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimiser.step()
    return loss


def _batch(sounds: Tensor, config: TrainingConfig, draw: torch.Generator) -> Tensor:
    """Sounds drawn at random, some of them blended with another one."""

    def pick() -> Tensor:
        return sounds[torch.randint(len(sounds), (config.batch,), generator=draw).to(sounds.device)]

    first, second = pick(), pick()
    share = _beta(config.batch, draw)
    share[torch.rand(config.batch, generator=draw) >= config.mix_share] = 1.0
    share = share[:, None].to(sounds)
    return share * first + (1 - share) * second


def _beta(count: int, draw: torch.Generator, shape: float = 0.4) -> Tensor:
    """Beta(.4, .4) by Jöhnk's rejection, with an explicit generator (torch's own takes none)."""
    out = torch.empty(count)
    todo = torch.arange(count)
    while len(todo):
        u, v = torch.rand(2, len(todo), generator=draw).pow(1 / shape)
        good = (u + v <= 1) & (u + v > 0)
        out[todo[good]] = (u / (u + v))[good]
        todo = todo[~good]
    return out


def _fingerprint(*configs: BaseModel) -> str:
    """Of everything that the weights depend on."""
    values = [config.model_dump(mode="json", exclude={"checkpoint_every"}) for config in configs]
    return json.dumps(values, sort_keys=True)
