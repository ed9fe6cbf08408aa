"""A new metric: lengths grow with the distance from the origin.

Copy this file to ``backend/sonifold/metric``, and give the name that it registers its words in ``MetricName`` of
``backend/sonifold/choices.py``: CONTRIBUTING.md has them. Every model then offers it.
"""

from __future__ import annotations

import torch

from sonifold.metric.base import Metric
from sonifold.metric.registry import MetricParts, register
from sonifold.types import Points, Tensors


class Growing(Metric):
    r"""G(z) = (1 + \|z\|^2) I, conformal to the plane.

    Units: squared latent units per squared latent unit. ``tensor`` is all that a metric must have; the base derives
    inner products, norms, the cometric, volume and energies of curves. Override those that a formula makes faster.
    """

    def tensor(self, z: Points) -> Tensors:
        """The metric tensor (batch, latent, latent) at points (batch, latent)."""
        scale = 1 + (z**2).sum(1)
        return scale[:, None, None] * torch.eye(z.shape[1], dtype=z.dtype, device=z.device)


@register("growing")
def of_model(parts: MetricParts) -> Growing:
    """The metric of a model. ``parts`` has the pull-back and the kernel of the model; this one needs neither."""
    return Growing()
