"""Steps as loud as they should be: gain first, and a gentle limiter where their peaks would clip."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.audio.loudness import k_weighted, loudest_moment, momentary
from sonifold.types import AudioBatch

CEILING = 0.98  # of full scale
HOP = 256  # samples, 6 ms: a limiter's gain is found for each and moves in straight lines between them
FINE = 64  # samples: loudness is measured that finely
HOLD = 2  # hops to each side over which the gain is held, so that it does not follow the cycles of a low tone
ROUNDS = 20  # a limited sound is fainter than was asked for: the gain is raised again
CLOSE = 0.02  # LU
MOST_LIMITED = 15.0  # dB: a click whose peak would be more in the way than this stays fainter


def at_loudness(audio: AudioBatch, wanted: Tensor, sample_rate: int) -> AudioBatch:
    """Sounds (batch, sample) with their loudest moments at ``wanted`` (batch,) LUFS, peaks at most ``CEILING``.

    Silence stays silence.
    """
    sounds = audio.detach().cpu().numpy()
    weighted = _blocks(k_weighted(sounds, sample_rate) ** 2, FINE).mean(2)
    peaks = _blocks(np.abs(sounds), HOP).max(2)
    factors = np.stack(
        [
            _factors(power, peak, float(loudness), sample_rate)
            for power, peak, loudness in zip(weighted, peaks, wanted, strict=True)
        ]
    )
    return audio * _between_hops(torch.from_numpy(factors).to(audio), audio.shape[1])


def loudness(audio: AudioBatch, sample_rate: int) -> Tensor:
    """LUFS of the loudest moments of sounds, (batch,)."""
    return torch.from_numpy(momentary(audio.detach().cpu().numpy(), sample_rate)).to(audio)


def limited(audio: AudioBatch) -> AudioBatch:
    """Sounds whose peaks are at ``CEILING`` at most: a gain that looks ahead and moves slowly."""
    peaks = _blocks(np.abs(audio.detach().cpu().numpy()), HOP).max(2)
    gains = torch.from_numpy(np.stack([_limits(peak) for peak in peaks])).to(audio)
    return audio * _between_hops(gains, audio.shape[1])


def _factors(
    power: NDArray[np.float64], peaks: NDArray[np.float64], wanted: float, sample_rate: int
) -> NDArray[np.float64]:
    """What to multiply a sound with at the middle of each hop, (hop,), from its weighted power and its peaks."""
    if not peaks.max() > 0:
        return np.zeros_like(peaks)
    most = CEILING / peaks.max() * 10 ** (MOST_LIMITED / 20)
    gain = min(10 ** ((wanted - _loudness(power, sample_rate)) / 20), most)
    factors = np.full_like(peaks, gain)
    for _ in range(ROUNDS if gain * peaks.max() > CEILING else 0):
        factors = gain * _limits(gain * peaks)
        short = wanted - _loudness(power * np.repeat(factors**2, HOP // FINE), sample_rate)
        if abs(short) < CLOSE or (short > 0 and gain >= most):
            break
        gain = min(gain * 10 ** (1.5 * short / 20), most)
    return factors


def _limits(peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """A limiter's gain at the middle of each hop, (hop,).

    It is the mean of three hops, each of which has seen every peak up to two hops away, so that no straight line
    between two hops lets one through.
    """
    ahead = np.lib.stride_tricks.sliding_window_view(np.pad(peaks, HOLD), 2 * HOLD + 1).max(1)
    gain = CEILING / np.maximum(ahead, CEILING)
    return np.convolve(np.pad(gain, 1, mode="edge"), np.full(3, 1 / 3), "valid")


def _between_hops(values: Tensor, samples: int) -> Tensor:
    """Values (batch, hop) at the middle of each hop, at every sample: (batch, samples)."""
    hops = values.shape[1]
    return torch.nn.functional.interpolate(values[:, None], size=hops * HOP, mode="linear")[:, 0, :samples]


def _blocks(values: NDArray[np.floating], width: int) -> NDArray[np.floating]:
    """(batch, sample) as (batch, block, width): whole hops, the last filled up with silence."""
    filled = np.pad(values, ((0, 0), (0, -values.shape[1] % HOP)))
    return filled.reshape(len(values), -1, width)


def _loudness(power: NDArray[np.floating], sample_rate: int) -> float:
    """LUFS of the loudest moment, from the weighted power in each block of ``FINE`` samples."""
    return float(loudest_moment(power[None], sample_rate / FINE)[0])
