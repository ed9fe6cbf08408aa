"""What every metric promises, and what each says of itself."""

from __future__ import annotations

import math

import pytest
import torch
from metric_cases import METRICS, kernel, metrics, points, residual_pullback, saddle, sphere, spread
from torch.testing import assert_close

from sonifold.geodesic import line, solve
from sonifold.geodesic.spline import rates
from sonifold.metric import (
    Blend,
    DecoderEnsemble,
    Flat,
    ForwardMode,
    KernelMetric,
    Metric,
    Pullback,
    SamplingMetric,
)
from sonifold.metric.base import Steps


@pytest.mark.parametrize("name", METRICS)
class TestContract:
    """Adding a metric to METRICS is all it takes to hold it to these."""

    @pytest.fixture
    def metric(self, name: str) -> Metric:
        return METRICS[name][0]

    @pytest.fixture
    def z(self, name: str):
        return points(7, METRICS[name][1])

    @pytest.fixture
    def vectors(self, z):
        generator = torch.Generator().manual_seed(9)
        return torch.randn(2, *z.shape, generator=generator, dtype=z.dtype)

    def test_the_tensor_is_symmetric_and_positive(self, metric, z):
        g = metric.tensor(z)
        assert g.shape == (7, z.shape[1], z.shape[1])
        assert_close(g, g.mT)
        assert torch.linalg.eigvalsh(g).min() > 0

    def test_the_cometric_is_the_inverse_of_the_tensor(self, metric, z):
        assert_close(metric.cometric(z) @ metric.tensor(z), torch.eye(z.shape[1]).double().expand(7, -1, -1))

    def test_lowering_and_raising_undo_each_other(self, metric, z, vectors):
        assert_close(metric.lower(z, vectors[0]), (metric.tensor(z) @ vectors[0][..., None])[..., 0])
        assert_close(metric.raised(z, metric.lower(z, vectors[0])), vectors[0])

    def test_inner_products_and_norms_are_those_of_the_tensor(self, metric, z, vectors):
        u, v = vectors
        expected = torch.einsum("bi,bij,bj->b", u, metric.tensor(z), v)
        assert_close(metric.inner(z, u, v), expected)
        assert_close(metric.inner(z, u, v), metric.inner(z, v, u))
        assert_close(metric.norm(z, u) ** 2, metric.inner(z, u, u))

    def test_log_det_is_that_of_the_tensor_and_magnification_half_of_it(self, metric, z):
        assert_close(metric.log_det(z), torch.linalg.slogdet(metric.tensor(z)).logabsdet)
        assert_close(metric.magnification(z), metric.log_det(z) / 2)

    def test_the_gradient_is_the_derivative_of_the_squared_norm(self, metric, z, vectors):
        y, u = z.clone().requires_grad_(True), vectors[0]
        squared = torch.einsum("bi,bij,bj->b", u, metric.tensor(y), u).sum()
        expected = torch.autograd.grad(squared, y)[0] if squared.requires_grad else torch.zeros_like(z)
        assert_close(metric.gradient(z, u), expected)

    def test_the_gradient_of_the_magnification_is_its_derivative(self, metric, z):
        volume, gradient = metric.magnification_gradient(z)
        y = z.clone().requires_grad_(True)
        expected = metric.magnification(y)
        assert_close(volume, expected.detach())
        slope = torch.autograd.grad(expected.sum(), y)[0] if expected.requires_grad else torch.zeros_like(z)
        assert_close(gradient, slope)

    def test_the_gradient_agrees_with_differences_which_share_no_code_with_it(self, metric, z, vectors):
        u, step = vectors[0], 1e-5
        ahead, behind = (metric.inner(z + sign * step * vectors[1], u, u) for sign in (1, -1))
        expected = (ahead - behind) / (2 * step)
        assert_close((metric.gradient(z, u) * vectors[1]).sum(1), expected, rtol=1e-6, atol=1e-6)

    def test_the_connection_is_symmetric_and_made_of_derivatives_of_the_tensor(self, metric, z, vectors):
        u, v = vectors
        w, step = torch.ones_like(u), 1e-5

        def change(direction, a, b):
            ahead, behind = (metric.inner(z + sign * step * direction, a, b) for sign in (1, -1))
            return (ahead - behind) / (2 * step)

        expected = (change(u, v, w) + change(v, u, w) - change(w, u, v)) / 2
        assert_close((metric.connection(z, u, v) * w).sum(1), expected, rtol=1e-5, atol=1e-5)
        assert_close(metric.connection(z, u, v), metric.connection(z, v, u))
        assert_close(metric.connection(z, u, u), metric.connection(z, u, u.clone()))
        assert_close(metric.lower(z, metric.christoffel(z, u, v)), metric.connection(z, u, v))

    def test_a_batch_is_a_loop(self, metric, z):
        assert_close(metric.tensor(z), torch.cat([metric.tensor(row[None]) for row in z]))
        assert_close(metric.log_det(z), torch.cat([metric.log_det(row[None]) for row in z]))

    def test_the_energy_gradient_is_the_derivative_of_the_energy(self, metric, z):
        curves = line(z[:3], z[3:6], 6) + 0.05 * points(18, z.shape[1], seed=4).view(3, 6, -1)
        energy, gradient = metric.energy_gradient(curves)
        inner = curves[:, 1:-1].clone().requires_grad_(True)
        whole = metric.energy(torch.cat([curves[:, :1], inner, curves[:, -1:]], 1))
        assert_close(energy, whole.detach())
        assert_close(gradient, torch.autograd.grad(whole.sum(), inner)[0])
        assert_close(metric.energy_gradient(curves, metric.anchors(curves))[1], gradient)

    def test_the_energy_model_has_the_mean_inverse_tensor_of_each_step(self, metric, z):
        curves = line(z[:3], z[3:6], 4)
        energy, gradient, inverse = metric.energy_model(curves)
        expected_energy, expected_gradient = metric.energy_gradient(curves)
        steps = Steps.of(curves, metric.samples_per_step)
        whole = torch.linalg.inv(metric.tensor(steps.samples)).unflatten(0, steps.shape).mean(2)
        assert_close(energy, expected_energy)
        assert_close(gradient, expected_gradient)
        assert_close(torch.diag_embed(inverse) if inverse.ndim == 3 else inverse, whole)

    def test_the_quadratic_model_has_the_gradient_of_the_energy_and_is_positive(self, metric, z):
        curves = line(z[:3], z[3:6], 5)
        model = metric.quadratic(curves)
        assert_close(2 * 4 * model.gradient, metric.energy_gradient(curves)[1])
        m, d = model.gradient.shape[1:]
        whole = torch.zeros(3, m, d, m, d, dtype=z.dtype)
        for k in range(m):
            whole[:, k, :, k] = model.diagonal[:, k]
        for k in range(m - 1):
            whole[:, k, :, k + 1] = model.upper[:, k]
            whole[:, k + 1, :, k] = model.upper[:, k].mT
        assert torch.linalg.eigvalsh(whole.view(3, m * d, m * d)).min() > 0

    def test_connections_along_a_curve_are_the_matrices_of_the_connection(self, metric, z):
        along = torch.linspace(0, 1, 25, dtype=z.dtype)[:, None]
        chord, bend = z[1] - z[0], 0.1 * (z[3] - z[2])
        places = (z[0] + along * chord + (math.pi * along).sin() * bend)[None]
        velocities = (chord + math.pi * (math.pi * along).cos() * bend)[None]
        tensors, matrices = metric.connections(places, velocities, rates(25))
        v = points(25, z.shape[1], seed=8)
        expected = metric.connection(places[0], velocities[0], v)
        assert_close(tensors[0], metric.tensor(places[0]))
        assert_close(
            (matrices[0] @ v[..., None])[..., 0], expected, rtol=1e-2, atol=1e-3 * expected.abs().max().item()
        )

    def test_a_geodesic_origin_has_the_slopes_of_the_steps_from_it(self, metric, z):
        here, others = z[:2], torch.stack([z[2:4], z[4:6]], 1)
        origin = metric.geodesic_origin(here)
        y = here.clone().requires_grad_(True)
        for k in range(2):
            squared = metric.squared_steps(torch.stack([y, others[:, k]], 1)).sum()
            expected = torch.autograd.grad(squared, y)[0]
            assert_close(origin.slope(others)[:, k], expected)
        assert_close(origin.tensor, metric.tensor(here))

    def test_steps_add_up_to_energy_and_length(self, metric, z):
        curves = line(z[:2], z[2:4], 9)
        squared = metric.squared_steps(curves)
        assert_close(metric.energy(curves), 8 * squared.sum(1))
        assert_close(metric.length(curves), squared.sqrt().sum(1))
        assert (metric.energy(curves) >= metric.length(curves) ** 2 - 1e-9).all()

    def test_non_contiguous_points_are_points(self, metric, z):
        assert_close(metric.tensor(z.mT.contiguous().mT), metric.tensor(z))


