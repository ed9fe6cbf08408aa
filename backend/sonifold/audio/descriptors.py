r"""Words for timbre that have a number: brightness, attack, decay, noisiness, inharmonicity, roughness.

Each is measured here on audio, after a published definition. The same six as differentiable functions of a feature
map, and so of a latent point, are in :mod:`sonifold.representation.readout`; ``sonifold evaluate`` says how well the
two agree.

=============  =====================  ==============================================================================
name           unit                   definition
=============  =====================  ==============================================================================
brightness     ERB-rate               centroid of specific loudness over the ERB-rate scale, loudness-weighted mean
                                      over time; Marozeau & de Cheveigné 2007
attack         log10 s                log attack time between thresholds of the amplitude envelope; Krimphoff,
                                      McAdams & Winsberg 1994, thresholds as in Peeters 2004
decay          log10 s                time until the backward-integrated energy has fallen by 20 dB; Schroeder 1965
noisiness      0 to 1                 spectral flatness in bands; Johnston 1988, bands as in ISO/IEC 15938-4
inharmonicity  0 to 1                 energy-weighted deviation of spectral peaks from the multiples of the
                                      fundamental that suits them best; Peeters et al. 2011, eq. 22
roughness      log10                  dissonance of all pairs of spectral peaks; Plomp & Levelt 1965 as parametrised
                                      by Sethares 1993 and Vassilakis 2001
=============  =====================  ==============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.arrays import float_tensor
from sonifold.audio.loudness import a_weighting
from sonifold.audio.timbre import raised
from sonifold.errors import AudioTooShort, AudioUnreadable
from sonifold.types import AudioBatch

LOUDNESS = 0.3  # exponent of specific loudness on power (Zwicker & Fastl 1999, ch. 8: .23 to .3)
FAINT = 1e-8  # power under the loudest that counts for nothing: -80 dB
FAINTEST = 1e-9  # added to all power before its logarithm is taken
DECAY_DB = 20.0
RISE = (0.1, 0.9)  # of the envelope's maximum: where an attack begins and ends
ENVELOPE_STEP = 0.001  # seconds
ENVELOPE_WINDOW = 0.005  # seconds over which the envelope's power is averaged
PEAKS = 24  # strongest spectral peaks that are looked at
PEAK_FLOOR = 1e-4  # power under the strongest: -40 dB
FUNDAMENTALS = (50.0, 1200.0)  # Hz
CHUNK = 8


@dataclass(frozen=True)
class Descriptor:
    """Name of a descriptor, and the words for more and less of it."""

    name: str
    unit: str
    more: str
    less: str
    meaning: str
    caveat: str = ""  # what to know before trusting a traversal along it


DESCRIPTORS: dict[str, Descriptor] = {
    name: Descriptor(name, *words)
    for name, words in {
        "brightness": (
            "ERB-rate",
            "brighter",
            "darker",
            "where on the ear's frequency scale the weight lies",
        ),
        "attack": ("log10 s", "softer attack", "sharper attack", "how long the sound takes to rise"),
        "decay": ("log10 s", "longer", "shorter", "time until 99 % of the energy has sounded"),
        "noisiness": ("0-1", "noisier", "more tonal", "how flat the spectrum is between its peaks"),
        "inharmonicity": (
            "0-1",
            "less harmonic",
            "more harmonic",
            "how far partials are off a harmonic series",
            "about a fifth of this change is heard on a recording: its own fine structure comes along and holds its "
            "partials where they are",
        ),
        "roughness": (
            "log10",
            "rougher",
            "smoother",
            "how strongly partials beat against each other",
            "about two fifths of this change is heard on a recording: its own fine structure comes along and holds its "
            "partials where they are",
        ),
    }.items()
}


def erb_rate(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """ERB-rate scale, Glasberg & Moore 1990, eq. 4: 21.4 log10(1 + .00437 f)."""
    return 21.4 * np.log10(1.0 + 0.00437 * np.asarray(hertz, float))


def flatness_edges(top: float = 16_000.0) -> NDArray[np.float64]:
    """Hz; bands of 350 Hz, wide enough to hold several bins, and of a third of an octave above."""
    edges = [100.0]
    while edges[-1] < top:
        edges.append(max(edges[-1] + 350.0, edges[-1] * 2 ** (1 / 3)))
    return np.array(edges)


@torch.no_grad()
def describe_audio(audio: AudioBatch | NDArray[Any], sample_rate: int) -> dict[str, Tensor]:
    """Every descriptor of sounds (batch, sample) or (sample,), any level; name -> (batch,) or a single number.

    Sounds should begin within the first few milliseconds and be padded with silence to about 1.5 s.

    Raises:
        AudioTooShort: less than a tenth of a second.
        AudioUnreadable: NaN or infinity among the samples.
    """
    signal = torch.as_tensor(audio, dtype=torch.float32)
    batch = signal.reshape(-1, signal.shape[-1])
    if batch.shape[1] < sample_rate // 10:
        raise AudioTooShort(
            f"descriptors need at least {sample_rate // 10} samples (a tenth of a second), got {batch.shape[1]}. "
            "Pad the sound with silence."
        )
    if not torch.isfinite(batch).all():
        raise AudioUnreadable(
            "the samples contain NaN or infinity; replace them before describing the sound."
        )
    lengths = sounding_lengths(batch)
    order = lengths.argsort()  # what is silent at the end of all sounds of a chunk need not be looked at
    plan = _plan(sample_rate)
    parts = [_describe(batch[rows], int(lengths[rows[-1]]), plan) for rows in order.split(CHUNK)]
    back = order.argsort()
    return {
        name: torch.cat([p[name] for p in parts])[back].reshape(signal.shape[:-1]) for name in DESCRIPTORS
    }


def sounding_lengths(audio: AudioBatch) -> Tensor:
    """Samples of each sound of (batch, sample) up to the last that is not zero, (batch,)."""
    sounding: NDArray[np.bool_] = audio.cpu().numpy()[:, ::-1] != 0
    length = sounding.shape[1]
    silent = [int(row.argmax()) if row.any() else length for row in sounding]
    return torch.tensor([length - count for count in silent])


def _describe(audio: AudioBatch, length: int, plan: _Plan) -> dict[str, Tensor]:
    """Of sounds that are silent from sample ``length`` on."""
    hop = plan.window // 4
    whole = audio.shape[1]
    audio = audio[:, : (length // hop + 1) * hop + plan.window]  # the last frames have silence alone
    audio = audio / audio.abs().amax(1, keepdim=True).clamp(min=1e-9)
    power = _power(audio, plan.window, hop)
    silent_frames = whole // hop - audio.shape[1] // hop
    peaks = _peaks(audio, plan)
    return {
        "brightness": _brightness(power, plan),
        "attack": attack_time(audio, plan.sample_rate).clamp(min=ENVELOPE_STEP).log10(),
        "decay": decay_time(audio, plan.sample_rate).clamp(min=ENVELOPE_STEP).log10(),
        "noisiness": _noisiness(power, silent_frames, plan),
        "inharmonicity": _inharmonicity(peaks),
        "roughness": _roughness(peaks),
    }


@dataclass(frozen=True)
class _Plan:
    """Everything that depends only on the sample rate."""

    sample_rate: int
    window: int  # samples, 46 ms
    long: int  # samples, 186 ms: partials 12 Hz apart are told apart
    erb_bands: Tensor  # (bin, band), A-weighted triangles one ERB wide to either side
    erb_centres: Tensor  # (band,) ERB-rate
    loudness: Tensor  # (bin,) A-weighting
    flat_bands: Tensor  # (bin, flat band), means over each
    flat_weight: Tensor  # (flat band,) A-weighting times width


@lru_cache(maxsize=8)
def _plan(sample_rate: int) -> _Plan:
    window = 2 ** round(np.log2(0.046 * sample_rate))
    hertz = np.arange(window // 2 + 1) * sample_rate / window
    centres = np.arange(1.5, float(erb_rate(0.45 * sample_rate)))
    weight = a_weighting(hertz)
    bands = np.clip(1 - np.abs(erb_rate(hertz) - centres[:, None]), 0, None) * weight
    means, width = band_means(hertz, flatness_edges(min(16_000.0, 0.45 * sample_rate)))
    middle = (means * hertz).sum(1)
    return _Plan(
        sample_rate,
        window,
        4 * window,
        float_tensor(bands.T),
        float_tensor(centres),
        float_tensor(weight),
        float_tensor(means.T),
        float_tensor(a_weighting(middle) * width),
    )


def band_means(hertz: NDArray[Any], edges: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Averages over the bins (at these frequencies) of each band, (band, bin), and how many bins each has."""
    inside = ((hertz >= edges[:-1, None]) & (hertz < edges[1:, None])).astype(float)
    count = inside.sum(1)
    return inside[count > 1] / count[count > 1, None], count[count > 1]


