"""What is heard between two sounds is one sound: one pitch, one attack, the ends themselves, one hit at the end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sonifold import geodesic
from sonifold.audio.levels import log_mel_error
from sonifold.model.paths import EVEN, displaced, variation
from sonifold.morph.timing import between, landmarks, source_times
from sonifold.morph.transpose import Transposer
from sonifold.representation.spectral import ONSET

RATE = 44_100
SAMPLES = 65_536
TIME = (torch.arange(SAMPLES) - ONSET) / RATE


def by_name(model, name):
    return model.sound(model.library.ids[model.library.names.index(name)])


def tone(hertz: float, decay: float = 0.4) -> torch.Tensor:
    """Five partials that begin at the onset and die away."""
    partials = sum(torch.sin(2 * torch.pi * k * hertz * TIME) / k for k in range(1, 6))
    return torch.where(TIME >= 0, 0.4 * partials * torch.exp(-TIME / decay), 0.0)


def energy_at(sound: np.ndarray, hertz: float) -> float:
    """Within 35 cents of the first five partials."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18)) ** 2
    bins = np.fft.rfftfreq(1 << 18, 1 / RATE)
    near = [np.abs(1200 * np.log2(np.maximum(bins, 1) / (k * hertz))) < 35 for k in range(1, 6)]
    return float(sum(power[one].sum() for one in near))


# -- pitch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("octaves", [-1.2, -0.3, 0.25, 1.0])
def test_a_recording_is_moved_to_another_pitch_and_keeps_its_onset(octaves):
    sound = tone(220.0)
    moved = Transposer(sound)(octaves)
    wanted = 220 * 2**octaves
    shares = energy_at(moved.numpy(), wanted), energy_at(sound.numpy(), 220.0)
    assert shares[0] / np.square(np.fft.rfft(moved.numpy())).__abs__().sum() > 0
    assert energy_at(moved.numpy(), wanted) > 100 * energy_at(moved.numpy(), wanted * 1.06)
    assert int((moved.abs() > 0.02).nonzero()[0]) == pytest.approx(ONSET, abs=20)


def test_reading_faster_does_not_fold_what_is_too_high_back_into_hearing():
    high = torch.where(TIME >= 0, torch.sin(2 * torch.pi * 15_000 * TIME), 0.0)
    assert Transposer(high)(1.0).square().mean() < 1e-3 * high.square().mean()


@pytest.mark.parametrize("kind", ["geodesic", "retimed"])
@pytest.mark.parametrize(("first", "last"), [("Koto, G3", "Acoustic bass, C3"), ("Koto, C3", "Koto, G3")])
def test_a_pitch_slides_instead_of_crossing_another(model, kind, first, last):
    ends = by_name(model, first), by_name(model, last)
    path, clip = model.morph(model.paths([ends], kind, steps=5)[0])
    place = float(path.times[2])
    pitches = [
        ends[0].pitch_hz,
        ends[0].pitch_hz ** (1 - place) * ends[1].pitch_hz ** place,
        ends[1].pitch_hz,
    ]
    energies = [energy_at(clip.audio[2].numpy(), hertz) for hertz in pitches]
    assert energies[1] / sum(energies) > 0.8


def test_own_sounds_slide_too(model):
    ends = [model.recorded(tone(hertz), name=str(hertz)) for hertz in (200.0, 300.0)]
    path, clip = model.morph(model.geodesic(*ends, steps=5))
    place = float(path.times[2])
    energies = [energy_at(clip.audio[2].numpy(), hertz) for hertz in (200, 200 * 1.5**place, 300)]
    assert energies[1] / sum(energies) > 0.8


def test_a_sound_without_pitch_is_not_transposed(model):
    ends = by_name(model, "Koto, C3"), by_name(model, "Ride bell")
    noise = model.recorded(torch.where(TIME >= 0, torch.randn(SAMPLES) * torch.exp(-TIME / 0.1), 0.0) * 0.2)
    assert model.renderer.crossing(ends[0], noise).interval == 0