SINGLE = metrics(torch.float32)


@pytest.mark.parametrize("name", METRICS)
def test_single_precision_agrees_with_double(name):
    double, latent = METRICS[name]
    single, z, u = SINGLE[name][0], points(6, latent), points(6, latent, seed=5) - 0.9
    for what in ("tensor", "cometric", "log_det"):
        found = getattr(single, what)(z.float())
        assert found.dtype == torch.float32
        assert_close(found.double(), getattr(double, what)(z), rtol=2e-3, atol=2e-4)
    for what in ("inner", "connection"):
        found = getattr(single, what)(z.float(), u.float(), u.float())
        assert_close(found.double(), getattr(double, what)(z, u, u), rtol=5e-3, atol=2e-3)
    curves = line(z[:2], z[2:4], 6)
    assert_close(single.energy(curves.float()).double(), double.energy(curves), rtol=1e-3, atol=1e-5)


def test_an_ensemble_of_equal_decoders_is_their_pullback_and_different_ones_cost_their_variance():
    z = points(5, 2)
    alone = Pullback(sphere)
    assert_close(DecoderEnsemble([sphere] * 3).tensor(z), alone.tensor(z))
    pushed = DecoderEnsemble([sphere, lambda z: sphere(z) + 3.0], reach=2.0)
    expected = alone.tensor(z) + 3 * 1.5**2 / 2.0**2 * torch.eye(2).double()
    assert_close(pushed.tensor(z), expected)


