"""What a trial plays, in one file: a channel for each sound, so that all come by one address and stay in step.

Stimuli are kept in pairs, one file of two channels each. For a trial the channels are put into its order, with noise of
their own under the last bit: neither the length nor any two bytes tell which channels are the same sound. Whoever
compares the samples themselves can tell, as whoever hears them can.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PEAK = 2**15 - 1


def pair_file(sounds: Sequence[NDArray[np.floating]], sample_rate: int) -> bytes:
    """Two sounds (sample,) of one length as a WAV file of two channels, 16 bits."""
    return wav_of(np.rint(np.stack(sounds, axis=1) * PEAK), sample_rate)


def trial_file(pair: bytes, channels: Sequence[int], rng: np.random.Generator) -> bytes:
    """A WAV file with these channels of a pair's file, each dithered by itself (triangular, one step)."""
    with wave.open(io.BytesIO(pair)) as file:
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
    samples = np.frombuffer(frames, "<i2").reshape(-1, 2)[:, list(channels)].astype(np.float64)
    noise = rng.random(samples.shape) - rng.random(samples.shape)
    return wav_of(np.rint(samples + noise), rate)


def wav_of(samples: NDArray[np.floating], sample_rate: int) -> bytes:
    """Samples (frame, channel) in steps of 16 bits as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.clip(samples, -PEAK, PEAK).astype("<i2").tobytes())
    return buffer.getvalue()
