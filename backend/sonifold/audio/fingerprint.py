"""Equal sounds, found by distances between coarse log-mel maps.

Soundfonts share samples, velocity often changes only the gain, drum kits borrow from each other. Two
sounds count as one when their distance is under ``SAME_DB``. Distances are per *active* cell, one above
the floor in either map: a plain mean would call short sounds equal for the silence they share.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.prepare import SAMPLE_RATE, Pcm, to_float

#: Two takes of one noise differ by about 4 dB; the same sample at another gain, or resampled, by under 1.
SAME_DB = 1.5
BANDS, FFT, HOP = 40, 1024, 1024
RANGE_DB = 60.0  # below the loudest cell nothing counts
BLOCK = (5, 5)  # bands x frames that are averaged in the quick lower bound

Map = NDArray[np.float32]


@cache
def mel_filters() -> Map:
    """40 triangles at equal distances on the mel scale, 30 Hz to 22 kHz, (band, bin); not normalised."""
    frequency = np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1)
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (30, SAMPLE_RATE / 2))
    edge = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    rising = (frequency - edge[:-2, None]) / (edge[1:-1] - edge[:-2])[:, None]
    falling = (edge[2:, None] - frequency) / (edge[2:] - edge[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def fingerprint(samples: Pcm) -> Map:
    """The log-mel map of a prepared sound in dB, (65 frames, 40 bands), floor 60 dB below its maximum."""
    window = np.hanning(FFT).astype(np.float32)
    padded = np.pad(to_float(samples), FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 @ mel_filters().T
    level = 10 * np.log10(power + 1e-5)
    floored: Map = np.maximum(level, level.max() - RANGE_DB).astype(np.float32)
    return floored


def distance(a: Map, b: Map) -> float:
    """The difference of two maps in dB per active cell.

    The floors, 60 dB below each loudest cell, are compared too: two sounds are one only if they are peaky
    or dense alike. It is never less than ``active_distance``.
    """
    active = int(np.count_nonzero(_active(a) | _active(b)))
    return float(np.abs(a - b).sum() / max(active, 1))


def active_distance(query: Map, maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean difference in dB over the active cells alone, of one map and each of several (n, frame, band)."""
    active = _active(query) | np.stack([_active(each) for each in maps])
    difference = np.where(active, np.abs(maps - query), 0).sum(axis=(1, 2))
    return np.asarray(difference / np.maximum(active.sum(axis=(1, 2)), 1), dtype=np.float64)


def _active(whole: Map) -> NDArray[np.bool_]:
    active: NDArray[np.bool_] = whole > max(whole.min(), whole.max() - RANGE_DB) + 1e-3
    return active


class Neighbours:
    """A growing set of maps that answers which of them lie within a radius of a new one.

    Block means differ by no more than the maps do (Jensen), and no more cells are active in either map
    than in both counted apart: that rules out nearly all pairs at a twenty-fifth of the cost. What it
    cannot rule out is compared in full.
    """

    def __init__(self) -> None:
        self._maps: list[Map] = []
        self._means = np.empty((0, 0), dtype=np.float32)
        self._active = np.empty(0)

    def __len__(self) -> int:
        return len(self._maps)

    def add(self, new: Map) -> None:
        """Put a map into the set; its index is the number of those before it."""
        means, count = _block_means(new), len(self._maps)
        if count == len(self._means):
            self._means = np.resize(self._means, (max(256, 2 * count), means.size))
            self._active = np.resize(self._active, max(256, 2 * count))
        self._means[count] = means
        self._active[count] = np.count_nonzero(_active(new))
        self._maps.append(new)

    def within(self, query: Map, radius: float) -> list[tuple[int, float]]:
        """(index, distance in dB) of every map closer than ``radius``, nearest first."""
        count = len(self._maps)
        if count == 0:
            return []
        least = np.abs(self._means[:count] - _block_means(query)).mean(axis=1) * query.size
        most_active = np.minimum(self._active[:count] + np.count_nonzero(_active(query)), query.size)
        near = [int(i) for i in np.flatnonzero(least <= radius * most_active)]
        exact = [(i, distance(self._maps[i], query)) for i in near]
        return sorted(((i, d) for i, d in exact if d < radius), key=lambda pair: pair[1])


def _block_means(whole: Map) -> Map:
    frames, bands = BLOCK
    blocks = whole.reshape(whole.shape[0] // frames, frames, whole.shape[1] // bands, bands)
    return np.asarray(blocks.mean(axis=(1, 3)).ravel(), dtype=np.float32)


def unique(maps: list[Map], radius: float = SAME_DB) -> list[int]:
    """Indices of the maps to keep, in order: each that is not within ``radius`` of one kept before it."""
    indices: list[int] = []
    neighbours = Neighbours()
    for index, candidate in enumerate(maps):
        if not neighbours.within(candidate, radius):
            neighbours.add(candidate)
            indices.append(index)
    return indices
