"""500 pairs under each metric: paths with a NaN in them, or worse than the straight line on a finer grid."""

from __future__ import annotations

import kernel as kernels
import torch
from decoders import load
from environments import BUILD

from sonifold.geodesic import line, solve
from sonifold.metric import Blend, Flat, KernelMetric, Metric, Pullback

PAIRS = 500
#: Paths have 17 nodes; they are held against their lines on this many.
FINE = 129


def metrics() -> dict[str, tuple[Metric, int]]:
    """name -> (metric, latent dimensions)."""
    found: dict[str, tuple[Metric, int]] = {"flat": (Flat(), 16)}
    for latent in (2, 16):
        case = load(latent, BUILD / "bench")
        pullback = Pullback(case.decoder)
        posterior = kernels.metric(False, latent)
        isotropic = KernelMetric.isotropic(posterior.centroids)
        blend = Blend.over(pullback, posterior, case.means[:500])
        found |= {
            f"pullback, d = {latent}": (pullback, latent),
            f"kernel, posterior, d = {latent}": (posterior, latent),
            f"kernel, full matrices, d = {latent}": (kernels.metric(True, latent), latent),
            f"kernel, isotropic, d = {latent}": (isotropic, latent),
            f"blend of weight 1, d = {latent}": (blend, latent),
            f"blend of weight 10, d = {latent}": (blend.reweighted(10), latent),
        }
    return found


def measure() -> dict:
    """By metric: NaN, worse than the line, kept lines, converged."""
    return {name: count(*entry) for name, entry in metrics().items()}


def count(metric: Metric, latent: int) -> dict[str, int]:
    starts, ends = load(latent, BUILD / "bench").pairs(PAIRS, seed=9)
    paths = solve(metric, starts, ends)
    fine = torch.cat([metric.energy(part) for part in paths.sample(FINE).split(50)])
    straight = torch.cat([metric.energy(part) for part in line(starts, ends, FINE).split(50)])
    finite = torch.isfinite(paths.nodes).all((1, 2)) & torch.isfinite(fine)
    return {
        "pairs": PAIRS,
        "nan": int((~finite).sum()),
        "worse_than_line": int((fine > straight * (1 + 1e-5)).sum()),
        "converged": sum(paths.converged),
    }
