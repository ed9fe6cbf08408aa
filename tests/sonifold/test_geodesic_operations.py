"""Exponential, logarithm, transport, mean and distances, against closed forms and each other."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from metric_cases import METRICS, HalfPlane, kernel, points, residual_pullback, sphere, spread
from torch import Tensor
from torch.testing import assert_close

from sonifold.errors import PointInvalid
from sonifold.geodesic import (
    analogy,
    continued,
    distances,
    exponential,
    extrapolate,
    frechet_mean,
    k_means,
    logarithm,
    neighbours,
    pole_ladder,
    resample,
    slopes,
    solve,
    transport,
)
from sonifold.metric import Blend, Flat, Metric, Pullback

SPHERE = Pullback(sphere)
PLACES = {
    "sphere": SPHERE,
    "half-plane": HalfPlane(),
    "kernel": kernel(2),
    "blend": Blend(SPHERE, kernel(2), 0.3),
}


def great_circle(z: Tensor, v: Tensor) -> Tensor:
    """Where the great circle from z with velocity v is after one unit of time, in space."""
    start, velocity = sphere(z), SPHERE.decode.push(z, v[:, None])[1][:, 0]
    speed = velocity.norm(dim=1, keepdim=True)
    return speed.cos() * start + speed.sin() * velocity / speed


def start(count: int = 3) -> tuple[Tensor, Tensor]:
    velocity = points(count, 2, seed=31)
    velocity[:, 1] -= 1.2
    return points(count, 2), velocity


def test_the_exponential_on_the_sphere_follows_the_great_circle():
    z, v = start()
    assert_close(sphere(exponential(SPHERE, z, v).ends), great_circle(z, v), rtol=1e-3, atol=1e-3)


def test_the_exponential_of_the_half_plane_goes_straight_up_at_a_growing_pace():
    z, v = torch.tensor([[0.3, 1.0]]).double(), torch.tensor([[0.0, 1.0]]).double()
    assert_close(
        exponential(HalfPlane(), z, v).ends, torch.tensor([[0.3, math.e]]).double(), rtol=1e-7, atol=1e-9
    )


def test_runge_kutta_converges_with_the_fourth_power_of_the_step():
    z, v = start(1)
    exact = exponential(HalfPlane(), z, v, steps=200).ends
    error = {n: (exponential(HalfPlane(), z, v, steps=n).ends - exact).norm().item() for n in (5, 10)}
    assert math.log2(error[5] / error[10]) == pytest.approx(4, abs=0.6)


def test_continuing_a_decoder_converges_with_the_square_of_the_step():
    z, v = start(1)
    error = {
        n: (sphere(exponential(SPHERE, z, v, steps=n).ends) - great_circle(z, v)).norm().item()
        for n in (16, 32)
    }
    assert math.log2(error[16] / error[32]) == pytest.approx(2, abs=0.5)


@pytest.mark.long
@pytest.mark.parametrize("name", METRICS)
def test_every_metric_conserves_energy_along_its_geodesics(name):
    metric, latent = METRICS[name]
    z = points(3, latent)
    v = 0.1 * (points(3, latent, seed=31) - 0.9)
    flow = exponential(metric, z, v)
    assert flow.nodes.shape == (3, 51, latent)
    assert_close(flow.nodes[:, 0], z)
    assert flow.drift.max() < 1e-3


def test_standing_still_is_a_geodesic():
    z = points(2, 2)
    flow = exponential(kernel(2), z, torch.zeros_like(z))
    assert_close(flow.nodes, z[:, None].expand(-1, 51, -1))
    assert flow.drift.tolist() == [0, 0]


@pytest.mark.long
@pytest.mark.parametrize("name", PLACES)
def test_the_logarithm_undoes_the_exponential(name):
    z, v = start()
    ends = exponential(PLACES[name], z, v / 2).ends
    found = logarithm(PLACES[name], z, ends, rounds=4)
    assert_close(exponential(PLACES[name], z, found).ends, ends, rtol=1e-3, atol=1e-3)
    assert_close(found, v / 2, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", PLACES)
def test_the_logarithm_is_as_long_as_the_geodesic(name):
    starts, ends = points(3, 2), points(3, 2, seed=5)
    length = solve(PLACES[name], starts, ends, 33, 1e-6, polish=True).length
    assert_close(
        PLACES[name].norm(starts, logarithm(PLACES[name], starts, ends)), length, rtol=1e-2, atol=1e-3
    )


def test_a_solved_geodesic_is_continued_as_the_same_geodesic():
    z, v = start(2)
    whole = solve(SPHERE, z, exponential(SPHERE, z, v).ends, 33, 1e-9, 200, polish=True).nodes
    assert_close(continued(SPHERE, whole[:, :17], 16), whole, rtol=1e-3, atol=1e-3)


def test_extrapolation_goes_on_at_the_same_pace_and_says_when_it_leaves_the_data():
    starts, ends = (
        torch.tensor([[1.0, 0.0], [1.2, 0.1]]).double(),
        torch.tensor([[1.3, 0.8], [1.5, 0.2]]).double(),
    )
    beyond = extrapolate(SPHERE, starts, ends, to=1.5, within_data=lambda z: z[:, 1] < 1.0)
    assert_close(beyond.nodes[:, 16], ends)
    assert beyond.times[-1].item() == pytest.approx(1.5)
    half = exponential(SPHERE, starts, 1.5 * logarithm(SPHERE, starts, ends, rounds=4)).ends
    assert_close(beyond.nodes[:, -1], half, rtol=2e-2, atol=2e-2)
    assert beyond.left[0] == pytest.approx(1.25, abs=0.13)
    assert beyond.left[1] is None
    assert beyond.warnings() == [f"left the data at t = {beyond.left[0]:.2f}", None]
    with pytest.raises(ValueError, match="above 1"):
        extrapolate(SPHERE, starts, ends, to=1.0)


@pytest.mark.parametrize("name", PLACES)
def test_transport_keeps_lengths_and_angles(name):
    metric, (a, b) = PLACES[name], (points(3, 2), points(3, 2, seed=5))
    curves = solve(metric, a, b, 33, 1e-6, polish=True).nodes
    w = points(3, 2, seed=6) - 0.9
    carried, traversal = transport(metric, curves, w, 16), slopes(curves)
    assert_close(metric.norm(b, carried), metric.norm(a, w), rtol=1e-6, atol=1e-9)
    before = metric.inner(a, traversal[:, 0], w) / metric.norm(a, traversal[:, 0])
    after = metric.inner(b, traversal[:, -1], carried) / metric.norm(b, traversal[:, -1])
    assert_close(after, before, rtol=1e-2, atol=5e-3)


def test_around_a_triangle_on_the_sphere_a_vector_turns_by_the_area():
    corners = torch.tensor([[1.2, 0.0], [1.2, 1.0], [0.5, 0.4], [1.2, 0.0]]).double()
    start_vector = carried = torch.tensor([[0.3, 0.2]]).double()
    for a, b in itertools.pairwise(corners):
        curve = solve(SPHERE, a[None], b[None], 33, 1e-8, 200, polish=True).nodes
        carried = transport(SPHERE, curve, carried, 24)
    x, y, z = sphere(corners[:3])
    area = 2 * torch.atan2(torch.linalg.det(torch.stack([x, y, z])).abs(), 1 + x @ y + y @ z + z @ x)
    base, length = corners[:1], SPHERE.inner(corners[:1], start_vector, start_vector)
    assert_close(SPHERE.inner(base, start_vector, carried) / length, area.cos()[None], rtol=1e-3, atol=1e-3)


@pytest.mark.long
def test_the_pole_ladder_agrees_with_the_equation_of_transport():
    metric, a, b = HalfPlane(), points(1, 2), points(1, 2, seed=5)
    curves = solve(metric, a, b, 33, 1e-8, 200, polish=True).nodes
    w = torch.tensor([[0.4, -0.3]]).double()
    assert_close(
        pole_ladder(metric, resample(curves, 3), w), transport(metric, curves, w), rtol=1e-2, atol=1e-2
    )


def test_an_analogy_on_a_plane_is_a_parallelogram():
    a, b, c = points(3, 4).unsqueeze(1)
    assert_close(analogy(Flat(), a, b, c).ends, b + c - a)


def test_in_an_analogy_the_answer_is_as_far_from_c_as_b_from_a():
    a, b, c = points(3, 2).unsqueeze(1)
    answer = analogy(SPHERE, a, b, c).ends
    expected = solve(SPHERE, a, b, 33, 1e-6, polish=True).length
    assert_close(solve(SPHERE, c, answer, 33, 1e-6, polish=True).length, expected, rtol=2e-2, atol=1e-3)


def test_an_analogy_whose_speed_does_not_hold_is_followed_in_more_steps():
    a, b, c = torch.tensor([[[1.5, 0.0]], [[1.5, 2.5]], [[0.4, 0.3]]]).double()
    there = solve(SPHERE, a, c, tolerance=1e-3).nodes
    begin = transport(SPHERE, there, slopes(solve(SPHERE, a, b, tolerance=1e-3).nodes)[:, 0])
    assert exponential(SPHERE, c, begin, 3).drift > 0.1
    flow = analogy(SPHERE, a, b, c, steps=3)
    assert flow.nodes.shape == (1, 4, 2)
    assert flow.drift < 0.1


def mean_on_the_sphere(z: Tensor, weights: Tensor) -> Tensor:
    """By Karcher's flow in space."""
    x = sphere(z)
    m = torch.nn.functional.normalize((weights[:, None] * x).sum(0), dim=0)
    for _ in range(100):
        cosine = (x @ m).clamp(-1, 1)
        angle = cosine.acos()
        pull = (weights * angle / angle.sin())[:, None] * (x - cosine[:, None] * m)
        step = pull.sum(0) / weights.sum()
        m = step.norm().cos() * m + torch.sinc(step.norm() / torch.pi) * step
    return m


