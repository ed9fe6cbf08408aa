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

    Silence stays silence.
    """
    sounds = audio.detach().cpu().numpy()
    weighted = k_weighted(sounds, sample_rate) ** 2
    levelled = [
        _levelled(sound, power, float(loudness), sample_rate)
        for sound, power, loudness in zip(sounds, weighted, wanted, strict=True)
    ]
    return torch.from_numpy(np.stack(levelled)).to(audio)


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


def _levelled(
    sound: NDArray[np.floating], weighted: NDArray[np.floating], wanted: float, sample_rate: int
) -> NDArray[np.floating]:
    """One sound (sample,) at a loudness, from its K-weighted power."""
    peak = float(np.abs(sound).max())
    if not peak > 0:
        return sound
    power, plain = _blocks(weighted), _blocks(sound**2)
    most = CEILING / peak * 10 ** (MOST / 20)
    gain = min(10 ** ((wanted - _loudness(power, sample_rate)) / 20), most)
    if gain * peak <= CEILING:
        return sound * np.float32(gain)
    for _ in range(ROUNDS):
        out = rounded(sound * np.float32(gain))
        # what rounding takes from a block it takes from the block's weighted power too, near enough
        short = wanted - _loudness(power * _blocks(out**2) / np.maximum(plain, 1e-12), sample_rate)
        if abs(short) < CLOSE or (short > 0 and gain >= most):
            break
        gain = min(gain * 10 ** (1.3 * short / 20), most)
    return out


def _blocks(power: NDArray[np.floating]) -> NDArray[np.floating]:
    """Means over ``FINE`` samples, the last filled up with silence."""
    result: NDArray[np.floating] = np.pad(power, (0, -len(power) % FINE)).reshape(-1, FINE).mean(1)
    return result


def _loudness(power: NDArray[np.floating], sample_rate: int) -> float:
    """LUFS of the loudest moment, from the weighted power in each block."""
    return float(loudest_moment(power[None], sample_rate / FINE)[0])
