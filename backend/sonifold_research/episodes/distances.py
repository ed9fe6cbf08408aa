"""Every distance between sounds, plain and modulo transposition.

Those in spaces of features are computed whole. Lengths of geodesics take some milliseconds a pair, so they are measured
for the pairs that the episodes ask for, and stored as they come.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonifold import geodesic, quotient
from sonifold.files import write_whole
from sonifold.model import Model
from sonifold_research.episodes.draw import Episode
from sonifold_research.episodes.spaces import Spaces

EUCLIDEAN, AUDIO = "Euclidean latent", "Phi of the audio"
PULLBACK, PULLBACK_MODULO = "pull-back geodesic", "pull-back geodesic, modulo"
#: Lengths of geodesics by the metric's name; modulo transposition where registered by what is decoded.
LENGTHS = {
    PULLBACK: "pullback",
    PULLBACK_MODULO: "pullback",
    "blend geodesic": "blend",
    "kernel geodesic": "kernel",
}
PAIRS = 256  # solved at once, and stored
Progress = Callable[[str, int, int], None]
Tables = dict[str, np.ndarray]


def tables(spaces: Spaces) -> Tables:
    """By name, (sound, sound)."""
    by_name = {EUCLIDEAN: spaces.latent, "decoded Phi": spaces.decoded, AUDIO: spaces.timbre}
    whole: Tables = {}
    for name, orbits in by_name.items():
        whole[name] = torch.cdist(orbits.base.double(), orbits.base.double()).numpy()
        whole[f"{name}, modulo"] = quotient.distances(orbits).distances.double().numpy()
    return whole


def pairs(episodes: Sequence[Episode]) -> np.ndarray:
    """All pairs (pair, 2) that these episodes ask for, the lesser row first: queries and supports, and supports of a
    class.
    """
    asked: set[tuple[int, int]] = set()
    for episode in episodes:
        asked |= {(q, s) for q in episode.queries.tolist() for s in episode.support.tolist()}
        for label in np.unique(episode.support_labels):
            members = episode.support[episode.support_labels == label].tolist()
            asked |= {(one, other) for one in members for other in members}
    return np.array(sorted({(min(pair), max(pair)) for pair in asked if pair[0] != pair[1]}))


def lengths(
    model: Model, spaces: Spaces, name: str, wanted: np.ndarray, cache: Path, progress: Progress
) -> np.ndarray:
    """Lengths (sound, sound) of one of ``LENGTHS``, NaN where no episode asks; stored in the folder ``cache``."""
    count = len(spaces.latent)
    path = cache / f"{name.replace(' ', '-').replace(',', '')}.npy"
    matrix = np.load(path) if path.exists() else np.full((count, count), np.nan, np.float32)
    np.fill_diagonal(matrix, 0)
    missing = wanted[np.isnan(matrix[wanted[:, 0], wanted[:, 1]])]
    octaves = quotient.distances(spaces.decoded).octaves if name == PULLBACK_MODULO else None
    for start in range(0, len(missing), PAIRS):
        rows, columns = torch.from_numpy(missing[start : start + PAIRS].T.copy())
        block = _block(model, spaces, LENGTHS[name], rows, columns, octaves)
        matrix[rows, columns] = matrix[columns, rows] = block.numpy()
        cache.mkdir(parents=True, exist_ok=True)
        data = io.BytesIO()
        np.save(data, matrix)
        write_whole(path, data.getvalue(), durable=False)
        progress(f"episodes: {name}", min(start + PAIRS, len(missing)), len(missing))
    return matrix


def _block(
    model: Model, spaces: Spaces, metric: str, rows: Tensor, columns: Tensor, octaves: Tensor | None
) -> Tensor:
    latent = spaces.latent
    if octaves is None:
        return geodesic.lengths(model.metric(metric), latent.base[rows], latent.base[columns])
    return quotient.lengths(model.metric(metric), latent[rows], latent[columns], octaves[rows, columns])
