"""One judge for all solvers: the energy of a curve on a fine grid, in double precision.

Imports nothing of Sonifold, because it runs in the peers' environments too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy.interpolate import CubicSpline
from torch import Tensor, nn

#: Nodes on which every curve is judged, evenly spaced in its own time.
FINE = 257


def write_problem(file: Path, decoder: nn.Sequential, starts: Tensor, ends: Tensor) -> None:
    """A decoder and pairs, for other processes to read."""
    weights = {f"decoder.{name}": value for name, value in decoder.state_dict().items()}
    save_file({**weights, "starts": starts.contiguous(), "ends": ends.contiguous()}, file)


def read_problem(file: Path) -> tuple[nn.Sequential, Tensor, Tensor]:
    """(decoder, starts, ends (pair, latent))."""
    tensors = load_file(file)
    starts, ends = tensors.pop("starts"), tensors.pop("ends")
    weights = {name.removeprefix("decoder."): value for name, value in tensors.items()}
    return _decoder(weights), starts, ends


def _decoder(weights: dict[str, Tensor]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for key in sorted(weights):
        if key.endswith("weight"):
            outputs, inputs = weights[key].shape
            layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    net = nn.Sequential(*layers[:-1])
    net.load_state_dict(weights)
    return net.requires_grad_(False).eval()


class Judge:
    """Energies N sum |f(z_{k+1}) - f(z_k)|^2 of curves on ``FINE`` nodes."""

    def __init__(self, decoder: nn.Sequential):
        parts = [*decoder[:-1], decoder[-1]]
        last = parts[-1].weight.double()
        # R of the last layer's QR measures the same lengths as the layer itself
        self.head = torch.linalg.qr(last, mode="r")[1] if last.shape[0] > last.shape[1] else last
        self.body = parts[:-1]

    @torch.no_grad()
    def __call__(self, curves: Tensor) -> list[float]:
        """Of curves (batch, node, latent), joined by a cubic spline through their nodes; infinite if not finite."""
        found = []
        for curve in curves.double():
            if not torch.isfinite(curve).all():
                found.append(float("inf"))
                continue
            h = fine(curve)
            for layer in self.body:
                h = (
                    nn.functional.linear(h, layer.weight.double(), layer.bias.double())
                    if isinstance(layer, nn.Linear)
                    else layer(h)
                )
            found.append((FINE - 1) * float((h @ self.head.T).diff(dim=0).square().sum()))
        return found


def fine(curve: Tensor) -> Tensor:
    """The cubic spline through the nodes (node, latent) of a curve, on ``FINE`` of them."""
    if len(curve) == FINE:
        return curve
    times = np.linspace(0, 1, len(curve))
    return torch.from_numpy(CubicSpline(times, curve.numpy())(np.linspace(0, 1, FINE)))


class Trace:
    """Where a solver was at which time. Looked at afterwards, so that judging costs it nothing."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.states: list[Tensor] = []
        self.began = time.perf_counter()

    def mark(self, state: Tensor) -> None:
        self.seconds.append(time.perf_counter() - self.began)
        self.states.append(state.detach().clone())

    def judged(self, judge: Judge, curve: Callable[[Tensor], Tensor]) -> dict[str, list[float]]:
        """Seconds and energies, at every mark while the first ten last and then at some of them."""
        chosen = [k for k in range(len(self.states)) if k < 10 or k % 4 == 0 or k == len(self.states) - 1]
        energies = [judge(curve(self.states[k])[None])[0] for k in chosen]
        return {"seconds": [self.seconds[k] for k in chosen], "energies": energies}


class Report:
    """What a peer found so far, on disk after every pair: a time limit loses nothing."""

    def __init__(self, file: Path, version: str):
        self.file = file
        self.content: dict = {"version": version, "timed": [], "final": [], "note": ""}

    def timed(self, trace: dict[str, list[float]]) -> None:
        self.content["timed"].append(trace)
        self._write()

    def final(self, energies: list[float]) -> None:
        self.content["final"] += energies
        self._write()

    def say(self, **more: object) -> None:
        self.content.update(more)
        self._write()

    def _write(self) -> None:
        draft = self.file.with_suffix(".tmp")
        draft.write_text(json.dumps(self.content))
        draft.replace(self.file)
