"""Two recorded sounds, each moved to the pitch and the times of any fraction of the way to the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.arrays import float_tensor
from sonifold.audio.pitch import pitch
from sonifold.morph.level import loudness
from sonifold.morph.timing import Times, between, landmarks, source_times
from sonifold.morph.transpose import Transposer
from sonifold.representation.spectral import HOP, ONSET, WINDOW, Spectral
from sonifold.shared import SharedProperty
from sonifold.sound import Sound
from sonifold.types import Audio, FeatureMaps

GRID = 17  # fractions at which what will be heard is foretold
PAYS = 0.9  # of the distance in Phi: nearer than this, and an interval that was only heard counts
RECENT = 64  # sounds whose pitch has been listened for
SILENT = 1e-5  # of a sound's peak: below this, to its end, it is over
AFTER = 4  # hops that are still rendered then


@dataclass(frozen=True)
class FineStructure:
    """Fine structure of a recording below the features' resolution, for as long as a step is rendered."""

    spectrum: Tensor  # complex (frame, bin), loudest frame at 0 dB: its phases count
    log_power: Tensor  # (frame, bin), see :meth:`Spectral.log_power_of`


class Analysed(NamedTuple):
    """Two ends at ``GRID`` fractions of the way."""

    features: Tensor  # (2, GRID, band, frame)
    levels: NDArray[np.float32]  # (2, GRID) dB


