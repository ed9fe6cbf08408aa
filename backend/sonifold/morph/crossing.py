"""Two sounds brought into correspondence: what one does at a pitch and a time, the other does at its own.

Sounds are compared modulo transposition and stretching in time, as shapes are modulo rotation and reparametrisation
(elastic shape analysis): at a fraction u of the way both ends are moved to the pitch and the times between theirs,

    f(u) = f_A^(1-u) f_B^u,      t(u) = t_A^(1-u) t_B^u   for each landmark of time,

each read from its recording there. The path leads between what the moved ends are encoded as.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
from sonifold.types import Audio, Curves, FeatureMaps, Points

KNOTS = (0.0, 0.5, 1.0)  # fractions at which moved ends are encoded; between them a parabola leads
GRID = 17  # fractions at which what will be heard is foretold
PAYS = 0.9  # of the distance in Phi: nearer than this, and an interval that was only heard counts
CHANGED = 1e-3  # of a feature or a latent coordinate: more than rounding
RECENT = 64  # sounds whose pitch has been listened for
SILENT = 1e-5  # of a sound's peak: below this, to its end, it is over
AFTER = 4  # hops that are still rendered then
Decode = Callable[[Points], FeatureMaps]


@dataclass(frozen=True)
class FineStructure:
    """Fine structure of a recording below the features' resolution, for as long as a step is rendered."""

    spectrum: Tensor  # complex (frame, bin), loudest frame at 0 dB: its phases count
    log_power: Tensor  # (frame, bin), see :meth:`Spectral.log_power_of`


