"""Where a matrix cannot be factorised there is an outcome, for that pair alone, and never an exception."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from sonifold import linalg
from sonifold.geodesic import (
    Stop,
    analogy,
    continued,
    distances,
    exponential,
    extrapolate,
    frechet_mean,
    logarithm,
    neighbours,
    solve,
    transport,
)
from sonifold.metric import Blend, KernelMetric, Pullback

LATENT = 6


def gram(*eigenvalues: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """A symmetric matrix with these eigenvalues, (n, n)."""
    n = len(eigenvalues)
    axes = torch.linalg.qr(torch.randn(n, n, generator=torch.Generator().manual_seed(0)).double())[0]
    return (axes @ torch.diag(torch.tensor(eigenvalues).double()) @ axes.T).to(dtype)


# -- factors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_positive_matrix_has_the_factor_it_always_had(dtype):
    matrices = torch.stack([gram(1.0, 2.0, 3.0, dtype=dtype), gram(0.1, 5.0, 9.0, dtype=dtype)])
    assert torch.equal(linalg.cholesky(matrices), torch.linalg.cholesky(matrices))
    assert_close(linalg.inverse(matrices) @ matrices, torch.eye(3, dtype=dtype).expand(2, 3, 3))
    assert_close(linalg.log_det(matrices), torch.linalg.slogdet(matrices)[1])
    right = torch.ones(2, 3, 1, dtype=dtype)
    assert_close(matrices @ linalg.solve(matrices, right), right)


@pytest.mark.parametrize("least", [-1e-7, -1e-5, -3e-4])
def test_a_matrix_that_rounding_made_a_little_negative_has_the_factor_of_one_close_by(least):
    matrix = gram(least, 1.0, 2.0)
    factor = linalg.cholesky(matrix)
    assert_close(factor @ factor.T, matrix, atol=20 * abs(least) + 1e-5, rtol=0)


@pytest.mark.parametrize("bad", [gram(-1.0, 1.0, 2.0), torch.zeros(3, 3), torch.full((3, 3), torch.nan)])
def test_a_matrix_without_a_factor_has_nan_and_the_others_of_its_batch_have_theirs(bad):
    good = gram(1.0, 2.0, 3.0)
    factors = linalg.cholesky(torch.stack([good, bad, good]))
    assert factors[1].isnan().any()
    assert torch.equal(factors[0], torch.linalg.cholesky(good))
    assert torch.equal(factors[2], factors[0])


def test_the_derivative_of_the_inverse_is_that_of_the_formula_beside_a_matrix_without_one():
    matrices = torch.stack([gram(1.0, 2.0, 3.0), torch.zeros(3, 3)]).requires_grad_(True)
    (slope,) = torch.autograd.grad(linalg.inverse(matrices)[0].sum(), matrices)
    inverse = torch.linalg.inv(matrices[0])
    outer = inverse.sum(0)[:, None] * inverse.sum(0)[None]
    assert_close((slope[0] + slope[0].T) / 2, -outer.detach())


# -- decoders that are flat somewhere ----------------------------------------------------------


def bent(outputs: int = 20) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(LATENT, 32), nn.Tanh(), nn.Linear(32, outputs)).requires_grad_(False)


CODES, READ = torch.randn(64, LATENT, generator=torch.Generator().manual_seed(1)), bent()


def quantised(z: Tensor) -> Tensor:
    return READ(CODES[(z[:, None] - CODES).square().sum(2).argmin(1)])


def flat(z: Tensor) -> Tensor:
    return torch.ones(len(z), 9)


DECODERS = {
    "saturated far out": bent(),
    "fewer outputs than dimensions": bent(3),
    "one output": bent(1),
    "quantised": quantised,
    "flat": flat,
}


def places(seed: int, count: int = 3) -> Tensor:
    """The last far outside of everything."""
    z = torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed))
    z[-1] *= 1e4
    return z


@pytest.fixture(params=DECODERS)
def pullback(request) -> Pullback:
    return Pullback(DECODERS[request.param])


@pytest.fixture(params=[*DECODERS, "a flat one under a blend"])
def metric(request):
    data = KernelMetric.isotropic(torch.randn(20, LATENT, generator=torch.Generator().manual_seed(5)))
    if request.param in DECODERS:
        return Pullback(DECODERS[request.param])
    return Blend(Pullback(flat), data)


def test_every_pair_has_a_path_and_an_outcome(metric):
    paths = solve(metric, places(1), places(2))
    assert torch.isfinite(paths.nodes).all()
    assert all(isinstance(stop, Stop) for stop in paths.stop)
    assert len(paths.stop) == 3


def test_means_are_points_among_the_points(metric):
    for points in (places(1), places(1)[:2], places(1)[1:]):
        mean = frechet_mean(metric, points)
        assert torch.isfinite(mean.point).all()
        assert (mean.point <= points.amax(0) + 1e-3).all() or mean.converged


def test_going_on_ends_in_nan_at_worst_and_leaves_the_others_alone(metric):
    a, b, c = places(1), places(2), places(3)
    v = b - a
    flows = (
        exponential(metric, a, v, 5).nodes,
        continued(metric, torch.stack([a, a + v / 9], 1), 4),
        extrapolate(metric, a, b, 1.5).nodes,
        analogy(metric, a, b, c, 4).nodes,
    )
    for nodes in flows:
        assert torch.isfinite(nodes[:, 0]).all()
    between = flows[2][:, :17]
    assert torch.isfinite(between).all()
    assert_close(between[:1], extrapolate(metric, a[:1], b[:1], 1.1).nodes[:, :17], atol=1e-2, rtol=1e-2)


def test_distances_logarithms_and_transport_raise_nothing(metric):
    a, b = places(1), places(2)
    assert torch.isfinite(distances(metric, a)).all()
    assert len(neighbours(metric, a[0], b, 2).indices) == 2
    assert logarithm(metric, a, b).shape == a.shape
    curves = solve(metric, a, b).nodes
    assert transport(metric, curves, b - a).shape == a.shape


def test_what_has_no_inverse_is_nan_and_never_an_exception(pullback):
    z, v = places(1), places(2)
    for found in (
        pullback.cometric(z),
        pullback.raised(z, v),
        pullback.log_det(z),
        pullback.magnification(z),
        *pullback.magnification_gradient(z),
        pullback.christoffel(z, v, v),
    ):
        assert len(found) == len(z)


# -- the pack ----------------------------------------------------------------------------------


def test_an_extrapolation_under_a_nearly_flat_pullback_is_a_place_with_its_caveats(model):
    """The pull-back of these two sounds is not positive in single precision a little beyond the second."""
    a, b = model.sound("80fd3b7f6707"), model.sound("ab9668a2e5c9")
    place = model.extrapolate(a, b, 3.0, "pullback")
    assert torch.isfinite(place.z).all()
    assert torch.isfinite(place.course).all()
    assert len(place.times) == len(place.curve)
