"""The learning rate over a training."""

from __future__ import annotations

import math

LEAST = 0.01  # of the largest rate, at the end of the cosine


def warmup_cosine(largest: float, step: int, steps: int, warmup: int) -> float:
    """The rate at one step: a rise over ``warmup`` steps, then half a cosine down to a hundredth of ``largest``."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    return largest * rise * (0.5 * (1 + math.cos(math.pi * step / steps)) + LEAST)
