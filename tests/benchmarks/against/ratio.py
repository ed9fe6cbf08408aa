"""New over old: a ratio of two samples measured in alternation, with its bootstrap interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

RESAMPLES = 4000
Summary = Literal["median", "p95", "mean"]


@dataclass(frozen=True)
class Comparison:
    """One figure of both builds; ``low`` and ``high`` bound the ratio in 95 % of resamples (Efron 1979)."""

    measure: str
    unit: str
    new: float
    old: float
    ratio: float
    low: float | None
    high: float | None
    n: int


def compare(
    measure: str, unit: str, new: list[float], old: list[float], summary: Summary = "median"
) -> Comparison:
    """Samples of both builds, the same number, pair by pair of the same question."""
    pairs = np.array([new, old], dtype=float)
    point = summarised(pairs, summary)
    low = high = None
    if pairs.shape[1] >= 5:
        draws = np.random.default_rng(0).integers(pairs.shape[1], size=(RESAMPLES, pairs.shape[1]))
        resampled = summarised(pairs[:, draws], summary)
        low, high = (float(v) for v in np.quantile(resampled[0] / resampled[1], [0.025, 0.975]))
    return Comparison(
        measure, unit, float(point[0]), float(point[1]), float(point[0] / point[1]), low, high, pairs.shape[1]
    )


def summarised(samples: np.ndarray, summary: Summary) -> np.ndarray:
    """Over the last axis."""
    match summary:
        case "mean":
            return samples.mean(-1)
        case "median":
            return np.median(samples, -1)
        case "p95":
            return np.quantile(samples, 0.95, axis=-1)
