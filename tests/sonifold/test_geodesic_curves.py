"""Lines, splines, even speed, paths through known points, and the linear algebra below."""

from __future__ import annotations

import math

import pytest
import torch
from metric_cases import points
from torch.testing import assert_close

from sonifold.geodesic import NeighbourGraph, at, constant_speed, line, resample, retime, tridiagonal


def test_a_line_is_straight_even_and_meets_its_ends():
    starts, ends = points(3, 4), points(3, 4, seed=1)
    curves = line(starts, ends, 7)
    assert_close(curves[:, 0], starts, rtol=0, atol=0)
    assert_close(curves[:, -1], ends, rtol=0, atol=0)
    assert_close(curves.diff(n=2, dim=1), torch.zeros(3, 5, 4).double())


@pytest.mark.parametrize("nodes", [4, 9, 33])
def test_interpolation_is_exact_for_cubics(nodes):
    def cubic(t):
        return torch.stack([t**3 - t, 2 * t**2 + 1, torch.ones_like(t)], -1)

    times, fine = (
        torch.linspace(0, 1, nodes).double(),
        torch.rand(50, generator=torch.Generator().manual_seed(0)),
    )
    curve = cubic(times)[None]
    assert_close(resample(curve, 65)[0], cubic(torch.linspace(0, 1, 65).double()))
    assert_close(at(curve, fine.double())[0], cubic(fine.double()))


def test_interpolation_converges_with_the_fourth_power_of_the_spacing():
    fine = torch.linspace(0, 1, 401).double()
    error = {}
    for n in (16, 32):
        coarse = torch.linspace(0, 1, n + 1).double()
        curve = torch.sin(5 * coarse)[None, :, None]
        error[n] = (at(curve, fine)[0, :, 0] - torch.sin(5 * fine)).abs().max().item()
    assert math.log2(error[16] / error[32]) == pytest.approx(4, abs=0.4)


def test_the_ends_survive_interpolation_to_the_last_bit():
    curves = points(20, 3).view(2, 10, 3)
    assert torch.equal(resample(curves, 65)[:, [0, -1]], curves[:, [0, -1]])


def test_each_curve_can_have_its_own_times():
    curves = points(20, 3).view(2, 10, 3)
    times = torch.tensor([[0.0, 0.3, 1.0], [0.0, 0.9, 1.0]]).double()
    assert_close(at(curves, times), torch.stack([at(curves[k : k + 1], times[k])[0] for k in range(2)]))


@pytest.mark.parametrize(("d", "m", "batch"), [(1, 1, 1), (1, 5, 2), (3, 1, 1), (3, 4, 1), (4, 7, 3)])
def test_block_tridiagonal_solutions_are_those_of_the_whole_matrix(d, m, batch):
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randn(batch, m, d, d, generator=generator, dtype=torch.float64)
    diagonal = blocks @ blocks.mT + 6 * torch.eye(d).double()
    upper = torch.randn(batch, m - 1, d, d, generator=generator, dtype=torch.float64) / d
    right = torch.randn(batch, m, d, generator=generator, dtype=torch.float64)
    whole = torch.zeros(batch, m, d, m, d, dtype=torch.float64)
    for k in range(m):
        whole[:, k, :, k] = diagonal[:, k]
    for k in range(m - 1):
        whole[:, k, :, k + 1], whole[:, k + 1, :, k] = upper[:, k], upper[:, k].mT
    expected = torch.linalg.solve(whole.view(batch, m * d, m * d), right.view(batch, -1)).view(batch, m, d)
    assert_close(tridiagonal.thomas(diagonal, upper, right), expected)
    assert_close(tridiagonal.solve(diagonal, upper, right), expected)
    assert_close(tridiagonal.banded(diagonal[:1], upper[:1], right[:1]), expected[:1])


@pytest.mark.parametrize("solve", [tridiagonal.thomas, tridiagonal.banded], ids=["thomas", "banded"])
def test_a_matrix_that_is_not_positive_has_no_solution(solve):
    indefinite = torch.diag_embed(torch.tensor([[[1.0, -1.0]]]))
    assert solve(indefinite, torch.empty(1, 0, 2, 2), torch.ones(1, 1, 2)).isnan().all()