def test_the_beginning_of_a_transposed_recording_is_that_of_the_whole():
    transposed = Transposer(tone(220.0))
    torch.testing.assert_close(transposed(0.3, 9000), transposed(0.3)[:9000])


# -- steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "last"), [("Koto, G3", "Acoustic bass, C3"), ("Kick 808", "Ride bell")])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_rendered_at_an_end_would_be_the_recording_too(model, first, last, side):
    """The ends' own magnitudes and phases come out where nothing has changed yet, without putting the recordings in."""
    ends = by_name(model, first), by_name(model, last)
    renderer = model.renderer
    fraction = torch.tensor([float(side)])
    crossing = renderer.crossing(*ends)
    heard = crossing.heard(ends[side].z[None], fraction)
    audio = renderer._between(crossing, heard, fraction, fraction)
    assert log_mel_error(ends[side].audio[None], audio, model.sample_rate) < 0.35


def test_a_step_has_the_magnitudes_of_its_definition(model):
    """Geometric means of both ends, each moved to the pitch of the step, times what the features differ from theirs."""
    ends = by_name(model, "Koto, G3"), by_name(model, "Acoustic bass, C3")
    spectral, crossing = model.representation, model.renderer.crossing(*ends)
    u = 4 / 16  # a fraction at which the ends are analysed
    point = (1 - u) * ends[0].z + u * ends[1].z
    moved = torch.stack(
        [Transposer(end.audio)(crossing.interval * (u - side)) for side, end in enumerate(ends)]
    )
    features, levels = spectral.analyse(moved)
    heard = crossing.heard(point[None], torch.tensor([u]))
    magnitudes = spectral.stft(moved).abs() * 10 ** (-levels / 20)[:, None, None]
    detail = (magnitudes + 1e-5) / (spectral.magnitudes(features) + 1e-5)
    expected = spectral.magnitudes(heard)[0] * detail[0] ** (1 - u) * detail[1] ** u
    change = spectral.log_power(heard) - crossing.between(torch.tensor([u]))
    fine = crossing.fine_structure(0, u), crossing.fine_structure(1, u)
    target = model.renderer._target(fine, change[0], u)
    expected = expected[: len(target)]
    loud = expected > 1e-3 * expected.max()
    error = 20 * (target[loud] / expected[loud]).log10()
    assert error.abs().mean() < 0.3


def test_features_between_the_nodes_of_a_path_are_those_of_its_steps(model):
    path = model.geodesic(by_name(model, "Kick 808"), by_name(model, "Ride bell"))
    decoded = model.renderer.crossing(path.start, path.end).heard(path.nodes, path.times)
    steps = model.representation.timbre(decoded).diff(dim=0).norm(dim=1)
    away = model.representation.timbre(path.features_at(path.times) - decoded).norm(dim=1)
    assert away.max() < 0.1 * steps.mean()


# -- time -----------------------------------------------------------------------------------------


def test_the_times_of_a_decay_are_those_that_its_formula_gives():
    decay = 0.1  # seconds, of the amplitude: energy to come falls as exp(-2 t / decay)
    marks = landmarks(tone(3000.0, decay)) / RATE
    for level, mark in zip((-20, -30, -40), marks[-4:-1], strict=True):
        assert mark == pytest.approx(decay / 2 * np.log(10) * -level / 10, rel=0.05)


