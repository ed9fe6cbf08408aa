r"""Start and end of the one-shots in a longer recording.

Onsets are peaks of the spectral flux with a maximum filter over neighbouring bands, which does not take vibrato for a
new note ("SuperFlux", Boeck and Widmer 2013):

    L[n,b] = log10(1 + GAIN |X[n,b]|)              bands a sixth of an octave wide, the recording's peak at 1
    F[n]   = mean_b (L[n,b] - max_{|c| <= 1} L[n-LAG,b+c])_+

A frame is an onset where F is the largest within +-WITHIN seconds, exceeds its mean over AROUND seconds by the
threshold, and the recording gets louder there or the flux is strong: beating and reverberation have flux too. Each
onset is then moved to where the rise begins, to the millisecond, and its sound ends where the next begins or where it
has died away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from sonifold.audio.frames import frames, peak
from sonifold.audio.judge import FAINTEST
from sonifold.audio.limits import MAX_SECONDS

Samples = NDArray[np.floating]

WINDOW, HOP = 0.024, 0.006  # seconds
LAG = 2  # frames
GAIN = 300.0  # of magnitudes: what is 50 dB under the peak still counts a little
LOWEST, HIGHEST = 40.0, 15_000.0  # Hz
BANDS_PER_OCTAVE = 6
THRESHOLD = 0.05  # in decades of magnitude, averaged over the bands
WITHIN = 0.03  # seconds to each side in which an onset is the largest
AROUND = 0.12  # seconds of the mean that it must exceed
APART = 0.06  # seconds: what follows sooner is the same sound, a flam or a roll
BACK, FORTH = 0.03, 0.06  # seconds before and after a peak in which its rise is looked for
LATE = 0.015  # seconds after the flux's peak by which the rise has begun where an older sound still rings
RISE = 10 ** (-30 / 20)  # of the loudest millisecond: where the rise begins, as in `datasets.prepare`
LOUDER = 10 ** (
    3 / 20
)  # over the 50 ms before: an onset. On random sequences of library sounds 3 dB, or a flux of .3,
STRONG = 0.3  # gave the best F measure of a grid; see tests/sonifold/test_onsets.py for what is reached
FALLEN = 10 ** (-60 / 20)  # of a sound's own peak: where it is over
FAINT = 10 ** (-50 / 20)  # of the recording's peak: no sound of its own
CHUNK = 1 << 18  # samples transformed at once


@dataclass(frozen=True)
class Segment:
    """One sound in a recording."""

    start: float  # seconds
    end: float
    strength: float  # of its onset: the flux over its surroundings
    peak: float  # full scale = 1

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def segments(samples: Samples, sample_rate: int, threshold: float = THRESHOLD) -> list[Segment]:
    """The one-shots in a recording (sample,), in order; none if it is silent.

    threshold: of the flux; lower finds more.
    """
    envelope, step = loudness(samples, sample_rate)
    loudest = float(envelope.max(initial=0.0))
    if loudest < FAINTEST:
        return []
    attacks = [
        (rise(envelope, step, time), strength)
        for time, strength in onsets(samples, sample_rate, threshold)
        if begins(envelope, step, time, strength, loudest)
    ]
    attacks = [
        attack for i, attack in enumerate(attacks) if i == 0 or attack[0] - attacks[i - 1][0] >= APART
    ] or [(rise(envelope, step, float(np.argmax(envelope > RISE * loudest)) * step), 0.0)]
    ends = [start for start, _ in attacks[1:]] + [len(samples) / sample_rate]
    floor = noise_floor(envelope)
    return [
        segment(samples, sample_rate, envelope, step, floor, start, end, strength)
        for (start, strength), end in zip(attacks, ends, strict=True)
        if end > start
    ]


def onsets(samples: Samples, sample_rate: int, threshold: float = THRESHOLD) -> list[tuple[float, float]]:
    """(seconds, strength) of each peak of the flux of a recording (sample,)."""
    novelty = flux(samples, sample_rate)
    if not len(novelty):
        return []
    hop = hop_seconds(sample_rate)
    within, around = (max(1, round(seconds / hop)) for seconds in (WITHIN, AROUND))
    largest = maximum_filter1d(novelty, 2 * within + 1, mode="constant")
    above = novelty - uniform_filter1d(novelty, 2 * around + 1, mode="constant")
    peaks: list[tuple[float, float]] = []
    for frame in np.flatnonzero((novelty >= largest) & (above >= threshold)):
        time = float(frame) * hop
        if not peaks or time - peaks[-1][0] >= APART:
            peaks.append((time, float(above[frame])))
    return peaks


def hop_seconds(sample_rate: int) -> float:
    """Seconds between frames: HOP, as far as whole samples allow."""
    return round(HOP * sample_rate) / sample_rate


def flux(samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    """F[n] of a recording (sample,), (frame,); frame n is centred on n :func:`hop_seconds`.

    There is no frame past the end: a recording that is cut off there would click.
    """
    window, hop = round(WINDOW * sample_rate), round(HOP * sample_rate)
    largest = peak(samples)
    if largest == 0:
        return np.zeros(0)
    filters = triangles(window, sample_rate)
    taper = np.hanning(window) * 4 / window / largest  # a full-scale sine has magnitude 1
    silence = window // 2, max(0, window - window // 2 - len(samples))
    before = np.zeros((LAG, len(filters)))  # silence
    parts = []
    for some in frames(samples, window, hop, silence, max(1, CHUNK // window)):
        magnitude = np.abs(np.fft.rfft(some * taper, axis=1)) @ filters.T
        levels = np.concatenate([before, np.log10(1 + GAIN * magnitude)])
        widened = maximum_filter1d(levels[:-LAG], 3, axis=1, mode="nearest")
        parts.append(np.maximum(levels[LAG:] - widened, 0).mean(axis=1))
        before = levels[-LAG:]
    return np.concatenate(parts)


def triangles(window: int, sample_rate: int) -> NDArray[np.float64]:
    """Overlapping triangles at equal distances on a logarithmic scale, (band, bin), each with a bin of its own."""
    top = min(HIGHEST, 0.48 * sample_rate)
    count = max(2, int(np.log2(top / LOWEST) * BANDS_PER_OCTAVE))
    edges = LOWEST * 2 ** (np.arange(count + 2) / BANDS_PER_OCTAVE)
    bins = np.unique(np.round(edges * window / sample_rate).astype(int))
    bins = bins[bins <= window // 2]
    bank = np.zeros((len(bins) - 2, window // 2 + 1))
    for row, (low, middle, high) in enumerate(zip(bins[:-2], bins[1:-1], bins[2:], strict=True)):
        bank[row, low : middle + 1] = np.linspace(0, 1, middle - low + 1)
        bank[row, middle : high + 1] = np.linspace(1, 0, high - middle + 1)
    return bank


def loudness(samples: Samples, sample_rate: int) -> tuple[NDArray[np.float64], float]:
    """Mean magnitude of each millisecond, and the seconds that such a step is long."""
    step = max(1, round(0.001 * sample_rate))
    whole, size = samples[: len(samples) // step * step], max(1, CHUNK // step) * step
    parts = [
        np.abs(whole[start : start + size]).reshape(-1, step).mean(axis=1)
        for start in range(0, len(whole), size)
    ]
    return np.concatenate(parts) if parts else np.zeros(0), step / sample_rate


def begins(envelope: NDArray[np.float64], step: float, time: float, strength: float, loudest: float) -> bool:
    """True if a peak of the flux is a sound of its own: not faint, and louder than what was before or clearly new."""
    at, back, forth = int(time / step), round(0.06 / step), round(FORTH / step)
    after = float(envelope[max(0, at - 5) : at + forth].max(initial=0.0))
    before = float(envelope[max(0, at - back) : max(0, at - round(0.012 / step))].max(initial=0.0))
    return after > FAINT * loudest and (after >= LOUDER * before or strength >= STRONG)


def rise(envelope: NDArray[np.float64], step: float, time: float) -> float:
    """Start, in seconds, of the rise to an onset at about ``time``: after the last millisecond that is 30 dB under
    its peak or, where an older sound still rings, no louder than twice what was there before.
    """
    first, at = max(0, int((time - BACK) / step)), int(time / step)
    around = envelope[first : int((time + FORTH) / step) + 1]
    if not len(around):
        return time
    peak = int(np.argmax(around))
    before = float(np.median(around[: max(1, min(at - first, peak) // 2)]))
    if before <= RISE * around[peak]:
        early, limit = around[: peak + 1], RISE * around[peak]
    else:
        early = around[: min(peak, at - first + round(LATE / step)) + 1]
        limit = min(2 * before, around[peak] / 2)
    quiet = np.flatnonzero(early <= limit)
    begin = int(quiet[-1]) + 1 if len(quiet) else int(np.argmin(early))
    return (first + begin) * step


def noise_floor(envelope: NDArray[np.float64]) -> float:
    """The level that a twentieth of the recording is under."""
    return float(np.quantile(envelope, 0.05))


def segment(
    samples: Samples,
    sample_rate: int,
    envelope: NDArray[np.float64],
    step: float,
    floor: float,
    start: float,
    end: float,
    strength: float,
) -> Segment:
    """The sound that begins at ``start``: until it has died away, at most until ``end``."""
    first, last = int(start / step), max(int(start / step) + 1, int(end / step))
    segment = envelope[first:last]
    over = max(FALLEN * float(segment.max()), 2 * floor if floor < 0.05 * float(segment.max()) else 0.0)
    audible = np.flatnonzero(segment > over)
    stop = (first + int(audible[-1]) + 1) * step + 0.02 if len(audible) else end
    stop = min(stop, end, start + MAX_SECONDS)
    inside = samples[round(start * sample_rate) : round(stop * sample_rate)]
    return Segment(start, stop, strength, peak(inside))