def hurried(count: int = 129):
    """Features that run, slow down and turn."""
    t = torch.linspace(0, 1, count)
    s = t**2 + 0.1 * t
    return torch.stack([s, torch.sin(3 * s), 0.2 * s**2], 1)


def test_retimed_steps_are_equally_large():
    features, fine = hurried(), torch.linspace(0, 1, 129)
    times = constant_speed(features, 17)
    visited = at(features[None], times)[0]
    steps = visited.diff(dim=0).norm(dim=1)
    assert (steps.std() / steps.mean()).item() < 2e-3
    assert (times.diff() > 0).all()
    assert times[0] == 0
    assert times[-1] == 1
    even = features[:: len(fine) // 16].diff(dim=0).norm(dim=1)
    assert (even.std() / even.mean()).item() > 0.3


def test_retiming_moves_along_the_curve_and_holds_its_ends():
    curves = torch.stack([hurried(33), 2 * hurried(33)])
    visited, times = retime(curves, torch.stack([hurried(), hurried()]), 9)
    assert visited.shape == (2, 9, 3)
    assert_close(visited, at(curves, times))
    assert_close(visited[:, [0, -1]], curves[:, [0, -1]])


def test_retiming_what_does_not_change_leaves_the_times_even():
    assert_close(constant_speed(torch.ones(20, 3), 5), torch.linspace(0, 1, 5))


def test_a_pause_along_the_curve_is_skipped():
    features = torch.cat([torch.linspace(0, 1, 40), torch.ones(40), torch.linspace(1, 2, 40)])[:, None]
    steps = at(features[None], constant_speed(features, 5))[0].diff(dim=0)
    assert_close(steps, torch.full_like(steps, 0.5), rtol=0.02, atol=0)


def swiss_roll(count: int = 400):
    angle = torch.linspace(0, 1, count).double() ** 0.7 * 3 * math.pi + 1.5
    return torch.stack([angle * angle.cos(), angle * angle.sin()], 1)


def test_the_graph_path_follows_the_roll_that_the_line_cuts_through():
    roll = swiss_roll()
    path = NeighbourGraph(roll, roll).path(roll[0], roll[-1], roll[0], roll[-1], nodes=129)
    away = torch.cdist(path.nodes, roll).amin(1)
    assert away.max() < 0.2
    assert torch.cdist(line(roll[:1], roll[-1:], 129)[0], roll).amin(1).max() > 1
    assert path.through == sorted(path.through)
    assert len(path.through) > 20


def test_graph_paths_meet_their_ends_wherever_they_lie():
    roll = swiss_roll()
    start, end = roll[3] + 0.05, roll[50] - 0.05
    nodes = NeighbourGraph(roll, roll).path(start, end, start, end, nodes=9).nodes
    assert_close(nodes[[0, -1]], torch.stack([start, end]), rtol=0, atol=0)


def test_separate_clusters_are_still_connected():
    generator = torch.Generator().manual_seed(0)
    clusters = torch.cat(
        [torch.randn(30, 3, generator=generator), 100 + torch.randn(30, 3, generator=generator)]
    )
    path = NeighbourGraph(clusters, clusters, neighbours=3).path(
        clusters[0], clusters[-1], clusters[0], clusters[-1]
    )
    assert torch.isfinite(path.nodes).all()
    assert {k < 30 for k in path.through} == {True, False}


@pytest.mark.parametrize("count", [1, 2])
def test_a_library_of_one_or_two_has_a_graph(count):
    z = points(count, 3)
    path = NeighbourGraph(z, z).path(z[0] - 1, z[0] + 1, z[0] - 1, z[0] + 1, nodes=5)
    assert path.nodes.shape == (5, 3)
    assert torch.isfinite(path.nodes).all()


def test_from_a_sound_to_itself_the_graph_path_stands_still():
    roll = swiss_roll()
    path = NeighbourGraph(roll, roll).path(roll[5], roll[5], roll[5], roll[5], nodes=5)
    assert_close(path.nodes, roll[5].expand(5, -1))


def test_a_graph_needs_features_for_every_point():
    with pytest.raises(ValueError, match="equally many"):
        NeighbourGraph(torch.zeros(3, 2), torch.zeros(4, 2))
