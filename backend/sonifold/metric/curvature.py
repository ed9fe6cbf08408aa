r"""Flat slices through latent space: the metric they inherit, its ellipses and its curvature.

A slice is the plane z + s u + t v. Its first fundamental form is E = G(u, u), F = G(u, v), G = G(v, v).
"""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import torch
from torch import Tensor

from sonifold.forward import jvp
from sonifold.types import Points, Tensors, Vectors

from .base import Metric
from .blend import Blend
from .pullback import Pullback


class Slice(Metric):
    """The metric on a plane (s, t) -> origin + s u + t v; origin, u and v (latent,).

    A metric of two dimensions like any other: lengths, geodesics and volumes within the plane.
    """

    def __init__(self, metric: Metric, origin: Tensor, u: Tensor, v: Tensor):
        self.metric, self.origin, self.basis = metric, origin, torch.stack([u, v])
        self.dtype, self.chordal, self.samples_per_step = (
            metric.dtype,
            metric.chordal,
            metric.samples_per_step,
        )

    def lift(self, positions: Points) -> Points:
        """Positions (batch, 2) in the plane as points (batch, latent)."""
        return self.origin + positions @ self.basis

    def tensor(self, z: Points) -> Tensors:
        points = self.lift(z)
        u, v = (direction.expand_as(points) for direction in self.basis)
        e, f, g = (
            self.metric.inner(points, u, u),
            self.metric.inner(points, u, v),
            self.metric.inner(points, v, v),
        )
        return torch.stack([torch.stack([e, f], 1), torch.stack([f, g], 1)], 1)

    def squared_steps(self, curves: Tensor) -> Tensor:
        return self.metric.squared_steps(self.lift(curves))


def indicatrices(tensors: Tensors, radius: float = 1.0, corners: int = 48) -> Tensor:
    """The directions of length ``radius`` under tensors (batch, 2, 2): ellipses, (batch, corners, 2).

    v(a) = radius G^-1/2 (cos a, sin a). Small where the metric is large (Tissot).
    """
    values, vectors = torch.linalg.eigh(tensors)
    root = vectors @ torch.diag_embed(values.clamp_min(torch.finfo(values.dtype).tiny).rsqrt()) @ vectors.mT
    angle = torch.linspace(0, 2 * torch.pi, corners + 1, dtype=tensors.dtype, device=tensors.device)[:-1]
    ellipses: Tensor = radius * torch.stack([angle.cos(), angle.sin()], 1) @ root
    return ellipses


class Jet(NamedTuple):
    """Terms of the curvature of a plane at a point, each (batch,). Jets of summed metrics add up."""

    e: Tensor
    f: Tensor
    g: Tensor
    e_u: Tensor
    e_v: Tensor
    f_u: Tensor
    f_v: Tensor
    g_u: Tensor
    g_v: Tensor
    twist: Tensor  #: F_uv - E_vv / 2 - G_uu / 2


def slice_curvature(metric: Metric, z: Points, u: Vectors, v: Vectors) -> Tensor:
    """Gaussian curvature at z of the plane through it along u and v, all (batch, latent); (batch,).

    Brioschi's formula, in units of one over squared length. That of the sphere of radius r is 1/r^2, of a plane or a
    cone 0.
    """
    jet = compute_jet(metric, z, u, v)
    zero = torch.zeros_like(jet.e)
    first = _det(
        (jet.twist, jet.e_u / 2, jet.f_u - jet.e_v / 2),
        (jet.f_v - jet.g_u / 2, jet.e, jet.f),
        (jet.g_v / 2, jet.f, jet.g),
    )
    second = _det((zero, jet.e_v / 2, jet.g_u / 2), (jet.e_v / 2, jet.e, jet.f), (jet.g_u / 2, jet.f, jet.g))
    return (first - second) / (jet.e * jet.g - jet.f**2) ** 2


@singledispatch
def compute_jet(metric: Metric, z: Points, u: Vectors, v: Vectors) -> Jet:
    """By two derivatives forward of the first fundamental form."""

    def form(y: Points) -> tuple[Tensor, Tensor, Tensor]:
        return metric.inner(y, u, u), metric.inner(y, u, v), metric.inner(y, v, v)

    def along(direction: Vectors, y: Points) -> tuple[Tensor, Tensor, Tensor]:
        derivatives: tuple[Tensor, Tensor, Tensor] = jvp(form, (y,), (direction,))[1]
        return derivatives

    e_u, f_u, g_u = along(u, z)
    (e_v, f_v, g_v), (e_vv, _, _) = jvp(lambda y: along(v, y), (z,), (v,))
    _, (_, f_uv, _) = jvp(lambda y: along(u, y), (z,), (v,))
    _, (_, _, g_uu) = jvp(lambda y: along(u, y), (z,), (u,))
    return Jet(*form(z), e_u, e_v, f_u, f_v, g_u, g_v, f_uv - e_vv / 2 - g_uu / 2)


@compute_jet.register
def _(metric: Pullback, z: Points, u: Vectors, v: Vectors) -> Jet:
    """From second derivatives of the decoder; the third ones cancel: the twist is f_uu . f_vv - |f_uv|^2."""
    images = metric.decode.push(z, torch.stack([u, v], 1))[1]
    f_u, f_v = images[:, 0], images[:, 1]
    f_uu, f_uv, f_vv = (
        metric.decode.second_derivative(z, u, u),
        metric.decode.second_derivative(z, u, v),
        metric.decode.second_derivative(z, v, v),
    )
    first = metric.inner(z, u, u), metric.inner(z, u, v), metric.inner(z, v, v)
    return Jet(
        *first,
        2 * _dot(f_u, f_uu),
        2 * _dot(f_u, f_uv),
        _dot(f_uu, f_v) + _dot(f_u, f_uv),
        _dot(f_uv, f_v) + _dot(f_u, f_vv),
        2 * _dot(f_v, f_uv),
        2 * _dot(f_v, f_vv),
        _dot(f_uu, f_vv) - _dot(f_uv, f_uv),
    )


@compute_jet.register
def _(metric: Blend, z: Points, u: Vectors, v: Vectors) -> Jet:
    parts = compute_jet(metric.pullback, z, u, v), compute_jet(metric.data, z, u, v)
    return Jet(*(a / metric.scale**2 + metric.weight * b for a, b in zip(*parts, strict=True)))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1)


def _det(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    determinant: Tensor = torch.linalg.det(torch.stack([torch.stack(row, -1) for row in rows], -2))
    return determinant