def test_between_two_decays_lies_their_geometric_mean():
    short, long = landmarks(tone(3000.0, 0.02)), landmarks(tone(3000.0, 0.18))
    middle = landmarks(tone(3000.0, 0.06))
    np.testing.assert_allclose(between(short, long, 0.5)[-5:], middle[-5:], rtol=0.15)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_time_goes_forward_and_ends_go_to_ends(fraction):
    first, last = landmarks(tone(200.0, 0.03)), landmarks(tone(200.0, 0.3))
    there = between(first, last, fraction)
    wanted = torch.arange(-500.0, 60_000.0, 100.0)
    place = source_times(wanted, there, first, 1.0)
    assert (place.diff() > 0).all()
    reached = source_times(torch.from_numpy(there), there, first, 1.0).numpy()
    np.testing.assert_allclose(reached, first, rtol=1e-3, atol=0.5)
    if fraction == 0:
        torch.testing.assert_close(place, wanted, rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_steps_are_even_once_the_displaced_are_moved(seed):
    heard = 1 + 0.2 * torch.rand(16, generator=torch.Generator().manual_seed(seed))
    reached = torch.cat([torch.zeros(1), heard.cumsum(0)])
    even = torch.linspace(0, float(reached[-1]), 17)
    assert variation(torch.where(displaced(heard), even, reached).diff()) <= EVEN + 1e-6


def test_of_steps_all_but_one_in_place_that_one_is_moved():
    heard = torch.ones(16)
    heard[4], heard[5] = 0.6, 1.4
    assert displaced(heard).nonzero().flatten().tolist() == [5]
    assert not displaced(torch.ones(16)).any()


# -- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Koto, C3", "Acoustic bass, C2"),
        ("Bass drum 3", "Ride bell"),
        ("Harpsichord, G3", "Synth bass 3, C3"),  # decoded a little louder than full scale
    ],
)
def test_the_ends_are_the_recordings_themselves(model, first, last):
    ends = by_name(model, first), by_name(model, last)
    clip = model.render_steps([model.geodesic(*ends, steps=3)])[0]
    recorded = torch.stack([end.audio for end in ends])
    assert log_mel_error(recorded, clip.audio[[0, -1]], model.sample_rate).max() < 1e-3


def test_a_bare_point_at_an_end_sounds_as_it_sounds_alone(model):
    bare, koto = model.point(model.library.z[7] * 0.9), by_name(model, "Koto, C3")
    clip = model.render_steps([model.geodesic(koto, bare, steps=3)])[0]
    alone = model.decode(bare.z[None]).audio
    assert log_mel_error(alone, clip.audio[-1:], model.sample_rate).max() < 0.05


# -- glide ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "last"), [("Kick 808", "Koto, C3"), ("Koto, C3", "Snare, TR-808")])
def test_a_glide_ends_with_the_hit_of_its_last_sound(model, first, last):
    ends = by_name(model, first), by_name(model, last)
    sound = model.render(model.geodesic(*ends), seconds=2.0).audio.numpy()
    hit = ends[1].audio.numpy()[ONSET : ONSET + RATE // 10]
    windows = np.lib.stride_tricks.sliding_window_view(sound[-round(1.2 * RATE) :], len(hit))
    likeness = windows @ hit / (np.linalg.norm(windows, axis=1) * np.linalg.norm(hit) + 1e-9)
    assert likeness.max() > 0.8
    begin = ends[0].audio.numpy()[ONSET : ONSET + 1500]
    assert np.corrcoef(sound[ONSET : ONSET + 1500], begin)[0, 1] > 0.6


def test_a_step_that_is_moved_on_comes_close_to_what_is_rendered_there(model):
    """A third of a step on, mixed of the steps around it; the wrong one of these lies further away."""
    path = model.paths([(by_name(model, "Kick 808"), by_name(model, "Snare, TR-808"))])[0]
    ends, steps = (path.start, path.end), torch.tensor([8, 9])
    wanted = path.times[8:9].lerp(path.times[9:], 1 / 3)[:1]

    def rendered(times, progress):
        points = geodesic.at(path.curve[None], times)[0]
        return model.renderer.steps(points, times, *ends, progress, path.features_at(times))

    around = rendered(path.times[steps], steps / 16)
    moved = model.renderer.moved_on(around, path.times[steps], wanted, steps[:1] / 16, *ends)
    sounds = torch.cat([around, moved, rendered(wanted, steps[:1] / 16)])
    before, after, mixed, there = model.timbre_of(sounds)
    assert (mixed - there).norm() < 0.2 * (after - before).norm()
    assert (mixed - there).norm() < 0.6 * (before - there).norm()
