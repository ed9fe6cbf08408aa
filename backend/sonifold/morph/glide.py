"""A glide: one sound that travels along a path while it sounds, from A's attack to B's.

A phase vocoder (Flanagan & Golden 1966; Dolson 1986) that reads from a stack of sounds instead of one: output frame j
stands at fraction t_j of the path and at time s_j within the sound there. A's attack is read at its own pace; after it
time runs slowly into what is still sounding and back to where B begins, the level held up on a straight line from the
one attack to the other. There B takes over, from its onset on as it is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sonifold.morph.level import rounded
from sonifold.representation.spectral import GATE, HOP, ONSET, Spectral
from sonifold.types import Audio, AudioBatch

ATTACK_HOPS = 9  # 52 ms read at their own pace, from just before the onset
BACK_HOPS = 2.0  # where in the last sound the reading arrives: within its attack
LIVE_DB = -26.0  # a sound counts as sounding until here
USED = 0.75  # share of what is sounding that the glide reads into
LIFT_DB = 40.0  # at most, where a sound would have died
HELD_DB = -4.0  # of the held level under the attacks'
WANDER_HOPS = 1.5  # reading position strays by up to this, so that noise stays noise
LONGEST_END = 1.0  # seconds at most that B sounds on after its attack,
END_SHARE = 0.3  # and this share of the whole glide
OVER = 0.03  # seconds in which B takes over
FADE_SECONDS = 0.05  # at the end, where B is cut off


def glide(steps: AudioBatch, seconds: float, representation: Spectral) -> Audio:
    """A sound of ``seconds`` that starts as the first of the steps (step, sample) and ends with the last.

    Deterministic. Travels on the device of the representation; the result is on the CPU, as the steps are.
    """
    rate = representation.sample_rate
    hops = round(seconds * rate / HOP)
    ending = _ending(steps[-1], hops * HOP, rate)
    held = _held(steps, hops - len(ending) // HOP, representation).cpu()
    over = round(OVER * rate)
    begin = hops * HOP - len(ending)
    fade = torch.zeros(hops * HOP)
    fade[:begin] = 1
    fade[begin - over // 2 : begin + over - over // 2] = torch.linspace(1, 0, over)
    audio = torch.nn.functional.pad(held, (0, max(0, hops * HOP - len(held))))[: hops * HOP] * fade
    audio[begin:] += ending
    return torch.from_numpy(rounded(audio.numpy()))


def _ending(last: Audio, samples: int, rate: int) -> Audio:
    """The last sound from its onset on, whole hops of it and not too many, its end faded where it is cut."""
    loud = (last.abs() > 1e-3 * last.abs().amax()).nonzero()
    sounding = int(loud[-1]) + 1 - ONSET if len(loud) else HOP
    longest = min(round(LONGEST_END * rate), round(END_SHARE * samples))
    hops = max(1, min(math.ceil(sounding / HOP), longest // HOP))
    ending = last[ONSET : ONSET + hops * HOP].clone()
    fade = min(round(FADE_SECONDS * rate), len(ending))
    ending[-fade:] *= torch.linspace(1, 0, fade)
    return ending


def _held(steps: AudioBatch, hops: int, representation: Spectral) -> Audio:
    """A sound of so many hops, and some more, that travels through the steps up to where the last begins."""
    spectra = representation.stft(steps)  # (step, hop, bin)
    energy = spectra.abs().square().sum(2)  # (step, hop)
    count = hops + 4  # what lies under B's first milliseconds
    step_position = (torch.linspace(0, 1, count) * (len(steps) - 1)).to(energy)
    reading = _reading_position(energy, step_position)
    magnitude, advance = _read(spectra, step_position, reading)
    phase = advance.cumsum(0) + spectra[0, 0].angle()
    attacks = energy[[0, -1], : 3 * ATTACK_HOPS].amax(1)
    level = _held_level(magnitude.square().sum(1), attacks)
    audio = _overlap_add(torch.polar(magnitude * level[:, None], phase), representation)
    audio[: GATE[0]] = 0
    return audio


def _reading_position(energy: Tensor, step_position: Tensor) -> Tensor:
    """Hop within the sound that each output frame reads, (hops,): in and, at the end, back to the attack."""
    loud = energy > energy.amax(1, keepdim=True) * 10 ** (LIVE_DB / 10)
    last = energy.shape[1] - 1 - loud.flip(1).to(torch.uint8).argmax(1)  # where each step stops sounding
    live = torch.lerp(
        last[step_position.long()].float(),
        last[step_position.long().add(1).clamp(max=len(last) - 1)].float(),
        step_position.frac(),
    )
    hops = len(step_position)
    ahead = torch.arange(hops).to(energy)
    way = ((ahead - ATTACK_HOPS) / max(hops - 1 - ATTACK_HOPS, 1)).clamp(min=0)
    inward = torch.sin(math.pi * way.clamp(max=1))
    # on the way back already at the attack a moment before B has its own
    inward = torch.where(way > 0.5, inward.square(), inward)
    stray = torch.rand(hops, generator=torch.Generator().manual_seed(0)).to(energy) * 2 - 1
    first, last_read = (torch.tensor(float(hop), device=way.device) for hop in (ATTACK_HOPS, BACK_HOPS))
    start = torch.lerp(first, last_read, way)
    body = start + (USED * live - start).clamp(min=0) * inward + WANDER_HOPS * stray * (way > 0) * inward
    return torch.where(ahead < ATTACK_HOPS, ahead, body.clamp(0, energy.shape[1] - 2.001))


def _read(spectra: Tensor, step_position: Tensor, reading: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitude and phase advance of each output frame, (hops, bin), between four neighbouring frames."""
    step, hop = step_position.long().clamp(max=len(spectra) - 2), reading.long()
    across, within = (step_position - step)[:, None], (reading - hop)[:, None]
    magnitude = torch.zeros(len(step_position), spectra.shape[2], device=spectra.device)
    turn = torch.zeros_like(magnitude, dtype=torch.complex64)
    for side, share in ((0, 1 - across), (1, across)):
        now, after = spectra[step + side, hop], spectra[step + side, hop + 1]
        magnitude += share * torch.lerp(now.abs(), after.abs(), within)
        turn += share * after * now.conj()
    advance = turn.angle()
    advance[0] = 0
    return magnitude, advance


def _held_level(energy: Tensor, attacks: Tensor) -> Tensor:
    """Gain (hops,) that keeps the glide a little under the level of the attacks (2,), from the one to the other."""
    hops = len(energy)
    smooth = torch.nn.functional.avg_pool1d(energy[None, None], 5, 1, 2, count_include_pad=False)[0, 0]
    first, last = attacks.clamp(min=1e-12).log()
    wanted = 10 ** (HELD_DB / 10) * torch.lerp(first, last, torch.linspace(0, 1, hops).to(energy)).exp()
    gain = (wanted / smooth.clamp(min=1e-12)).sqrt().clamp(10 ** (-LIFT_DB / 20), 10 ** (LIFT_DB / 20))
    entering = ((torch.arange(hops).to(energy) - ATTACK_HOPS) / (2 * ATTACK_HOPS)).clamp(
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
    audio: Audio = sum_.reshape(-1)[len(window) // 2 :][: len(frames) * HOP] / representation.window_power
    return audio
