"""Checkpoints: the file from which an interrupted training goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from sonifold.tensor_files import save_tensors

FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a checkpoint file."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, str]

    def under(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``prefix.``, without it."""
        start = f"{prefix}."
        return {
            name.removeprefix(start): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(start)
        }

    def restore(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Give a network its weights and an optimiser its state back."""
        model.load_state_dict(self.under("model"))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in self.under("optimiser").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = tensor
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def save_checkpoint(
    path: Path,
    fingerprint: str,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    facts: Mapping[str, str],
    tensors: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint beside the last one and put it in its place.

    Args:
        fingerprint: of everything that the result depends on; a checkpoint of another one is not gone on from.
        facts: numbers of the run, as text.
        tensors: what else to keep, by names that begin with neither ``model.`` nor ``optimiser.``.
    """
    stored = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, values in optimiser.state_dict()["state"].items():
        stored |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
    stored |= tensors or {}
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".part")
    try:
        save_tensors(scratch, stored, {**facts, FINGERPRINT: fingerprint})
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def load_checkpoint(
    path: Path | None, fingerprint: str, device: torch.device | str = "cpu"
) -> Checkpoint | None:
    """The checkpoint of a run with the same fingerprint; None where there is none, or it is damaged."""
    if path is None or not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
        if facts.get(FINGERPRINT) != fingerprint:
            return None
        return Checkpoint(load_file(path, str(device)), facts)
    except (SafetensorError, OSError):  # the disk lost a part of it
        return None
