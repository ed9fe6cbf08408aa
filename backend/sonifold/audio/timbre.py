r"""The perceptual map Phi: coordinates of a sound in which Euclidean distance is timbral distance.

Power in 160 mel bands on a time axis that is dense at the attack, weighted and compressed as hearing
does, then a cepstrum over bands and a slow cosine transform over log time. The constants were chosen
by agreement with published timbre-dissimilarity ratings (21 data sets, 334 sounds, 2,614 pairs;
Spearman .515 per anchor, against .44 for MFCC and .45 for plain log-mel).

    P[b,k]   mean power of band b between the times t_k and t_{k+1}
    g        = max_k sum_b W_b P[b,k]                  loudness of the loudest instant, W = A-weighting
    X        = (W P / g + eps)^a - eps^a               a = .15, eps = 1e-8
    Phi      = C X L T'                                C, T: orthonormal cosine transforms, L: averages

Phi is linear in X and does not change with level.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.arrays import float_tensor
from sonifold.audio.banded import Banded
from sonifold.audio.loudness import a_weighting
from sonifold.errors import AudioTooShort, AudioUnreadable
from sonifold.types import Audio, AudioBatch, Timbre

COMPRESSION = 0.15  # exponent a on power; .15-.2 agreed best with listeners
EPSILON = 1e-8  # -80 dB under the loudest instant: what lies below does not count
BANDS = 160  # mel bands from 30 Hz to 16 kHz
CEPSTRA = 64  # rows of C; enough to see harmonics
LOG_TIMES = 32  # frames after averaging on the log-time axis
TIME_COSINES = 8  # rows of T
TIME_GAIN = 1.75  # weight of the seven rows of T that vary in time
TIME_WARP = 0.05  # seconds; t_k = TIME_WARP (exp(u_k) - 1) with u uniform
SECONDS = 2.0
FEATURES = CEPSTRA * TIME_COSINES

_WINDOW = 0.032  # seconds, Hann
_HOP = 0.005  # seconds
_INTERVALS = 128  # before averaging down to LOG_TIMES
_DENSE = 32  # frames, coarse, before every second of twice as many, and then every fourth, is looked at
_ONSET_DROP = 1e-3  # -30 dB of the loudest millisecond (in power): where a sound begins


def hz_to_mel(frequency: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Mel scale, O'Shaughnessy 1987: 2595 log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + np.asarray(frequency, float) / 700.0)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of :func:`hz_to_mel`."""
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def mel_edges() -> NDArray[np.float64]:
    """Hz, (BANDS + 2,): lower edge, centre and upper edge of band b are entries b, b + 1, b + 2."""
    return mel_to_hz(np.linspace(hz_to_mel(30.0), hz_to_mel(16_000.0), BANDS + 2))


def cosine_transform(size: int, rows: int) -> NDArray[np.float64]:
    """First rows of the orthonormal DCT-II, (rows, size)."""
    basis = np.cos(np.pi * (np.arange(size) + 0.5) * np.arange(rows)[:, None] / size) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return basis


def time_transform() -> NDArray[np.float64]:
    """T with its gain on the rows that vary, (TIME_COSINES, LOG_TIMES)."""
    basis = cosine_transform(LOG_TIMES, TIME_COSINES)
    basis[1:] *= TIME_GAIN
    return basis


def time_edges(intervals: int, seconds: float = SECONDS) -> NDArray[np.float64]:
    """Seconds after the onset, (intervals + 1,): dense at the attack, sparse in the tail."""
    return TIME_WARP * (np.exp(np.linspace(0.0, math.log1p(seconds / TIME_WARP), intervals + 1)) - 1.0)


def interval_means(starts: NDArray[Any], stops: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.float64]:
    """Weights (frame, interval) that average frames, each spanning [start, stop), over each interval."""
    overlap = np.minimum(stops[:, None], edges[None, 1:]) - np.maximum(starts[:, None], edges[None, :-1])
    overlap = np.maximum(overlap, 0.0)
    weights: NDArray[np.float64] = overlap / np.maximum(overlap.sum(0), 1e-12)
    return weights


