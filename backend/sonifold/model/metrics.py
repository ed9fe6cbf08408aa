"""The metrics of a model by name, on one device."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from safetensors.torch import load_file
from torch import Tensor

from sonifold.device import is_on
from sonifold.metric import KernelMetric, Metric, Pullback
from sonifold.metric.kernel import largest_gap
from sonifold.metric.registry import MetricParts, metric_named
from sonifold.pack.read import PackParts
from sonifold.pack.write import REPLAY
from sonifold.vae.network import VAE


@dataclass(frozen=True)
class Metrics:
    """The two metrics that the others are made of, and how the blend weighs them."""

    vae: VAE
    head: Tensor  #: (feature, coefficient) from decoded coefficients to Phi
    pullback: Pullback
    kernel: KernelMetric
    scale: float  #: of the pull-back in the blend
    weight: float  #: of the kernel in the blend, where none is named
    learned: KernelMetric | None = None  #: trained with the VAE

    @classmethod
    def of(cls, parts: PackParts, device: torch.device) -> Metrics:
        """Those of a pack whose computing parts are on a device."""
        config, library = parts.config.metric, parts.library
        head, _ = parts.coefficients.timbre_map
        kernel = KernelMetric.posterior(
            library.z, library.log_variance.exp(), config.temperature, config.ridge
        )
        if not is_on(device, kernel.centroids):
            kernel = kernel.to(device=device)
        pullback = Pullback(parts.vae.tangents(head), region=kernel.centroids)
        return cls(parts.vae, head, pullback, kernel, config.scale, config.weight, _learned(parts, device))

    def under(self, condition: Tensor | None) -> Metrics:
        """The same of the decoder under a condition (number,). Raises ValueError where it does not take that one."""
        if condition is None:
            return self
        tangents = self.vae.tangents(self.head, condition=condition)
        return replace(self, pullback=Pullback(tangents, region=self.kernel.centroids))

    def named(self, name: str, weight: float | None = None) -> Metric:
        """One of the model's metrics; ``weight`` is the blend's. Raises ValueError for another name."""
        weight = self.weight if weight is None else weight
        return metric_named(name, MetricParts(self.pullback, self.kernel, weight, self.scale, self.learned))


def _learned(parts: PackParts, device: torch.device) -> KernelMetric | None:
    """The metric of a pack's metric network, with a kernel on each sound of the library; None where it has none."""
    if parts.metric_network is None or parts.config.hamiltonian is None:
        return None
    coefficients = load_file(parts.library.folder / REPLAY)["coefficients"].float()
    z, settings = parts.library.z, parts.config.hamiltonian
    metric = KernelMetric.factors(
        z, parts.metric_network(coefficients), settings.temperature or largest_gap(z), settings.ridge
    )
    return metric if is_on(device, metric.centroids) else metric.to(device=device)
