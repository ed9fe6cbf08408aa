"""The judges of ``make bench-middle``, on sounds of which the answer is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "middle"
RATE = 44_100
TIME = np.arange(65_536) / RATE


@pytest.fixture
def hearing(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    import hearing

    yield hearing
    sys.modules.pop("hearing")


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(len(TIME))


def stroke(at: float, decay: float = 0.1) -> np.ndarray:
    """Noise that begins at once and dies away."""
    return np.where(at <= TIME, np.exp(-(TIME - at) / decay), 0) * noise(round(1000 * at))


def chord(*hertz: float) -> np.ndarray:
    """Five partials of each pitch, equally loud."""
    return sum(np.sin(2 * np.pi * k * one * TIME) for one in hertz for k in range(1, 6))


@pytest.mark.parametrize(
    ("sound", "count"),
    [
        (stroke(0.01), 1),
        (stroke(0.01, 0.02), 1),
        (stroke(0.01) + stroke(0.7), 2),
        (stroke(0.01) + 0.03 * stroke(0.7), 1),
        (stroke(0.01, 0.03) + stroke(0.4, 0.03) + stroke(0.8, 0.03), 3),
        (np.minimum(TIME / 0.8, 1) * noise(), 1),
        (np.where(TIME < 0.01, 0, chord(130.0)), 1),
        (np.zeros(len(TIME)), 0),
    ],
    ids=["stroke", "click", "two", "two, one too faint", "three", "swell", "held tone", "silence"],
)
def test_attacks_are_counted(hearing, sound, count):
    assert hearing.attacks(sound, RATE) == count


def test_a_sound_between_two_pitches_is_told_from_both_at_once(hearing):
    pitches = 130.0, 155.0, 185.0
    assert hearing.share_between(chord(155.0), RATE, *pitches) > 0.9
    assert hearing.share_between(chord(130.0, 185.0), RATE, *pitches) < 0.05


def test_a_tone_at_997_hz_is_as_loud_as_the_standard_says(hearing):
    for block in hearing.BLOCKS:
        assert hearing.momentary(np.sin(2 * np.pi * 997 * TIME), RATE, block) == pytest.approx(
            -3.01, abs=0.05
        )


def test_a_hole_in_loudness_is_measured_from_the_line(hearing):
    assert hearing.dip(np.array([-10.0, -17.0, -20.0])) == pytest.approx(2.0)
    assert hearing.dip(np.array([-10.0, -12.0, -20.0])) == 0.0


def test_a_jump_is_larger_than_the_steps_around_it(hearing):
    sweep = np.sin(2 * np.pi * 200 * 2**TIME * TIME)
    leap = np.where(TIME < 0.8, sweep, np.sin(2 * np.pi * 3000 * TIME))
    assert hearing.jump(leap, RATE) > 2 * hearing.jump(sweep, RATE)


def test_a_stroke_is_found_in_what_follows_a_drone(hearing):
    last = stroke(0.0)
    drone = 0.1 * noise(5)
    assert hearing.hit(np.concatenate([drone, last]), last, RATE) > 0.95
    assert hearing.hit(drone, last, RATE) < 0.5
