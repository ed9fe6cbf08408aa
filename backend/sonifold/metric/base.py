r"""Riemannian metrics on latent space: the base class, and everything that follows from the tensor.

A new metric says one thing, its tensor G(z); inner products, lengths, volumes, energies of curves and the
quadratic models the geodesic solver needs are derived here. A metric that knows a faster or more exact way
overrides that method; the contract tests hold it to the same numbers.

Symbols: z a point of R^d, u and v tangent vectors there, G(z) the metric tensor (d, d), a curve
z_0 ... z_N of n = N + 1 nodes at the times k/N.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.forward import jvp
from sonifold.types import Curves, Points, Tensors, Vectors

#: Nodes of curves whose mean tensor stands for where they are; each costs a Jacobian.
TYPICAL_POINTS = 32
#: Points of a region, on the lines between random ones of its points, whose mean tensor stands for it.
REGION_POINTS = 96
#: Where on these lines the tensor is taken: off the data, where paths will be.
LINE_FRACTIONS = (0.1, 0.3, 0.5, 0.7)


def gradient_of(values: Tensor, at: Tensor) -> Tensor:
    """Gradient of the sum of values; zero where they do not depend on ``at``, as under a flat decoder or metric."""
    if not values.requires_grad:
        return torch.zeros_like(at)
    (gradient,) = torch.autograd.grad(values, at, torch.ones_like(values), allow_unused=True)
    return torch.zeros_like(at) if gradient is None else gradient


class Quadratic(NamedTuple):
    """Second-order model of the energy of curves in their m = n - 2 inner nodes, up to a common factor 2N.

    E(z + delta) ~ E(z) + 2N [ gradient . delta + 1/2 delta' H delta ], H block tridiagonal and positive.
    """

    diagonal: Tensor  #: (batch, m, latent, latent), the blocks H_kk
    upper: Tensor  #: (batch, m - 1, latent, latent), the blocks H_k,k+1
    gradient: Tensor  #: (batch, m, latent)


class Steps(NamedTuple):
    """The steps of curves and the places on them at which a metric is looked at, r evenly spaced ones each.

    Look j of the step from z_k to z_{k+1} is at z_k + tau_j (z_{k+1} - z_k), tau_j = (j + 1/2) / r.
    """

    samples: Points  #: (batch * (node - 1) * r, latent)
    moves: Vectors  #: the step each place lies on; as many
    shape: tuple[int, int, int]  #: (batch, node - 1, r)
    tau: Tensor  #: (r,)

    @classmethod
    def of(cls, curves: Curves, samples_per_step: int) -> Steps:
        moves = curves.diff(dim=1)
        tau = ((torch.arange(samples_per_step) + 0.5) / samples_per_step).to(curves)
        samples = curves[:, :-1, None] + tau[:, None] * moves[:, :, None]
        shape = (*moves.shape[:2], samples_per_step)
        return cls(samples.flatten(0, 2), moves[:, :, None].expand_as(samples).flatten(0, 2), shape, tau)

    def mean(self, looked: Tensor) -> Tensor:
        """Means of values at the samples (count, ...) over each step; (batch, node - 1, ...)."""
        means: Tensor = looked.unflatten(0, self.shape).mean(2)
        return means

    def split(self, slopes: Vectors) -> tuple[Tensor, Tensor]:
        """Slopes with respect to the places as slopes with respect to the (start, end) of each step."""
        by_step = slopes.unflatten(0, self.shape)
        to_end = (self.tau[:, None] * by_step).mean(2)
        return by_step.mean(2) - to_end, to_end


class GeodesicOrigin(NamedTuple):
    """A place from which a geodesic is continued, with what of the metric is needed there."""

    tensor: Tensors  #: G at the place, (batch, latent, latent)
    #: Slope with respect to the place of its squared step to others (batch, k, latent), as many.
    slope: Callable[[Tensor], Tensor]


class Metric(ABC):
    """A Riemannian metric on R^d.

    Points are (batch, latent), vectors alike, one tangent vector at each point. All methods keep gradients
    of their inputs, so that anything built on them can be differentiated. What needs an inverse is NaN at points
    where the tensor has none (see ``sonifold.linalg``).
    """

    #: The precision the metric computes in, or None for that of its inputs.
    dtype: torch.dtype | None = None
    #: Latent dimensions, or None for any.
    latent_dim: int | None = None
    #: Where it computes, or None for where its inputs are.
    device: torch.device | None = None
    #: Whether steps are measured by chords of a map, so that a few nodes already give a curve's energy well.
    chordal: bool = False
    #: Places on each step of a curve at which the tensor is looked at: more of them miss less between the nodes.
    samples_per_step: int = 1
    #: Whether G^-1 is a formula, so that taking it at every step of a curve costs no more than the energy does.
    closed_form: bool = False
    #: A tensor (latent, latent) typical of where the data are, from which solvers start; None: they look for one.
    typical: Tensor | None = None
    #: Points (count, latent) among which paths will be, where the typical tensor is taken when it is first needed.
    region: Points | None = None

    def to_device(self, points: Tensor) -> Tensor:
        """Points, vectors or curves where the metric computes."""
        return points.to(self.device or points.device)

    def computed_typical(self) -> Tensor | None:
        """``typical``, worked out first where the metric has a region and no such tensor yet."""
        if self.typical is None and self.region is not None:
            self.typical = self.mean_between(self.region)
        return self.typical

    @torch.no_grad()
    def mean_between(self, points: Points) -> Tensor:
        """The mean tensor over places between points (count, latent), the same ones each time; (latent, latent)."""
        generator = torch.Generator().manual_seed(0)
        shape = 2, REGION_POINTS // len(LINE_FRACTIONS)
        start, end = points[torch.randint(len(points), shape, generator=generator)]
        return self.tensor(torch.cat([start + t * (end - start) for t in LINE_FRACTIONS])).mean(0)

    def typical_tensor(self, curves: Curves) -> Tensor:
        """A tensor (latent, latent) for solvers to start from: ``typical``, or a mean over nodes of the curves."""
        typical = self.computed_typical()
        if typical is not None:
            return typical
        points = curves.flatten(0, 1)
        count = min(TYPICAL_POINTS, len(points))
        return self.tensor(points[torch.linspace(0, len(points) - 1, count).round().long()]).mean(0)

    @abstractmethod
    def tensor(self, z: Points) -> Tensors:
        """G(z), symmetric and positive definite; (batch, latent, latent)."""

    def cometric(self, z: Points) -> Tensors:
        """G(z)^-1; (batch, latent, latent)."""
        return linalg.inverse(self.tensor(z))

    def lower(self, z: Points, u: Vectors) -> Vectors:
        """G(z) u, the vector's covector; (batch, latent)."""
        return (self.tensor(z) @ u[..., None])[..., 0]

    def raised(self, z: Points, covectors: Vectors) -> Vectors:
        """G(z)^-1 p; (batch, latent)."""
        return linalg.solve(self.tensor(z), covectors[..., None])[..., 0]

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        """u' G(z) v; (batch,)."""
        return torch.einsum("bi,bij,bj->b", u, self.tensor(z), v)

    def norm(self, z: Points, v: Vectors) -> Tensor:
        """Length of v at z, sqrt(v' G(z) v); (batch,)."""
        return self.inner(z, v, v).clamp_min(0).sqrt()

    def log_det(self, z: Points) -> Tensor:
        """log det G(z); (batch,)."""
        return linalg.log_det(self.tensor(z))

    def magnification(self, z: Points) -> Tensor:
        """log sqrt det G(z): how much volume of sound a unit of latent volume holds; (batch,).

        Bishop, Svensen and Williams 1997, "Magnification factors for the SOM and GTM algorithms".
        """
        return self.log_det(z) / 2

    def magnification_gradient(self, z: Points) -> tuple[Tensor, Vectors]:
        """(log sqrt det G(z) (batch,), its gradient (batch, latent))."""
        with torch.enable_grad():
            y = z.detach().clone().requires_grad_(True)
            volume = self.magnification(y)
        return volume.detach(), gradient_of(volume, y)

    def gradient(self, z: Points, u: Vectors) -> Vectors:
        """grad_y [u' G(y) u] at y = z, with u held fixed; (batch, latent)."""
        with torch.enable_grad():
            y = z.detach().clone().requires_grad_(True)
            squared = self.inner(y, u.detach(), u.detach())
        return gradient_of(squared, y)

    def connection(self, z: Points, u: Vectors, v: Vectors) -> Vectors:
        """Christoffel symbols of the first kind, [uv, w] = 1/2 (D_u G(v, w) + D_v G(u, w) - D_w G(u, v)).

        The covector that takes w to that number; (batch, latent). Symmetric in u and v.
        """
        _, along_u = jvp(lambda y: self.lower(y, v), (z,), (u,))
        if u is v:
            halved: Vectors = along_u - self.gradient(z, u) / 2
            return halved
        _, along_v = jvp(lambda y: self.lower(y, u), (z,), (v,))
        across = (self.gradient(z, u + v) - self.gradient(z, u - v)) / 4
        connection: Vectors = (along_u + along_v - across) / 2
        return connection

    def christoffel(self, z: Points, u: Vectors, v: Vectors) -> Vectors:
        """Gamma(u, v), the connection raised to a vector; (batch, latent). A geodesic has z'' = -Gamma(z', z')."""
        return self.raised(z, self.connection(z, u, v))

    def connections(self, samples: Curves, velocities: Curves, rates: Tensor) -> tuple[Tensor, Tensor]:
        """(G, the matrices that take v to the covector [u v, .]) at places along curves, u the velocities there.

        places (batch, place, latent) of smooth curves; rates (place, place) takes what varies along them, given at the
        places, to its time derivatives there. Each result (batch, place, latent, latent).
        """
        z, u, d = samples.flatten(0, 1), velocities.flatten(0, 1), samples.shape[-1]
        every = torch.eye(d, dtype=z.dtype, device=z.device).repeat(len(z), 1)
        rows = self.connection(z.repeat_interleave(d, 0), u.repeat_interleave(d, 0), every)
        shape = (*samples.shape, d)
        return self.tensor(z).view(shape), rows.view(shape).mT

    def geodesic_origin(self, z: Points) -> GeodesicOrigin:
        """To continue geodesics at points (batch, latent)."""

        def slope(others: Tensor) -> Tensor:
            repeated = z[:, None].expand_as(others)
            there_and_back = torch.stack([others, repeated, others], 2).flatten(0, 1)
            return self.energy_gradient(there_and_back)[1].view(others.shape) / 4

        return GeodesicOrigin(self.tensor(z), slope)

    def squared_steps(self, curves: Curves) -> Tensor:
        """Squared length of each step of each curve, its mean over the samples; (batch, node - 1).

        Error of the length of a smooth curve: of second order in the spacing.
        """
        steps = Steps.of(curves, self.samples_per_step)
        return steps.mean(self.inner(steps.samples, steps.moves, steps.moves))

    def energy(self, curves: Curves) -> Tensor:
        """E = N sum_k |z_{k+1} - z_k|_G^2, the integral of the squared speed over t in [0, 1]; (batch,).

        In squared units of length: E >= length^2, equal where the speed is constant. There is no factor 1/2.
        """
        return self.squared_steps(curves).sum(1) * (curves.shape[1] - 1)

    def length(self, curves: Curves) -> Tensor:
        """Sum of the lengths of the steps; (batch,)."""
        return self.squared_steps(curves).clamp_min(0).sqrt().sum(1)

    def rounding(self, z: Points) -> Tensor:
        """Length of a step at z that is no more than rounding of the decoder's outputs, 0 without one; (batch,)."""
        return z.new_zeros(len(z))

    def anchors(self, curves: Curves) -> Tensor | None:
        """The part of the energy that depends on the end points alone, (batch, ...), for ``energy_gradient``."""
        return None

    def energy_gradient(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(E (batch,), dE/dz of the inner nodes (batch, node - 2, latent)).

        anchors: of these curves or of others with the same ends; worked out when left out.
        """
        with torch.enable_grad():
            inner = curves[:, 1:-1].detach().requires_grad_(True)
            energy = self.energy(torch.cat([curves[:, :1], inner, curves[:, -1:]], 1))
        return energy.detach(), gradient_of(energy, inner)

    def energy_model(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(E, dE/dz of the inner nodes, G^-1 of each step, the mean over its samples).

        The last (batch, node - 1, latent, latent), or (batch, node - 1, latent) where it is diagonal.
        """
        steps = Steps.of(curves, self.samples_per_step)
        return *self.energy_gradient(curves, anchors), steps.mean(self.cometric(steps.samples))

    def quadratic(self, curves: Curves) -> Quadratic:
        """The energy's quadratic model with the metric frozen, the gradient exact.

        H_kk = G_{k-1} + G_k, H_k,k+1 = -G_k, G_k the mean over the samples of step k.
        """
        steps = Steps.of(curves, self.samples_per_step)
        g = steps.mean(self.tensor(steps.samples))
        pull = (g @ curves.diff(dim=1)[..., None])[..., 0]
        to_start, to_end = steps.split(self.gradient(steps.samples, steps.moves))
        gradient = pull[:, :-1] - pull[:, 1:] + (to_end[:, :-1] + to_start[:, 1:]) / 2
        return Quadratic(g[:, :-1] + g[:, 1:], -g[:, 1:-1], gradient)
