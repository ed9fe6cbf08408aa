"""Training of the fully connected VAEs: early stopping, and going on after an interruption.

Every random number follows from the seed and the epoch, so that a run that was interrupted ends with the weights of one
that was not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from .checkpoint import load_checkpoint, save_checkpoint
from .dense import DenseConfig, DenseVAE, Loss

Network = TypeVar("Network", bound=DenseVAE)

#: Updates in a row whose loss or gradient was not finite, after which training gives up.
MOST_SKIPPED = 20


class FitConfig(BaseModel):
    """Settings of one VAE's training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(10_000, gt=0)
    batch: int | None = Field(None, gt=0, description="Examples in a batch; None: all of them.")
    learning_rate: float = Field(1e-3, gt=0)
    patience: int | None = Field(
        50, gt=0, description="Epochs without a lower loss after which training ends; None: never."
    )
    clip: float = Field(1000.0, gt=0, description="Largest norm of the gradient.")
    seed: int = 0
    checkpoint_every: int = Field(200, gt=0, description="Epochs between resumable checkpoints.")


class Ending(StrEnum):
    """Reasons why training ends, as sentences."""

    SETTLED = "the loss had not fallen for as many epochs as the patience allows"
    OUT_OF_EPOCHS = "all epochs done while the loss was still falling; raise epochs for more"


@dataclass(frozen=True)
class EpochInfo:
    """Progress at one epoch."""

    epoch: int
    epochs: int
    loss: float  #: nats per example
    best: float
    skipped: int  #: updates left out so far because they were not finite


@dataclass(frozen=True)
class Fit:
    """The result of training; the network has the weights of its best epoch."""

    epochs: int
    best_epoch: int
    best: float  #: nats per example
    skipped: int
    ending: Ending


Report = Callable[[EpochInfo], None]


def fit(
    network: type[Network],
    config: DenseConfig,
    examples: Tensor,
    training: FitConfig,
    checkpoint: Path | None = None,
    report: Report = lambda info: None,
    device: torch.device | str = "cpu",
) -> tuple[Network, Fit]:
    """Train a network (``DenseVAE`` or ``RHVAE``) on examples (count, features) with Adam; in their precision.

    An update whose loss or gradient is not finite is left out and counted. Started again with the same arguments and
    ``checkpoint``, training goes on where it was.

    Raises:
        ValueError: examples of another width than the config's, not finite, or outside [0, 1] for a Bernoulli.
        FloatingPointError: twenty updates in a row were not finite.
    """
    _check(examples, config)
    model = _begin(network, config, training, examples, device)
    state = _State(model, torch.optim.Adam(model.parameters(), training.learning_rate), _copy(model))
    fingerprint = json.dumps([network.__name__, config.model_dump(), _numbers(training)], sort_keys=True)
    state.resume(checkpoint, fingerprint)
    ending = Ending.OUT_OF_EPOCHS
    examples = examples.to(device)
    while state.epoch < training.epochs:
        state.run_epoch(examples, training)
        report(EpochInfo(state.epoch, training.epochs, state.loss, state.best, state.skipped))
        settled = training.patience is not None and state.epoch - state.best_epoch >= training.patience
        if checkpoint is not None and state.epoch % training.checkpoint_every == 0:
            state.save(checkpoint, fingerprint)
        if settled:
            ending = Ending.SETTLED
            break
    state.model.load_state_dict(state.best_weights)
    model.eval()
    return model, Fit(state.epoch, state.best_epoch, state.best, state.skipped, ending)


def _begin(
    network: type[Network],
    config: DenseConfig,
    training: FitConfig,
    examples: Tensor,
    device: torch.device | str,
) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        return network(config).to(device=device, dtype=examples.dtype)


def _check(examples: Tensor, config: DenseConfig) -> None:
    if examples.ndim != 2 or examples.shape[1] != config.features or not len(examples):
        raise ValueError(
            f"examples must be (count, {config.features}), got {tuple(examples.shape)}; flatten images, "
            "or set features in the config"
        )
    if not torch.isfinite(examples).all():
        raise ValueError("examples have NaN or infinity in them; leave those out")
    if config.likelihood == "bernoulli" and (examples.min() < 0 or examples.max() > 1):
        raise ValueError(
            f"a Bernoulli likelihood wants features in [0, 1], these go from {examples.min():g} to "
            f"{examples.max():g}; rescale them, or take likelihood='gaussian'"
        )


def _numbers(training: FitConfig) -> dict[str, Any]:
    return training.model_dump(exclude={"checkpoint_every", "epochs"})


@dataclass
class _State:
    """Everything a checkpoint holds."""

    model: DenseVAE
    optimiser: torch.optim.Adam
    best_weights: dict[str, Tensor]
    epoch: int = 0
    best_epoch: int = 0
    best: float = math.inf
    loss: float = math.inf
    skipped: int = 0
    in_a_row: int = 0

    def run_epoch(self, examples: Tensor, training: FitConfig) -> None:
        """One pass over the examples in random batches."""
        draw = torch.Generator().manual_seed(training.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(examples), generator=draw).to(examples.device)
        weights = _copy(self.model)  # of the loss below, which is that before its updates
        total = 0.0
        for batch in order.split(training.batch or len(examples)):
            shape = (self.model.noises, len(batch), self.model.config.latent_dim)
            noise = torch.randn(shape, generator=draw, dtype=examples.dtype).to(examples.device)
            total += self._update(examples[batch], noise, training.clip) * len(batch)
        self.loss = total / len(examples)
        self.epoch += 1
        if self.loss < self.best:
            self.best, self.best_epoch, self.best_weights = self.loss, self.epoch, weights

    def _update(self, examples: Tensor, noise: Tensor, clip: float) -> float:
        loss: Loss = self.model.loss(examples, noise)
        self.optimiser.zero_grad(set_to_none=True)
        loss.total.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), clip)
        if not (torch.isfinite(loss.total) and torch.isfinite(norm)):
            self.skipped, self.in_a_row = self.skipped + 1, self.in_a_row + 1
            if self.in_a_row >= MOST_SKIPPED:
                raise FloatingPointError(
                    f"{MOST_SKIPPED} updates in a row were not finite, at epoch {self.epoch + 1}; lower learning_rate"
                )
            return math.inf
        self.in_a_row = 0
        self.optimiser.step()
        return float(loss.total.detach())

    def save(self, path: Path, fingerprint: str) -> None:
        numbers = [self.epoch, self.best_epoch, self.best, self.loss, self.skipped, self.in_a_row]
        best = {f"best.{name}": tensor for name, tensor in self.best_weights.items()}
        facts = {"numbers": json.dumps(numbers)}
        save_checkpoint(path, fingerprint, self.model, self.optimiser, facts, best)

    def resume(self, path: Path | None, fingerprint: str) -> None:
        """Take up a checkpoint made with the same arguments; leave any other alone."""
        stored = load_checkpoint(path, fingerprint, next(self.model.parameters()).device)
        if stored is None:
            return
        stored.restore(self.model, self.optimiser)
        self.best_weights = stored.under("best")
        self.epoch, self.best_epoch, self.best, self.loss, self.skipped, self.in_a_row = json.loads(
            stored.facts["numbers"]
        )


def _copy(model: DenseVAE) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
