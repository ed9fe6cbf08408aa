"""Slices, their ellipses and their curvature, against surfaces everybody knows."""

from __future__ import annotations

import pytest
import torch
from metric_cases import METRICS, HalfPlane, cone, kernel, points, residual_pullback, sphere
from torch.testing import assert_close

from sonifold.geodesic import solve
from sonifold.metric import Blend, Flat, Metric, Pullback, Slice, indicatrices, slice_curvature
from sonifold.metric.curvature import compute_jet


def plane(count: int, latent: int = 2):
    """Points and two directions at each."""
    u, v = points(count, latent, seed=21), points(count, latent, seed=22)
    v[:, 0] -= 1.0
    return points(count, latent), u, v


@pytest.mark.parametrize(
    ("metric", "curvature"),
    [
        (Pullback(sphere), 1.0),
        (Pullback(lambda z: 2 * sphere(z)), 0.25),
        (HalfPlane(), -1.0),
        (Pullback(cone), 0.0),
        (Flat(3.0), 0.0),
    ],
    ids=["sphere", "larger sphere", "half-plane", "cone", "flat"],
)
def test_curvature_is_that_of_the_surface_whatever_the_directions(metric, curvature):
    assert_close(slice_curvature(metric, *plane(6)), torch.full((6,), curvature).double())


class Sum(Metric):
    def __init__(self, a: Metric, b: Metric):
        self.a, self.b = a, b

    def tensor(self, z):
        return self.a.tensor(z) + self.b.tensor(z)


def test_the_curvature_of_a_blend_is_that_of_its_tensor():
    parts = Pullback(sphere), HalfPlane()
    assert_close(slice_curvature(Blend(*parts), *plane(6)), slice_curvature(Sum(*parts), *plane(6)))


def test_a_decoder_and_its_tensor_have_the_same_curvature():
    class AsTensor(Metric):
        def tensor(self, z):
            return Pullback(sphere).tensor(z)

    z, u, v = plane(6)
    for ours, theirs in zip(
        compute_jet(Pullback(sphere), z, u, v), compute_jet(AsTensor(), z, u, v), strict=True
    ):
        assert ours.shape == theirs.shape == (6,)
    assert_close(slice_curvature(Pullback(sphere), z, u, v), slice_curvature(AsTensor(), z, u, v))


def test_curvature_does_not_depend_on_the_basis_of_the_plane():
    metric = Blend(residual_pullback(), kernel(4), weight=0.5)
    z, u, v = plane(5, latent=4)
    assert_close(slice_curvature(metric, z, u, v), slice_curvature(metric, z, 2 * u + v, u - 3 * v))


def test_a_slice_is_the_metric_on_its_plane():
    metric, directions = kernel(3), torch.eye(3).double()[:2]
    sliced, positions = Slice(metric, points(1, 3)[0], *directions), points(4, 2)
    assert_close(sliced.tensor(positions), metric.tensor(sliced.lift(positions))[:, :2, :2])
    path = solve(sliced, positions[:1], positions[1:2])
    assert path.converged == [True]
    assert_close(path.length, metric.length(sliced.lift(path.nodes)))


def test_indicatrices_have_the_radius_asked_for_in_every_direction():
    g = METRICS["pullback, sphere"][0].tensor(points(5, 2))
    ellipses = indicatrices(g, radius=0.3, corners=12)
    assert ellipses.shape == (5, 12, 2)
    length = torch.einsum("bci,bij,bcj->bc", ellipses, g, ellipses).sqrt()
    assert_close(length, torch.full_like(length, 0.3))


def test_indicatrices_of_a_flat_metric_are_circles():
    ellipses = indicatrices(4 * torch.eye(2)[None])
    assert_close(ellipses.norm(dim=2), torch.full((1, 48), 0.5))