def test_an_ensembles_tensor_is_the_expected_pullback_plus_the_variance_by_hand():
    z, decoders = points(4, 2), [sphere, saddle]
    jacobians = [torch.func.vmap(torch.func.jacrev(lambda y, f=f: f(y[None])[0]))(z) for f in decoders]
    expected = sum(j.mT @ j for j in jacobians) / 2
    variance = torch.stack([f(z) for f in decoders]).var(0, unbiased=False).sum(1)
    eye = torch.eye(2).double()
    assert_close(DecoderEnsemble(decoders, reach=0.5).tensor(z), expected + 4 * variance[:, None, None] * eye)
    scaled = DecoderEnsemble.over(decoders, z)
    assert torch.diagonal(scaled.tensor(z), dim1=1, dim2=2).mean(1).median().item() == pytest.approx(1.0)


def test_paths_under_an_ensemble_go_round_where_its_decoders_disagree():
    """Decoders that agree on a ring and differ inside it: the way across goes round."""

    def bulge(sign: float):
        def decode(z):
            inside = torch.exp(-((z.square().sum(1, keepdim=True) / 0.3) ** 2))
            return torch.cat([z, sign * 2 * inside], 1)

        return decode

    angles = torch.tensor([0.1, math.pi - 0.1]).double()
    ends = torch.stack([angles.cos(), angles.sin()], 1)
    metric = Blend(Pullback(bulge(1.0)), DecoderEnsemble([bulge(1.0), bulge(-1.0)], reach=0.5), weight=3.0)
    path = solve(metric, ends[:1], ends[1:], 33, polish=True)
    assert all(path.converged)
    assert path.nodes[0].norm(dim=1).min() > 0.5


def test_diagonal_matrices_give_what_full_ones_would():
    diagonal, z = kernel(3), points(6, 3)
    full = KernelMetric(
        diagonal.centroids, torch.diag_embed(diagonal.matrices), diagonal.temperature, diagonal.ridge
    )
    assert_close(diagonal.tensor(z), full.tensor(z))
    assert_close(diagonal.gradient(z, z), full.gradient(z, z))


def test_the_kernel_metric_is_small_on_the_data_and_one_over_the_ridge_far_away():
    metric = KernelMetric.isotropic(
        torch.randn(200, 4, generator=torch.Generator().manual_seed(0)), ridge=0.05
    )
    on, off = metric.centroids[:50], torch.full((1, 4), 40.0)
    assert_close(metric.tensor(off), torch.eye(4)[None] / 0.05)
    assert metric.magnification(on).max() < metric.magnification(off)


