"""Distances modulo transposition: symmetric, at most the base distance, zero on an orbit, registered by the truth."""

from __future__ import annotations

import pytest
import torch

from sonifold import quotient
from sonifold.choices import DistanceName
from sonifold.metric import Flat
from sonifold.morph.transpose import Transposer
from sonifold.representation.spectral import ONSET

pytestmark = pytest.mark.long

RATE, SAMPLES = 44_100, 65_536
TIME = (torch.arange(SAMPLES) - ONSET) / RATE
SHIFTS = quotient.shifts(1.0, 1 / 12)


def tone(hertz: float, decay: float = 0.3, partials: int = 8) -> torch.Tensor:
    """Partials that begin at the onset; the higher the sound, the sooner it dies, as a transposed one does."""
    waves = sum(torch.sin(2 * torch.pi * k * hertz * TIME) / k for k in range(1, partials + 1))
    return torch.where(TIME >= 0, 0.3 * waves * torch.exp(-TIME / decay), 0.0)


def orbits(*sounds: torch.Tensor) -> quotient.Orbits:
    return quotient.timbre_orbits(torch.stack(sounds), RATE, ONSET, SHIFTS)


@pytest.fixture(scope="module")
def library(model):
    """Orbits of real sounds of all families."""
    audio = torch.stack([model.library.audio(id, SAMPLES) for id in model.library.ids[::180]])
    return quotient.timbre_orbits(audio, RATE, ONSET, SHIFTS)


def test_another_rate_is_another_key(model):
    audio = model.library.audio(model.library.ids[200], SAMPLES)
    octaves = torch.tensor([-0.5, 0.0, 0.75], dtype=torch.float64)
    by_rate = quotient.timbre_orbits(audio[None], RATE, ONSET, octaves).points[0]
    by_copies = model.timbre_of(quotient.copies(audio, octaves))
    apart = torch.cdist(by_copies, by_copies)[1, [0, 2]].min()
    assert (by_rate - by_copies).norm(dim=1).max() < 0.1 * apart


def test_a_quotient_distance_is_symmetric_zero_on_the_diagonal_and_at_most_the_base_distance(library):
    matrix, octaves = quotient.distances(library)
    assert torch.equal(matrix, matrix.T)
    assert torch.equal(octaves, -octaves.T)
    assert (matrix.diagonal() == 0).all()
    base = torch.cdist(library.base, library.base, compute_mode="donot_use_mm_for_euclid_dist")
    assert (matrix <= base + 1e-4).all()
    assert (matrix < base - 1e-3).any()


@pytest.mark.parametrize("octaves", [-0.7, -0.1, 0.29, 0.55])
def test_a_transposed_sound_is_on_the_orbit_and_the_transposition_is_recovered(octaves):
    sound = tone(330.0)
    moved = Transposer(sound)(octaves)
    registered = quotient.distances(orbits(sound), orbits(moved))
    base = (orbits(sound).base - orbits(moved).base).norm()
    assert float(registered.octaves) == pytest.approx(octaves, abs=0.02)
    assert float(registered.distances) < 0.2 * float(base)


@pytest.mark.parametrize("moved_side", [0, 1])
def test_transposing_either_sound_keeps_the_distance(model, moved_side):
    names = model.library.names
    audio = [
        model.library.audio(model.library.ids[names.index(n)], SAMPLES) for n in ("Koto, G3", "Banjo, C4")
    ]
    before = float(quotient.distances(orbits(audio[0]), orbits(audio[1])).distances)
    base = float((orbits(audio[0]).base - orbits(audio[1]).base).norm())
    audio[moved_side] = Transposer(audio[moved_side])(0.25)
    after = float(quotient.distances(orbits(audio[0]), orbits(audio[1])).distances)
    moved_base = float((orbits(audio[0]).base - orbits(audio[1]).base).norm())
    assert abs(after - before) < 0.5 * abs(moved_base - base) or after == pytest.approx(before, rel=0.1)


