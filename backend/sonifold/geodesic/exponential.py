r"""The exponential map: start at a point with a velocity and go straight on.

Metrics with a closed form are integrated as a Hamiltonian system, H(p, q) = 1/2 q' G^-1(p) q with q = G(p) v:

    p' = G^-1 q,    q' = -dH/dp = 1/2 grad_y [u' G(y) u] at y = p with u = p' held fixed,

by classical Runge-Kutta steps, which hold H to about 1e-9 in fifty of them. A decoder's Jacobian costs too much for
that; under a metric of chords the curve is continued node by node instead: z_{k+1} is where the energy of
z_{k-1}, z_k, z_{k+1} is stationary in z_k, a variational integrator (Marsden and West 2001, section 1.3.1), the same
discrete geodesic that ``solve`` finds between two ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.metric.base import Metric
from sonifold.types import Curves, Points, Vectors

#: Corrections of a node while continuing a curve, and the part of the step below which one is the last.
CORRECTIONS = 8
SETTLED = 1e-3
#: Added to the tensor at a node, over its mean diagonal: decoders are nearly flat in dimensions they do not use.
LIFT = 1e-6


@dataclass(frozen=True)
class Flow:
    """Geodesics from a point and a velocity."""

    nodes: Curves  #: (batch, steps + 1, latent), at evenly spaced times in [0, 1]
    drift: Tensor  #: (batch,), largest relative change of the squared speed; exactly zero on a true geodesic

    @property
    def ends(self) -> Points:
        """exp_z(v); (batch, latent)."""
        return self.nodes[:, -1]


@torch.no_grad()
def exponential(metric: Metric, z: Points, v: Vectors, steps: int = 50) -> Flow:
    """The geodesics from z with velocity v (batch, latent) for one unit of time, on the device of z."""
    begin, v = metric.to_device(z), metric.to_device(v)
    if metric.chordal:
        first = begin + v / steps - metric.christoffel(begin, v, v) / (2 * steps**2)
        curves = continued(metric, torch.stack([begin, first], 1), steps - 1)
        return Flow(curves.to(z.device), _drift(metric.squared_steps(curves)).to(z.device))
    return _integrated(metric, begin, v, steps, z.device)


def _integrated(metric: Metric, z: Points, v: Vectors, steps: int, device: torch.device) -> Flow:
    """By Hamilton's equations; the result on a device."""
    nodes, energies = [z], []
    p, q, h = z, metric.lower(z, v), 1 / steps
    for _ in range(steps):
        energies.append((q * metric.raised(p, q)).sum(1))
        p, q = _runge_kutta(metric, p, q, h)
        nodes.append(p)
    energies.append((q * metric.raised(p, q)).sum(1))
    return Flow(torch.stack(nodes, 1).to(device), _drift(torch.stack(energies, 1)).to(device))


@torch.no_grad()
def continued(metric: Metric, curves: Curves, steps: int) -> Curves:
    """Discrete geodesics (batch, node >= 2, latent), longer by ``steps`` nodes at the same spacing."""
    nodes = list(metric.to_device(curves).unbind(1))
    for _ in range(steps):
        nodes.append(_following(metric, nodes))
    return torch.stack(nodes, 1).to(curves.device)


def _following(metric: Metric, nodes: list[Points]) -> Points:
    """The node after these, where the energy is stationary in the last of them."""
    before, current = nodes[-2], nodes[-1]
    following = 2 * current - before if len(nodes) < 3 else 3 * (current - before) + nodes[-3]
    origin = metric.geodesic_origin(current)
    factor = linalg.cholesky(linalg.lifted(origin.tensor, LIFT))
    back, on = origin.slope(torch.stack([before, following], 1)).unbind(1)

    def correction(on: Vectors) -> Vectors:
        # the two slopes cancel on a geodesic; the second falls by 2 G for what the node moves on
        return torch.cholesky_solve((back + on)[..., None] / 2, factor)[..., 0]

    step = correction(on)
    following = following + step
    for _ in range(CORRECTIONS - 1):
        if (step.norm(dim=1) <= SETTLED * (current - before).norm(dim=1)).all():
            break
        last, step = step, correction(origin.slope(following[:, None])[:, 0])
        # Anderson's mixing with one step of memory: what the last correction taught about the next
        change = step - last
        share = (change * step).sum(1) / change.square().sum(1).clamp_min(1e-30)
        following = following + step - share[:, None] * (last + change)
    return following


def _runge_kutta(metric: Metric, p: Points, q: Vectors, h: float) -> tuple[Points, Vectors]:
    """One classical step of Hamilton's equations."""

    def slope(p: Points, q: Vectors) -> tuple[Vectors, Vectors]:
        velocity = metric.raised(p, q)
        return velocity, metric.gradient(p, velocity) / 2

    p1, q1 = slope(p, q)
    p2, q2 = slope(p + h / 2 * p1, q + h / 2 * q1)
    p3, q3 = slope(p + h / 2 * p2, q + h / 2 * q2)
    p4, q4 = slope(p + h * p3, q + h * q3)
    return p + h / 6 * (p1 + 2 * p2 + 2 * p3 + p4), q + h / 6 * (q1 + 2 * q2 + 2 * q3 + q4)


def _drift(squared: Tensor) -> Tensor:
    first = squared[:, :1]
    stationary = first == 0
    return torch.where(stationary, 0.0, (squared / torch.where(stationary, 1.0, first) - 1).abs()).amax(1)
