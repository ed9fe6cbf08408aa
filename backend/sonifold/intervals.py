"""Bootstrap intervals: how sure a mean over few sounds or pairs is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 4000


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % percentile-bootstrap interval (Efron 1979)."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


def bootstrap(values: ArrayLike, seed: int = 0) -> Estimate:
    """Mean of values (n,) and its interval; non-finite values are left out."""
    sample = np.asarray(values, float)
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draw = np.random.default_rng(seed).integers(len(sample), size=(RESAMPLES, len(sample)))
    low, high = np.quantile(sample[draw].mean(1), [0.025, 0.975])
    return Estimate(float(sample.mean()), float(low), float(high), len(sample))
