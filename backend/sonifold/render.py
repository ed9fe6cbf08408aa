"""From places on a path to sound.

A step between two recorded sounds is made of three things that all travel from A to B with the same fraction u:
the decoded features, which the path decides; the residual of each end, which fades; and the fine structure of each
end below the resolution of the features - the phase, and the ratio of the STFT magnitude to its smooth envelope.
At u = 0 and u = 1 what comes out is the recording, to a hundredth of a decibel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.morph.level import CEILING, at_loudness, loudness
from sonifold.representation.spectral import Spectral, suppress_hiss
from sonifold.sound import Sound, residuals
from sonifold.types import AudioBatch, FeatureMaps, Points
from sonifold.vae.coefficients import Coefficients
from sonifold.vae.network import VAE

STEP_ITERATIONS = 2  # of Griffin-Lim from the ends' own phases
POINT_ITERATIONS = 12  # from noise, for a bare point
DETAIL = 4.0  # natural log of magnitude: fine structure is kept within +-35 dB of its envelope
FAINT = 1e-3  # of noise under a recording's spectrum
CHUNK = 2  # sounds rendered at once: with more the spectra leave the cache, a quarter slower at 8


@dataclass(frozen=True)
class Renderer:
    """Decoder and representation together: latent points -> features -> audio."""

    representation: Spectral
    vae: VAE
    coefficients: Coefficients

    @torch.no_grad()
    def features(self, points: Points) -> FeatureMaps:
        """What the model makes of latent points, hiss suppressed, (batch, band, frame)."""
        return suppress_hiss(self.coefficients.synthesise(self.vae.decode(points)))

    @torch.no_grad()
    def residual(self, features: FeatureMaps, points: Points) -> FeatureMaps:
        """What decoding leaves out of recorded features."""
        return features - self.features(points)

    @torch.no_grad()
    def along(self, points: Points, fractions: Tensor, start: Sound, end: Sound) -> FeatureMaps:
        """Features at places (node, latent) whose fractions (node,) of the way say how much of each end is left.

        Normalised to equal loudness: the decoder would otherwise sag by 4-5 dB between the ends.
        """
        decoded = self.features(points)
        first, last = residuals([start, end], decoded)
        u = fractions[:, None, None].to(decoded)
        return self.representation.normalise(decoded + (1 - u) * first + u * last)

    @torch.no_grad()
    def points(self, points: Points, levels: Tensor) -> AudioBatch:
        """Bare latent points as sound, each with its loudest frame at ``levels`` (batch,) in dB."""
        maps = self.representation.normalise(self.features(points))
        parts = [
            self.representation.synthesise(part, iterations=POINT_ITERATIONS) for part in maps.split(CHUNK)
        ]
        return self._at_level(torch.cat(parts), levels)

    @torch.no_grad()
    def steps(
        self, points: Points, fractions: Tensor, start: Sound, end: Sound, progress: Tensor | None = None
    ) -> AudioBatch:
        """Sounds (node, sample) at places on a path, the recordings themselves at its recorded ends.

        Loudness travels in a straight line over ``progress`` (node,), 0 to 1, the fractions when None: over the
        number of the step, so that all ways are equally loud at each.
        """
        maps = self.along(points, fractions, start, end)
        anchors = [_Anchor.of(sound, self.representation) for sound in (start, end)]
        parts = [
            self._step_chunk(map_, u, anchors)
            for map_, u in zip(maps.split(CHUNK), fractions.split(CHUNK), strict=True)
        ]
        first, last = (self.loudness(sound) for sound in (start, end))
        wanted = torch.lerp(first, last, fractions if progress is None else progress)
        return at_loudness(torch.cat(parts), wanted, self.representation.sample_rate)

    def loudness(self, sound: Sound) -> Tensor:
        """LUFS of the loudest moment of an end: of its recording, or of what a bare point sounds like."""
        audio = sound.audio
        if audio is None:
            audio = self.points(sound.z[None], torch.tensor([sound.level or 0.0]))[0]
        return loudness(audio[None], self.representation.sample_rate)[0]

    def _step_chunk(self, maps: FeatureMaps, fractions: Tensor, ends: list[_Anchor | None]) -> AudioBatch:
        spectral = self.representation
        target = spectral.magnitudes(maps)
        shares = [share[:, None, None].to(target) for share in (1 - fractions, fractions)]
        recorded = [(anchor, share) for anchor, share in zip(ends, shares, strict=True) if anchor is not None]
        if not recorded:
            return spectral.refine_phase(target, spectral.noise_start(), POINT_ITERATIONS)
        detail = torch.stack([share * anchor.detail for anchor, share in recorded]).sum(0)
        phase = torch.stack([share * anchor.spectrum for anchor, share in recorded]).sum(0)
        if len(recorded) == 1:  # towards a bare point noise takes over from the recording
            phase = phase + FAINT * spectral.noise_start()
        return spectral.refine_phase(target * detail.exp(), phase, STEP_ITERATIONS)

    def _at_level(self, audio: AudioBatch, levels: Tensor) -> AudioBatch:
        """Scaled to the level wanted, less where the peak would clip."""
        gain = 10 ** (levels.to(audio) / 20)
        peak = audio.abs().amax(1).clamp(min=1e-9)
        return audio * torch.minimum(gain, CEILING / peak)[:, None]


@dataclass(frozen=True)
class _Anchor:
    """The fine structure of a recorded end."""

    spectrum: Tensor  # complex (1, frame, bin), loudest frame at 0 dB
    detail: Tensor  # (1, frame, bin), log of magnitude over its smooth envelope

    @classmethod
    def of(cls, sound: Sound, spectral: Spectral) -> _Anchor | None:
        if sound.audio is None or sound.features is None or sound.level is None:
            return None
        spectrum = spectral.stft(sound.audio[None].to(spectral.device)) * 10 ** (-sound.level / 20)
        envelope = spectral.magnitudes(sound.features[None])
        floor = 1e-5 * envelope.amax()
        detail = ((spectrum.abs() + floor) / (envelope + floor)).log().clamp(-DETAIL, DETAIL)
        return cls(spectrum, detail)
