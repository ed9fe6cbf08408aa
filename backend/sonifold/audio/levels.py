"""Distances between rendered sounds and their originals: the measures of the model cards.

All take one-shots (batch, samples) whose onset stands at the same sample, compare them pairwise, and give
one number a pair. Renderings are first brought to the energy of their originals: level is a scalar of its own.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sonifold.audio.timbre import hz_to_mel, mel_to_hz, timbre_features
from sonifold.types import AudioBatch

FLOOR = -70.0  # dB under the original's loudest cell: what lies below is not compared
MEL_BANDS = 96
ENVELOPE_HOP = 88  # samples, 2 ms at 44.1 kHz


def match_energy(rendered: AudioBatch, original: AudioBatch) -> AudioBatch:
    """The rendering scaled to the original's energy."""
    gain = original.norm(dim=1) / rendered.norm(dim=1).clamp(min=1e-9)
    matched: AudioBatch = rendered * gain[:, None]
    return matched


def log_mel_error(original: AudioBatch, rendered: AudioBatch, sample_rate: int) -> Tensor:
    """Mean absolute difference in dB over the log-mel cells that are active in either sound, (batch,).

    96 mel bands from 20 Hz, window 1024, hop 256, floor 70 dB under the original's loudest cell.
    """
    reference, estimate = _mel_power(original, sample_rate), _mel_power(rendered, sample_rate)
    a, b = 10 * (reference + 1e-8).log10(), 10 * (estimate + 1e-8).log10()
    top = a.amax((1, 2), keepdim=True)
    a, b = (a - top).clamp(min=FLOOR), (b - top).clamp(min=FLOOR)
    active = (a > FLOOR) | (b > FLOOR)
    return ((a - b).abs() * active).sum((1, 2)) / active.sum((1, 2)).clamp(min=1)


def mel_levels(audio: AudioBatch, sample_rate: int) -> Tensor:
    """Log-mel levels in dB under each sound's loudest cell, floored at -70, (batch, band, frame)."""
    level = 10 * (_mel_power(audio, sample_rate) + 1e-8).log10()
    return (level - level.amax((1, 2), keepdim=True)).clamp(min=FLOOR)


def log_spectral_distance(original: AudioBatch, rendered: AudioBatch) -> Tensor:
    """RMS over frequency of the log-magnitude difference, averaged over frames, dB, (batch,).

    Gray & Markel 1976. Magnitudes are floored 80 dB under the original's largest.
    """
    a, b = _magnitude(original, 1024, 256), _magnitude(rendered, 1024, 256)
    floor = 1e-4 * a.amax((1, 2), keepdim=True)
    difference = 20 * (a + floor).log10() - 20 * (b + floor).log10()
    return difference.square().mean(1).sqrt().mean(1)


def attack_time(audio: AudioBatch, sample_rate: int) -> Tensor:
    """Milliseconds from -30 dB to -2 dB of the envelope's maximum within the first 120 ms, (batch,)."""
    envelope = _envelope(audio)[:, : int(0.12 * sample_rate / ENVELOPE_HOP)]
    level = 10 * (envelope / envelope.amax(1, keepdim=True)).log10()
    rise = (level > -2).to(torch.uint8).argmax(1) - (level > -30).to(torch.uint8).argmax(1)
    return rise * (ENVELOPE_HOP * 1000 / sample_rate)


def decay_time(audio: AudioBatch, sample_rate: int) -> Tensor:
    """Seconds until 99 % of the energy has sounded: Schroeder's backward integral at -20 dB, (batch,)."""
    remaining = _envelope(audio).flip(1).cumsum(1).flip(1)
    steps = (remaining < 0.01 * remaining[:, :1]).to(torch.uint8).argmax(1).clamp(min=1)
    return steps * (ENVELOPE_HOP / sample_rate)


def texture(audio: AudioBatch) -> Tensor:
    """Local spread of the log magnitude in dB: how grainy a spectrogram is, (batch,). Real sounds have about 7."""
    magnitude = _magnitude(audio, 1024, 256)
    level = 20 * (magnitude + 1e-4 * magnitude.amax((1, 2), keepdim=True)).log10()
    local = level - torch.nn.functional.avg_pool2d(level[:, None], 9, 1, 4, count_include_pad=False)[:, 0]
    audible = (level > level.amax((1, 2), keepdim=True) - 50).float()
    return ((local.square() * audible).sum((1, 2)) / audible.sum((1, 2)).clamp(min=1)).sqrt()


def all_measures(
    original: AudioBatch, rendered: AudioBatch, sample_rate: int, onset: float
) -> dict[str, np.ndarray]:
    """Every measure of the card for each pair, by name; ``onset`` in seconds."""
    rendered = match_energy(rendered, original)
    phi = (
        timbre_features(original, sample_rate, onset) - timbre_features(rendered, sample_rate, onset)
    ).norm(dim=1)
    attack = (attack_time(original, sample_rate) - attack_time(rendered, sample_rate)).abs()
    decay = (decay_time(rendered, sample_rate) / decay_time(original, sample_rate)).log2().abs()
    measures = {
        "log_mel_db": log_mel_error(original, rendered, sample_rate),
        "phi": phi,
        "log_spectral_db": log_spectral_distance(original, rendered),
        "attack_ms": attack,
        "decay_octaves": decay,
        "texture_db": texture(rendered),
        "texture_original_db": texture(original),
    }
    return {name: value.double().numpy() for name, value in measures.items()}


def _magnitude(audio: AudioBatch, window: int, hop: int, fft: int | None = None) -> Tensor:
    return torch.stft(
        audio,
        fft or window,
        hop,
        window,
        torch.hann_window(window).to(audio),
        center=True,
        pad_mode="constant",
        return_complex=True,
    ).abs()


def _mel_power(audio: AudioBatch, sample_rate: int) -> Tensor:
    return _mel_bank(sample_rate).to(audio) @ _magnitude(audio, 1024, 256, 2048).square()


def _mel_bank(sample_rate: int, fft: int = 2048) -> Tensor:
    bins = np.linspace(0, sample_rate / 2, fft // 2 + 1)
    edges = mel_to_hz(np.linspace(hz_to_mel(20.0), hz_to_mel(sample_rate / 2), MEL_BANDS + 2))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, None)).float()


def _envelope(audio: AudioBatch) -> Tensor:
    whole = audio.shape[1] // ENVELOPE_HOP * ENVELOPE_HOP
    power: Tensor = audio[:, :whole].unflatten(1, (-1, ENVELOPE_HOP)).square().mean(-1) + 1e-9
    return power
