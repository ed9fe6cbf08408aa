"""A new metric: lengths grow with the distance from the origin.

Copy this file to ``backend/sonifold/metric``, name the class in its ``__init__.py``, and add a line to ``METRICS`` in
``tests/sonifold/metric_cases.py``: the contract tests then run on it, as they do on this one.
"""

from __future__ import annotations

import torch

from sonifold.metric.base import Metric
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
