"""Faults of recordings that a user should know of before training on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.fingerprint import SAME_DB, Map, Neighbours, fingerprint
from sonifold.audio.prepare import BEFORE_ONSET, ONSET_DB, SAMPLE_RATE, SAMPLES, Pcm
from sonifold.audio.read import Recording
from sonifold.caveat import Caveat

Samples = NDArray[np.floating]

FLAT = 3  # equal samples in a row at the recording's peak: cut off there
CUT_OFF = 1e-4  # relative: samples so close to the peak count as at it
LOUD_ENOUGH = (
    0.25  # full scale = 1; converters do not clip at -12 dB, but a file may have been turned down since
)
#: A side that the wave hardly goes to has no peak: half waves, pulses and gates rest there.
EXCURSION = 0.25  # of the other side's peak
#: The top of a round wave is flat too, for a moment: it is entered and left by less than this share of the peak, or
#: by a step of the format's resolution.
ROUND = 1e-3
#: The plateaus of pulses, gates and square waves are entered and left by jumps of more than this share of the range.
JUMP = 0.5
#: A wave of which more than this share lies in plateaus of its own, between its peaks, is made of steps.
STEPPED = 0.5
MARGIN = 0.05  # of the range: so near the peaks, or zero, is at them
SILENT_DB = -60.0  # under the peak
#: Of all samples; a single flattened peak of some samples is heard by nobody.
CLIPPED_SHARE = 5e-4
QUIET_DB = -40.0  # peak, full scale = 0: recorded so low that its noise comes along
LATE_SECONDS = 0.5
LENGTH_SECONDS = (SAMPLES - BEFORE_ONSET) / SAMPLE_RATE  # of a sound from its onset on, as it is kept
LOUDER_DB = 3.0  # what lies behind the cut is louder by so much than what lies before


@dataclass(frozen=True)
class Facts:
    """Measures of a recording before it is prepared."""

    seconds: float
    peak_db: float  # full scale = 0
    clipped: float  # share of the samples that lie in flattened peaks
    leading: float  # seconds before it first comes within 60 dB of its peak
    trailing: float  # and after it last does
    onset: float = 0.0  # seconds at which what is kept begins
    loudest: float = 0.0  # seconds at which its loudest 10 ms are
    lead_db: float = 0.0  # by which those are louder than the loudest that is kept


def examine(samples: Samples, sample_rate: int, offset: float = 0.0) -> Facts:
    """Facts of a recording (sample,), mono, full scale = 1; not silent. ``offset``: what was taken out of it."""
    magnitude = np.abs(samples)
    peak = float(magnitude.max())
    audible = np.flatnonzero(magnitude > peak * 10 ** (SILENT_DB / 20))
    onset, loudest, lead_db = course(magnitude, sample_rate)
    return Facts(
        seconds=len(samples) / sample_rate,
        peak_db=float(20 * np.log10(peak)),
        clipped=clipped_share(samples + offset if offset else samples),
        leading=float(audible[0] / sample_rate),
        trailing=float((len(samples) - 1 - audible[-1]) / sample_rate),
        onset=onset,
        loudest=loudest,
        lead_db=lead_db,
    )


def course(magnitude: Samples, sample_rate: int) -> tuple[float, float, float]:
    """(seconds of the onset, of the loudest 10 ms, dB by which those are louder than what is kept)."""
    step = max(1, round(0.001 * sample_rate))
    levels = np.add.reduceat(magnitude, np.arange(0, len(magnitude), step), dtype=np.float64)
    begin = int(np.argmax(levels > levels.max() * 10 ** (ONSET_DB / 20)))
    smooth = np.convolve(levels, np.ones(10), "same")
    window = smooth[begin : begin + round(LENGTH_SECONDS * sample_rate / step)]
    lead_db = float(20 * np.log10(smooth.max() / window.max()))
    return begin * step / sample_rate, float(np.argmax(smooth) * step / sample_rate), lead_db


def caveats(recording: Recording, facts: Facts) -> tuple[Caveat, ...]:
    """Caveats of a recording: its faults, and the changes made in preparing it."""
    return (*recording.caveats, *faults(facts), *prepared(recording.sample_rate, facts))


def faults(facts: Facts) -> list[Caveat]:
    """Faults of a recording, as caveats."""
    caveats_of_recording = []
    if facts.clipped > CLIPPED_SHARE:
        text = f"clipped: {facts.clipped:.1%} of it lies in flattened peaks; record it lower"
        caveats_of_recording.append(Caveat("clipped", text))
    if facts.peak_db < QUIET_DB:
        text = f"very quiet: its peak is {facts.peak_db:.0f} dB of full scale, noise comes along"
        caveats_of_recording.append(Caveat("quiet", text))
    if facts.leading > LATE_SECONDS:
        text = f"begins after {facts.leading:.1f} s of silence, which is left out"
        caveats_of_recording.append(Caveat("late", text))
    return caveats_of_recording


def prepared(sample_rate: int, facts: Facts) -> list[Caveat]:
    """Changes made in preparing a one-shot, as caveats."""
    changes = []
    if sample_rate != SAMPLE_RATE:
        changes.append(Caveat("resampled", f"its {sample_rate:,} Hz became {SAMPLE_RATE:,} Hz"))
    sounding = facts.seconds - facts.trailing - facts.onset
    if sounding > LENGTH_SECONDS:
        text = f"cut: of {facts.seconds:.2f} s the first {LENGTH_SECONDS:.2f} s from its onset on are kept"
        changes.append(Caveat("cut", text))
        if facts.lead_db > LOUDER_DB:
            text = (
                f"its loudest part comes after the cut, at {facts.loudest:.1f} s, {facts.lead_db:.0f} dB louder: to "
                f"have that, cut the recording from {max(0.0, facts.loudest - LENGTH_SECONDS / 2):.1f} s on"
            )
            changes.append(Caveat("louder_later", text))
    return changes


def clipped_share(samples: Samples) -> float:
    """Share of the samples that lie in runs of three or more at the very peak, where waves do not stay.

    The peak need not be full scale: a file may have been turned down after it was clipped. What is flat by its nature
    does not count: clicks, pulses, gates, square waves and stairs, the resting side of half waves, round tops.
    """
    top, bottom = float(samples.max()), float(samples.min())
    peak = max(top, -bottom)
    if peak < LOUD_ENOUGH or is_stepped(samples, top, bottom):
        return 0.0
    steps = np.abs(np.diff(samples[np.abs(samples) > peak / 2]))
    small = max(ROUND * peak, 1.5 * float(steps[steps > 0].min(initial=np.inf)) if len(steps) else 0.0)
    sides = [(samples, top), (-samples, -bottom)]
    flat = sum(
        cut_off(side, level, min(small, 0.1 * peak), JUMP * (top - bottom))
        for side, level in sides
        if level >= EXCURSION * peak
    )
    return flat / len(samples)


def cut_off(samples: Samples, level: float, small: float, jump: float) -> int:
    """Samples in runs at a level that waves do not come to by themselves.

    Such a run is entered or left by more than a ``small`` step, and not both by a ``jump``.
    """
    starts, ends = runs(samples >= level - CUT_OFF * level)
    before = level - samples[np.maximum(starts - 1, 0)]
    after = level - samples[np.minimum(ends, len(samples) - 1)]
    edge = (starts == 0) | (ends == len(samples))
    steep = np.maximum(before, after) > small
    upright = np.minimum(before, after) > jump
    counted = (ends - starts >= FLAT) & steep & ~upright & ~edge
    return int((ends - starts)[counted].sum())


def is_stepped(samples: Samples, top: float, bottom: float) -> bool:
    """True for a wave of plateaus: of what is neither at its peaks nor at rest, most equals its neighbours."""
    margin = MARGIN * (top - bottom)
    between = (samples > bottom + margin) & (samples < top - margin) & (np.abs(samples) > margin)
    if not between.any():
        return True
    starts, ends = runs(np.abs(np.diff(samples)) <= CUT_OFF * max(top, -bottom))
    changes = np.zeros(len(samples) + 1, np.int8)
    long = ends - starts >= FLAT - 1
    changes[starts[long]] += 1
    changes[ends[long] + 1] -= 1
    level = np.cumsum(changes[:-1]) > 0
    return bool(np.mean(level[between]) > STEPPED)


def runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Start and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2]


def near_duplicates(prepared: Sequence[Pcm]) -> list[tuple[int, int, float]]:
    """Pairs of prepared sounds that are the same sound, at whatever gain: (earlier, later, distance in dB).

    Each later one is named once, with the most alike of those before it.
    """
    return alike([fingerprint(sound) for sound in prepared])


def alike(fingerprints: Sequence[Map]) -> list[tuple[int, int, float]]:
    """The same for fingerprints that are known already."""
    neighbours, numbers, equal = Neighbours(), list[int](), dict[bytes, int]()
    pairs = []
    for index, map in enumerate(fingerprints):
        first = equal.setdefault(map.tobytes(), index)
        if first < index:  # the very same: looking for others like it would find what the first has found
            pairs.append((first, index, 0.0))
            continue
        near = neighbours.within(map, SAME_DB)
        if near:
            pairs.append((numbers[near[0][0]], index, near[0][1]))
        neighbours.add(map)
        numbers.append(index)
    return pairs
