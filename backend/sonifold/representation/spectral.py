"""Representation ``spectral``: any one-shot, as power-compressed bands on an attack-dense time grid.

Analysis is an STFT (1024 samples, hop 256, 44.1 kHz), averaged into 160 warped bands and 128 frames
(64 of one hop, 32 of two, 32 of four: 1.49 s), A-weighted, divided by the loudest instant and compressed
as in the perceptual map (:mod:`sonifold.audio.timbre`). Phi is therefore linear in the features.

Synthesis expands the features to STFT magnitudes and finds a phase for them with the fast Griffin-Lim
algorithm (Perraudin, Balazs & Søndergaard 2013) from a start that already has the onset in place.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sonifold.arrays import float_tensor
from sonifold.audio import timbre as ear
from sonifold.audio.banded import Banded
from sonifold.audio.loudness import a_weighting
from sonifold.audio.timbre import squared
from sonifold.representation import grid
from sonifold.representation.base import Representation
from sonifold.representation.registry import register
from sonifold.types import AudioBatch, FeatureMaps, Timbre

WINDOW, HOP = 1024, 256
BINS = WINDOW // 2 + 1
GROUPS = np.array([1] * 64 + [2] * 32 + [4] * 32)  # hops averaged into each frame
ONSET = 220  # samples of lead-in before the sound begins
GATE = (140, 210)  # samples: silent before, fully open after
MOMENTUM = 0.99  # of fast Griffin-Lim
FLOOR = 3e-9  # relative weighted power faded out in synthesis
HISS = 0.016  # decoded features well under this are hiss
LOUD_FRAMES = 6  # candidates for the loudest


@register("spectral")
class Spectral(Representation):
    """The analysis/synthesis pair; holds constant matrices only.

    Features X have shape (batch, 160, 128), are dimensionless, >= 0, about 1.1 at the loudest.
    Level is the A-weighted power of the loudest frame in dB.
    """

    sample_rate = 44_100
    samples = 65_536
    onset = ONSET
    bands = 160
    frames = len(GROUPS)
    hops = int(GROUPS.sum())

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        centres = grid.band_centres(self.bands, BINS)
        hertz = centres * self.sample_rate / WINDOW
        triangles = grid.triangles(centres, BINS)
        edges = ear.mel_edges()
        mel_bins = np.interp(hertz, edges[1:-1], (edges[2:] - edges[:-2]) / 2) * WINDOW / self.sample_rate
        weight = a_weighting(hertz)
        frame_start = np.concatenate([[0], np.cumsum(GROUPS)])
        frame_centre = (frame_start[:-1] + frame_start[1:] - 1) / 2

        self.frame_centres = frame_centre * HOP  # samples, (frame,)
        opening = np.concatenate([np.zeros(GATE[0]), np.linspace(0, 1, GATE[1] - GATE[0])])
        self._opening = self._constant(opening)
        self.window = torch.hann_window(WINDOW, device=self.device)
        # sum of the squared window over its four overlaps (fewer in the first and last 256 samples: lead-in and tail)
        self.window_power = 1.5
        self.to_bands = Banded((triangles / triangles.sum(1, keepdims=True)).T, self.device)  # (bin, band)
        self.to_frames = self._constant(grid.group_means(GROUPS))  # (hop, frame)
        from_bands = grid.linear_interpolation(centres, np.arange(BINS)).T
        self.from_bands = Banded(from_bands, self.device)  # (band, bin)
        self.from_frames = self._constant(
            grid.linear_interpolation(frame_centre, np.arange(self.hops + 1)).T
        )  # (frame, hop+1)
        self.weight = self._constant(weight * mel_bins)[:, None]  # A-weighting x mel-band area
        self.unweight = (-self.from_bands.after(self.weight.log().T)).exp()  # (1, bin)
        self.loudness_weight = self._constant(weight * triangles.sum(1))  # sums bands to total power
        cepstrum, log_time = timbre_matrices(hertz, frame_start, self.sample_rate)
        self.cepstrum, self.log_time = self._constant(cepstrum), self._constant(log_time)

    def _constant(self, array: np.ndarray) -> Tensor:
        return float_tensor(array, self.device)

    # -- analysis ---------------------------------------------------------------------------------

    def stft(self, audio: AudioBatch) -> Tensor:
        """(batch, samples) -> complex (batch, 257, 513), frame k centred on sample 256 k.

        Time comes before frequency, so that each frame lies together in memory: twice as fast as the
        other order for the many round trips of Griffin-Lim.
        """
        padded = torch.nn.functional.pad(audio.to(self.device), (WINDOW // 2, WINDOW // 2))
        spectrum: Tensor = torch.fft.rfft(padded.unfold(1, WINDOW, HOP) * self.window)
        return spectrum

    def istft(self, spectrum: Tensor) -> AudioBatch:
        """Inverse of :meth:`stft` in the least-squares sense (Griffin & Lim 1984, eq. 6)."""
        frames = torch.fft.irfft(spectrum).mul_(self.window / self.window_power)
        batch, count, _ = frames.shape
        laps = WINDOW // HOP
        sum_ = frames.new_zeros(batch, count + laps - 1, HOP)
        for lap in range(laps):
            sum_[:, lap : lap + count] += frames[:, :, lap * HOP : (lap + 1) * HOP]
        start = WINDOW // 2
        samples = min(self.samples, HOP * (count - 1))
        audio: AudioBatch = sum_.reshape(batch, -1)[:, start : start + samples]
        return audio

    def band_power(self, audio: AudioBatch) -> Tensor:
        """Mean STFT power in each band and frame, (batch, 160, 128)."""
        return self.power_of(self.stft(audio))[:, :, : self.hops] @ self.to_frames

    def power_of(self, spectra: Tensor) -> Tensor:
        """Power of spectra (batch, hop, 513) in each band, (batch, 160, hop)."""
        return self.to_bands.after(squared(spectra)).mT

    def loudest(self, band_power: Tensor) -> Tensor:
        """A-weighted power of the loudest frame, (batch,)."""
        return (self.loudness_weight @ band_power).amax(1)

    def analyse(self, audio: AudioBatch) -> tuple[FeatureMaps, Tensor]:
        """Features (batch, 160, 128) and level in dB (batch,) of prepared sounds (batch, samples), or of their
        beginnings, where they are silent behind it for at least one window.
        """
        return self.features_of(self.stft(audio))

    def features_of(self, spectra: Tensor) -> tuple[FeatureMaps, Tensor]:
        """The same of spectra (batch, 257, 513) as :meth:`stft` gives them."""
        return self.features_of_power(self.power_of(spectra))

    def features_of_power(self, power: Tensor) -> tuple[FeatureMaps, Tensor]:
        """The same of power in each band (batch, 160, hop); hops that there are not are silent."""
        power = power[:, :, : self.hops]
        power = power @ self.to_frames[: power.shape[2]]
        loudest = self.loudest(power).clamp(min=1e-20)
        return ear.compress(self.weight * power / loudest[:, None, None]), 10 * loudest.log10()

    def timbre(self, features: FeatureMaps) -> Timbre:
        """Phi on this grid, (batch, 512). Linear in the features."""
        return (self.cepstrum @ (features @ self.log_time)).flatten(1)

    # -- synthesis --------------------------------------------------------------------------------

    def expand(self, features: FeatureMaps) -> Tensor:
        """Weighted relative power W P / g: inverse of the compression."""
        base = features.clamp(min=0) + ear.EPSILON**ear.COMPRESSION
        return ear.raised(base, 1 / ear.COMPRESSION).sub_(ear.EPSILON).clamp_(min=0)

    def normalise(self, features: FeatureMaps) -> FeatureMaps:
        """The same sound with its loudest frame at the reference level: undoes a decoder's shrinkage.

        A decoder trained on squared error draws peaks towards the mean (2.7 dB on sounds it does not know) and leaves
        low cells where they are; so contrast is restored, X (1 + (a - 1) X / max X), with a found by bisection in
        the loudest frame. Scaling the whole map instead cost .2 in Phi and lifted the noise floor.
        """
        positive = features.clamp(min=0)
        unweighted = self.loudness_weight / self.weight[:, 0]
        loudness = unweighted @ self.expand(positive)
        # which frame is the loudest may change with a, and the map must not jump where it does: watch several
        frames = loudness.topk(LOUD_FRAMES, dim=1).indices
        columns = positive.gather(2, frames[:, None].expand(-1, self.bands, -1))  # (batch, band, LOUD_FRAMES)
        peak = positive.amax((1, 2), keepdim=True).clamp(min=1e-6)
        emphasis = columns / peak
        low, high = torch.full_like(peak, 0.5), torch.full_like(peak, 2.0)
        for _ in range(14):
            middle = (low + high) / 2
            lifted = self.expand(columns * (1 + (middle - 1) * emphasis))
            short = (unweighted @ lifted).amax(1) < 1
            low = torch.where(short[:, None, None], middle, low)
            high = torch.where(short[:, None, None], high, middle)
        return positive * (1 + ((low + high) / 2 - 1) * positive / peak)

    def magnitudes(self, features: FeatureMaps, hops: int | None = None) -> Tensor:
        """STFT magnitudes (batch, 257, 513), or of the first ``hops``, by interpolation of log power between bands and
        frames.
        """
        return self.magnitudes_of(self.between_bands(self.log_power(features), hops))

    def log_power(self, features: FeatureMaps) -> Tensor:
        """log(W P / g + FLOOR) in each band and frame, the shape of the features."""
        return self.expand(features).add_(FLOOR).log_()

    def log_power_of(self, spectra: Tensor) -> Tensor:
        """The same in each bin of spectra (..., hop, 513) that have their loudest frame at 0 dB."""
        return squared(spectra).mul_(1 / self.unweight).add_(FLOOR).log_()

    def between_bands(self, log_power: Tensor, hops: int | None = None) -> Tensor:
        """Log power (..., band, frame) interpolated to hops and bins, (..., 257, 513) or the first ``hops``."""
        return self.from_bands.after(self.from_frames.T[:hops] @ log_power.mT)

    def magnitudes_of(self, log_power: Tensor) -> Tensor:
        """Magnitudes of log power in each bin, which is overwritten."""
        return log_power.exp_().sub_(FLOOR).clamp_(min=0).mul_(self.unweight).sqrt_()

    def synthesise(
        self, features: FeatureMaps, start: Tensor | None = None, iterations: int = 8
    ) -> AudioBatch:
        """Sounds (batch, samples), each with its loudest frame at the reference level (0 dB).

        Args:
            features: (batch, 160, 128).
            start: complex STFT (batch or 1, 257, 513) whose phase to begin with; noise that begins
                at the onset when None. The noise is always the same, so that neighbours on a path agree.
            iterations: of fast Griffin-Lim.
        """
        if start is None:
            start = self.stft(noise_from_onset(self.samples))
        return self.griffin_lim(self.magnitudes(features), start, iterations)

    def griffin_lim(
        self, target: Tensor, start: Tensor, iterations: int, first_momentum: float = 0.0
    ) -> AudioBatch:
        """Sounds whose STFT magnitude comes close to ``target``, see :meth:`phased` and :meth:`sounding`."""
        return self.sounding(self.phased(target, start, iterations, first_momentum))

    def phased(self, target: Tensor, start: Tensor, iterations: int, first_momentum: float = 0.0) -> Tensor:
        """Spectra of magnitude ``target`` (batch, 257, 513) with phases that agree between frames, by fast Griffin-Lim
        from the phase of ``start``.

        ``first_momentum`` is that of the first round: with few rounds from a good start some pays.
        """
        spectrum = previous = with_phase(target, start)
        for iteration in range(iterations):
            consistent = self.stft(self.istft(spectrum))
            ahead = mixed(previous, consistent, 1 + (MOMENTUM if iteration else first_momentum))
            previous = consistent
            spectrum = with_phase(target, ahead)
        return spectrum

    def sounding(self, spectra: Tensor) -> AudioBatch:
        """Sounds (batch, sample) of spectra (batch, 257, 513), silent before the onset."""
        audio = self.istft(spectra)
        audio[:, : GATE[1]] *= self._opening
        return audio


def noise_from_onset(samples: int) -> AudioBatch:
    """White noise (1, sample) that is silent before the onset; always the same."""
    noise = torch.randn(1, samples, generator=torch.Generator().manual_seed(0))
    noise[:, : ONSET - 30] = 0
    return noise


def with_phase(magnitude: Tensor, direction: Tensor) -> Tensor:
    """A complex spectrum of the given magnitude pointing where ``direction`` points."""
    return direction * (squared(direction).add_(1e-20).rsqrt_() * magnitude)


def mixed(first: Tensor, last: Tensor, share: float) -> Tensor:
    """Complex spectra between two, on a straight line; part by part, four times as fast as on complex numbers."""
    return torch.view_as_complex(torch.lerp(torch.view_as_real(first), torch.view_as_real(last), share))


def suppress_hiss(features: FeatureMaps) -> FeatureMaps:
    """Push small decoded values to nothing: X^3 / (X^2 + .016^2). Decoders leave hiss at -62 dB otherwise."""
    positive = features.clamp(min=0)
    square = positive.square()
    return positive * square / (square + HISS**2)


def timbre_matrices(
    hertz: np.ndarray, frame_start: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """C R (64, 160) and L T' (128, 8): Phi = C R X L T' on the grid of these bands and frames."""
    edges = ear.mel_edges()
    resample = grid.linear_interpolation(hertz, edges[1:-1])
    boundaries = ((frame_start - 0.5) * HOP - ONSET) / sample_rate
    log_edges = np.minimum(ear.time_edges(ear.LOG_TIMES, ear.SECONDS), float(boundaries[-1]))
    means = grid_means(boundaries[:-1], boundaries[1:], log_edges)
    return ear.cosine_transform(ear.BANDS, ear.CEPSTRA) @ resample, means @ ear.time_transform().T


def grid_means(starts: np.ndarray, stops: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Averages of frames over intervals; an interval past the last frame takes the last frame."""
    weights = ear.interval_means(starts, stops, edges)
    empty = weights.sum(0) < 0.5
    weights[-1, empty] = 1.0
    return weights