def compress(relative_power: Tensor) -> Tensor:
    """X = (p + eps)^a - eps^a of power relative to the loudest instant."""
    compressed: Tensor = raised(relative_power + EPSILON, COMPRESSION) - EPSILON**COMPRESSION
    return compressed


def raised(base: Tensor, exponent: float) -> Tensor:
    """Positive numbers to a power, by their logarithm: to 3e-6 what ``**`` gives, seven times as fast."""
    return base.log().mul_(exponent).exp_()


def squared(spectra: Tensor) -> Tensor:
    """Squared magnitude of complex numbers: every part squared where it lies, which is fast, then two of them added."""
    parts = torch.view_as_real(spectra).square()
    power: Tensor = parts[..., 0] + parts[..., 1]
    return power


def find_onset(audio: AudioBatch, sample_rate: int) -> Tensor:
    """Seconds at which each sound of (batch, sample) begins: -30 dB of its loudest millisecond."""
    window = max(1, round(0.001 * sample_rate))
    energy = torch.nn.functional.avg_pool1d(audio[:, None].square(), window, 1, window // 2)[:, 0]
    loud = energy > _ONSET_DROP * energy.amax(1, keepdim=True)
    return loud.to(torch.uint8).argmax(1) / sample_rate


def timbre_features(
    audio: AudioBatch | NDArray[Any], sample_rate: int, onset: float | None = None, coarse: bool = False
) -> Timbre:
    """Perceptual coordinates of sounds; |Phi_a - Phi_b| is how far apart they are to the ear.

    Args:
        audio: (sample,) or (batch, sample), any level; longer than 2 s after the onset is ignored.
        sample_rate: Hz, at least 32,000 for the top bands to mean anything.
        onset: seconds at which the sounds begin; found in each sound when None.
        coarse: at half the resolution of frequency and, late in the sound, a quarter of that of time; in a quarter of
            the time. Where partials stay where they are, distances between neighbours on a path come out in the same
            ratios to a hundredth; where they move, to a twentieth. Coarse and other coordinates are not to be compared.

    Returns:
        (512,) or (batch, 512), float32, on the device of the audio. A silent sound maps to the origin.

    Raises:
        AudioTooShort: fewer samples than one 32 ms window.
        AudioUnreadable: NaN or infinity among the samples.
    """
    signal = torch.as_tensor(audio, dtype=torch.float32)
    batch = signal.reshape(-1, signal.shape[-1])
    plan = _plan(sample_rate, batch.device, coarse)
    if batch.shape[1] < plan.shortest:
        raise AudioTooShort(
            f"the timbre map needs at least {plan.shortest} samples (32 ms) at {sample_rate} Hz, got "
            f"{batch.shape[1]}. Pad the sound with silence."
        )
    # a sum is finite only where all of it is, and is quicker to look at
    if not torch.isfinite(batch.sum()) and not torch.isfinite(batch).all():
        raise AudioUnreadable("the samples contain NaN or infinity; replace them before measuring timbre.")
    starts = torch.full((len(batch),), onset) if onset is not None else find_onset(batch, sample_rate)
    first = (starts * plan.sample_rate).round().long().clamp(max=batch.shape[1])
    phi = torch.stack(
        [
            plan.cepstrum @ compress(_relative_power(row[start:], plan)) @ plan.log_time
            for row, start in zip(batch, first.tolist(), strict=True)
        ]
    )
    return phi.flatten(1).reshape(*signal.shape[:-1], FEATURES)


class _Plan(NamedTuple):
    """Everything that depends only on the sample rate, on one device."""

    sample_rate: int
    coarse: bool
    hop: int
    shortest: int  # samples of one window
    before: int  # of these, samples before its centre
    window: Tensor  # (shortest,): Hann
    frames: Tensor  # (frame,): which of the frames that are one hop apart are looked at
    fft: int  # samples; of a window that is longer what is over is added to its beginning, which takes every other bin
    mel: Banded  # (bin, BANDS), already A-weighted; bins up to the last band's
    intervals: Banded  # (frame, _INTERVALS) averages between the log-time edges
    cepstrum: Tensor  # (CEPSTRA, BANDS): C
    log_time: Tensor  # (_INTERVALS, TIME_COSINES): L T'


@lru_cache(maxsize=64)  # a rate of its own for every transposition
def _plan(sample_rate: int, device: torch.device, coarse: bool) -> _Plan:
    hop, window = round(_HOP * sample_rate), round(_WINDOW * sample_rate)
    fft = 2 ** math.ceil(math.log2(window)) // (2 if coarse else 1)
    edges = mel_edges()
    bins = np.arange(fft // 2 + 1) * sample_rate / fft
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    mel = np.clip(np.minimum(rising, falling), 0.0, None)
    # low bands are narrower than a bin: keep each band's area, so that no band is empty
    area = (edges[2:] - edges[:-2]) / 2 / (sample_rate / fft)
    nearest = np.abs(bins - edges[1:-1, None]).argmin(1)
    empty = (mel.sum(1) < 1e-6) & (edges[1:-1] < sample_rate / 2)  # above that there is nothing to hear
    mel[empty, nearest[empty]] = 1.0
    mel *= (area / np.maximum(mel.sum(1), 1e-12) * a_weighting(edges[1:-1]))[:, None]
    frames = np.arange(math.ceil(SECONDS / (hop / sample_rate)) + 1)
    if coarse:
        frames = np.concatenate([frames[:_DENSE], frames[_DENSE : 3 * _DENSE : 2], frames[3 * _DENSE :: 4]])
    middles = (frames[1:] + frames[:-1]) / 2
    spans = np.concatenate([[-0.5], middles, [frames[-1] + 0.5]]) * hop / sample_rate
    intervals = interval_means(spans[:-1], spans[1:], time_edges(_INTERVALS))
    average = np.kron(np.eye(LOG_TIMES), np.full((_INTERVALS // LOG_TIMES, 1), LOG_TIMES / _INTERVALS))
    return _Plan(
        sample_rate,
        coarse,
        hop,
        window,
        fft // 2 - (fft - window) // 2,
        torch.hann_window(window).to(device),
        torch.from_numpy(frames).to(device),
        fft,
        Banded(mel[:, : math.ceil(edges[-1] * fft / sample_rate) + 1].T, device),
        Banded(intervals, device),
        float_tensor(cosine_transform(BANDS, CEPSTRA), device),
        float_tensor(average @ time_transform().T, device),
    )


def _relative_power(sound: Audio, plan: _Plan) -> Tensor:
    """W P / g of a sound from its onset on, on the log-time axis, (BANDS, _INTERVALS); zero for silence."""
    count = _sounding_frames(sound, plan)  # those behind have no power
    before = plan.before
    samples = (count - 1) * plan.hop + plan.shortest - before
    padded = torch.nn.functional.pad(sound[:samples], (before, max(0, samples - len(sound))))
    frames = padded.unfold(0, plan.shortest, plan.hop)
    if plan.coarse:
        frames = frames[plan.frames[: torch.searchsorted(plan.frames, count)]]
    windowed = frames * plan.window
    over = windowed[:, plan.fft :]
    windowed[:, : over.shape[1]] += over
    power = squared(torch.fft.rfft(windowed[:, : plan.fft], plan.fft)[:, : plan.mel.rows])
    power = plan.intervals.after(plan.mel.after(power).mT)
    loudest = power.sum(0).amax()
    return power / loudest.clamp(min=1e-20) * (loudest > 1e-12)


def _sounding_frames(sound: Audio, plan: _Plan) -> int:
    """How many frames, half a window to either side, reach a sample that is not zero."""
    sounding: NDArray[np.bool_] = sound.cpu().numpy()[::-1] != 0
    after = int(sounding.argmax())  # looks no further than the first that is not
    last = len(sound) - 1 - after if len(sound) and sounding[after] else 0
    return min(int(plan.frames[-1]) + 1, (last + plan.before) // plan.hop + 1)
