"""The opponent that needs no model: the two recordings faded into each other."""

from __future__ import annotations

import torch

from sonifold.types import Audio, AudioBatch


def cross_fade(start: Audio, end: Audio, steps: int) -> AudioBatch:
    """Mixtures (step, sample) of two recordings (sample,), from the first alone to the second alone."""
    progress = torch.linspace(0, 1, steps)[:, None]
    return (1 - progress) * start + progress * end
