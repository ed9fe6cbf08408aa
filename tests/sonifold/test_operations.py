"""New points from old on the shipped pack: exact under the flat metric, honest under the others."""

import math

import pytest
import torch

import sonifold
from sonifold.choices import SamplerName


@pytest.fixture(scope="module")
def sounds(model):
    """One of each family."""
    families = model.library.families
    return [
        model.sound(model.library.ids[families.index(name)]) for name in ("Kick", "Snare", "Bell", "Pluck")
    ]


def test_a_flat_mean_is_the_weighted_average(model, sounds):
    mean = model.mean(sounds[:3], [1, 2, 1], metric="flat")
    expected = (sounds[0].z + 2 * sounds[1].z + sounds[2].z) / 4
    torch.testing.assert_close(mean.z, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(mean.distances, torch.stack([(s.z - mean.z).norm() for s in sounds[:3]]))
    assert [spoke.shape[1] for spoke in mean.spokes] == [2, 2, 2]


def test_a_flat_analogy_is_a_parallelogram(model, sounds):
    a, b, c = sounds[:3]
    torch.testing.assert_close(model.analogy(a, b, c, metric="flat").z, c.z + b.z - a.z, atol=1e-3, rtol=0)


def test_a_flat_extrapolation_goes_straight_on(model, sounds):
    a, b = sounds[:2]
    found = model.extrapolate(a, b, 1.5, metric="flat")
    torch.testing.assert_close(found.z, a.z + 1.5 * (b.z - a.z), atol=1e-4, rtol=0)
    assert float(found.times[-1]) == 1.5
    assert len(found.course) == len(found.times)


def test_the_mean_of_two_is_as_good_as_the_middle_of_their_geodesic(model, sounds):
    metric = model.metric("kernel")
    mean = model.mean(sounds[:2], metric="kernel")
    assert mean.converged
    solved = sonifold.geodesic.solve(metric, sounds[0].z[None], sounds[1].z[None], 33)
    assert mean.variance <= 1.06 * (float(solved.length[0]) / 2) ** 2  # its arms are solved on nine nodes
    near, far = mean.distances.tolist()
    assert near == pytest.approx(far, rel=0.1)


def test_every_mean_is_no_worse_than_the_euclidean_one(model, sounds):
    z = torch.stack([sound.z for sound in sounds])
    for name in ("blend", "pullback", "kernel"):
        metric = model.metric(name)
        mean = model.mean(sounds, metric=name)
        rival = sonifold.geodesic.lengths(metric, z.mean(0).expand_as(z), z)
        assert mean.variance <= float(rival.square().mean()) * 1.001


def test_far_beyond_b_leaves_the_data_and_says_when(model, sounds):
    found = model.extrapolate(sounds[0], sounds[2], 4.0, metric="flat")
    assert found.left is not None
    assert 0 <= found.left <= 4
    assert f"left the data at t = {found.left:.2f}" in [caveat.text for caveat in found.caveats]
    assert not found.in_distribution
    assert "off_the_data" in [caveat.code for caveat in found.caveats]


def test_library_sounds_are_known_but_for_the_loneliest_and_far_points_are_not(model):
    z = model.library.z
    assert model.distribution.contains(z).all()
    away = torch.cdist(model.atlas.coordinates, model.atlas.coordinates).fill_diagonal_(math.inf).amin(1)
    assert (away <= model.distribution.reach).float().mean() == pytest.approx(0.95, abs=0.005)
    assert not model.distribution.contains(20 * z[:50]).any()


def test_a_decoder_without_a_condition_refuses_one(model, sounds):
    for refused in (
        lambda: model.metric(condition=torch.zeros(1)),
        lambda: model.decode(sounds[0].z[None], torch.zeros(1)),
    ):
        with pytest.raises(ValueError, match="a condition of 0 numbers, got 1"):
            refused()


def test_flat_neighbours_are_the_euclidean_ones(model, sounds):
    found = model.neighbours(sounds[0], 5, metric="flat")
    away = (model.library.z - sounds[0].z).norm(dim=1)
    expected = away.argsort()[1:6]
    assert [i for i, _ in found] == [model.library.ids[i] for i in expected]
    assert [d for _, d in found] == pytest.approx(away[expected].tolist(), rel=1e-4)


@pytest.mark.parametrize("name", SamplerName)
def test_samplers_repeat_themselves_and_stay_finite(model, sounds, name):
    first, again = (model.sample(name, 4, seed=3, start=sounds[0]) for _ in range(2))
    assert first.points.shape == (4, model.latent_dim)
    assert torch.isfinite(first.points).all()
    assert torch.equal(first.points, again.points)
    assert not torch.equal(first.points, model.sample(name, 4, seed=4, start=sounds[0]).points)
    assert len(first.nearest) == 4
    assert first.positions.shape == (4, 2)
    assert first.in_distribution.shape == (4,)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m, s: m.mean(s[:1]),
        lambda m, s: m.mean(s[:2], [1]),
        lambda m, s: m.mean(s[:2], [0, 0]),
        lambda m, s: m.mean(s[:2], [1, math.nan]),
        lambda m, s: m.extrapolate(*s[:2], 1.0),
        lambda m, s: m.extrapolate(*s[:2], math.nan),
        lambda m, s: m.sample("nonsense"),
        lambda m, s: m.sample("prior", 0),
        lambda m, s: m.sample("prior", temperature=0),
        lambda m, s: m.sample("walk"),
    ],
)
def test_requests_that_cannot_be_answered_say_why(model, sounds, wrong):
    with pytest.raises(ValueError, match=r"\d|one of|start"):
        wrong(model, sounds)
