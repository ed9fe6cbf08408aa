r"""GEORCE: geodesics under a metric whose inverse is cheap, by closed-form updates of all the steps at once.

Rygaard and Hauberg, "GEORCE: a fast new control algorithm for computing geodesics", 2025, arXiv 2505.05961, with
the metric looked at in the middles of the steps instead of their beginnings, which makes the energy exact to second
order in the spacing. With u_t the steps of a curve from a to b, m_t their middles, G_t = G(m_t) and

    g_t = 2 G_t u_t + nu_t / 2 + sum_{j > t} nu_j,    nu_t = grad_m u_t' G(m) u_t at m_t,

the energy's slope in u_t over N, their update is u_t <- u_t - 1/2 G_t^-1 (g_t + mu), mu such that the steps still add
up to b - a. It is the exact minimum where nu is frozen, and so the inverse of a block-tridiagonal Hessian at the cost
of one inverse tensor a step. Here it is the first guess of the inverse Hessian, taken anew at every curve reached, of
limited-memory quasi-Newton: on the kernel metric that takes two thirds of the sweeps. A metric that is looked at more
than once a step enters by the mean of its inverses.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.metric.base import Metric
from sonifold.types import Curves

from .quasi_newton import Descent, descend

#: The Hessian over the update's. At 1, the first step from a straight line was rejected on most pairs (kernel metric
#: of posteriors, 16 dimensions): 10 evaluations a curve instead of 7; with matrices that are not diagonal 5 at either.
STIFFEN = 1.5


def minimise(metric: Metric, curves: Curves, tolerance: float = 1e-3, max_steps: int = 60) -> Descent:
    """Lower the energy of each curve (batch, node, latent), its ends held.

    ``tolerance``: stop when the fall the next sweep promises is below this part of the energy.
    """
    sweep = _Sweep(metric, curves)
    descent = descend(
        sweep.energy_gradient, curves[:, 1:-1], sweep.update, tolerance, max_steps, sweep.accept
    )
    return descent._replace(
        curves=sweep.whole(descent.curves, torch.arange(len(curves), device=curves.device))
    )


class _Sweep:
    """Energy and update of curves with these ends; the inverse tensors are those of the curves last accepted."""

    def __init__(self, metric: Metric, curves: Curves):
        self.metric, self.ends, self.anchors = metric, curves[:, [0, -1]], metric.anchors(curves)
        self.inverse: Tensor | None = None
        self.tried: Tensor | None = None

    def whole(self, inner: Tensor, index: Tensor) -> Curves:
        ends = self.ends[index]
        return torch.cat([ends[:, :1], inner, ends[:, 1:]], 1)

    def energy_gradient(self, inner: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        anchors = None if self.anchors is None else self.anchors[index]
        energy, gradient, self.tried = self.metric.energy_model(self.whole(inner, index), anchors)
        if self.inverse is None:
            self.inverse = self.tried
        return energy, gradient

    def accept(self, index: Tensor, falls: Tensor) -> None:
        assert self.inverse is not None
        assert self.tried is not None
        self.inverse[index[falls]] = self.tried[falls]

    def update(self, gradient: Tensor, index: Tensor) -> Tensor:
        """What lowers the energy, for slopes in the inner nodes (batch, node - 2, latent)."""
        assert self.inverse is not None
        inverse = self.inverse[index]
        # slopes in the steps, up to what is common to all of them
        slopes = torch.cat([torch.zeros_like(gradient[:, :1]), -gradient.cumsum(1)], 1)
        if inverse.ndim == 3:
            raised = inverse * slopes
            mu = raised.sum(1, keepdim=True) / inverse.sum(1, keepdim=True)
            change = raised - inverse * mu
        else:
            raised = (inverse @ slopes[..., None])[..., 0]
            mu = linalg.solve(inverse.sum(1), raised.sum(1)[..., None])[..., 0]
            change = raised - (inverse @ mu[:, None, :, None])[..., 0]
        return change[:, :-1].cumsum(1) / (2 * STIFFEN * inverse.shape[1])
