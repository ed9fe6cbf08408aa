"""Training: one resumable loop whose every random number follows from the seed and the step."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sonifold.training.prepare import TrainingSet
from sonifold.vae.checkpoint import load_checkpoint, save_checkpoint
from sonifold.vae.config import TrainingConfig, VAEConfig
from sonifold.vae.network import VAE, divergence, finite
from sonifold.vae.optimiser import AdamW
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
    device = torch.device(device)
    torch.manual_seed(config.seed)
    model = VAE(network, config.dropout).to(device)
    optimiser = AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    fingerprint, first = _fingerprint(network, config), 0
    if (stored := load_checkpoint(checkpoint, fingerprint, device)) is not None:
        stored.restore(model, optimiser)
        first = int(stored.facts["step"])
    sounds = torch.cat([data.originals, data.copies]).to(device)
    spread = data.originals.std(0).to(device)
    model.train()
    for step in range(first, config.steps):
        error, nats = _step(model, optimiser, sounds, spread, config, step)
        last = step + 1 == config.steps
        if (step + 1) % 50 == 0 or last:
            report(StepInfo(step + 1, config.steps, error.item(), nats.item()))
        if checkpoint and ((step + 1) % config.checkpoint_every == 0 or last):
            if not finite(model):
                raise FloatingPointError(
                    f"weights are no longer finite at step {step + 1}; lower learning_rate."
                )
            save_checkpoint(checkpoint, fingerprint, model, optimiser, {"step": str(step + 1)})
    return model.eval()


def _step(
    model: VAE,
    optimiser: AdamW,
    sounds: Tensor,
    spread: Tensor,
    config: TrainingConfig,
    step: int,
) -> tuple[Tensor, Tensor]:
    """One step of the optimiser: the mean squared error and the mean divergence in nats, before it."""
    for group in optimiser.param_groups:
        group["lr"] = warmup_cosine(config.learning_rate, step, config.steps, config.warmup)
    draw = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    torch.manual_seed(config.seed * 1_000_003 + step)  # dropout
    target = _batch(sounds, config, draw)
    noisy = target + config.noise * spread * torch.randn(target.shape, generator=draw).to(target.device)
    noise = torch.randn(len(target), model.config.latent_dim, generator=draw).to(target.device)
    decoded, mean, log_variance = model(noisy, noise)
    error = (decoded - target).square().mean()
    nats = divergence(mean, log_variance).mean()
    loss = config.reconstruction * error + nats
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimiser.step()
    return error, nats


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


def _fingerprint(network: VAEConfig, config: TrainingConfig) -> str:
    return json.dumps([network.model_dump(), config.model_dump(exclude={"checkpoint_every"})], sort_keys=True)
