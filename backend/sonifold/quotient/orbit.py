"""The transpositions of sounds, as broken lines in a space of features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.audio.timbre import timbre_features
from sonifold.morph.transpose import Transposer
from sonifold.types import Audio, AudioBatch

#: Octaves up and down that a sound is transposed at most, and between two points of the grid.
REACH, STEP = 1.0, 1 / 6


def shifts(reach: float = REACH, step: float = STEP) -> Tensor:
    """Transpositions in octaves, (shift,), ascending, with 0 in the middle.

    Raises:
        ValueError: the reach or the step is not above 0.
    """
    if not (reach > 0 and step > 0):
        raise ValueError(f"expected a reach and a step above 0 octaves, got {reach} and {step}.")
    each_way = max(1, round(reach / step))
    return torch.linspace(-reach, reach, 2 * each_way + 1, dtype=torch.float64)


@dataclass(frozen=True)
class Orbits:
    """Sounds in every transposition of a grid, in some space of features."""

    shifts: Tensor  #: (shift,) octaves, ascending, 0 among them
    points: Tensor  #: (sound, shift, feature)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def base(self) -> Tensor:
        """The sounds as they are, (sound, feature)."""
        return self.points[:, int(self.shifts.abs().argmin())]

    def __getitem__(self, rows: Tensor | slice | list[int]) -> Orbits:
        """The orbits of some of the sounds."""
        return Orbits(self.shifts, self.points[rows])

    def at(self, octaves: Tensor) -> Tensor:
        """A point on each orbit (sound, feature), for one transposition each, (sound,); clamped to the grid."""
        octaves = octaves.to(self.shifts).clamp(self.shifts[0], self.shifts[-1])
        left = (torch.searchsorted(self.shifts, octaves, right=True) - 1).clamp(0, len(self.shifts) - 2)
        begin, end = self.shifts[left], self.shifts[left + 1]
        share = ((octaves - begin) / (end - begin)).to(self.points)[:, None]
        rows = torch.arange(len(self.points))
        return torch.lerp(self.points[rows, left], self.points[rows, left + 1], share)


def copies(audio: Audio, octaves: Tensor) -> AudioBatch:
    """A prepared recording (sample,) in every transposition (shift,), (shift, sample)."""
    transposed = Transposer(audio)
    return torch.stack([transposed(float(shift)) for shift in octaves])


@torch.no_grad()
def timbre_orbits(audio: AudioBatch, sample_rate: int, onset: int, octaves: Tensor) -> Orbits:
    """Orbits in Phi of prepared recordings (sound, sample) that begin at the sample ``onset``.

    Samples that are played ``s`` times as fast are the same samples at ``s`` times the rate, so nothing is resampled.
    """
    columns = []
    for shift in octaves.tolist():
        speed = 2.0**shift
        samples = min(audio.shape[1], onset + round((audio.shape[1] - onset) * speed))
        rate = round(sample_rate * speed)
        columns.append(timbre_features(audio[:, :samples], rate, onset / rate))
    return Orbits(octaves, torch.stack(columns, 1))
