"""From a recording to a one-shot of fixed length: mono, 44.1 kHz, onset-aligned, at full level."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sonifold.audio.judge import SILENCE
from sonifold.audio.limits import MIN_SECONDS, SLACK_SECONDS
from sonifold.audio.resample import resampled
from sonifold.errors import AudioSilent

if TYPE_CHECKING:
    from sonifold.audio.read import Recording

SAMPLE_RATE = 44_100  # Hz
SAMPLES = 65_536  # 1.49 s
BEFORE_ONSET = 220  # samples, 5 ms: room for the attack's first analysis frame
PEAK = 0.95
#: The onset is where the 1 ms mean of |x| first comes within this of its maximum.
ONSET_DB = -30.0
END_DB = -60.0

Floats = NDArray[np.floating]
Pcm = NDArray[np.int16]


def resample(x: Floats, sample_rate: int) -> Floats:
    """To 44.1 kHz, by libsoxr."""
    return resampled(x, sample_rate, SAMPLE_RATE)


def polyphase(x: Floats, sample_rate: int) -> Floats:
    """To 44.1 kHz by scipy's filter, as the data set is: its sounds are named by their samples."""
    from scipy.signal import resample_poly  # two seconds, which nobody else need wait for

    if sample_rate == SAMPLE_RATE:
        return x
    divisor = math.gcd(sample_rate, SAMPLE_RATE)
    return np.asarray(resample_poly(x, SAMPLE_RATE // divisor, sample_rate // divisor))


def prepare(
    audio: Floats,
    sample_rate: int,
    resample: Callable[[Floats, int], Floats] = resample,
    silence: float = SILENCE,
) -> Pcm | None:
    """The one-shot in a recording, as 16-bit samples; None when there is no sound in it.

    ``audio`` is (sample,) or (sample, channel). The reply is (65536,): the onset at sample 220, a peak of
    0.95, faded in over 32 samples, and faded out over 50 ms where the recording goes on. It is rounded to
    16 bits here, so that what is hashed, compared and trained on is exactly what the FLAC file holds.

    resample: to 44.1 kHz.
    silence: what stays under it (full scale = 1) is no sound; nor is what is left by so much of what lay above the
        range of 44.1 kHz.
    """
    x = np.asarray(audio, dtype=np.float64)
    x = x @ np.full(x.shape[1], 1 / x.shape[1]) if x.ndim == 2 else x
    peak = np.abs(x).max(initial=0.0)
    if len(x) < (MIN_SECONDS - SLACK_SECONDS) * sample_rate or peak < silence:
        return None
    y = _window(align(resample(x, sample_rate)))
    peak_of_window = np.abs(y).max()
    if peak_of_window <= SILENCE * peak:
        return None
    pcm: Pcm | None = np.round(y * (PEAK * 32_767 / peak_of_window)).astype(np.int16)
    return pcm


def one_shot(recording: Recording) -> Pcm:
    """The one-shot at the beginning of a recording that was read, (65536,); see :func:`prepare`. Raises AudioSilent."""
    samples = prepare(recording.samples, recording.sample_rate, silence=0.0)
    if samples is None:
        raise AudioSilent(f"nothing of {recording.name} is left at 44.1 kHz: it is all above 20 kHz.")
    return samples


def onset(x: Floats) -> int:
    """The sample at which the sound begins."""
    envelope = _mean_magnitude(x)
    return int(np.argmax(envelope > envelope.max() * 10 ** (ONSET_DB / 20)))


def align(x: Floats) -> Floats:
    """Cut, or pad with silence, so that the onset lies ``BEFORE_ONSET`` samples from the start."""
    begin = onset(x) - BEFORE_ONSET
    return x[begin:] if begin >= 0 else np.concatenate([np.zeros(-begin), x])


def audible_seconds(samples: Pcm) -> float:
    """From the onset until the sound has fallen for good to 60 dB below its peak."""
    envelope = _mean_magnitude(samples.astype(np.float64))
    audible = np.flatnonzero(envelope > envelope.max() * 10 ** (END_DB / 20))
    return float((audible[-1] + 1 - BEFORE_ONSET) / SAMPLE_RATE)


def to_float(samples: Pcm) -> NDArray[np.float32]:
    """Full scale = 1, as every reader of 16-bit FLAC files does it."""
    return (samples / np.float32(32_768)).astype(np.float32)


def _window(x: Floats) -> Floats:
    y = np.zeros(SAMPLES)
    count = min(len(x), SAMPLES)
    y[:count] = x[:count]
    if len(x) > SAMPLES:
        y[-2205:] *= np.cos(np.linspace(0, np.pi / 2, 2205)) ** 2
    elif count > 64:
        y[count - 64 : count] *= np.linspace(1, 0, 64)
    y[:32] *= np.linspace(0, 1, 32)
    return y


def _mean_magnitude(x: Floats, width: int = 44) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(np.abs(x))])
    first = np.arange(len(x)) - width // 2
    means: Floats = (sums[np.minimum(first + width, len(x))] - sums[np.maximum(first, 0)]) / width
    return means
