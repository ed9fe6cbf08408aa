r"""The descriptors of :mod:`sonifold.audio.descriptors` read from a feature map, differentiably.

A feature is X = (W P / g + eps)^.15 - eps^.15 in 160 bands and 128 frames (:mod:`sonifold.representation.spectral`),
so X^2 is close to specific loudness (exponent .3) and ``expand`` gives the power back. What an STFT of 23 ms
resolves limits what can be read: partials closer than about 90 Hz are one, attacks shorter than the window look
alike. Each reading is brought to the scale of the measurement on audio by an offset and a slope; how well it ranks
sounds is in the card.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sonifold.arrays import float_tensor
from sonifold.audio import descriptors as audio
from sonifold.audio.timbre import COMPRESSION, EPSILON, raised
from sonifold.representation import grid
from sonifold.representation.spectral import BINS, GROUPS, HOP, WINDOW, Spectral
from sonifold.types import FeatureMaps

LOW_BANDS = 96  # to about 5 kHz: where a harmonic series is looked for
FUNDAMENTALS = np.geomspace(80.0, 1200.0, 150)  # Hz; under 80 the bands do not tell partials apart
NO_BEATING = 1e-20  # of bands far apart; products with denormal numbers take ten times as long
COARSE = np.array([2] * 32 + [4] * 16)  # frames averaged where time matters little

#: Offset and slope from the reading to the measurement, so that mean and spread agree over the 1,551 recordings of
#: the pack oneshots (``sonifold evaluate oneshots --only descriptors`` prints them).
CALIBRATION: dict[str, tuple[float, float]] = {
    "brightness": (2.678, 0.9047),
    "attack": (0.7231, 1.353),
    "decay": (0.0, 1.0),
    "noisiness": (-0.08153, 0.8155),
    "inharmonicity": (-0.1375, 1.096),
    "roughness": (0.6723, 3.105),
}


class Readout:
    """Descriptors of feature maps; holds constant matrices only."""

    def __init__(self, representation: Spectral):
        self.representation = representation
        centres = grid.band_centres(representation.bands, BINS)
        hertz = centres * representation.sample_rate / WINDOW
        rate = audio.erb_rate(hertz)
        self._rate = self._constant(rate)
        self._width = self._constant(np.gradient(rate))
        edges = (np.concatenate([[0], np.cumsum(GROUPS)]) - 0.5) * HOP / representation.sample_rate
        self._edges = self._constant(edges)  # seconds
        self._seconds = self._constant(np.diff(edges))
        means, count = audio.band_means(hertz, audio.flatness_edges())
        self._means, self._count = self._constant(means), self._constant(count)
        self._coarse = self._constant(grid.group_means(COARSE))
        self._coarse_seconds = self._seconds @ (self._coarse > 0).float()
        bins = self._constant(grid.triangles(centres, BINS).sum(1))
        self._unweighted_bins = bins / representation.weight[:, 0]  # sums weighted bands to all power
        low = torch.minimum(self._constant(hertz)[:, None], self._constant(hertz))
        apart = (self._constant(hertz)[:, None] - self._constant(hertz)).abs()
        beating = audio.beating(low, apart)
        self._beating = beating * (beating > NO_BEATING)
        ratio = self._constant(hertz[:LOW_BANDS, None] / FUNDAMENTALS)
        self._off_harmonic = audio.off_harmonic(ratio)

    def _constant(self, array: np.ndarray) -> Tensor:
        return float_tensor(array, self.representation.device)

    def __call__(self, features: FeatureMaps) -> dict[str, Tensor]:
        """Each descriptor of feature maps (batch, 160, 128), name -> (batch,), in the units of DESCRIPTORS."""
        positive = features.clamp(min=0)
        weighted = raised(positive + EPSILON**COMPRESSION, 1 / COMPRESSION) - EPSILON  # W P / g
        envelope = self._unweighted_bins @ weighted
        coarse = weighted @ self._coarse
        values = {
            "brightness": self._brightness(positive),
            "attack": self._attack(envelope),
            "decay": self._decay(envelope),
            "noisiness": self._noisiness(coarse),
            "inharmonicity": self._inharmonicity(coarse),
            "roughness": self._roughness(coarse),
        }
        return {name: offset + slope * values[name] for name, (offset, slope) in CALIBRATION.items()}

    def _brightness(self, positive: FeatureMaps) -> Tensor:
        """Centroid of X^2 over ERB-rate."""
        loudness = positive.square() @ self._seconds * self._width
        return (loudness @ self._rate) / loudness.sum(1).clamp(min=1e-9)

    def _attack(self, envelope: Tensor) -> Tensor:
        """log10 of the time the amplitude stays under what it has yet to reach, int 1 - running max / max dt.

        For a straight ramp that is half its length; unlike a threshold, it has a slope in every frame of the rise.
        """
        amplitude = (envelope + 1e-12).sqrt()
        reached = amplitude.cummax(1).values / amplitude.amax(1, keepdim=True)
        return ((1 - reached) @ self._seconds).clamp(min=1e-4).log10()

    def _decay(self, envelope: Tensor) -> Tensor:
        """log10 s until the energy still to come is 20 dB under the whole, as on audio."""
        energy = envelope * self._seconds
        remaining = energy.flip(1).cumsum(1).flip(1)
        remaining = torch.cat([remaining, torch.zeros_like(remaining[:, :1])], 1)
        level = 10 * (remaining / remaining[:, :1].clamp(min=1e-20) + 1e-4).log10()
        after = (level < -audio.DECAY_DB).to(torch.uint8).argmax(1).clamp(min=1)[:, None]
        high, low = level.gather(1, after - 1)[:, 0], level.gather(1, after)[:, 0]
        begin, end = self._edges[after[:, 0] - 1], self._edges[after[:, 0]]
        return torch.lerp(begin, end, (high + audio.DECAY_DB) / (high - low)).clamp(min=1e-3).log10()

    def _noisiness(self, weighted: Tensor) -> Tensor:
        """Flatness of the bands' power, loudness-weighted, as on audio."""
        bands = self._means @ weighted
        power = weighted / self.representation.weight
        flatness = (self._means @ (power + 1e-9).log()).exp() / (self._means @ power + 1e-9)
        weight = raised(bands * self._count[:, None] + 1e-10, audio.LOUDNESS) * self._coarse_seconds
        return (flatness * weight).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1e-9)

    def _inharmonicity(self, weighted: Tensor) -> Tensor:
        """The bands' energy off the multiples of the fundamental that suits it best."""
        energy = (weighted @ self._coarse_seconds)[:, :LOW_BANDS]
        share = energy / energy.sum(1, keepdim=True).clamp(min=1e-9)
        return (share @ self._off_harmonic).amin(1)

    def _roughness(self, weighted: Tensor) -> Tensor:
        """log10 of the beating of all pairs of bands, a'Z a / a'a for band amplitudes a, mean weighted by amplitude."""
        amplitude = (weighted + 1e-12).sqrt()
        total = amplitude.square().sum(1)
        pairs = (amplitude * (self._beating @ amplitude)).sum(1) / total.clamp(min=1e-9)
        weight = total.clamp(min=1e-12).sqrt() * self._coarse_seconds
        return ((pairs * weight).sum(1) / weight.sum(1).clamp(min=1e-9) + 1e-3).log10()
