"""From places on a path to sound.

A step between two sounds is made of three things that all travel: the decoded features, which the path decides; the
residual of each end, which fades; and the fine structure of each end below the resolution of the features - the phase,
and the ratio of the STFT magnitude to its smooth envelope. Both ends are moved first to the pitch and the times that
belong to the step (:mod:`sonifold.morph.crossing`), so that they are one sound and not two. At the ends what comes out
is the recording, to a hundredth of a decibel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from sonifold.errors import NotFinite
from sonifold.morph.crossing import Crossing
from sonifold.morph.level import CEILING, at_loudness
from sonifold.morph.moved import FineStructure
from sonifold.representation.spectral import Spectral, mixed, suppress_hiss
from sonifold.shared import RecentValues, SharedProperty
from sonifold.sound import Sound
from sonifold.types import Audio, AudioBatch, FeatureMap, FeatureMaps, Points
from sonifold.vae.coefficients import Coefficients
from sonifold.vae.inversion import Inversion
from sonifold.vae.network import VAE

STEP_ITERATIONS = 1  # of Griffin-Lim from the ends' own phases, with
STEP_MOMENTUM = 0.5  # which it comes half as close to the target as a second would
POINT_ITERATIONS = 12  # from noise, for a bare point
MOVED_STEPS = 4  # of latent inversion, for an end that was moved
CHUNK = 2  # sounds rendered at once: with more the spectra leave the cache, a quarter slower at 8
RECENT = 4  # pairs whose correspondence is kept, some 20 MB each: a second path between them costs less


@dataclass(frozen=True, eq=False)
class Renderer:
    """Decoder and representation together: latent points -> features -> audio.

    Features stay on the device of the model, audio comes out on the CPU.
    """

    representation: Spectral
    vae: VAE
    coefficients: Coefficients

    @property
    def _device(self) -> torch.device:
        return self.representation.device

    @torch.no_grad()
    def features(self, points: Points, condition: Tensor | None = None) -> FeatureMaps:
        """Features (batch, band, frame) decoded at latent points under a condition, hiss suppressed."""
        return suppress_hiss(
            self.coefficients.synthesise(self.vae.decode(points.to(self._device), condition))
        )

    @torch.no_grad()
    def residual(self, features: FeatureMaps, points: Points) -> FeatureMaps:
        """Recorded features minus those decoded at their latent points, (batch, band, frame)."""
        return features.to(self._device) - self.features(points)

    @torch.no_grad()
    def moved(self, features: FeatureMaps) -> Points:
        """Latent points (batch, latent) of features that were moved along a way."""
        return self.inversion(self.coefficients.analyse(features), steps=MOVED_STEPS)

    @SharedProperty
    def inversion(self) -> Inversion:
        """From coefficients (batch, K) to latent points (batch, latent)."""
        return Inversion(self.vae)

    def crossing(self, start: Sound, end: Sound) -> Crossing:
        """The correspondence of two sounds; that of the last few pairs is kept."""
        return self._crossings(start, end)

    @cached_property
    def _crossings(self) -> RecentValues[Crossing]:
        return RecentValues(self._crossing, RECENT)

    def _crossing(self, start: Sound, end: Sound) -> Crossing:
        first = self.sounding(start)
        last = first if end is start else self.sounding(end)
        return Crossing((first, last), self.representation, self.moved, self.features)

    def sounding(self, sound: Sound) -> Sound:
        """The sound itself, or a bare point with what it sounds like for a recording. Raises NotFinite."""
        if sound.audio is not None:
            return sound
        audio = self._points(sound.z[None], torch.tensor([sound.level or 0.0]))
        if not audio.isfinite().all():
            raise NotFinite(
                "a point at an end has no sound: what the model decodes there is beyond what numbers can hold. Choose "
                "one nearer to the map."
            )
        features, level = self.representation.analyse(audio)
        residual = self.residual(features, sound.z[None])[0]
        if sound.residual is not None:  # what a slider added to the point
            residual = residual + sound.residual.to(residual)
        return replace(
            sound, audio=audio[0].cpu(), features=features[0], residual=residual, level=float(level[0])
        )

    @torch.no_grad()
    def along(self, points: Points, start: Sound, end: Sound) -> FeatureMaps:
        """Features that will be heard at places (node, latent) spread evenly over a way."""
        return self.crossing(start, end).heard(points, torch.linspace(0, 1, len(points)))

    @torch.no_grad()
    def on_line(self, start: Sound, end: Sound) -> FeatureMaps:
        """The same at ``HEARD`` places on the line between the ends, (HEARD, band, frame)."""
        return self.crossing(start, end).heard_on_line()

    @torch.no_grad()
    def points(self, points: Points, levels: Tensor, condition: Tensor | None = None) -> AudioBatch:
        """Bare latent points as sound, each with its loudest frame at ``levels`` (batch,) in dB."""
        return self._points(points, levels, condition).cpu()

    def _points(self, points: Points, levels: Tensor, condition: Tensor | None = None) -> AudioBatch:
        """The same on the device of the model."""
        maps = self.representation.normalise(self.features(points, condition))
        parts = [
            self.representation.synthesise(part, iterations=POINT_ITERATIONS) for part in maps.split(CHUNK)
        ]
        audio = torch.cat(parts)
        gain = 10 ** (levels.to(audio) / 20)
        return audio * torch.minimum(gain, CEILING / audio.abs().amax(1).clamp(min=1e-9))[:, None]

    @torch.no_grad()
    def steps(
        self,
        points: Points,
        fractions: Tensor,
        start: Sound,
        end: Sound,
        progress: Tensor | None = None,
        features: FeatureMaps | None = None,
    ) -> AudioBatch:
        """Sounds (node, sample) at places on a path, the recordings themselves at its recorded ends.

        Loudness travels in a straight line over ``progress`` (node,), 0 to 1, the fractions when None: over the
        number of the step, so that all ways are equally loud at each. ``features`` (node, band, frame) are what is
        heard there, if it is known, as :meth:`along` gives it.
        """
        crossing = self.crossing(start, end)
        progress = fractions if progress is None else progress
        recordings = [
            crossing.recording(point, u) for point, u in zip(points, fractions.tolist(), strict=True)
        ]
        rendered = torch.tensor([recording is None for recording in recordings])
        audio = torch.empty(len(points), self.representation.samples)
        for step, recording in enumerate(recordings):
            if recording is not None:
                audio[step] = recording
        if rendered.any():
            heard = (
                crossing.heard(points[rendered], fractions[rendered])
                if features is None
                else features[rendered]
            )
            between = self._between(crossing, heard, fractions[rendered], progress[rendered])
            audio[rendered] = between.cpu()
        return audio

    def _between(
        self,
        crossing: Crossing,
        features: FeatureMaps,
        fractions: Tensor,
        progress: Tensor,
    ) -> AudioBatch:
        """The same where no recording is heard."""
        changes = self.representation.log_power(features) - crossing.between(fractions)
        steps = zip(changes, fractions.tolist(), strict=True)
        audio = self._levelled(
            crossing, torch.stack([self._step(crossing, *step) for step in steps]), progress
        )
        return torch.nn.functional.pad(audio, (0, self.representation.samples - audio.shape[1]))

    def _levelled(self, crossing: Crossing, audio: AudioBatch, progress: Tensor) -> AudioBatch:
        """Sounds as loud as they should be at ``progress`` (node,) from start to end."""
        first, last = crossing.loudness
        return at_loudness(audio, torch.lerp(first, last, progress), self.representation.sample_rate)

    def moved_on(
        self, audio: AudioBatch, times: Tensor, wanted: Tensor, progress: Tensor, start: Sound, end: Sound
    ) -> AudioBatch:
        """Sounds (some, sample) at times ``wanted`` (some,), from those of steps (step, sample) at rising ``times``.

        Each is mixed of the two steps around it, which have nearly the same phases where no pitch travels: a third of
        a step on, it lies a tenth of a step from what would be rendered there. ``progress`` (some,) as :meth:`steps`
        takes it.
        """
        after = torch.searchsorted(times, wanted).clamp(1, len(times) - 1)
        before = after - 1
        share = (wanted - times[before]) / (times[after] - times[before]).clamp(min=1e-9)
        moved = torch.lerp(audio[before], audio[after], share[:, None])
        return self._levelled(self.crossing(start, end), moved, progress)

    def _step(self, crossing: Crossing, change: FeatureMap, fraction: float) -> Audio:
        """One step of some loudness, as long as it sounds: both ends mixed, their log power changed by ``change``."""
        ends = (crossing.fine_structure(0, fraction), crossing.fine_structure(1, fraction))
        target = self._target(ends, change, fraction)[None]
        phase = mixed(ends[0].spectrum, ends[1].spectrum, fraction)[None]
        return self.representation.griffin_lim(target, phase, STEP_ITERATIONS, STEP_MOMENTUM)[0]

    def _target(
        self, ends: tuple[FineStructure, FineStructure], change: FeatureMap, fraction: float
    ) -> Tensor:
        """Magnitudes (frame, bin) of a step."""
        first, last = ends
        log_power = self.representation.between_bands(change, len(first.spectrum))
        log_power += torch.lerp(first.log_power, last.log_power, fraction)
        return self.representation.magnitudes_of(log_power)
