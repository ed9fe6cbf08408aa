"""Geodesics with known answers, and what a solver promises whatever it is given."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import pytest
import torch
from metric_cases import (
    CONE,
    METRICS,
    HalfPlane,
    cone,
    kernel,
    points,
    residual_pullback,
    sphere,
    spread,
    torus,
)
from torch import Tensor, nn
from torch.testing import assert_close

from sonifold.errors import PointInvalid
from sonifold.geodesic import Stop, georce, line, newton, quasi_newton, solve
from sonifold.metric import Blend, Flat, KernelMetric, Metric, Pullback


def pair(start: list[float], end: list[float]) -> tuple[Tensor, Tensor]:
    return torch.tensor([start]).double(), torch.tensor([end]).double()


def solved(metric: Metric, start: Tensor, end: Tensor, nodes: int = 33, tolerance: float = 1e-7):
    return solve(metric, start, end, nodes=nodes, tolerance=10 * tolerance, polish=True, max_steps=200)


def test_on_a_sphere_the_geodesic_is_the_great_circle():
    start, end = pair([1.0, 0.0], [1.2, 2.0])
    path = solved(Pullback(sphere), start, end)
    great_circle = torch.acos((sphere(start) * sphere(end)).sum())
    normal = torch.linalg.cross(sphere(start), sphere(end))
    assert path.stop == [Stop.CONVERGED]
    assert path.length.item() == pytest.approx(great_circle.item(), rel=1e-3)
    assert path.energy.item() == pytest.approx(great_circle.item() ** 2, rel=1e-3)
    assert path.line_length.item() > 1.05 * path.length.item()
    assert (sphere(path.nodes[0]) @ normal[0]).abs().max() < 1e-3  # all nodes in the plane through both ends


def test_in_the_hyperbolic_half_plane_the_distance_is_the_closed_form():
    start, end = pair([0.0, 0.5], [2.0, 1.0])
    path = solved(HalfPlane(), start, end, nodes=65)
    expected = math.acosh(1 + ((end - start) ** 2).sum().item() / (2 * 0.5 * 1.0))
    assert path.converged == [True]
    assert path.length.item() == pytest.approx(expected, rel=1e-3)


def test_on_a_cone_the_geodesic_is_straight_once_unrolled():
    start, end = pair([1.0, 0.0], [1.5, 2.0])
    opening = 2.0 * CONE
    expected = math.sqrt(1 + 1.5**2 - 2 * 1.5 * math.cos(opening))
    assert solved(Pullback(cone), start, end).length.item() == pytest.approx(expected, rel=1e-3)


def test_on_the_flat_torus_geodesics_are_straight_lines():
    start, end = pair([0.1, 0.2], [1.0, 1.5])
    path = solve(Pullback(torus), start, end)
    assert path.stop == [Stop.STRAIGHT]
    assert_close(path.nodes, line(start, end, 17))


@pytest.mark.parametrize("metric", [Pullback(sphere), HalfPlane()], ids=["chords", "middles"])
def test_the_error_of_the_length_falls_with_the_square_of_the_spacing(metric):
    start, end = pair([0.8, 0.6], [1.2, 2.0])
    lengths = {n: solved(metric, start, end, n + 1, tolerance=1e-11).length.item() for n in (8, 16, 256)}
    slope = math.log2(abs(lengths[8] - lengths[256]) / abs(lengths[16] - lengths[256]))
    assert slope == pytest.approx(2, abs=0.1)


def test_speed_is_constant_along_a_geodesic():
    start, end = pair([1.0, 0.0], [1.2, 2.0])
    path = solved(Pullback(sphere), start, end)
    speed = Pullback(sphere).squared_steps(path.nodes).sqrt()
    assert (speed.std() / speed.mean()).item() < 1e-3
    assert path.energy.item() == pytest.approx(path.length.item() ** 2, rel=1e-5)


@pytest.mark.parametrize(
    ("metric", "latent"),
    [(HalfPlane(), 2), (kernel(3), 3), (kernel(3, full=True), 3), (Pullback(sphere), 2)],
    ids=["half-plane", "kernel", "full kernel", "sphere"],
)
def test_three_solvers_find_the_same_energy(metric, latent):
    curves = line(points(6, latent), points(6, latent, seed=7), 17)
    typical = metric.typical_tensor(curves)
    energies = torch.stack(
        [
            quasi_newton.minimise(metric, curves, typical, 1e-8, 300).energy,
            newton.minimise(metric, curves, 1e-8, 100).energy,
            georce.minimise(metric, curves, 1e-8, 300).energy,
        ]
    )
    assert_close(energies, energies[:1].expand_as(energies), rtol=1e-5, atol=1e-9)
    assert (energies[0] < metric.energy(curves)).all()


@pytest.mark.parametrize("full", [False, True], ids=["diagonal", "full"])
def test_under_a_kernel_metric_paths_are_within_a_percent_of_the_best_on_a_fine_grid(full):
    metric, ends = kernel(6, centroids=40, full=full), (1.5 * spread(12, 6, 4), 1.5 * spread(12, 6, 5))
    quick, long = solve(metric, *ends), solve(metric, *ends, nodes=65, tolerance=1e-6, max_steps=300)
    assert (metric.energy(quick.sample(257)) < 1.01 * metric.energy(long.sample(257))).all()
    assert (long.energy < 0.9 * long.line_energy).any()


def orthogonal_decoder(activation: type[nn.Module], latent: int) -> nn.Sequential:
    """Three hidden layers of orthogonal weights x 1.5, and 2,000 outputs: curved, and nothing was chosen on it."""
    generator = torch.Generator().manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((latent, 256, 256, 256, 2000)):
        linear = nn.Linear(inputs, outputs)
        nn.init.orthogonal_(linear.weight, 1.5, generator)
        nn.init.zeros_(linear.bias)
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1]).requires_grad_(False).eval()


@pytest.mark.parametrize("activation", [nn.SiLU, nn.Tanh])
@pytest.mark.parametrize("latent", [8, 16])
def test_defaults_are_within_a_thousandth_of_the_best_on_a_decoder_they_were_not_chosen_on(
    activation, latent
):
    decoder = orthogonal_decoder(activation, latent)
    starts, ends = torch.randn(2, 12, latent, generator=torch.Generator().manual_seed(1))
    exact = Pullback(copy.deepcopy(decoder).double())
    best = solve(exact, starts.double(), ends.double(), 33, tolerance=1e-6, polish=True, max_steps=300)
    quick = solve(Pullback(decoder), starts, ends)
    energy = exact.energy(quick.sample(257).double())
    assert all(quick.converged)
    assert (energy <= 1.001 * exact.energy(best.sample(257))).all()


@pytest.mark.parametrize(
    "solver", [quasi_newton, newton, georce], ids=lambda module: module.__name__.split(".")[-1]
)
def test_a_solver_never_raises_the_energy_and_holds_the_ends(solver):
    metric, curves = kernel(3), line(points(5, 3), points(5, 3, seed=7), 9)
    typical = [metric.typical_tensor(curves)] if solver is quasi_newton else []
    last = metric.energy(curves)
    for steps in (1, 2, 4):
        descent = solver.minimise(metric, curves, *typical, tolerance=0.0, max_steps=steps)
        assert (descent.energy <= last).all()
        assert_close(descent.energy, metric.energy(descent.curves))
        assert_close(descent.curves[:, [0, -1]], curves[:, [0, -1]], rtol=0, atol=0)
        last = descent.energy


HARD = {
    "blend": (Blend(residual_pullback(), kernel(4, centroids=30), weight=1.0), 4),
    "blend, through known points": (Blend(residual_pullback(), kernel(4, centroids=30), weight=10.0), 4),
    "kernel, narrow": (KernelMetric.posterior(spread(40, 2), spread(40, 2, seed=2), temperature=0.05), 2),
    "half-plane": (HalfPlane(), 2),
}


@pytest.mark.parametrize("name", HARD)
def test_no_path_has_more_energy_than_its_line_on_a_grid_eight_times_finer(name):
    metric, latent = HARD[name]
    starts, ends = spread(60, latent, seed=11), spread(60, latent, seed=12)
    paths = solve(metric, starts, ends)
    fine, straight = metric.energy(paths.sample(129)), metric.energy(line(starts, ends, 129))
    assert torch.isfinite(paths.nodes).all()
    assert (fine <= straight * (1 + 1e-12)).all()
    assert sum(paths.converged) >= 50


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_geodesics(name):
    metric, latent = METRICS[name]
    paths = solve(metric, points(3, latent), points(3, latent, seed=5))
    assert all(paths.converged)
    assert (paths.energy <= paths.line_energy * (1 + 1e-9)).all()
    assert_close(paths.energy, metric.energy(paths.nodes))
    assert_close(paths.length, metric.length(paths.nodes))


def test_a_batch_is_a_loop():
    metric = Blend(residual_pullback(), kernel(4), weight=1.0)
    starts, ends = points(5, 4), points(5, 4, seed=5)
    together = solve(metric, starts, ends)
    apart = torch.cat([solve(metric, a[None], b[None]).nodes for a, b in zip(starts, ends, strict=True)])
    assert_close(together.nodes, apart)


def test_more_pairs_than_a_chunk_come_back_in_order():
    starts, ends = points(150, 2), points(150, 2, seed=5)
    paths = solve(Flat(), starts, ends)
    assert len(paths) == len(paths.stop) == 150
    assert_close(paths.nodes, line(starts, ends, 17))


def test_polishing_lowers_the_energy():
    metric = Blend(residual_pullback(), kernel(4), weight=1.0)
    starts, ends = points(5, 4), points(5, 4, seed=5)
    assert (solve(metric, starts, ends, polish=True).energy <= solve(metric, starts, ends).energy).all()


def test_coincident_ends_give_a_single_point():
    metric = Blend(residual_pullback(), kernel(4), weight=1.0)
    start = points(2, 4)
    end = torch.stack([start[0], start[1] + 0.1])
    paths = solve(metric, start, end)
    assert paths.stop[0] is Stop.COINCIDENT
    assert paths.converged == [True, True]
    assert_close(paths.nodes[0], start[:1].expand(17, -1))
    assert paths.length[0].item() == pytest.approx(0, abs=1e-12)


def test_ends_far_outside_the_data_give_a_path_all_the_same():
    metric = Blend(residual_pullback(), kernel(4), weight=1.0)
    paths = solve(metric, points(1, 4), torch.full((1, 4), 1e6).double())
    assert torch.isfinite(paths.nodes).all()
    assert (paths.energy <= paths.line_energy).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_paths_have_the_precision_of_their_ends(dtype):
    metric = Blend(residual_pullback(), kernel(4), weight=1.0)
    paths = solve(metric, points(2, 4).to(dtype), points(2, 4, seed=5).to(dtype))
    assert paths.nodes.dtype == paths.energy.dtype == dtype
    assert paths.converged == [True, True]


def test_non_contiguous_ends_are_ends():
    starts, ends = points(4, 3), points(4, 3, seed=5)
    turned = solve(kernel(3), starts.mT.contiguous().mT, ends.mT.contiguous().mT)
    assert_close(turned.nodes, solve(kernel(3), starts, ends).nodes)


def test_no_pairs_give_no_paths():
    paths = solve(kernel(3), torch.empty(0, 3), torch.empty(0, 3))
    assert len(paths) == 0
    assert paths.nodes.shape == (0, 17, 3)


@pytest.mark.parametrize(
    ("starts", "ends", "sentence"),
    [
        (torch.zeros(3), torch.zeros(3), r"start\[None\]"),
        (torch.zeros(2, 3), torch.zeros(1, 3), "batch, latent"),
        (torch.zeros(2, 3), torch.tensor([[0, 0, 0], [0, math.nan, 0]]), r"end points \[1\]"),
        (torch.full((1, 3), math.inf), torch.zeros(1, 3), "finite"),
    ],
)
def test_points_that_are_none_are_named(starts, ends, sentence):
    with pytest.raises(PointInvalid, match=sentence):
        solve(Flat(), starts, ends)


def test_a_path_needs_three_nodes():
    with pytest.raises(ValueError, match="3 nodes"):
        solve(Flat(), torch.zeros(1, 2), torch.ones(1, 2), nodes=2)


class Mirage(Metric):
    """Cheap beside the line when looked at coarsely, dear there when looked at closely."""

    def tensor(self, z: Tensor, valley: float = -0.9) -> Tensor:
        bump = torch.exp(-8 * ((z - torch.tensor([0.5, 0.4])) ** 2).sum(1))
        return (1 + valley * bump)[:, None, None] * torch.eye(2)

    def squared_steps(self, curves: Tensor) -> Tensor:
        if curves.shape[1] < 100:
            return super().squared_steps(curves)
        steps, middles = curves.diff(dim=1), (curves[:, 1:] + curves[:, :-1]) / 2
        g = self.tensor(middles.flatten(0, 1), valley=9.0).view(*steps.shape, 2)
        return torch.einsum("bni,bnij,bnj->bn", steps, g, steps)


def test_a_path_dearer_than_the_line_on_the_fine_grid_is_never_returned():
    starts, ends = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    paths = solve(Mirage(), starts, ends)
    assert paths.stop == [Stop.LINE_KEPT]
    assert paths.converged == [False]
    assert_close(paths.nodes, line(starts, ends, 17))
    assert_close(paths.energy, paths.line_energy)


def test_where_the_metric_is_not_finite_the_line_is_returned_and_says_so():
    class Broken(Metric):
        def tensor(self, z: Tensor) -> Tensor:
            return torch.eye(2) * torch.where(z[:, 0] > 2, torch.inf, 1.0)[:, None, None]

    starts, ends = torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [9.0, 1.0]])
    paths = solve(Broken(), starts, ends)
    assert paths.stop == [Stop.STRAIGHT, Stop.NOT_FINITE]
    assert torch.isfinite(paths.nodes).all()


def test_an_outcome_is_a_sentence():
    assert str(Stop.OUT_OF_STEPS).startswith("step limit reached")
    assert len({str(stop) for stop in Stop}) == len(Stop)


def test_a_curve_through_the_lattice_is_not_called_the_straight_line():
    class Growing(Metric):
        def tensor(self, z):
            return (1 + (z**2).sum(1))[:, None, None] * torch.eye(2, dtype=z.dtype)

    path = solve(Growing(), torch.tensor([[2.0, -2.0]]), torch.tensor([[2.0, 2.0]]))
    assert path.length[0] < 0.95 * path.line_length[0]
    assert path.stop[0] is Stop.CONVERGED
