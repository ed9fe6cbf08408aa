"""The straight line, the baseline every other path is held against."""

from __future__ import annotations

import torch

from sonifold.types import Curves, Points


def line(starts: Points, ends: Points, nodes: int = 33) -> Curves:
    """(1 - t) start + t end at ``nodes`` evenly spaced t, ends met exactly; (batch, nodes, latent)."""
    times = torch.linspace(0, 1, nodes, dtype=starts.dtype, device=starts.device)[None, :, None]
    return starts[:, None] * (1 - times) + ends[:, None] * times
