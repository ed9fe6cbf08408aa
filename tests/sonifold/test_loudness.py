"""Loudness: what the standard says of made sounds, and steps of a morph that lie on a straight line of it."""

import numpy as np
import pytest
import torch

from sonifold.audio.loudness import k_response, k_weighted, k_weighting, momentary
from sonifold.morph.level import CEILING, at_loudness, loudness, rounded

RATE = 44_100


def tone(seconds: float, hertz: float = 997.0, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def test_a_full_scale_tone_at_997_hz_has_the_loudness_that_the_standard_gives_it():
    assert momentary(tone(1.0)[None], RATE)[0] == pytest.approx(-3.01, abs=0.05)


def test_the_filters_at_48_khz_are_those_of_the_standard():
    shelf, high_pass = k_weighting(48_000)
    np.testing.assert_allclose(
        shelf, [1.53512486, -2.69169619, 1.19839281, 1.0, -1.69065929, 0.73248077], atol=1e-7
    )
    np.testing.assert_allclose(high_pass, [1.0, -2.0, 1.0, 1.0, -1.99004745, 0.99007225], atol=1e-7)


def test_the_filters_do_in_time_what_they_do_to_each_frequency():
    noise = np.random.default_rng(0).standard_normal((2, 3000)).astype(np.float32)
    sounds = np.pad(noise, ((0, 0), (0, 2 * RATE)))  # silence in which the filters have died away
    spectrum = np.fft.rfft(sounds.astype(float)) * k_response(RATE, sounds.shape[1])
    np.testing.assert_allclose(k_weighted(sounds, RATE), np.fft.irfft(spectrum, sounds.shape[1]), atol=1e-9)


def test_a_tenth_of_a_second_is_three_loudness_units_fainter_than_a_long_tone():
    """By the block of 100 ms it is as loud, by that of 400 ms four times fainter."""
    long, short = momentary(np.stack([tone(1.0), np.pad(tone(0.1), (0, RATE * 9 // 10))]), RATE)
    assert long - short == pytest.approx(3.01, abs=0.1)


def test_silence_and_sounds_shorter_than_a_block_have_a_loudness():
    assert momentary(np.zeros((1, 100)), RATE)[0] < -100
    assert np.isfinite(momentary(tone(0.01)[None], RATE)).all()


def test_no_peak_gets_through_and_what_fits_is_left_alone():
    noise = np.random.default_rng(0).standard_normal(RATE)
    assert np.abs(rounded(3 * noise)).max() <= CEILING
    np.testing.assert_array_equal(rounded(0.1 * noise), 0.1 * noise)


def test_a_thin_click_is_brought_to_its_loudness():
    decay = torch.exp(-torch.arange(RATE) / 2000)
    click = 0.1 * torch.randn(1, RATE, generator=torch.Generator().manual_seed(0)) * decay
    click[0, 300:305] = 0.9
    out = at_loudness(click, loudness(click, RATE) + 4, RATE)
    assert float(loudness(out, RATE) - loudness(click, RATE)) == pytest.approx(4, abs=0.1)
    assert out.abs().max() <= CEILING + 1e-6


def test_silence_stays_silent():
    out = at_loudness(torch.zeros(2, 5000), torch.tensor([-10.0, -20.0]), RATE)
    torch.testing.assert_close(out, torch.zeros(2, 5000))


def by_name(model, name):
    return model.sound(model.library.ids[model.library.names.index(name)])


@pytest.mark.parametrize(
    ("first", "last"), [("Bass drum 3", "Koto, C3"), ("Ride bell", "Acoustic bass, C2")], ids=str
)
def test_steps_lie_on_a_straight_line_of_loudness_on_every_way(model, first, last):
    ends = by_name(model, first), by_name(model, last)
    levels = []
    for kind in ("geodesic", "retimed", "linear"):
        clip = model.morph(model.paths([ends], kind, steps=9)[0])[1]
        levels.append(momentary(clip.audio.numpy(), RATE))
        line = np.linspace(levels[-1][0], levels[-1][-1], 9)
        assert np.abs(levels[-1] - line).max() < 0.5
    recorded = momentary(torch.stack([end.audio for end in ends]).numpy(), RATE)
    np.testing.assert_allclose(levels[0][[0, -1]], recorded, atol=0.02)
    assert np.ptp(levels, axis=0).max() < 0.5
