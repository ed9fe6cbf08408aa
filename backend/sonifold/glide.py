"""A glide: one sound that travels along a path while it sounds.

A phase vocoder (Flanagan & Golden 1966; Dolson 1986) that reads from a stack of sounds instead of one: output frame j
stands at fraction t_j of the path and at time s_j within the sound there. The attack is read at its own pace; after it
time runs slowly through what is still sounding, and the level is held up where a sound would have died.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.representation.spectral import GATE, HOP, Spectral
from sonifold.types import Audio, AudioBatch

ATTACK_HOPS = 9  # 52 ms read at their own pace, from just before the onset
LIVE_DB = -26.0  # a sound counts as sounding until here
USED = 0.75  # share of what is sounding that the glide reads through
LIFT_DB = 34.0  # at most, where a sound would have died
FALL_DB = -4.0  # of the held level over the whole glide
WANDER_HOPS = 1.5  # reading position strays by up to this, so that noise stays noise
FADE_SECONDS = 0.12  # at the end


def glide(steps: AudioBatch, seconds: float, representation: Spectral) -> Audio:
    """A sound of ``seconds`` that starts as the first of the steps (step, sample) and ends as the last.

    Deterministic. Peak at most that of the loudest step.
    """
    spectra = representation.stft(steps)  # (step, hop, bin)
    hops = round(seconds * representation.sample_rate / HOP)
    travel = torch.linspace(0, 1, hops)
    energy = spectra.abs().square().sum(2)  # (step, hop)
    place = travel * (len(steps) - 1)
    reading = _reading_position(energy, place, hops)
    magnitude, advance = _read(spectra, place, reading)
    phase = advance.cumsum(0) + spectra[0, 0].angle()
    level = _held_level(magnitude.square().sum(1), hops)
    spectrum = torch.polar(magnitude * level[:, None], phase)
    audio = _overlap_add(spectrum, representation)
    fade = round(FADE_SECONDS * representation.sample_rate)
    audio[-fade:] *= torch.linspace(1, 0, fade).square()
    audio[: GATE[0]] = 0
    return audio * (steps.abs().max() / audio.abs().max().clamp(min=1e-9)).clamp(max=1.0)


def _reading_position(energy: Tensor, place: Tensor, hops: int) -> Tensor:
    """Hop within the sound that each output frame reads, (hops,)."""
    loud = energy > energy.amax(1, keepdim=True) * 10 ** (LIVE_DB / 10)
    last = energy.shape[1] - 1 - loud.flip(1).to(torch.uint8).argmax(1)  # where each step stops sounding
    live = torch.lerp(
        last[place.long()].float(), last[place.long().add(1).clamp(max=len(last) - 1)].float(), place.frac()
    )
    ahead = torch.arange(hops).float()
    slow = (ahead - ATTACK_HOPS).clamp(min=0) / max(hops - ATTACK_HOPS, 1)
    stray = torch.rand(hops, generator=torch.Generator().manual_seed(0)) * 2 - 1
    body = ATTACK_HOPS + (USED * live - ATTACK_HOPS).clamp(min=0) * slow + WANDER_HOPS * stray * (slow > 0)
    return torch.where(ahead < ATTACK_HOPS, ahead, body.clamp(0, energy.shape[1] - 2.001))


def _read(spectra: Tensor, place: Tensor, reading: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitude and phase advance of each output frame, (hops, bin), between four neighbouring frames."""
    step, hop = place.long().clamp(max=len(spectra) - 2), reading.long()
    across, within = (place - step)[:, None], (reading - hop)[:, None]
    magnitude = torch.zeros(len(place), spectra.shape[2])
    turn = torch.zeros(len(place), spectra.shape[2], dtype=torch.complex64)
    for side, share in ((0, 1 - across), (1, across)):
        now, after = spectra[step + side, hop], spectra[step + side, hop + 1]
        magnitude += share * torch.lerp(now.abs(), after.abs(), within)
        turn += share * after * now.conj()
    advance = turn.angle()
    advance[0] = 0
    return magnitude, advance


def _held_level(energy: Tensor, hops: int) -> Tensor:
    """Gain (hops,) that keeps the glide at the level of its attack, falling gently."""
    peak = energy[: 3 * ATTACK_HOPS].amax()
    smooth = torch.nn.functional.avg_pool1d(energy[None, None], 5, 1, 2, count_include_pad=False)[0, 0]
    wanted = 0.3 * peak * 10 ** (FALL_DB / 10 * torch.linspace(0, 1, hops))
    gain = (wanted / smooth.clamp(min=1e-12)).sqrt().clamp(1.0, 10 ** (LIFT_DB / 20))
    entering = ((torch.arange(hops) - ATTACK_HOPS) / ATTACK_HOPS).clamp(
        0, 1
    )  # the attack keeps its own shape
    return gain**entering


def _overlap_add(spectrum: Tensor, representation: Spectral) -> Audio:
    window = representation.window
    frames = torch.fft.irfft(spectrum) * window
    laps = len(window) // HOP
    sum_ = frames.new_zeros(len(frames) + laps - 1, HOP)
    for lap in range(laps):
        sum_[lap : lap + len(frames)] += frames[:, lap * HOP : (lap + 1) * HOP]
    return sum_.reshape(-1)[len(window) // 2 :][: len(frames) * HOP] / representation.window_power