def _power(audio: AudioBatch, window: int, hop: int) -> Tensor:
    """STFT power, (batch, frame, bin)."""
    padded = torch.nn.functional.pad(audio, (window // 2, window // 2))
    spectrum = torch.fft.rfft(padded.unfold(1, window, hop) * torch.hann_window(window))
    return torch.view_as_real(spectrum).square().sum(-1)


def specific_loudness(relative_power: Tensor) -> Tensor:
    """Power relative to the loudest instant, compressed as hearing does; 0 from -80 dB down."""
    loudness: Tensor = raised(relative_power + FAINT, LOUDNESS) - FAINT**LOUDNESS
    return loudness


def _brightness(power: Tensor, plan: _Plan) -> Tensor:
    bands = power @ plan.erb_bands
    loudest = bands.sum(2).amax(1).clamp(min=1e-20)
    loudness = specific_loudness(bands / loudest[:, None, None])
    return (loudness @ plan.erb_centres).sum(1) / loudness.sum((1, 2)).clamp(min=1e-9)


def _noisiness(power: Tensor, silent_frames: int, plan: _Plan) -> Tensor:
    """Geometric over arithmetic mean of the power in each band and frame, loudness-weighted mean; white noise: .56.

    ``silent_frames``: that follow, each as flat as white noise and very faint.
    """
    loudest = (power @ plan.loudness).amax(1).clamp(min=1e-20)
    relative = power / loudest[:, None, None] + FAINTEST
    mean = relative @ plan.flat_bands
    flatness = (relative.log() @ plan.flat_bands).exp() / mean
    weight = specific_loudness(mean * plan.flat_weight)
    silent = silent_frames * specific_loudness(FAINTEST * plan.flat_weight).sum()
    return ((flatness * weight).sum((1, 2)) + silent) / (weight.sum((1, 2)) + silent).clamp(min=1e-9)


def attack_time(audio: AudioBatch, sample_rate: int) -> Tensor:
    """Seconds in which the amplitude envelope rises from 10 to 90 % of its maximum, (batch,)."""
    step = round(ENVELOPE_STEP * sample_rate)
    power = torch.nn.functional.avg_pool1d(audio.square()[:, None], step)
    window = round(ENVELOPE_WINDOW / ENVELOPE_STEP)
    envelope = torch.nn.functional.avg_pool1d(power, window, 1, window // 2)[:, 0].sqrt()
    envelope = envelope / envelope.amax(1, keepdim=True).clamp(min=1e-9)
    begin, end = (first_crossing(envelope, level) for level in RISE)
    return (end - begin) * (step / sample_rate)


def decay_time(audio: AudioBatch, sample_rate: int) -> Tensor:
    """Seconds until the energy still to come is 20 dB under the whole, (batch,)."""
    step = round(2 * ENVELOPE_STEP * sample_rate)
    energy = torch.nn.functional.avg_pool1d(audio.square()[:, None], step)[:, 0]
    remaining = energy.flip(1).cumsum(1).flip(1)
    level = 10 * (remaining / remaining[:, :1].clamp(min=1e-20) + 1e-9).log10()
    return first_crossing(-level, DECAY_DB) * (step / sample_rate)


def first_crossing(curve: Tensor, level: float) -> Tensor:
    """Time at which each row of a curve (batch, time) first reaches a level, in interpolated samples; (batch,)."""
    after = (curve >= level).to(torch.uint8).argmax(1, keepdim=True)
    before = (after - 1).clamp(min=0)
    low, high = curve.gather(1, before), curve.gather(1, after)
    return (before + ((level - low) / (high - low).clamp(min=1e-9)).clamp(0, 1))[:, 0]


@dataclass(frozen=True)
class _Peaks:
    """The strongest spectral peaks of a few long frames."""

    hertz: Tensor  # (batch, frame, peak)
    power: Tensor  # the same; 0 where there was no further peak
    share: Tensor  # (batch, frame), of the sound's energy


def _peaks(audio: AudioBatch, plan: _Plan) -> _Peaks:
    """Local maxima of the spectrum between 40 Hz and 8 kHz, placed by parabolas through the log power.

    Smith & Serra 1987, "PARSHL". Peaks under -40 dB of the frame's strongest are left out.
    """
    n = plan.long
    padded = torch.nn.functional.pad(audio, (0, max(0, 5 * n // 2 - audio.shape[1])))
    frames = padded[:, : 5 * n // 2].unfold(1, n, n // 2) * torch.hann_window(n)
    power = torch.view_as_real(torch.fft.rfft(frames, 2 * n)).square().sum(-1)
    hertz = torch.arange(n + 1) * (plan.sample_rate / (2 * n))
    power = power * ((hertz > 40) & (hertz < 8000))
    inner = power[..., 1:-1]
    top = (inner > power[..., :-2]) & (inner >= power[..., 2:])
    strength, peak_bin = torch.where(top, inner, 0.0).topk(PEAKS)
    level = power.clamp(min=1e-20).log()
    low, middle, high = (level.gather(2, peak_bin + shift) for shift in (0, 1, 2))
    offset = 0.5 * (low - high) / (low - 2 * middle + high).clamp(max=-1e-9)
    peak_hertz = (peak_bin + 1 + offset.clamp(-0.5, 0.5)) * (plan.sample_rate / (2 * n))
    strength = torch.where(strength > PEAK_FLOOR * strength[..., :1], strength, 0.0)
    energy = power.sum(2)
    return _Peaks(peak_hertz, strength, energy / energy.sum(1, keepdim=True).clamp(min=1e-20))


@lru_cache(maxsize=1)
def fundamentals(count: int = 300) -> Tensor:
    """Candidates, Hz, (count,), 18 cents apart."""
    return torch.from_numpy(np.geomspace(*FUNDAMENTALS, count)).float()


def off_harmonic(ratio: Tensor) -> Tensor:
    """Twice the distance of f/f0 from the nearest whole number from 1 up, at most 1."""
    return 2 * (ratio - ratio.round().clamp(min=1)).abs().clamp(max=0.5)


def _inharmonicity(peaks: _Peaks) -> Tensor:
    """Amplitude-weighted, so that one strong partial does not decide alone; the least over candidates of f0."""
    amplitude = peaks.power.sqrt()
    weight = amplitude / amplitude.sum(2, keepdim=True).clamp(min=1e-12)
    off = off_harmonic(peaks.hertz[..., None] / fundamentals())
    least = torch.einsum("ntk,ntkc->ntc", weight, off).amin(2)
    return (least * peaks.share).sum(1)


def beating(lower_hz: Tensor, apart_hz: Tensor) -> Tensor:
    """Plomp and Levelt's curve: how strongly partials so far apart beat. Sethares 1993, eqs. 3-5."""
    s = 0.24 / (0.0207 * lower_hz + 18.96) * apart_hz
    return (-3.5 * s).exp() - (-5.75 * s).exp()


def _roughness(peaks: _Peaks) -> Tensor:
    """log10 of Vassilakis 2001, sum over pairs of (A1 A2)^.1 / 2 (2 Amin / (A1 + A2))^3.11 times the beating."""
    strongest = peaks.power.amax(2, keepdim=True).clamp(min=1e-20)
    amplitude = (peaks.power / strongest).sqrt()
    rows, columns = torch.triu_indices(PEAKS, PEAKS, 1)
    a, b = amplitude[..., rows], amplitude[..., columns]
    f, g = peaks.hertz[..., rows], peaks.hertz[..., columns]
    depth = 2 * torch.minimum(a, b) / (a + b).clamp(min=1e-9)
    pairs = (a * b) ** 0.1 / 2 * depth**3.11 * beating(torch.minimum(f, g), (f - g).abs())
    return ((pairs.sum(2) * peaks.share).sum(1) + 1e-2).log10()
