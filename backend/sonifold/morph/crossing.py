"""Two sounds brought into correspondence: what one does at a pitch and a time, the other does at its own.

Sounds are compared modulo transposition and stretching in time, as shapes are modulo rotation and reparametrisation
(elastic shape analysis): at a fraction u of the way both ends are moved to the pitch and the times between theirs,

    f(u) = f_A^(1-u) f_B^u,      t(u) = t_A^(1-u) t_B^u   for each landmark of time,

each read from its recording there. The path leads between what the moved ends are encoded as.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

from sonifold.audio.pitch import pitch
from sonifold.morph.level import loudness
from sonifold.morph.timing import Times, between, landmarks, places
from sonifold.morph.transpose import Transposer
from sonifold.representation.spectral import HOP, ONSET, Spectral, squared
from sonifold.sound import Sound
from sonifold.types import Audio, Curves, FeatureMap, FeatureMaps, Points

KNOTS = (0.0, 0.5, 1.0)  # fractions at which moved ends are encoded; between them a parabola leads
GRID = 9  # fractions at which what will be heard is foretold
PAYS = 0.9  # of the distance in Phi: nearer than this, and an interval that was only heard counts
CHANGED = 1e-3  # of a feature or a latent coordinate: more than rounding
RECENT = 64  # sounds whose pitch has been listened for
SILENT = 1e-5  # of a sound's peak: below this, to its end, it is over
AFTER = 4  # hops that are still rendered then
DETAIL = 4.0  # natural log of magnitude: fine structure is kept within +-35 dB of its envelope
FAINT = 1e-5  # of an envelope's largest value: below this there is no fine structure
Decode = Callable[[Points], FeatureMaps]


@dataclass(frozen=True)
class FineStructure:
    """What the features of a recording do not resolve, for as long as a step is rendered."""

    spectrum: Tensor  # complex (frame, bin), loudest frame at 0 dB: its phases count
    detail: Tensor  # (frame, bin), log of magnitude over its smooth envelope
    features: FeatureMap  # (band, frame of the grid)

    @classmethod
    def of(cls, audio: Audio, spectral: Spectral, frames: int) -> FineStructure:
        """Of a recording (sample,), its first ``frames`` hops; the features are of all of it."""
        spectrum = spectral.stft(audio[None])
        power = squared(spectrum)
        features, level = spectral.features_of_power(spectral.to_bands @ power.mT)
        gain = 10 ** (-float(level) / 20)
        magnitude = power[0, :frames].sqrt_().mul_(gain)
        envelope = spectral.magnitudes(features, frames)[0]
        floor = FAINT * envelope.amax()
        detail = ((magnitude + floor) / (envelope + floor)).log_().clamp_(-DETAIL, DETAIL)
        return cls(spectrum[0, :frames] * gain, detail, features[0])


class Crossing:
    """A pair of recorded sounds, moved towards each other; made once, for every way between them.

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
        audio = [sound.audio for sound in sounds if sound.audio is not None]
        self._transposers = [Transposer(one) for one in audio]
        self._marks = [landmarks(one) for one in audio]
        self.loudness = loudness(torch.stack(audio), representation.sample_rate)  # (2,) LUFS
        self.same = sounds[0] is sounds[1]

    @cached_property
    def interval(self) -> float:
        """Octaves from the first pitch to the last; 0 where one of them has none.

        Pitches that are only heard count where moving by them brings the sounds nearer to each other.
        """
        if self.same:
            return 0.0
        known = [sound.pitch_hz for sound in self.sounds]
        first, last = known if all(known) else self._heard_pitches()
        if first is None or last is None:
            return 0.0
        octaves = math.log2(last / first)
        return octaves if all(known) or self._pays(octaves) else 0.0

    def _heard_pitches(self) -> tuple[float | None, float | None]:
        first, last = self.sounds
        rate = self.representation.sample_rate
        low = first.pitch_hz or heard_pitch(first, rate)
        return low, low and (last.pitch_hz or heard_pitch(last, rate))

    def _pays(self, octaves: float) -> bool:
        """Whether the sounds are clearly nearer in Phi where both are moved half of an interval."""
        moved = [
            transposer(octaves * share)
            for transposer, share in zip(self._transposers, (0.5, -0.5), strict=True)
        ]
        features, _ = self.representation.analyse(torch.stack(moved))
        phi = self.representation.timbre(
            torch.cat([torch.stack([one.features for one in self._own]), features])
        )
        return bool((phi[2] - phi[3]).norm() < PAYS * (phi[0] - phi[1]).norm())

    def _times(self, fraction: float) -> Times:
        """Landmarks at a fraction of the way."""
        first, last = self._marks
        return between(first, last, fraction)

    @cached_property
    def frames(self) -> int:
        """How many hops of the STFT sound at one of the ends."""
        audio = torch.stack([sound.audio for sound in self.sounds if sound.audio is not None]).abs()
        sounding = (audio > SILENT * audio.amax(1, keepdim=True)).any(0).nonzero()
        last = int(sounding.amax()) if len(sounding) else 0
        return min(self.representation.hops + 1, last // HOP + AFTER)

    def fine_structure(self, side: int, fraction: float) -> FineStructure:
        """Of the end ``side`` (0 or 1), at the pitch that belongs to a fraction of the way."""
        if self.interval == 0 or fraction == side:
            return self._own[side]
        return FineStructure.of(self._moved(side, fraction), self.representation, self.frames)

    def _moved(self, side: int, fraction: float) -> Audio:
        """The recording of the end ``side`` at the pitch that belongs to a fraction of the way."""
        return self._transposers[side](self.interval * (fraction - side))

    @cached_property
    def _own(self) -> list[FineStructure]:
        audio = [sound.audio for sound in self.sounds if sound.audio is not None]
        return [FineStructure.of(one, self.representation, self.frames) for one in audio]

    def _at_its_time(self, residual: FeatureMap, side: int, fraction: float) -> FeatureMap:
        """A residual of the end ``side`` with its times moved to those of a fraction of the way."""
        centres = self.representation.frame_centres
        wanted = torch.from_numpy(centres) - ONSET
        place = places(wanted, self._times(fraction), self._marks[side], 1.0).numpy() + ONSET
        at = torch.from_numpy(np.interp(place, centres, np.arange(len(centres)))).float()
        left = at.long().clamp(max=len(centres) - 2)
        return torch.lerp(residual[:, left], residual[:, left + 1], at - left)

    @cached_property
    def _grid(self) -> Tensor:
        """Features of both ends at the pitches of ``GRID`` fractions, (2, GRID, band, frame)."""
        if self.interval == 0:
            return torch.stack([one.features for one in self._own])[:, None].expand(-1, GRID, -1, -1)
        fractions = torch.linspace(0, 1, GRID).tolist()
        audio = [[self._moved(side, u) for u in fractions] for side in (0, 1)]
        return torch.stack([self.representation.analyse(torch.stack(one))[0] for one in audio])

    @cached_property
    def _knots(self) -> Tensor:
        """Latent points of both moved ends at ``KNOTS``, (2, 3, latent)."""
        own = torch.stack([sound.z for sound in self.sounds])
        if self.interval == 0:
            return own[:, None].expand(-1, len(KNOTS), -1)
        half = GRID // 2
        z = self._encode(
            torch.stack([self._grid[0, half], self._grid[0, -1], self._grid[1, 0], self._grid[1, half]])
        )
        return torch.stack([torch.stack([own[0], z[0], z[1]]), torch.stack([z[2], z[3], own[1]])])

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
        t = torch.linspace(0, 1, len(halfway))
        moved = self.latent(t) - self._knots[:, None, 1]
        return halfway + (1 - t)[:, None] * moved[0] + t[:, None] * moved[1]

    @cached_property
    def _added(self) -> Tensor:
        """What the ends' residuals hold that their recordings do not: a slider's work, (2, band, frame)."""
        rows = [
            torch.zeros_like(decoded)
            if sound.residual is None or sound.features is None
            else sound.residual - (sound.features - decoded)
            for sound, decoded in zip(self.sounds, self._decoded, strict=True)
        ]
        return torch.stack(rows)

    @cached_property
    def _decoded(self) -> FeatureMaps:
        """What decoding makes of the ends where they are, (2, band, frame)."""
        return self._decode(torch.stack([sound.z for sound in self.sounds]))

    def recording(self, point: Tensor, fraction: float) -> Audio | None:
        """The recording (sample,) of the end that a place (latent,) on the way is; None anywhere else, and where it
        would clip.
        """
        if fraction not in (0.0, 1.0):
            return None
        side = int(fraction)
        changed = self._added[side].abs().amax() > CHANGED
        moved = (point - self.sounds[side].z).abs().amax() > CHANGED
        audio = self.sounds[side].audio
        return None if changed or moved or audio is None or audio.abs().amax() > 1 else audio

    def residuals(self, features: Tensor, fractions: Tensor) -> Tensor:
        """What decoding leaves out of moved ends' features (2, node, band, frame), at fractions (node,)."""
        if self.interval == 0:  # the ends stay where they are in latent space
            decoded = self._decoded[:, None]
        else:
            decoded = self._decode(self.latent(fractions).flatten(0, 1)).unflatten(0, (2, -1))
        residuals = features - decoded + self._added[:, None]
        if self.same:
            return residuals
        return torch.stack(
            [
                torch.stack(
                    [self._at_its_time(one, side, u) for one, u in zip(rows, fractions.tolist(), strict=True)]
                )
                for side, rows in enumerate(residuals)
            ]
        )

    def foretold(self, points: Points) -> FeatureMaps:
        """Features at places (node, latent) spread evenly over the way, residuals of the moved ends included."""
        coarse = self.residuals(self._grid, torch.linspace(0, 1, GRID))
        nodes = len(points)
        fine = torch.nn.functional.interpolate(
            coarse.flatten(2).mT, size=nodes, mode="linear", align_corners=True
        ).mT.unflatten(2, coarse.shape[2:])
        return self.together(self._decode(points), fine, torch.linspace(0, 1, nodes))

    def together(self, decoded: FeatureMaps, residuals: Tensor, fractions: Tensor) -> FeatureMaps:
        """Decoded features (node, band, frame) with what is left of each end's residual (2, node, band, frame)."""
        return self.representation.normalise(decoded + faded(residuals, fractions))


def faded(residuals: Tensor, fractions: Tensor) -> FeatureMaps:
    """What is left of two residuals (2, node, band, frame) at fractions (node,) of the way, (node, band, frame).

    What they have in common stays; of the rest a quarter of each is left in the middle, which is nearer to real
    sounds than half of both.
    """
    t = fractions[:, None, None].to(residuals)
    first, last = residuals
    common = torch.nn.functional.cosine_similarity(first.flatten(1), last.flatten(1)).clamp(min=0)
    return (1 - t) ** 2 * first + t**2 * last + t * (1 - t) * common[:, None, None] * (first + last)


@lru_cache(RECENT)
def heard_pitch(sound: Sound, sample_rate: int) -> float | None:
    """Hz, as a network hears it in the recording; None where there is no steady pitch."""
    return None if sound.audio is None else pitch(sound.audio.numpy(), sample_rate)
