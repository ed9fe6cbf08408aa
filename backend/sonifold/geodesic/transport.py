r"""Parallel transport: carry a direction along a path without turning it.

dv/dt = -Gamma(x', v) along the curve x, a linear equation, integrated by classical Runge-Kutta steps (of fourth
order); the length of v, which transport conserves, is held exactly. do Carmo 1992, chapter 2, definition 2.5.
"""

from __future__ import annotations

import torch

from sonifold import linalg
from sonifold.metric.base import Metric
from sonifold.types import Curves, Points, Vectors

from .exponential import Flow, exponential
from .logarithm import logarithm
from .solve import solve
from .spline import at, rates, slopes

#: Steps of an analogy's last leg.
FLOW_STEPS = 16
#: Drift of the squared speed above which the steps were too few: six of 60 random triples of one-shots, in 16 steps.
UNEVEN = 0.1
#: Part of the energy that may be left to gain in the paths of an analogy: their first velocity carries the error on.
TOLERANCE = 1e-3
#: Steps along a curve. On one-shots (32 dimensions) six are within 3 % of many.
STEPS = 6


@torch.no_grad()
def transport(metric: Metric, curves: Curves, vectors: Vectors, steps: int = STEPS) -> Vectors:
    """Vectors (batch, latent) at the beginnings of the curves (batch, node, latent), carried to their ends.

    The result is on the device of the vectors.
    """
    h, device = 1 / steps, vectors.device
    curves, vectors = metric.to_device(curves), metric.to_device(vectors)
    times = torch.arange(2 * steps + 1, dtype=torch.float64) * h / 2
    samples, velocities = at(curves, times), slopes(curves, times)
    tensors, connections = metric.connections(samples, velocities, rates(len(times)))
    factors = linalg.cholesky(tensors)
    turns = -torch.cholesky_solve(connections, factors)

    def turn(k: int, v: Vectors) -> Vectors:
        return (turns[:, k] @ v[..., None])[..., 0]

    def lengths(k: int, v: Vectors) -> Vectors:
        norms: Vectors = (factors[:, k].mT @ v[..., None]).norm(dim=1)
        return norms

    carried = vectors
    for k in range(0, 2 * steps, 2):
        first = turn(k, carried)
        second = turn(k + 1, carried + h / 2 * first)
        third = turn(k + 1, carried + h / 2 * second)
        fourth = turn(k + 2, carried + h * third)
        carried = carried + h / 6 * (first + 2 * second + 2 * third + fourth)
        length = lengths(k + 2, carried)
        carried = carried * torch.where(length > 0, lengths(0, vectors) / length, 1.0)
    return carried.to(device)


def analogy(metric: Metric, a: Points, b: Points, c: Points, steps: int = FLOW_STEPS) -> Flow:
    """A is to B as C is to what? exp_C of log_A B carried from A to C; points (batch, latent).

    The flow from C to the answer, its ``ends``, on ``steps`` + 1 nodes. Where its speed does not hold, the flow is run
    anew in twice the steps, and once more.
    """
    both = solve(metric, torch.cat([a, a]), torch.cat([b, c]), tolerance=TOLERANCE)
    to_b, to_c = both.nodes.chunk(2)
    begin = transport(metric, to_c, slopes(to_b)[:, 0])
    flow = exponential(metric, c, begin, steps)
    for finer in (2, 4):
        rough = (~(flow.drift <= UNEVEN)).nonzero().flatten()
        if not len(rough):
            break
        finer_flow = exponential(metric, c[rough], begin[rough], finer * steps)
        flow.nodes[rough], flow.drift[rough] = finer_flow.nodes[:, ::finer], finer_flow.drift
    return flow


def pole_ladder(metric: Metric, curves: Curves, vectors: Vectors, scale: float = 0.1) -> Vectors:
    """Transport by geodesic diagonals alone, without derivatives of the metric: slow, and an independent check.

    For each step p -> q with its middle m, reflect exp_p(v) through m; what leads from q to the reflection is -v
    carried along. Lorenzi and Pennec 2014, "Efficient parallel transport of deformations in time series of images".
    Vectors are shortened to ``scale`` while they climb.
    """
    carried = scale * vectors
    for p, q in zip(curves.unbind(1)[:-1], curves.unbind(1)[1:], strict=True):
        middle = exponential(metric, p, logarithm(metric, p, q, rounds=2) / 2).ends
        tip = exponential(metric, p, carried).ends
        reflected = exponential(metric, middle, -logarithm(metric, middle, tip, rounds=2)).ends
        carried = -logarithm(metric, q, reflected, rounds=2)
    return carried / scale