class Crossing:
    """A pair of recorded sounds, moved towards each other; made once, for every way between them.

    Computed on the device of the representation; what a sound does when, its pitch and its loudness are found on the
    CPU, and so are the recordings that come back.

    Args:
        sounds: both with a recording.
        encode: features (batch, band, frame) -> latent points.
        decode: latent points -> features.
    """

    def __init__(
        self,
        sounds: tuple[Sound, Sound],
        representation: Spectral,
        encode: Callable[[FeatureMaps], Points],
        decode: Decode,
    ):
        self.sounds, self.representation = sounds, representation
        self._encode, self._decode = encode, decode
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

    def _times(self, fraction: float) -> Times:
        """Landmarks at a fraction of the way."""
        first, last = self._marks
        return between(first, last, fraction)

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

    @SharedProperty
    def _residuals(self) -> Tensor:
        """What decoding leaves out of the moved ends, at the times of ``GRID`` fractions, (2, GRID, band, frame)."""
        fractions = torch.linspace(0, 1, GRID)
        if self.interval == 0:  # the ends stay where they are in latent space
            decoded = self._decoded[:, None]
        else:
            decoded = self._decode(self.latent(fractions).flatten(0, 1)).unflatten(0, (2, -1))
        residuals = self._analysed.features - decoded + self._added[:, None]
        if self.same:
            return residuals
        times = [self._times(fraction) for fraction in np.linspace(0, 1, GRID)]
        centres = self.representation.frame_centres
        moved = [moved_in_time(residuals[side], self._marks[side], times, centres) for side in (0, 1)]
        return torch.stack(moved)

    @SharedProperty
    def _knots(self) -> Tensor:
        """Latent points of both moved ends at ``KNOTS``, (2, 3, latent)."""
        ends = self._ends
        if self.interval == 0:
            return ends[:, None].expand(-1, len(KNOTS), -1)
        half, features = GRID // 2, self._analysed.features
        z = self._encode(torch.stack([features[0, half], features[0, -1], features[1, 0], features[1, half]]))
        return torch.stack([torch.stack([ends[0], z[0], z[1]]), torch.stack([z[2], z[3], ends[1]])])

    @SharedProperty
    def _ends(self) -> Points:
        """Latent points of the sounds where they are, (2, latent)."""
        return torch.stack([sound.z for sound in self.sounds]).to(self._device)

    def latent(self, fractions: Tensor) -> Tensor:
        """Latent points of both moved ends at fractions (node,), (2, node, latent)."""
        u = fractions.to(self._knots)[:, None]
        first, half, last = self._knots[:, None, 0], self._knots[:, None, 1], self._knots[:, None, 2]
        return first * (1 - u) * (1 - 2 * u) + half * 4 * u * (1 - u) + last * u * (2 * u - 1)

    def halfway(self) -> Points:
        """Both ends where they are moved half way, (2, latent): between these a path is solved."""
        return self._knots[:, 1]

    def curve(self, halfway: Curves) -> Tensor:
        """A path between :meth:`halfway` (node, latent) as one from sound to sound: it goes along as they move."""
        t = torch.linspace(0, 1, len(halfway)).to(self._device)
        moved = self.latent(t) - self._knots[:, None, 1]
        return halfway.to(self._device) + (1 - t)[:, None] * moved[0] + t[:, None] * moved[1]

    @SharedProperty
    def _added(self) -> Tensor:
        """What the ends' residuals hold that their recordings do not: a slider's work, (2, band, frame)."""
        rows = [
            torch.zeros_like(decoded)
            if sound.residual is None or sound.features is None
            else sound.residual.to(decoded) - (sound.features.to(decoded) - decoded)
            for sound, decoded in zip(self.sounds, self._decoded, strict=True)
        ]
        return torch.stack(rows)

    @SharedProperty
    def _decoded(self) -> FeatureMaps:
        """What decoding makes of the ends where they are, (2, band, frame)."""
        return self._decode(self._ends)

    def recording(self, point: Tensor, fraction: float) -> Audio | None:
        """The recording (sample,) of the end that a place (latent,) on the way is; None anywhere else.

        What a decoder of lossy files makes louder than full scale is left so: whoever writes integers cuts it there.
        """
        if fraction not in (0.0, 1.0):
            return None
        side = int(fraction)
        changed = self._added[side].abs().amax() > CHANGED
        moved = (point - self.sounds[side].z).abs().amax() > CHANGED
        audio = self.sounds[side].audio
        return None if changed or moved else audio

    def heard(self, points: Points, fractions: Tensor) -> FeatureMaps:
        """Features (node, band, frame) at points (node, latent) of the way, with what is left of both residuals."""
        shares = residual_shares(fractions.to(self._device), self._common)
        left = torch.einsum("nsg,sgbf->nbf", shares, self._residuals)
        return self.representation.normalise(self._decode(points) + left)

    def between(self, fractions: Tensor) -> Tensor:
        """Log power (node, band, frame) on a straight line between the ends', each moved to its fraction."""
        fractions = fractions.to(self._device)
        sides = torch.stack([1 - fractions, fractions], 1)
        return torch.einsum("nsg,sgbf->nbf", _hat(fractions)[:, None] * sides[:, :, None], self._log_power)

    @SharedProperty
    def _common(self) -> Tensor:
        """Cosine between the two residuals at ``GRID`` fractions, at least 0, (GRID,)."""
        first, last = self._residuals.flatten(2)
        return torch.nn.functional.cosine_similarity(first, last).clamp(min=0)


class Analysed(NamedTuple):
    """Two ends at ``GRID`` fractions of the way."""

    features: Tensor  # (2, GRID, band, frame)
    levels: NDArray[np.float32]  # (2, GRID) dB


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


def residual_shares(fractions: Tensor, common: Tensor) -> Tensor:
    """How much of each end's residual at each of ``GRID`` fractions is left at fractions (node,), (node, 2, GRID).

    What the two have in common, ``common`` (GRID,), stays; of the rest a quarter of each is left in the middle, which
    is nearer to real sounds than half of both.
    """
    hat = _hat(fractions)
    both = fractions * (1 - fractions) * (hat @ common)
    left = torch.stack([(1 - fractions) ** 2 + both, fractions**2 + both], 1)
    return left[:, :, None] * hat[:, None]


def _hat(fractions: Tensor) -> Tensor:
    """Weights (node, GRID) of linear interpolation between ``GRID`` even fractions."""
    knots = torch.linspace(0, 1, GRID).to(fractions)
    return (1 - (fractions[:, None] - knots).abs() * (GRID - 1)).clamp(min=0)


@lru_cache(RECENT)
def heard_pitch(sound: Sound, sample_rate: int) -> float | None:
    """Hz, as a network hears it in the recording; None where there is no steady pitch."""
    return None if sound.audio is None else pitch(sound.audio.numpy(), sample_rate)
