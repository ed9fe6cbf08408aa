"""The metrics of a model by name, on one device."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from sonifold.choices import MetricName
from sonifold.metric import Blend, Flat, KernelMetric, Metric, Pullback
from sonifold.vae.network import VAE, freeze


class Metrics(NamedTuple):
    """The two metrics that the others are made of."""

    pullback: Pullback
    kernel: KernelMetric

    def on(self, device: torch.device, vae: VAE, head: Tensor) -> Metrics:
        """The same on a device: these themselves on the CPU, copies elsewhere."""
        if device.type == "cpu":
            return self
        copied = freeze(copy.deepcopy(vae).to(device))
        return Metrics(Pullback(copied.tangents(head.to(device))), self.kernel.to(device=device))

    def named(self, name: str, weight: float, scale: float) -> Metric:
        """One of the model's metrics; ``weight`` and ``scale`` are the blend's. Raises ValueError for another name."""
        match MetricName.of(name):
            case MetricName.BLEND:
                return Blend(self.pullback, self.kernel, weight, scale)
            case MetricName.PULLBACK:
                return self.pullback
            case MetricName.KERNEL:
                return self.kernel
            case MetricName.FLAT:
                return Flat()