def test_the_mean_of_copies_of_one_sound_lies_on_its_orbit():
    sound = tone(440.0)
    copies = [sound, *(Transposer(sound)(octaves) for octaves in (-0.5, 0.25, 0.5))]
    mean = quotient.frechet_mean(orbits(*copies))
    assert mean.converged
    plain = orbits(*copies).base
    assert mean.variance < 0.05 * float((plain - plain.mean(0)).square().sum(1).mean())
    relative = mean.octaves - mean.octaves[0]
    assert relative.tolist() == pytest.approx([0, 0.5, -0.25, -0.5], abs=0.04)


def test_the_mean_is_the_least_of_its_neighbourhood(library):
    mean = quotient.frechet_mean(library)
    for seed in range(5):
        step = torch.randn(mean.point.shape, generator=torch.Generator().manual_seed(seed))
        moved = mean.point + 0.3 * step / step.norm()
        away = quotient.from_points(moved[None], library).distances
        assert float(away.square().mean()) > mean.variance


def test_any_base_distance_by_trying_every_key(library):
    rows, columns = torch.triu_indices(len(library), len(library), 1)
    tried = quotient.least(lambda a, b: (a - b).norm(dim=1), library[rows], library[columns])
    broken_lines = quotient.distances(library).distances[rows, columns]
    assert (broken_lines <= tried.distances + 1e-3).all()
    assert (broken_lines > 0.8 * tried.distances).all()


def test_lengths_over_the_flat_metric_are_quotient_distances():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(6, len(SHIFTS), 3, generator=generator).cumsum(1) * 0.2
    some = quotient.Orbits(SHIFTS, points)
    matrix, octaves = quotient.distances(some)
    rows, columns = torch.triu_indices(6, 6, 1)
    both = torch.cat([rows, columns]), torch.cat([columns, rows])
    # a registration moves one of the two sounds, a length always the first
    lengths = quotient.lengths(Flat(), some[both[0]], some[both[1]], octaves[both[0], both[1]])
    least = torch.minimum(*lengths.chunk(2))
    assert torch.allclose(least, matrix[rows, columns], atol=1e-4)


@pytest.mark.parametrize(("reach", "step"), [(0, 0.1), (1, -1)])
def test_a_reach_and_a_step_are_above_zero(reach, step):
    with pytest.raises(ValueError, match="above 0 octaves"):
        quotient.shifts(reach, step)


# -- of a model -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sounds(model):
    """A sound, itself a third of an octave higher, and another."""
    names = model.library.names
    koto, other = (
        model.sound(model.library.ids[names.index(name)]) for name in ("Koto, G3", "Acoustic bass, C3")
    )
    return [koto, model.orbits.transposed(koto, 1 / 3), other]


@pytest.mark.parametrize("distance", DistanceName)
def test_distances_of_a_model_modulo_transposition(model, sounds, distance):
    base, modulo = model.distances(sounds, distance), model.distances(sounds, distance, "transposition")
    assert torch.equal(modulo, modulo.T)
    assert (modulo.diagonal() == 0).all()
    assert (modulo <= base + 1e-3).all()
    assert modulo[0, 1] < 0.5 * base[0, 1]


def test_a_copy_is_registered_and_a_geodesic_from_it_is_shorter(model, sounds):
    registration = model.register(sounds[1], sounds[0])
    assert registration.octaves == pytest.approx(-1 / 3, abs=0.05)
    assert registration.sound.pitch_hz is None or registration.sound.pitch_hz > 0
    plain, registered = (
        model.geodesic(start, sounds[0], "pullback") for start in (sounds[1], registration.sound)
    )
    assert registered.length < 0.7 * plain.length


def test_neighbours_modulo_transposition_are_as_far_as_their_distance_says(model, sounds):
    near = model.neighbours(sounds[0], 3, modulo="transposition")
    assert sounds[0].id not in dict(near)
    assert [d for _, d in near] == sorted(d for _, d in near)
    for id, distance in near:
        assert model.distance(sounds[0], model.sound(id), modulo="transposition") == pytest.approx(distance)


def test_a_mean_modulo_transposition_varies_less(model, sounds):
    assert model.mean(sounds[:2], modulo="transposition").variance < model.mean(sounds[:2]).variance


def test_another_group_is_refused(model, sounds):
    with pytest.raises(ValueError, match="choose one of transposition"):
        model.distances(sounds, modulo="rotation")
    with pytest.raises(ValueError, match="go by perceptual distance"):
        model.neighbours(sounds[0], distance="euclidean", modulo="transposition")
