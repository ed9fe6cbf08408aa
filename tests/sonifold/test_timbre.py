"""The perceptual map against constructed sounds."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sonifold.audio import timbre_features
from sonifold.audio.timbre import raised
from sonifold.errors import AudioTooShort, AudioUnreadable
from sonifold.representation.spectral import ONSET, Spectral

RATE = 44_100
SECONDS = 1.5


def time() -> Tensor:
    return torch.arange(int(SECONDS * RATE)) / RATE


def tone(
    pitch: float = 220.0, partials: int = 12, slope: float = 1.0, attack: float = 0.002, decay: float = 0.4
) -> Tensor:
    """A decaying harmonic tone whose partial k has amplitude k^-slope."""
    t = time()
    wave = sum(torch.sin(2 * math.pi * pitch * k * t + k * k) / k**slope for k in range(1, partials + 1))
    return 0.2 * wave * torch.exp(-t / decay) * (t / attack).clamp(max=1)


def noise(seed: int = 0, decay: float = 0.4) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return 0.2 * torch.randn(len(time()), generator=draw) * torch.exp(-time() / decay)


def apart(a: Tensor, b: Tensor) -> float:
    return float((timbre_features(a, RATE) - timbre_features(b, RATE)).norm())


def grows(distances: list[float]) -> bool:
    return all(b > 1.1 * a for a, b in itertools.pairwise(distances)) and distances[0] > 0


def test_silence_is_the_origin():
    assert timbre_features(torch.zeros(RATE), RATE).abs().max() < 1e-5


@pytest.mark.parametrize("gain", [1e-3, 0.1, 3.0])
def test_level_does_not_matter(gain):
    assert apart(tone(), gain * tone()) < 1e-2


def test_distance_grows_with_the_noise_floor():
    assert grows([apart(tone(), tone() + level * noise(decay=9.0)) for level in (0.003, 0.03, 0.3)])


def test_distance_grows_with_brightness():
    assert grows([apart(tone(slope=1.0), tone(slope=slope)) for slope in (1.2, 1.6, 2.4)])


def test_distance_grows_with_the_attack():
    assert grows([apart(tone(), tone(attack=attack)) for attack in (0.008, 0.03, 0.12)])


def test_distance_grows_with_the_decay():
    assert grows([apart(tone(), tone(decay=decay)) for decay in (0.3, 0.2, 0.1)])


def test_a_shift_of_the_whole_sound_hardly_matters():
    late = torch.cat([torch.zeros(313), tone()])
    assert apart(tone(), late) < 0.02 * apart(tone(), noise())


def test_two_realisations_of_a_noise_are_nearer_than_a_noise_and_a_tone():
    assert apart(noise(0), noise(1)) < 0.5 * apart(noise(0), tone())


def test_a_semitone_is_smaller_than_a_change_of_instrument():
    assert apart(tone(220), tone(220 * 2 ** (1 / 12))) < apart(tone(220, slope=0.5), tone(220, slope=3.0))


def test_the_sample_rate_hardly_matters():
    from scipy.signal import resample_poly

    faster = torch.from_numpy(resample_poly(tone().double().numpy(), 160, 147))
    a, b = timbre_features(tone(), RATE), timbre_features(faster, 48_000)
    assert float((a - b).norm()) < 0.05 * apart(tone(), noise())


def test_a_batch_is_its_sounds_one_by_one():
    batch = torch.stack([tone(), noise()])
    torch.testing.assert_close(timbre_features(batch, RATE)[1], timbre_features(noise(), RATE))


def test_arrays_of_numpy_will_do():
    assert timbre_features(np.zeros(RATE, np.float64), RATE).shape == (512,)


def test_too_few_samples_are_refused_with_the_number_needed():
    with pytest.raises(AudioTooShort, match="32 ms"):
        timbre_features(torch.zeros(100), RATE)


def test_nan_is_refused():
    with pytest.raises(AudioUnreadable, match="NaN"):
        timbre_features(torch.full((RATE,), math.nan), RATE)


def test_the_representation_measures_the_same_distances_on_its_own_grid():
    """Phi of the features, linear in them, against Phi of the audio: the pull-back metric rests on it."""
    spectral = Spectral()
    sounds = torch.stack(
        [
            tone(),
            tone(440),
            tone(slope=2.0),
            tone(attack=0.05),
            tone(decay=0.1),
            noise(),
            noise(decay=0.05),
            tone() + 0.3 * noise(),
        ]
    )
    lead = torch.nn.functional.pad(sounds, (ONSET, 0))[:, : spectral.samples]
    of_features = torch.pdist(spectral.timbre(spectral.analyse(lead)[0]))
    of_audio = torch.pdist(timbre_features(lead, RATE, ONSET / RATE))
    assert np.corrcoef(of_features, of_audio)[0, 1] > 0.98
    assert 0.9 < float((of_features / of_audio).median()) < 1.1


def test_coarse_coordinates_tell_the_distances_between_neighbours_on_a_way():
    """What steps are spaced by: sounds that change little by little while their partials stay."""
    way = torch.stack([(1 - u) * tone(55.0, 4) + u * noise(decay=0.1) for u in torch.linspace(0, 1, 9)])
    fine, coarse = (timbre_features(way, RATE, 0.0, coarse=it) for it in (False, True))
    ratio = coarse.diff(dim=0).norm(dim=1) / fine.diff(dim=0).norm(dim=1)
    assert float(ratio.std() / ratio.mean()) < 0.02
    assert 0.9 < float(ratio.mean()) < 1.1


@pytest.mark.parametrize("exponent", [0.15, 1 / 0.15])
def test_powers_by_the_logarithm_are_powers(exponent):
    base = torch.logspace(-8, 1, 1000)
    torch.testing.assert_close(
        raised(base, exponent).double(), base.double() ** exponent, rtol=2e-5, atol=1e-12
    )
