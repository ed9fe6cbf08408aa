"""What is said of recordings: on constructed ones, where it is known."""

import numpy as np
import pytest

from sonifold.audio.check import examine, near_duplicates
from sonifold.audio.periodicity import periods
from sonifold.audio.pitch import pitch
from sonifold.audio.prepare import prepare

RATE = 44_100


def sine(hertz=220.0, seconds=1.0, level=0.5, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return level * np.sin(2 * np.pi * hertz * t)


def test_a_clean_sine_is_not_clipped_and_a_cut_one_is_by_as_much_as_was_cut():
    clean = sine(level=0.9)
    assert examine(clean, RATE).clipped == 0
    for limit, gain in ((0.9, 1.0), (0.9, 0.4)):
        cut = gain * np.clip(sine(level=1.8), -limit, limit)
        over = float(np.mean(np.abs(sine(level=1.8)) >= limit))
        assert examine(cut, RATE).clipped == pytest.approx(over, abs=0.01)


def test_a_square_wave_played_softly_is_no_clipping():
    assert examine(0.1 * np.sign(sine()), RATE).clipped == 0


def test_silence_around_a_sound_is_measured():
    padded = np.concatenate([np.zeros(RATE // 2), sine(), np.zeros(RATE // 4)])
    facts = examine(padded, RATE)
    assert facts.leading == pytest.approx(0.5, abs=1e-3)
    assert facts.trailing == pytest.approx(0.25, abs=1e-3)
    assert facts.seconds == pytest.approx(1.75)
    assert facts.peak_db == pytest.approx(20 * np.log10(0.5), abs=0.01)


def test_a_sound_at_another_gain_or_rate_is_a_duplicate_and_another_sound_is_not(model):
    a, b = (model.library.audio(model.library.ids[i]).numpy() for i in (0, 40))
    twice = np.interp(np.arange(0, len(a), 0.5), np.arange(len(a)), a)
    prepared = [prepare(a, RATE), prepare(b, RATE), prepare(0.1 * a, RATE), prepare(twice, 2 * RATE)]
    found = near_duplicates(prepared)
    assert [(first, second) for first, second, _ in found] == [(0, 2), (0, 3)] or [
        (first, second) for first, second, _ in found
    ] == [(0, 2), (2, 3)]
    assert all(distance < 1.5 for *_, distance in found)


@pytest.mark.parametrize(
    "hertz", [32.7, 41.2, 55.0, 82.4, 110.0, 130.8, 220.0, 440.0, 987.8, 2093.0, 2637.0, 4186.0]
)
@pytest.mark.parametrize("partials", [1, 5])
@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_the_note_of_a_tone_is_found_at_any_rate(hertz, partials, rate):
    top = range(1, partials + 1)
    tone = sum(sine(k * hertz, 0.8, 0.5 / k, rate) for k in top if k * hertz < 0.45 * rate)
    assert pitch(tone, rate) == pytest.approx(hertz, rel=0.01)


@pytest.mark.parametrize("hertz", [41.2, 50.0, 65.4])
@pytest.mark.parametrize("drive", [0.1, 3])
def test_an_808_has_the_note_that_it_falls_to(hertz, drive):
    t = np.arange(RATE) / RATE
    phase = 2 * np.pi * (hertz * t + 4 * (1 - np.exp(-40 * t)))
    boom = np.tanh(drive * np.sin(phase)) * np.exp(-2.5 * t)
    assert pitch(boom, RATE) == pytest.approx(hertz, rel=0.03)


def test_the_common_period_of_a_chord_is_no_note_of_it():
    chord = sum(sine(261.6 * ratio) for ratio in (1, 1.25, 1.5))
    assert not periods(chord, RATE).hertz.any()  # 65.4 Hz


def test_noise_a_click_and_next_to_nothing_have_no_note():
    rng = np.random.default_rng(0)
    assert pitch(rng.normal(size=RATE) * 0.2, RATE) is None
    assert pitch(np.eye(1, RATE, 100)[0], RATE) is None
    assert pitch(np.zeros(20), RATE) is None
    assert pitch(np.zeros(RATE), RATE) is None
