"""The spectral representation: what goes in comes out, and what its parts promise."""

import math

import numpy as np
import pytest
import torch

from sonifold.audio.levels import log_mel_error, match_energy
from sonifold.audio.timbre import interval_means, time_edges
from sonifold.representation import grid
from sonifold.representation.spectral import ONSET, Spectral, suppress_hiss

RATE = Spectral.sample_rate


@pytest.fixture(scope="module")
def spectral() -> Spectral:
    return Spectral()


@pytest.fixture(scope="module")
def sounds(spectral: Spectral) -> torch.Tensor:
    """A tone, a noise and a click train, each with its onset in place."""
    t = torch.arange(spectral.samples - ONSET) / RATE
    draw = torch.Generator().manual_seed(0)
    tone = sum(torch.sin(2 * math.pi * 200 * k * t) / k for k in range(1, 20)) * torch.exp(-t / 0.3)
    noise = torch.randn(len(t), generator=draw) * torch.exp(-t / 0.2)
    clicks = (torch.arange(len(t)) % 4410 == 0).float() * torch.exp(-t)
    return torch.nn.functional.pad(torch.stack([0.3 * tone, 0.2 * noise, 0.9 * clicks]), (ONSET, 0))


def test_the_inverse_stft_undoes_the_stft(spectral, sounds):
    inside = slice(ONSET, -1024)
    torch.testing.assert_close(
        spectral.istft(spectral.stft(sounds))[:, inside], sounds[:, inside], atol=1e-4, rtol=0
    )


def test_the_stft_agrees_with_torch(spectral, sounds):
    theirs = torch.stft(
        sounds, 1024, 256, 1024, torch.hann_window(1024), pad_mode="constant", return_complex=True
    )
    torch.testing.assert_close(spectral.stft(sounds), theirs.mT, atol=1e-3, rtol=1e-4)


def test_resynthesis_of_true_features_stays_within_two_decibels(spectral, sounds):
    features, _ = spectral.analyse(sounds[:2])
    rebuilt = match_energy(spectral.synthesise(features, iterations=16), sounds[:2])
    assert log_mel_error(sounds[:2], rebuilt, RATE).max() < 2.0


def test_nothing_sounds_before_the_onset(spectral, sounds):
    features, _ = spectral.analyse(sounds)
    assert spectral.synthesise(features)[:, :140].abs().max() == 0


def test_expansion_undoes_compression(spectral):
    relative = torch.logspace(-7, 0, 50)[None, None]
    from sonifold.audio.timbre import compress

    torch.testing.assert_close(spectral.expand(compress(relative)), relative, rtol=1e-3, atol=1e-9)


def test_features_do_not_change_with_level_and_level_is_in_decibels(spectral, sounds):
    features, level = spectral.analyse(sounds)
    quieter, lower = spectral.analyse(0.1 * sounds)
    torch.testing.assert_close(features, quieter, atol=1e-4, rtol=0)
    torch.testing.assert_close(level - lower, torch.full((3,), 20.0), atol=1e-3, rtol=0)


def test_normalising_restores_the_loudest_frame_and_leaves_recorded_features_alone(spectral, sounds):
    features, _ = spectral.analyse(sounds)
    torch.testing.assert_close(spectral.normalise(features), features, atol=2e-3, rtol=0)
    loudest = spectral.loudest(spectral.expand(spectral.normalise(0.9 * features)) / spectral.weight)
    assert 10 * loudest.log10().abs().max() < 0.2


def test_silent_features_stay_silent(spectral):
    silence = torch.zeros(1, spectral.bands, spectral.frames)
    assert spectral.synthesise(spectral.normalise(silence)).abs().max() < 1e-3


def test_timbre_is_linear_in_the_features(spectral, sounds):
    features, _ = spectral.analyse(sounds)
    mixed = spectral.timbre(0.3 * features[:1] + 0.7 * features[1:2])
    torch.testing.assert_close(
        mixed,
        0.3 * spectral.timbre(features[:1]) + 0.7 * spectral.timbre(features[1:2]),
        atol=1e-4,
        rtol=1e-4,
    )


def test_hiss_goes_and_sound_stays():
    small, large = torch.tensor([0.003]), torch.tensor([0.5])
    assert suppress_hiss(small) < 0.05 * small
    assert suppress_hiss(large) > 0.99 * large
    assert suppress_hiss(torch.tensor([-0.2])) == 0


def test_bands_widen_and_end_at_the_last_bin():
    centres = grid.band_centres(160, 513)
    assert np.all(np.diff(centres) > 0)
    assert centres[-1] == pytest.approx(512)


def test_averages_over_intervals_keep_constants():
    edges = time_edges(32)
    starts = np.arange(0, 2.1, 0.005)
    assert interval_means(starts, starts + 0.005, edges).sum(0) == pytest.approx(1)
