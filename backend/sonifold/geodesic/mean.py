r"""The weighted Frechet mean: the point m with the least sum_i w_i d(m, z_i)^2.

Found together with the geodesics from m to the points, as one star of curves with a common first node: its energy
sum_i w_i E_i is least where every arm is a geodesic and m the mean (the idea of Rygaard and Hauberg 2025,
"Fast Frechet means", arXiv 2511.04301). The star's second differences are a small graph Laplacian, which
preconditions the quasi-Newton descent as the tridiagonal one does for a single curve. The mean of two is on their
geodesic, cut where its length is as the weights say.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sonifold.errors import PointInvalid
from sonifold.metric.base import Metric
from sonifold.types import Curves, Points

from .line import line
from .outcome import CONVERGED, Stop
from .quasi_newton import STIFFEN, descend, inverse_or_scale
from .solve import coincident, solve
from .spline import resample

#: Nodes of each arm, one grid after the other.
GRIDS = (3, 5, 9)
#: Finer ones, for arms that bend so much that the variance changes by more than BENT when it is measured on the next.
FINER_GRIDS = (17, 33)
BENT = 0.01
#: Nodes on which the geodesic of two points is cut by its length.
FINE = 129


@dataclass(frozen=True)
class Mean:
    """A weighted Frechet mean with its geodesics."""

    point: Tensor  #: (latent,)
    curves: Curves  #: (count, node, latent), from the mean to each point
    distances: Tensor  #: (count,)
    variance: float  #: sum_i w_i d(m, z_i)^2 over sum_i w_i
    steps: int
    stop: Stop

    @property
    def converged(self) -> bool:
        """True if this is the mean to within the tolerance."""
        return self.stop in CONVERGED


@torch.no_grad()
def frechet_mean(
    metric: Metric,
    points: Points,
    weights: Tensor | None = None,
    tolerance: float = 1e-3,
    max_steps: int = 60,
) -> Mean:
    """Of points (count, latent) with weights (count,) >= 0, equal when left out.

    ``tolerance``: part of the variance that may be left to gain. Starts from the Euclidean mean; where the metric is
    strongly curved and the points far apart there can be other, better minima.
    The result is on the device of the points.
    Raises ``PointInvalid`` for points that are not finite, ``ValueError`` for weights that do not fit.
    """
    if points.ndim != 2 or not len(points) or not torch.isfinite(points).all():
        raise PointInvalid(f"points must be finite and (count >= 1, latent), got shape {tuple(points.shape)}")
    w = torch.ones(len(points)) if weights is None else weights
    if w.shape != points.shape[:1] or not (w >= 0).all() or not w.sum() > 0:
        raise ValueError(f"{len(points)} points need as many weights >= 0, not all zero, got {w.tolist()}")
    z = metric.to_device(points.detach().to(metric.dtype or points.dtype))
    w = (w / w.sum()).to(z)
    curves = line((w[:, None] * z).sum(0).expand_as(z), z, GRIDS[0])
    steps, stop = 0, Stop.COINCIDENT
    if len(z) == 2 and not coincident(z[:1], z[1:]).all():
        curves, steps, stop = _between(metric, z, w, tolerance, max_steps)
    elif not coincident(z, z[:1].expand_as(z)).all():
        for nodes in (*GRIDS, *FINER_GRIDS):
            if nodes in FINER_GRIDS and not _bent(metric, curves, w, nodes):
                break
            # taken anew where the curves are now, unless the metric knows one: it decides when they have arrived
            inverse = inverse_or_scale(metric.typical_tensor(curves))
            star = _Star(metric, resample(curves, nodes), w, inverse)
            descent = descend(star.energy_gradient, star.free[None], star.precondition, tolerance, max_steps)
            curves, stop = star.curves(descent.curves[0]), descent.stop[0]
            steps += int(descent.steps[0])
    distances = metric.length(curves)
    variance = float((w * distances.square()).sum())
    if not math.isfinite(variance):
        stop = Stop.NOT_FINITE
    return Mean(
        curves[0, 0].to(points),
        curves.to(points),
        distances.to(points),
        variance,
        steps,
        stop,
    )


def _between(
    metric: Metric, z: Points, weights: Tensor, tolerance: float, max_steps: int
) -> tuple[Curves, int, Stop]:
    """Of two points: (the two parts of their geodesic (2, node, latent), away from where its length is cut, ...)."""
    path = solve(metric, z[:1], z[1:], FINER_GRIDS[-1], tolerance, max_steps, polish=True)
    reached = torch.nn.functional.pad(
        metric.squared_steps(path.sample(FINE)).clamp_min(0).sqrt()[0].cumsum(0), (1, 0)
    )
    even = np.linspace(0, 1, FINE)
    share = (reached / reached[-1]).cpu().double().numpy() if 0 < float(reached[-1]) < math.inf else even
    cut = float(np.interp(float(weights[1]), share, even))
    onwards = torch.linspace(0, 1, GRIDS[-1], dtype=torch.float64)
    parts = [path.at(cut * (1 - onwards)), path.at(cut + (1 - cut) * onwards)]
    return torch.cat(parts).to(z), int(path.steps[0]), path.stop[0]


def _bent(metric: Metric, curves: Curves, weights: Tensor, nodes: int) -> bool:
    """Whether the energy of the curves is another on a finer grid."""
    coarse, finer = ((weights * metric.energy(part)).sum() for part in (curves, resample(curves, nodes)))
    return not bool((finer - coarse).abs() <= BENT * finer)


class _Star:
    """Curves (count, node, latent) with a common first node and fixed ends, as one set of free nodes."""

    def __init__(self, metric: Metric, curves: Curves, weights: Tensor, inverse: Tensor):
        self.metric, self.weights, self.inverse = metric, weights, inverse
        self.ends = curves[:, -1:]
        self.free = torch.cat([curves[0, :1], curves[:, 1:-1].flatten(0, 1)])
        self.arms, self.nodes = curves.shape[:2]
        self.across = torch.linalg.inv(self._laplacian()).to(curves) / (2 * STIFFEN * (self.nodes - 1))

    def curves(self, free: Tensor) -> Curves:
        """(count, node, latent) from the centre and the inner nodes of all arms."""
        inner = free[1:].view(self.arms, self.nodes - 2, -1)
        return torch.cat([free[:1].expand(self.arms, 1, -1), inner, self.ends], 1)

    def energy_gradient(self, free: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """sum_i w_i E_i and its gradient; free (1, 1 + count * inner nodes, latent)."""
        curves = self.curves(free[0])
        # with its first node doubled, a curve has the first among its inner ones; a step of no length adds nothing
        doubled = torch.cat([curves[:, :1], curves], 1)
        energy, gradient = self.metric.energy_gradient(doubled)
        shares = self.weights * (self.nodes - 1) / self.nodes
        gradient = shares[:, None, None] * gradient
        whole = torch.cat([gradient[:, 0].sum(0, keepdim=True), gradient[:, 1:].flatten(0, 1)])
        return (shares * energy).sum()[None], whole[None]

    def precondition(self, gradient: Tensor, index: Tensor) -> Tensor:
        """(2N stiffen L x G)^-1 gradient, L the weighted Laplacian of the star."""
        step: Tensor = self.across @ gradient @ self.inverse
        return step

    def _laplacian(self) -> Tensor:
        inner = self.nodes - 2
        size = 1 + self.arms * inner
        laplacian = torch.zeros(size, size, dtype=torch.float64)
        for arm, weight in enumerate(self.weights.cpu().double().clamp_min(1e-6).tolist()):
            chain = [0, *range(1 + arm * inner, 1 + (arm + 1) * inner)]
            for a, b in itertools.pairwise(chain):
                laplacian[[a, b], [a, b]] += weight
                laplacian[[a, b], [b, a]] -= weight
            laplacian[chain[-1], chain[-1]] += weight  # to the fixed end
        return laplacian
