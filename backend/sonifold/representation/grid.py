"""The grids of the spectral representation: warped frequency, warped time, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LINEAR_BANDS = 64  # one STFT bin each, to about 2.7 kHz; above that bands widen geometrically


def band_centres(bands: int, bins: int) -> NDArray[np.float64]:
    """Band centres in STFT bins, (bands,): linear at first, then geometric to the last bin."""
    ratio = ((bins - 1) / (LINEAR_BANDS - 1)) ** (1.0 / (bands - LINEAR_BANDS))
    geometric = (LINEAR_BANDS - 1) * ratio ** np.arange(1, bands - LINEAR_BANDS + 1)
    return np.concatenate([np.arange(LINEAR_BANDS, dtype=float), geometric])


def triangles(centres: NDArray[Any], bins: int) -> NDArray[np.float64]:
    """Triangular bands reaching to the neighbouring centres, peak 1, (bands, bins)."""
    low = np.concatenate([[-1.0], centres[:-1]])[:, None]
    high = np.concatenate([centres[1:], [float(bins)]])[:, None]
    middle, bin_ = centres[:, None], np.arange(bins)
    weights: NDArray[np.float64] = np.clip(
        np.minimum((bin_ - low) / (middle - low), (high - bin_) / (high - middle)), 0.0, None
    )
    return weights


def linear_interpolation(knots: NDArray[Any], at: NDArray[Any]) -> NDArray[np.float64]:
    """Weights (len(at), len(knots)) of linear interpolation, constant beyond the ends."""
    left = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    fraction = np.clip((at - knots[left]) / (knots[left + 1] - knots[left]), 0.0, 1.0)
    weights = np.zeros((len(at), len(knots)))
    weights[np.arange(len(at)), left] = 1.0 - fraction
    weights[np.arange(len(at)), left + 1] += fraction
    return weights


def group_means(groups: NDArray[Any]) -> NDArray[np.float64]:
    """Weights (sum(groups), len(groups)) that average consecutive runs of the given lengths."""
    owner = np.repeat(np.arange(len(groups)), groups)
    weights: NDArray[np.float64] = (owner[:, None] == np.arange(len(groups))) / groups[None, :]
    return weights
