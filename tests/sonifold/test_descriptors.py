"""Words for timbre: known sounds have known numbers, the map says what the audio says, gradients are exact."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from sonifold.audio import descriptors
from sonifold.audio.descriptors import DESCRIPTORS, describe_audio, erb_rate
from sonifold.errors import AudioTooShort, AudioUnreadable

RATE = 44_100
TIME = torch.arange(65_536) / RATE


def partials(*hertz: float, tau: float = 0.4) -> torch.Tensor:
    """Equally strong decaying sine waves, phases apart."""
    return sum(torch.sin(2 * math.pi * f * TIME + k) for k, f in enumerate(hertz)) * torch.exp(-TIME / tau)


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(65_536, generator=torch.Generator().manual_seed(seed))


def one(audio: torch.Tensor, name: str) -> float:
    return float(describe_audio(audio, RATE)[name])


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4000.0])
def test_the_brightness_of_a_tone_is_its_own_place_on_the_ears_scale(hertz):
    steady = partials(hertz, tau=100.0) * torch.hann_window(len(TIME))
    assert one(steady, "brightness") == pytest.approx(float(erb_rate(hertz)), abs=0.3)


def test_the_erb_rate_of_a_kilohertz_is_that_of_glasberg_and_moore():
    assert float(erb_rate(1000.0)) == pytest.approx(15.6, abs=0.05)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.5])
def test_a_straight_ramp_takes_eight_tenths_of_its_length_from_10_to_90_percent(seconds):
    ramp = noise().sign() * (TIME / seconds).clamp(max=1)
    assert 10 ** one(ramp, "attack") == pytest.approx(0.8 * seconds, rel=0.1, abs=0.004)


@pytest.mark.parametrize("tau", [0.05, 0.1, 0.2])
def test_an_exponential_falls_by_20_db_in_two_and_three_tenths_time_constants(tau):
    """Energy still to come falls as exp(-2 t / tau)."""
    falling = noise().sign() * torch.exp(-TIME / tau)
    assert 10 ** one(falling, "decay") == pytest.approx(tau * math.log(10), rel=0.02)


def test_white_noise_is_as_flat_as_the_periodogram_of_noise_and_a_tone_is_not():
    """Geometric over arithmetic mean of exponential variables is exp(-Euler's constant) = .56."""
    assert one(noise(), "noisiness") == pytest.approx(math.exp(-np.euler_gamma), abs=0.06)
    assert one(partials(440.0), "noisiness") < 0.1


def test_a_harmonic_series_is_harmonic_and_a_bars_partials_are_not():
    bar = [
        300.0 * ratio for ratio in (1, 2.756, 5.404, 8.933)
    ]  # free bar: Fletcher & Rossing 1998, table 2.1
    assert one(partials(*[220.0 * k for k in range(1, 9)]), "inharmonicity") < 0.02
    assert one(partials(*bar), "inharmonicity") > 0.08


def test_two_tones_are_roughest_a_quarter_of_a_critical_band_apart():
    """Plomp & Levelt 1965: at 1 kHz the roughest interval is near 35 to 50 Hz, an octave is smooth."""
    found = {apart: one(partials(1000.0, 1000.0 + apart), "roughness") for apart in (40.0, 200.0, 1000.0)}
    assert found[40.0] > found[200.0] > found[1000.0]


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_level_changes_no_descriptor(name):
    sound = partials(220.0, 470.0, 1130.0) + 0.05 * noise() * torch.exp(-TIME / 0.05)
    assert one(0.01 * sound, name) == pytest.approx(one(sound, name), abs=2e-3)


def test_a_batch_is_described_as_its_sounds_are_alone():
    batch = torch.stack([partials(220.0 * k) for k in range(1, 12)])
    together = describe_audio(batch, RATE)
    assert set(together) == set(DESCRIPTORS)
    for name, values in together.items():
        assert values.shape == (11,)
        torch.testing.assert_close(values[9], describe_audio(batch[9], RATE)[name], rtol=1e-4, atol=1e-4)


def test_silence_has_numbers_and_broken_samples_have_none():
    assert all(math.isfinite(float(value)) for value in describe_audio(torch.zeros(65_536), RATE).values())
    with pytest.raises(AudioUnreadable, match="NaN"):
        describe_audio(torch.full((65_536,), math.nan), RATE)
    with pytest.raises(AudioTooShort, match="tenth"):
        describe_audio(torch.zeros(100), RATE)


def test_peaks_are_placed_to_a_hundredth_of_a_semitone():
    plan = descriptors._plan(RATE)
    tone = partials(443.21, tau=0.3)[None]
    peaks = descriptors._peaks(tone, plan)
    assert float(peaks.hertz[0, 0, peaks.power[0, 0].argmax()]) == pytest.approx(443.21, rel=6e-4)


# -- read from features ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("brightness", 0.97),
        ("attack", 0.85),
        ("decay", 0.97),
        ("noisiness", 0.85),
        ("inharmonicity", 0.6),
        ("roughness", 0.7),
    ],
)
def test_the_feature_map_ranks_recordings_as_the_audio_does(model, sample, name, least):
    audio, features = sample
    measured, read = model.describe_audio(audio)[name], model.readout(features)[name]
    assert spearmanr(measured, read).statistic > least


@pytest.fixture(scope="module")
def sample(model):
    """Every eighth library sound and its features."""
    audio = torch.stack([model.library.audio(i, model.sound_samples) for i in model.library.ids[::8]])
    return audio, model.representation.analyse(audio)[0]


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_descriptors_of_a_point_have_the_slope_that_differences_have(model, name):
    """Along a random direction, over eight library points; crossings and maxima may have a kink at one of them."""
    generator = torch.Generator().manual_seed(0)
    z = model.library.z[::190][:8].clone()
    direction = torch.nn.functional.normalize(torch.randn(z.shape, generator=generator), dim=1)
    z.requires_grad_(True)
    (slope,) = torch.autograd.grad(model.describe(z)[name].sum(), z)
    slope = (slope * direction).sum(1)
    step = 0.01
    with torch.no_grad():
        ahead, behind = (model.describe(z + sign * step * direction)[name] for sign in (1, -1))
    difference = (ahead - behind) / (2 * step)
    close = (slope - difference).abs() <= 0.05 * difference.abs() + 0.02 * difference.abs().max()
    assert int(close.sum()) >= 7


def test_a_path_says_how_each_word_changes_along_it(model):
    ids = model.library.ids
    start, end = model.sound(ids[300]), model.sound(ids[900])
    path = model.geodesic(start, end, steps=9)
    assert set(path.descriptors) == set(DESCRIPTORS)
    ends = model.readout(torch.stack([start.features, end.features]))
    for name, profile in path.descriptors.items():
        assert len(profile) == 9
        # both ends are the recordings, brought to equal loudness
        assert profile[0] == pytest.approx(float(ends[name][0]), abs=0.1)
        assert profile[-1] == pytest.approx(float(ends[name][1]), abs=0.1)


def test_a_path_timed_again_keeps_its_words_in_step(model):
    ids = model.library.ids
    path, _ = model.morph(model.geodesic(model.sound(ids[10]), model.sound(ids[1200])))
    assert all(len(profile) == path.steps for profile in path.descriptors.values())