def test_normalised_the_kernel_metric_is_about_the_identity_on_the_data_whatever_the_units():
    means = torch.randn(400, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for unit in (1.0, 100.0):
        metric = KernelMetric.posterior(unit * means, torch.full_like(means, 0.3 * unit))
        off_centre = (metric.weights(metric.centroids).fill_diagonal_(0) @ metric.matrices).mean(1)
        assert off_centre.median().item() == pytest.approx(1.0)


def test_the_pullback_of_the_sphere_is_the_metric_of_the_sphere():
    z = points(5, 2)
    expected = torch.diag_embed(torch.stack([torch.ones(5).double(), z[:, 0].sin() ** 2], 1))
    assert_close(Pullback(sphere).tensor(z), expected)
    assert_close(Pullback(sphere).magnification(z), z[:, 0].sin().log())


def test_a_blend_is_the_sum_of_its_parts():
    pullback, data, z = residual_pullback(), kernel(4), points(5, 4)
    blend = Blend(pullback, data, weight=0.5, scale=3.0)
    assert_close(blend.tensor(z), pullback.tensor(z) / 9 + 0.5 * data.tensor(z))
    assert_close(blend.reweighted(0.0).tensor(z), pullback.tensor(z) / 9)


def test_the_typical_scale_makes_the_pullback_about_the_identity():
    pullback, z = residual_pullback(), points(100, 4)
    scale = Blend.typical_scale(pullback, z)
    trace = torch.diagonal(pullback.tensor(z), dim1=1, dim2=2).mean(1)
    assert (trace / scale**2).median().item() == pytest.approx(1.0)


def test_a_blend_over_a_library_knows_its_typical_tensor_at_any_weight():
    library = spread(40, 4)
    blend = Blend.over(residual_pullback(), kernel(4), library).reweighted(2.0)
    typical = {weight: blend.reweighted(weight).computed_typical() for weight in (0.0, 1.0, 2.0)}
    assert_close(blend.computed_typical(), typical[2.0])
    assert_close(typical[2.0] - typical[1.0], typical[1.0] - typical[0.0])
    assert_close(typical[0.0], blend.pullback.mean_between(library) / blend.scale**2)


def test_a_blend_leaves_its_parts_as_they_are():
    library, (starts, ends) = spread(40, 4), points(6, 4).view(2, 3, 4)
    pullback, data = residual_pullback(), kernel(4)
    before = [solve(part, starts, ends).nodes for part in (pullback, data)]
    for blend in (Blend(pullback, data), Blend.over(pullback, data, library, weight=3.0)):
        solve(blend, starts, ends)
    assert pullback.typical is None
    for part, nodes in zip((pullback, data), before, strict=True):
        assert torch.equal(solve(part, starts, ends).nodes, nodes)


def mean_distance(metric: Metric, start: int, end: int, data: torch.Tensor) -> float:
    """Of the path between two of the data to the data."""
    starts, ends = data[[start]] + 0.01, data[[end]] + 0.01
    return torch.cdist(solve(metric, starts, ends, 33, polish=True).nodes[0], data).amin(1).mean().item()


def test_paths_under_the_kernel_metric_follow_the_data():
    angle = torch.linspace(0, math.pi, 60).double()
    arc = torch.stack([angle.cos(), angle.sin()], 1)
    metric = KernelMetric.isotropic(arc, temperature=0.3)
    assert mean_distance(metric, 5, 40, arc) < 0.5 * mean_distance(Flat(), 5, 40, arc)


def test_paths_under_the_sampling_metric_flee_the_data_so_it_is_not_for_paths():
    row = torch.stack([torch.linspace(-1, 1, 60), torch.zeros(60)], 1).double()
    sampling = SamplingMetric(row, torch.full_like(row, 0.02), temperature=1.5)
    assert mean_distance(KernelMetric.isotropic(row, temperature=0.3), 5, 55, row) < 0.05
    assert mean_distance(sampling, 5, 55, row) > 0.2


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Flat(0.0), "positive scale"),
        (lambda: KernelMetric(torch.zeros(3, 2), torch.ones(3, 3), 1.0), r"\(3, 2\)"),
        (lambda: KernelMetric(torch.zeros(0, 2), torch.ones(0, 2), 1.0), "non-empty"),
        (lambda: KernelMetric(torch.zeros(3, 2), torch.ones(3, 2), 0.0), "temperature"),
        (lambda: KernelMetric.posterior(torch.zeros(3, 2), -torch.ones(3, 2)), "log"),
        (lambda: Pullback(sphere, ridge=-1.0), "ridge"),
        (lambda: Blend(Pullback(sphere), Flat(), weight=math.inf), "graph"),
        (lambda: Blend(Pullback(sphere), Flat(), scale=0.0), "typical_scale"),
        (lambda: DecoderEnsemble([]), "at least one"),
        (lambda: DecoderEnsemble([sphere], reach=0.0), "positive"),
        (lambda: DecoderEnsemble([ForwardMode(sphere)]), "turn"),
    ],
)
def test_a_metric_that_cannot_be_says_what_would(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
