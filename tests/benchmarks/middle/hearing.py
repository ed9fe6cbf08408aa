"""What is measured on the sounds of a morph; nothing here knows how they were made, or imports what is measured."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.floating]

PARTIALS = 5
CENTS = 35.0  # to each side of a partial
SPECTRUM = 1 << 18  # points of the transform in which partials are looked for
BLOCKS = (0.1, 0.4)  # seconds: short blocks, and those of BS.1770's momentary loudness
ATTACK_DB = 9.0  # a rise of so much, after a fall of as much, is an attack
HEARD_DB = 20.0  # under the loudest moment: fainter rises are none
SMOOTH = 0.02  # seconds over which a level is taken before rises are counted


def share_between(sound: Floats, rate: int, low: float, between: float, high: float) -> float:
    """Of the energy in the first five partials of three pitches (Hz), the share at the one between."""
    energies = [harmonic_energy(sound, rate, hertz) for hertz in (low, between, high)]
    return energies[1] / (sum(energies) + 1e-12)


def harmonic_energy(sound: Floats, rate: int, hertz: float) -> float:
    """Energy within 35 cents of the first five multiples of a pitch."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), SPECTRUM)) ** 2
    bins = np.fft.rfftfreq(SPECTRUM, 1 / rate)
    width = 2 ** (CENTS / 1200)
    return float(
        sum(
            power[(bins >= k * hertz / width) & (bins <= k * hertz * width)].sum()
            for k in range(1, PARTIALS + 1)
        )
    )


def attacks(sound: Floats, rate: int) -> int:
    """How often a sound begins: rises of 9 dB or more, each after a fall of as much, within 20 dB of its loudest."""
    window = np.hanning(round(SMOOTH * rate))
    energy = np.convolve(np.asarray(sound, float) ** 2, window / window.sum(), "same")[:: round(0.002 * rate)]
    level = 10 * np.log10(energy / max(energy.max(), 1e-20) + 1e-9)
    count, valley, summit, rising = 0, level[0], level[0], False
    for value in level:
        if rising:
            summit = max(summit, value)
            if value < summit - ATTACK_DB:
                rising, valley = False, value
        else:
            valley = min(valley, value)
            if value > valley + ATTACK_DB and value > -HEARD_DB:
                rising, summit = True, value
                count += 1
    return count


def momentary(sound: Floats, rate: int, block: float) -> float:
    """Largest loudness in LUFS (ITU-R BS.1770-5) of any block of so many seconds; silence around the sound counts."""
    width = round(block * rate)
    weighted = np.concatenate([np.zeros(width), k_weighted(np.asarray(sound, float), rate), np.zeros(width)])
    sums = np.concatenate([[0.0], np.cumsum(weighted**2)])
    return -0.691 + 10 * math.log10(max((sums[width:] - sums[:-width]).max() / width, 1e-12))


def k_weighted(sound: Floats, rate: int) -> Floats:
    """The two filters of BS.1770 at any rate: the head's high shelf, and a high-pass (De Man 2014)."""
    for b, a in (_shelf(rate), _high_pass(rate)):
        sound = lfilter(b, a, sound)
    return sound


def _shelf(rate: int) -> tuple[Floats, Floats]:
    tangent, quality = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    scale = 1 + tangent / quality + tangent**2
    b = [
        high + middle * tangent / quality + tangent**2,
        2 * (tangent**2 - high),
        high - middle * tangent / quality + tangent**2,
    ]
    a = [scale, 2 * (tangent**2 - 1), 1 - tangent / quality + tangent**2]
    return np.array(b) / scale, np.array(a) / scale


def _high_pass(rate: int) -> tuple[Floats, Floats]:
    tangent, quality = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    scale = 1 + tangent / quality + tangent**2
    a = [1.0, 2 * (tangent**2 - 1) / scale, (1 - tangent / quality + tangent**2) / scale]
    return np.array([1.0, -2.0, 1.0]), np.array(a)


def dip(loudness: Floats) -> float:
    """Furthest that steps fall under the straight line between the first and the last, LU."""
    line = np.linspace(loudness[0], loudness[-1], len(loudness))
    return float((line - loudness).max())


def variation(steps: Floats) -> float:
    """Standard deviation over mean."""
    return float(np.std(steps) / max(np.mean(steps), 1e-9))


def jump(sound: Floats, rate: int, after: float = 0.15, block: float = 0.05) -> float:
    """Largest change of the momentary spectrum over the median one, after the first attack.

    Spectra are third-octave levels in dB of blocks of 50 ms, every 25 ms, floored 60 dB under the loudest band.
    """
    width = round(block * rate)
    starts = np.arange(round(after * rate), len(sound) - width, width // 2)
    frames = np.stack([sound[i : i + width] for i in starts]) * np.hanning(width)
    power = np.abs(np.fft.rfft(frames)) ** 2
    bins = np.fft.rfftfreq(width, 1 / rate)
    edges = 50 * 2 ** (np.arange(26) / 3)
    bands = np.stack([power[:, (bins >= a) & (bins < b)].sum(1) for a, b in itertools.pairwise(edges)], 1)
    level = 10 * np.log10(bands / bands.max() + 1e-6)
    steps = np.linalg.norm(np.diff(level, axis=0), axis=1)
    return float(steps.max() / max(np.median(steps), 1e-9))


def hit(sound: Floats, last: Floats, rate: int, within: float = 1.6) -> float:
    """Best correlation of the first 100 ms of ``last`` with any place in the last seconds of a sound."""
    target = np.asarray(last, float)[: round(0.1 * rate)]
    tail = np.asarray(sound, float)[-round(within * rate) :]
    length = 1 << math.ceil(math.log2(len(tail) + len(target)))
    product = np.fft.irfft(np.fft.rfft(tail, length) * np.conj(np.fft.rfft(target, length)), length)
    sums = np.concatenate([[0.0], np.cumsum(tail**2)])
    energy = sums[len(target) :] - sums[: -len(target)]
    return float((product[: len(energy)] / np.sqrt(energy * (target**2).sum() + 1e-12)).max())
