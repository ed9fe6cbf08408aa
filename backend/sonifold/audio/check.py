"""What a user should know of her recordings before anything is trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonifold.datasets.dedupe import SAME_DB, Map, Neighbours, fingerprint
from sonifold.datasets.prepare import Pcm

Samples = NDArray[np.floating]

FLAT = 3  # equal samples in a row at the recording's peak: cut off there
CUT_OFF = 1e-4  # relative: samples so close to the peak count as at it
LOUD_ENOUGH = (
    0.25  # full scale = 1; converters do not clip at -12 dB, but a file may have been turned down since
)
SILENT_DB = -60.0  # under the peak
#: Of all samples; a single flattened peak of some samples is heard by nobody.
CLIPPED_SHARE = 5e-4
QUIET_DB = -40.0  # peak, full scale = 0: recorded so low that its noise comes along
LATE_SECONDS = 0.5


@dataclass(frozen=True)
class Facts:
    """What was measured on a recording as it came."""

    seconds: float
    peak_db: float  # full scale = 0
    clipped: float  # share of the samples that lie in flattened peaks
    leading: float  # seconds before it first comes within 60 dB of its peak
    trailing: float  # and after it last does


def examine(samples: Samples, sample_rate: int) -> Facts:
    """Facts of a recording (sample,), mono, full scale = 1; not silent."""
    magnitude = np.abs(samples)
    peak = float(magnitude.max())
    heard = np.flatnonzero(magnitude > peak * 10 ** (SILENT_DB / 20))
    return Facts(
        seconds=len(samples) / sample_rate,
        peak_db=float(20 * np.log10(peak)),
        clipped=clipped_share(samples),
        leading=float(heard[0] / sample_rate),
        trailing=float((len(samples) - 1 - heard[-1]) / sample_rate),
    )


def remarks(facts: Facts) -> list[tuple[str, str]]:
    """What is wrong with a recording, each a code for programs and a sentence for people."""
    found = []
    if facts.clipped > CLIPPED_SHARE:
        found.append(
            ("clipped", f"clipped: {facts.clipped:.1%} of it lies in flattened peaks; record it lower")
        )
    if facts.peak_db < QUIET_DB:
        found.append(
            ("quiet", f"very quiet: its peak is {facts.peak_db:.0f} dB of full scale, noise comes along")
        )
    if facts.leading > LATE_SECONDS:
        found.append(("late", f"begins after {facts.leading:.1f} s of silence, which is left out"))
    return found


def clipped_share(samples: Samples) -> float:
    """Share of the samples that lie in runs of three or more at the very peak, where waves do not stay.

    The peak need not be full scale: a file may have been turned down after it was clipped.
    """
    top, bottom = float(samples.max()), float(samples.min())
    if max(top, -bottom) < LOUD_ENOUGH:
        return 0.0
    flat = run_lengths(samples >= top - CUT_OFF * abs(top)) + run_lengths(
        samples <= bottom + CUT_OFF * abs(bottom)
    )
    return float(sum(length for length in flat if length >= FLAT) / len(samples))


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """How long each run of True is."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [int(length) for length in edges[1::2] - edges[::2]]


def near_duplicates(prepared: Sequence[Pcm]) -> list[tuple[int, int, float]]:
    """Pairs of prepared sounds that are the same sound, at whatever gain: (earlier, later, distance in dB).

    Each later one is named once, with the most alike of those before it.
    """
    return alike([fingerprint(sound) for sound in prepared])


def alike(fingerprints: Sequence[Map]) -> list[tuple[int, int, float]]:
    """The same for fingerprints that are known already."""
    seen, numbers, equal = Neighbours(), list[int](), dict[bytes, int]()
    found = []
    for index, map in enumerate(fingerprints):
        first = equal.setdefault(map.tobytes(), index)
        if first < index:  # the very same: looking for others like it would find what the first has found
            found.append((first, index, 0.0))
            continue
        near = seen.within(map, SAME_DB)
        if near:
            found.append((numbers[near[0][0]], index, near[0][1]))
        seen.add(map)
        numbers.append(index)
    return found
