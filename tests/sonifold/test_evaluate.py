"""The measures themselves: zero for the same sound, known values for known changes, honest intervals."""

import math

import numpy as np
import pytest
import torch

from sonifold.audio import levels as measure
from sonifold.intervals import bootstrap

RATE = 44_100


def decaying(tau: float, frequency: float = 300.0, attack: float = 0.001) -> torch.Tensor:
    t = torch.arange(65_536) / RATE
    return (0.5 * torch.sin(2 * math.pi * frequency * t) * torch.exp(-t / tau) * (t / attack).clamp(max=1))[
        None
    ]


def test_a_sound_is_no_distance_from_itself():
    sound = decaying(0.3)
    found = measure.all_measures(sound, sound, RATE, 0.0)
    for name in ("log_mel_db", "phi", "log_spectral_db", "attack_ms", "decay_octaves"):
        assert found[name] == pytest.approx(0, abs=1e-3)


def test_energy_is_matched_before_comparing():
    found = measure.all_measures(decaying(0.3), 0.1 * decaying(0.3), RATE, 0.0)
    assert found["log_mel_db"] == pytest.approx(0, abs=0.01)


def test_twice_the_decay_is_one_octave():
    found = measure.all_measures(decaying(0.1), decaying(0.2), RATE, 0.0)
    assert found["decay_octaves"] == pytest.approx(1.0, abs=0.05)


def test_a_later_attack_is_measured_in_milliseconds():
    sharp, slow = decaying(0.5, attack=0.001), decaying(0.5, attack=0.040)
    gap = measure.attack_time(slow, RATE) - measure.attack_time(sharp, RATE)
    assert 20 < float(gap) < 45


def test_log_mel_error_of_a_filter_is_its_gain():
    """Half the bands louder by 6 dB, the others as they were: about half of 6 dB over active cells."""
    noise = 0.1 * torch.randn(1, 65_536, generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft(noise)
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(65_536, 1 / RATE) / 700)
    spectrum[:, mel > mel[-1] / 2] *= 2
    error = measure.log_mel_error(noise, torch.fft.irfft(spectrum, 65_536), RATE)
    assert float(error) == pytest.approx(3.0, abs=0.2)


def test_the_texture_of_white_noise_is_the_spread_of_a_rayleigh_magnitude_in_decibels():
    """20 log10 of a Rayleigh variable has standard deviation 20/ln 10 * pi / sqrt 24 = 5.57 dB."""
    noise = 0.1 * torch.randn(1, 65_536, generator=torch.Generator().manual_seed(0))
    assert float(measure.texture(noise)) == pytest.approx(
        20 / math.log(10) * math.pi / math.sqrt(24), abs=0.3
    )


def test_an_interval_covers_the_mean_as_often_as_it_says():
    draw = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        found = bootstrap(draw.normal(3.0, 1.0, 40), seed=trial)
        hits += found.low <= 3.0 <= found.high
    assert 0.87 < hits / 200 < 0.99


def test_what_is_not_finite_is_left_out():
    found = bootstrap([1.0, float("nan"), 3.0])
    assert found.n == 2
    assert found.mean == 2.0
    assert bootstrap([float("nan")]).n == 0
