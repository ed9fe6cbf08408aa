"""The metrics of a model by name, on one device."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from sonifold.metric import Blend, Flat, KernelMetric, Metric, Pullback
from sonifold.morph.path import MetricName
from sonifold.vae.network import VAE, freeze


class Metrics(NamedTuple):
    """The two metrics that the others are made of."""

    pullback: Pullback
    kernel: KernelMetric

    def on(self, device: torch.device, vae: VAE, head: Tensor) -> Metrics:
        """The same on a device: these themselves on the CPU, copies elsewhere."""
        if device.type == "cpu":
            return self
        moved = freeze(copy.deepcopy(vae).to(device))
        return Metrics(Pullback(moved.tangents(head.to(device))), self.kernel.to(device=device))

    def named(self, name: MetricName, weight: float, scale: float) -> Metric:
        """One of the model's metrics; ``weight`` and ``scale`` are the blend's."""
        if name == "blend":
            return Blend(self.pullback, self.kernel, weight, scale)
        return {"pullback": self.pullback, "kernel": self.kernel, "flat": Flat()}[name]
