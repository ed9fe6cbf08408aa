"""A recording at another pitch: read faster or slower about its onset."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from scipy.fft import irfft, rfft
from torch import Tensor

from sonifold.representation.spectral import ONSET
from sonifold.types import Audio

FINER = 4  # times the recording's rate: between such samples a straight line is close enough
SPEEDS = 3  # low-passed copies in an octave, so that reading faster does not alias
GUARD = 1024  # silent samples after the recording
RECENT = 10  # copies held, of 1 MB: as many as three octaves take, so that a second way finds them


class Transposer:
    """One recording (sample,), with its onset at sample ``ONSET``; read where it is."""

    def __init__(self, audio: Audio):
        self.audio = audio
        self._finer = lru_cache(RECENT)(self._band_limited)

    def __call__(self, octaves: float, samples: int | None = None) -> Audio:
        """The recording so much higher, or the first ``samples`` of it, its onset where it was; cut, or silent, at
        the end.
        """
        samples = len(self.audio) if samples is None else min(samples, len(self.audio))
        if octaves == 0:
            return self.audio[:samples]
        speed = 2.0**octaves
        finer = self._finer(max(0, math.ceil(SPEEDS * octaves - 0.05)))
        at = torch.arange(samples, device=finer.device).sub_(ONSET).mul(speed * FINER).add_(ONSET * FINER)
        first = int(torch.searchsorted(at, 0.0))
        over = int(torch.searchsorted(at, len(finer) - 1.0, right=True))
        at = at[first:over]  # before that the recording has not begun, and after it, it is over
        left = at.int().clamp_(max=len(finer) - 2)
        at -= left
        read = torch.zeros(samples, device=finer.device)
        read[first:over] = finer.index_select(0, left).lerp_(finer[1:].index_select(0, left), at)
        return read

    def _band_limited(self, steps: int) -> Tensor:
        """The recording at ``FINER`` times its rate, its band limited by so many steps of a third octave."""
        length = len(self.audio) + GUARD
        passed = int((length // 2 + 1) * 2 ** (-steps / SPEEDS))
        if self.audio.device.type != "cpu":
            spectrum = torch.fft.rfft(self.audio, length)[:passed]
            finer: Tensor = torch.fft.irfft(spectrum, FINER * length) * FINER
            return finer
        values = rfft(self.audio.numpy(), length)
        values[passed:] = 0
        return torch.from_numpy(irfft(values, FINER * length) * np.float32(FINER))
