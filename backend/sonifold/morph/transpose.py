"""A recording at another pitch: read faster or slower about its onset."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from sonifold.representation.spectral import ONSET
from sonifold.types import Audio

FINER = 4  # times the recording's rate: between such samples a straight line is close enough
SPEEDS = 3  # low-passed copies in an octave, so that reading faster does not alias
GUARD = 1024  # silent samples after the recording
RECENT = 10  # copies kept, of 1 MB: as many as three octaves take, so that a second way finds them


class Transposer:
    """One recording (sample,), with its onset at sample ``ONSET``."""

    def __init__(self, audio: Audio):
        self.audio = audio
        self._finer = lru_cache(RECENT)(self._band_limited)

    def __call__(self, octaves: float) -> Audio:
        """The recording so much higher, (sample,), its onset where it was; cut, or silent, at the end."""
        if octaves == 0:
            return self.audio
        speed = 2.0**octaves
        finer = self._finer(max(0, math.ceil(SPEEDS * octaves - 0.05)))
        at = ((torch.arange(len(self.audio)) - ONSET) * speed + ONSET) * FINER
        left = at.int()
        inside = (at >= 0) & (left < len(finer) - 1)
        left = left.clamp(0, len(finer) - 2)
        return torch.lerp(finer.index_select(0, left), finer.index_select(0, left + 1), at - left) * inside

    def _band_limited(self, steps: int) -> Tensor:
        """The recording at ``FINER`` times its rate, its band limited by so many steps of a third octave."""
        length = len(self.audio) + GUARD
        spectrum = torch.fft.rfft(self.audio, length)
        spectrum[int(len(spectrum) * 2 ** (-steps / SPEEDS)) :] = 0
        return FINER * torch.fft.irfft(spectrum, FINER * length)