@pytest.mark.parametrize("weights", [[1, 1, 1, 1, 1, 1], [5, 1, 0, 1, 2, 1]], ids=["equal", "weighted"])
def test_the_mean_on_the_sphere_is_karchers(weights):
    z, w = points(6, 2), torch.tensor(weights).double()
    mean = frechet_mean(SPHERE, z, w, tolerance=1e-8)
    assert mean.converged
    assert_close(sphere(mean.point[None])[0], mean_on_the_sphere(z, w), rtol=1e-2, atol=2e-3)
    assert mean.variance == pytest.approx(float((w * mean.distances**2).sum() / w.sum()))


def test_the_mean_of_two_points_is_the_middle_of_their_geodesic():
    z = torch.tensor([[0.0, 0.5], [2.0, 1.0]]).double()
    mean = frechet_mean(HalfPlane(), z, tolerance=1e-8)
    half = solve(HalfPlane(), z[:1], z[1:], 33, 1e-8, 200, polish=True).length / 2
    assert_close(mean.distances, half.expand(2), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "z",
    [[[0.0, 0.1], [4.0, 0.1]], [[0.0, 0.2], [3.0, 0.5], [1.0, 4.0]], [[0.0, 0.3], [4.0, 0.3], [1.0, 0.3]]],
    ids=["two", "three", "three in a row"],
)
def test_where_space_is_strongly_curved_the_mean_has_nearly_the_least_variance_there_is(z):
    z = torch.tensor(z).double()

    def variance(m: Tensor) -> Tensor:
        """By the closed form of the distance in the half-plane."""
        squared = (m - z).square().sum(1)
        return torch.acosh(1 + squared / (2 * m[1] * z[:, 1])).square().mean()

    best = z.mean(0).clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([best], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        found = variance(best)
        found.backward()
        return found

    optimiser.step(closure)
    mean = frechet_mean(HalfPlane(), z)
    assert variance(mean.point) < 1.01 * variance(best)
    assert mean.variance == pytest.approx(variance(best).item(), rel=0.05)


def test_a_mean_has_no_more_variance_than_the_points_around_it():
    metric = Blend(residual_pullback(), kernel(4), weight=1.0)
    z = spread(7, 4)
    mean = frechet_mean(metric, z, tolerance=1e-5)
    away = distances(metric, torch.cat([mean.point[None], z.mean(0)[None], z]), nodes=17, tolerance=1e-4)[
        :, 2:
    ]
    assert (away[0].square().sum() <= away[1:].square().sum(1) * 1.01).all()


def test_means_that_need_no_search():
    z = points(4, 3)
    assert_close(frechet_mean(Flat(), z).point, z.mean(0))
    assert_close(frechet_mean(kernel(3), z[:1]).point, z[0])
    assert frechet_mean(kernel(3), z[:1].expand(3, -1)).converged


@pytest.mark.parametrize(
    ("z", "weights", "error"),
    [
        (torch.zeros(0, 2), None, PointInvalid),
        (torch.full((2, 2), math.nan), None, PointInvalid),
        (torch.zeros(2, 2), torch.ones(3), ValueError),
        (torch.zeros(2, 2), -torch.ones(2), ValueError),
        (torch.zeros(2, 2), torch.zeros(2), ValueError),
    ],
)
def test_a_mean_of_nothing_is_refused(z, weights, error):
    with pytest.raises(error):
        frechet_mean(Flat(), z, weights)


def test_distances_on_the_sphere_are_angles():
    z = points(5, 2)
    expected = torch.acos((sphere(z) @ sphere(z).T).clamp(-1, 1)).fill_diagonal_(0)
    assert_close(distances(SPHERE, z, nodes=33, tolerance=1e-5), expected, rtol=2e-3, atol=1e-6)


def test_distances_are_a_metric_in_the_sense_of_topology():
    d = distances(kernel(3), points(6, 3), nodes=17, tolerance=1e-5)
    assert_close(d, d.T)
    assert_close(d.diagonal(), torch.zeros(6).double())
    assert (d[:, None, :] <= (d[:, :, None] + d[None]) * 1.01).all()


class Stretched(Metric):
    """Ten times as long across as along: Euclidean neighbours are not the nearest."""

    def tensor(self, z: Tensor) -> Tensor:
        return torch.diag(torch.tensor([1.0, 100.0])).expand(len(z), 2, 2)


def test_neighbours_are_ranked_by_geodesic_distance():
    crowd = torch.rand(60, 2, generator=torch.Generator().manual_seed(0))
    found = neighbours(Stretched(), torch.tensor([0.5, 0.5]), crowd, count=5)
    true = ((crowd - 0.5) * torch.tensor([1.0, 10.0])).norm(dim=1)
    assert found.indices.tolist() == true.argsort()[:5].tolist()
    assert_close(found.distances, true.sort().values[:5])


def test_more_neighbours_than_there_are_is_all_of_them():
    assert len(neighbours(Flat(), torch.zeros(2), torch.rand(3, 2), count=8).indices) == 3


def test_k_means_finds_clusters_and_lowers_its_inertia():
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[0.4, 0.5], [0.4, 1.5], [1.4, 1.0]]).double()
    crowd = torch.cat(
        [m + 0.05 * torch.randn(12, 2, generator=generator, dtype=torch.float64) for m in middles]
    )
    clusters = k_means(SPHERE, crowd, 3, seed=1)
    assert len(set(clusters.labels[:12].tolist())) == len(set(clusters.labels[12:24].tolist())) == 1
    assert len(set(clusters.labels.tolist())) == 3
    assert clusters.inertia == sorted(clusters.inertia, reverse=True)
    assert torch.cdist(middles, clusters.centres).amin(1).max() < 0.1
    with pytest.raises(ValueError, match="1 to 36"):
        k_means(SPHERE, crowd, 0)


@pytest.mark.long
def test_k_means_is_seeded():
    crowd = spread(30, 3)
    first, second = (k_means(kernel(3), crowd, 4, seed=7, rounds=2) for _ in range(2))
    assert_close(first.centres, second.centres, rtol=0, atol=0)