class MovedPair:
    """Two recorded sounds, moved towards each other by transposing and by stretching time.

    Computed on the device of the representation; what a sound does when, its pitch and its loudness are found on the
    CPU.

    Args:
        sounds: both with a recording.
    """

    def __init__(self, sounds: tuple[Sound, Sound], representation: Spectral):
        self.sounds, self.representation = sounds, representation
        self._device = representation.device
        recordings = [sound.audio for sound in sounds if sound.audio is not None]
        self._audio = [recording.to(self._device) for recording in recordings]
        self._transposers = [Transposer(recording) for recording in self._audio]
        self._marks = [landmarks(recording) for recording in recordings]
        self.loudness = loudness(torch.stack(recordings), representation.sample_rate)  # (2,) LUFS
        self.same = sounds[0] is sounds[1]

    @SharedProperty
    def interval(self) -> float:
        """Octaves from the first pitch to the last; 0 where one of them has none.

        Pitches that are only heard count where moving by them brings the sounds nearer to each other.
        """
        if self.same:
            return 0.0
        pitches = [sound.pitch_hz for sound in self.sounds]
        first, last = pitches if all(pitches) else self._heard_pitches()
        if first is None or last is None:
            return 0.0
        octaves = math.log2(last / first)
        pays = all(pitches) or moving_pays(self.sounds, self._transposers, octaves, self.representation)
        return octaves if pays else 0.0

    def _heard_pitches(self) -> tuple[float | None, float | None]:
        first, last = self.sounds
        rate = self.representation.sample_rate
        low = first.pitch_hz or heard_pitch(first, rate)
        return low, low and (last.pitch_hz or heard_pitch(last, rate))

    @SharedProperty
    def frames(self) -> int:
        """Number of STFT hops that sound at one of the ends."""
        audio = torch.stack(self._audio).abs()
        sounding = (audio > SILENT * audio.amax(1, keepdim=True)).any(0).nonzero()
        last = int(sounding.amax()) if len(sounding) else 0
        return min(self.representation.hops + 1, last // HOP + AFTER)

    def fine_structure(self, side: int, fraction: float) -> FineStructure:
        """Of the end ``side`` (0 or 1), at the pitch that belongs to a fraction of the way."""
        if self.interval == 0 or fraction == side:
            return self._end_structures[side]
        level = np.interp(fraction, np.linspace(0, 1, GRID), self._analysed.levels[side])
        return self._fine_structure(self._moved(side, fraction, self._rendered), float(level))

    @property
    def _rendered(self) -> int:
        """Samples that the ``frames`` reach into."""
        return self.frames * HOP + WINDOW

    def _fine_structure(self, audio: Audio, level: float) -> FineStructure:
        """Of a recording (sample,) whose loudest frame is at ``level`` dB."""
        loud = audio[None, : self._rendered] * 10 ** (-level / 20)
        spectrum = self.representation.stft(loud)[0, : self.frames]
        return FineStructure(spectrum, self.representation.log_power_of(spectrum))

    def _moved(self, side: int, fraction: float, samples: int | None = None) -> Audio:
        """The recording of the end ``side`` at the pitch that belongs to a fraction of the way."""
        return self._transposers[side](self.interval * (fraction - side), samples)

    @SharedProperty
    def _end_structures(self) -> list[FineStructure]:
        levels = self._analysed.levels[[0, 1], [0, -1]]
        return [
            self._fine_structure(samples, float(level))
            for samples, level in zip(self._audio, levels, strict=True)
        ]

    @SharedProperty
    def _analysed(self) -> Analysed:
        """Both ends at the pitches of ``GRID`` fractions, or where they are if those are all the same."""
        fractions = torch.linspace(0, 1, GRID).tolist() if self.interval else [0.0]
        features, levels = [], []
        for side in (0, 1):
            audio = [self._moved(side, u if self.interval else float(side)) for u in fractions]
            parts = [self.representation.analyse(samples[None]) for samples in audio]
            features.append(torch.cat([maps for maps, _ in parts]).expand(GRID, -1, -1))
            levels.append(torch.cat([level for _, level in parts]).expand(GRID))
        return Analysed(torch.stack(features), torch.stack(levels).cpu().numpy())

    @SharedProperty
    def _log_power(self) -> Tensor:
        """Of the moved ends' features, (2, GRID, band, frame)."""
        features = self._analysed.features
        if self.interval == 0:
            return self.representation.log_power(features[:, 0])[:, None].expand_as(features)
        return torch.stack([self.representation.log_power(maps) for maps in features])

    def _in_time(self, residuals: Tensor) -> Tensor:
        """Residuals (2, GRID, band, frame) of the ends, moved to the times of each fraction."""
        first, last = self._marks
        times = [between(first, last, fraction) for fraction in np.linspace(0, 1, GRID)]
        centres = self.representation.frame_centres
        moved = [moved_in_time(residuals[side], self._marks[side], times, centres) for side in (0, 1)]
        return torch.stack(moved)

    def between(self, fractions: Tensor) -> Tensor:
        """Log power (node, band, frame) on a straight line between the ends', each moved to its fraction."""
        fractions = fractions.to(self._device)
        sides = torch.stack([1 - fractions, fractions], 1)
        return torch.einsum(
            "nsg,sgbf->nbf", hat_weights(fractions)[:, None] * sides[:, :, None], self._log_power
        )


def moving_pays(
    sounds: tuple[Sound, Sound], transposers: Sequence[Transposer], octaves: float, representation: Spectral
) -> bool:
    """Whether two sounds are clearly nearer in Phi where both are moved half of an interval."""
    moved = [transposer(octaves * share) for transposer, share in zip(transposers, (0.5, -0.5), strict=True)]
    features, _ = representation.analyse(torch.stack(moved))
    still = torch.stack([sound.features for sound in sounds if sound.features is not None])
    phi = representation.timbre(torch.cat([still.to(features), features]))
    return bool((phi[2] - phi[3]).norm() < PAYS * (phi[0] - phi[1]).norm())


def moved_in_time(
    residuals: FeatureMaps, marks: Times, times: Sequence[Times], centres: NDArray[np.float64]
) -> FeatureMaps:
    """Residuals (GRID, band, frame) of a sound with landmarks ``marks``, moved to those of each fraction.

    Args:
        times: the landmarks of each of ``GRID`` fractions.
        centres: of the frames, in samples.
    """
    sounding = torch.from_numpy(centres) - ONSET
    frames = np.stack([source_times(sounding, there, marks, 1.0).numpy() + ONSET for there in times])
    at = float_tensor(np.interp(frames, centres, np.arange(len(centres))), residuals.device)
    left = at.long().clamp(max=len(centres) - 2)
    rows = residuals.mT.contiguous()  # (GRID, frame, band): whole rows are read
    near = [
        torch.lerp(row[i], row[i + 1], (t - i)[:, None]) for row, i, t in zip(rows, left, at, strict=True)
    ]
    return torch.stack(near).mT


def hat_weights(fractions: Tensor) -> Tensor:
    """Weights (node, GRID) of linear interpolation between ``GRID`` even fractions."""
    knots = torch.linspace(0, 1, GRID).to(fractions)
    return (1 - (fractions[:, None] - knots).abs() * (GRID - 1)).clamp(min=0)


@lru_cache(RECENT)
def heard_pitch(sound: Sound, sample_rate: int) -> float | None:
    """Hz, as a network hears it in the recording; None where there is no steady pitch."""
    return None if sound.audio is None else pitch(sound.audio.numpy(), sample_rate)
