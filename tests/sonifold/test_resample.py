"""Resampling: nothing folds back, nothing is lost below, nothing moves in time."""

import numpy as np
import pytest

from sonifold.audio.prepare import SAMPLE_RATE, resample
from sonifold.audio.resample import resampled

RATES = [4_000, 8_000, 8_363, 11_025, 16_000, 22_050, 32_000, 47_999, 48_000, 64_000, 88_200, 96_000, 176_400,
         192_000, 352_800, 383_999, 384_000]  # fmt: skip
HALF = SAMPLE_RATE / 2


def db(value):
    return 20 * np.log10(value + 1e-20)


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate > SAMPLE_RATE])
def test_a_tone_above_the_new_range_does_not_fold_back(rate):
    t = np.arange(rate) / rate
    for hertz in np.linspace(HALF + 20, rate / 2, 12, endpoint=False):
        left = resample(np.sin(2 * np.pi * hertz * t) * np.hanning(rate), rate)
        assert db(np.abs(left).max()) < -90


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate < SAMPLE_RATE])
def test_a_tone_of_a_low_rate_has_no_images(rate):
    t = np.arange(rate) / rate
    for hertz in np.linspace(100, 0.45 * rate, 12):
        spectrum = np.abs(
            np.fft.rfft(resample(np.sin(2 * np.pi * hertz * t), rate) * np.hanning(SAMPLE_RATE))
        )
        away = np.abs(np.arange(len(spectrum)) - hertz) > 100  # bins of 1 Hz
        assert db(spectrum[away].max() / spectrum.max()) < -90


@pytest.mark.parametrize("rate", RATES)
def test_a_sound_stays_where_it_is_and_as_loud(rate):
    hertz, width = min(0.2 * rate, 2_000), 0.02
    wave = lambda t: np.sin(2 * np.pi * hertz * t) * np.exp(-(((t - 0.5) / width) ** 2))  # noqa: E731
    there = resample(wave(np.arange(rate) / rate), rate)
    assert len(there) == pytest.approx(SAMPLE_RATE, abs=1)
    assert db(np.abs(there - wave(np.arange(len(there)) / SAMPLE_RATE)).max()) < -70


def test_at_its_own_rate_a_sound_is_left_as_it_is():
    sound = np.random.default_rng(0).normal(size=1000)
    assert resample(sound, SAMPLE_RATE) is sound


@pytest.mark.parametrize("shape", [(1_500_000,), (1_500_000, 2)])
def test_in_parts_it_is_the_same_as_at_once(shape, monkeypatch):
    sound = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    monkeypatch.setattr("sonifold.audio.resample.CHUNK", 1 << 24)
    whole = resampled(sound, 192_000, 48_000)
    monkeypatch.setattr("sonifold.audio.resample.CHUNK", 1 << 16)
    np.testing.assert_allclose(resampled(sound, 192_000, 48_000), whole, atol=1e-6)
