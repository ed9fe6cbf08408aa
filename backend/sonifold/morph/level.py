"""Steps as loud as they should be: gain first, and their peaks rounded off where they would clip."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.audio.loudness import k_weighted, loudest_moment, momentary
from sonifold.types import AudioBatch

CEILING = 0.98  # of full scale
KNEE = 0.7 * CEILING  # amplitudes above are rounded off
FINE = 64  # samples: loudness is followed that finely
ROUNDS = 6  # a rounded sound is fainter than was asked for: the gain is raised again
CLOSE = 0.03  # LU
MOST = 15.0  # dB that a peak may lie above the ceiling before it is rounded off: a thin click stays fainter


def at_loudness(audio: AudioBatch, wanted: Tensor, sample_rate: int) -> AudioBatch:
    """Sounds (batch, sample) with their loudest moments at ``wanted`` (batch,) LUFS, peaks at most ``CEILING``.

    Silence stays silence. Measured and levelled on the CPU: a sixteenth of what rendering costs there.
    """
    sounds = audio.detach().cpu().numpy()
    peaks = np.abs(sounds).max(1)
    weighted = _blocks(k_weighted(sounds, sample_rate) ** 2)
    most = CEILING / np.maximum(peaks, 1e-20) * 10 ** (MOST / 20)
    reached = loudest_moment(weighted, sample_rate / FINE)
    gains = np.minimum(10 ** ((wanted.cpu().numpy() - reached) / 20), most) * (peaks > 0)
    levelled = sounds * gains[:, None].astype(sounds.dtype)
    for row in np.flatnonzero(gains * peaks > CEILING):
        target = float(wanted[row]), float(most[row])
        levelled[row] = _rounded_at(sounds[row], weighted[row], float(gains[row]), *target, sample_rate)
    return torch.from_numpy(levelled).to(audio)


def loudness(audio: AudioBatch, sample_rate: int) -> Tensor:
    """LUFS of the loudest moments of sounds, (batch,)."""
    return torch.from_numpy(momentary(audio.detach().cpu().numpy(), sample_rate)).to(audio)


def rounded(sound: NDArray[np.floating]) -> NDArray[np.floating]:
    """A sound with its peaks rounded off to less than ``CEILING``; what stays under the knee is left alone.

    Not a gain that goes down for a peak: a stroke would lose its attack, and with it what makes it that sound.
    """
    high = np.abs(sound) > KNEE
    room = CEILING - KNEE
    out = sound.copy()
    out[high] = np.sign(sound[high]) * (KNEE + room * np.tanh((np.abs(sound[high]) - KNEE) / room))
    return out


def _rounded_at(
    sound: NDArray[np.floating],
    weighted: NDArray[np.floating],
    gain: float,
    wanted: float,
    most: float,
    sample_rate: int,
) -> NDArray[np.floating]:
    """A sound (sample,) with its peaks rounded off, raised from ``gain`` to at ``most`` that until it is as loud as
    ``wanted`` again; ``weighted`` is its K-weighted power in each block.
    """
    rows = _rows(sound)
    highest, plain = np.abs(rows).max(1), np.maximum((rows**2).mean(1), 1e-12)
    for _ in range(ROUNDS):
        power = weighted * gain**2
        high = highest * gain > KNEE  # what rounding takes from a block
        left = (rounded(rows[high] * np.float32(gain)) ** 2).mean(1)
        power[high] = weighted[high] * left / plain[high]  # it takes from its weighted power too, near enough
        short = wanted - float(loudest_moment(power[None], sample_rate / FINE)[0])
        if abs(short) < CLOSE or (short > 0 and gain >= most):
            break
        gain = min(gain * 10 ** (1.3 * short / 20), most)
    return rounded(sound * np.float32(gain))


def _rows(samples: NDArray[np.floating]) -> NDArray[np.floating]:
    """(..., sample) in blocks of ``FINE`` samples, (..., block, FINE), the last filled up with silence."""
    missing = -samples.shape[-1] % FINE
    if missing:
        samples = np.concatenate([samples, np.zeros((*samples.shape[:-1], missing), samples.dtype)], -1)
    return samples.reshape(*samples.shape[:-1], -1, FINE)


def _blocks(power: NDArray[np.floating]) -> NDArray[np.floating]:
    """Means of (..., sample) over ``FINE`` samples, the last filled up with silence."""
    means: NDArray[np.floating] = _rows(power).mean(-1)
    return means
