r"""GEORCE: geodesics under any metric whose tensor is cheap, by alternating closed-form updates.

Rygaard and Hauberg, "GEORCE: a fast new control algorithm for computing geodesics", 2025, arXiv 2505.05961, with
the metric looked at in the middles of the steps instead of their beginnings, which makes the energy exact to second
order in the spacing. With u_t the steps of a curve from a to b, m_t their middles and G_t = G(m_t),

    nu_t = grad_m u_t' G(m) u_t at m_t,    S_t = nu_t / 2 + sum_{j > t} nu_j,
    mu   = -(sum_t G_t^-1)^-1 (2 (b - a) + sum_t G_t^-1 S_t),
    u_t <- alpha (-1/2 G_t^-1 (mu + S_t)) + (1 - alpha) u_t,

alpha halved until the energy falls. A sweep costs one inverse tensor a step; near the solution it converges
quadratically where the metric varies slowly. A metric that is looked at more than once a step enters by its means.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.metric.base import Metric, Steps
from sonifold.types import Curves

from .outcome import Stop
from .quasi_newton import SUFFICIENT, Descent

#: Halvings of the step before a curve counts as stuck.
HALVINGS = 12


def minimise(metric: Metric, curves: Curves, tolerance: float = 1e-3, max_steps: int = 60) -> Descent:
    """Lower the energy of each curve (batch, node, latent), its ends held.

    ``tolerance``: stop when the fall the next sweep promises is below this part of the energy.
    """
    energy = metric.energy(curves)
    count = len(curves)
    result = Descent(
        curves.clone(), energy.clone(), torch.zeros(count, dtype=torch.long), [Stop.OUT_OF_STEPS] * count
    )
    index = torch.arange(count)
    for _ in range(max_steps):
        step, slope = _sweep(metric, curves)
        result.steps[index] += 1
        settled = (-slope / 2 <= tolerance * energy) & torch.isfinite(slope)
        curves, energy, fell = _search(metric, curves, energy, step, slope)
        result.curves[index], result.energy[index] = curves, energy
        for place, fine in zip(
            index[settled | ~fell].tolist(), settled[settled | ~fell].tolist(), strict=True
        ):
            result.stop[place] = Stop.CONVERGED if fine else Stop.STALLED
        going = ~settled & fell
        if not going.any():
            break
        curves, energy, index = curves[going], energy[going], index[going]
    return result


def _sweep(metric: Metric, curves: Curves) -> tuple[Tensor, Tensor]:
    """(the change of the steps (batch, node - 1, latent), the slope of the energy along it (batch,))."""
    steps, moves = Steps.of(curves, metric.looks), curves.diff(dim=1)
    lowered = steps.mean(metric.lower(steps.places, steps.moves))
    inverse = metric.cometric(steps.places) if metric.looks == 1 else None
    inverse = (
        torch.linalg.inv(steps.mean(metric.tensor(steps.places))) if inverse is None else steps.mean(inverse)
    )
    to_start, to_end = steps.split(metric.gradient(steps.places, steps.moves))
    after = (to_start + to_end).flip(1).cumsum(1).flip(1) - to_start  # S
    spread = (inverse @ after[..., None])[..., 0]
    whole = 2 * (curves[:, -1] - curves[:, 0]) + spread.sum(1)
    mu = -torch.linalg.solve(inverse.sum(1), whole)
    best = -(spread + (inverse @ mu[:, None, :, None])[..., 0]) / 2
    change = best - moves
    return change, moves.shape[1] * ((2 * lowered + after) * change).sum((1, 2))


def _search(
    metric: Metric, curves: Curves, energy: Tensor, step: Tensor, slope: Tensor
) -> tuple[Curves, Tensor, Tensor]:
    """Backtracking: (curves, energies, whether the energy fell)."""
    curves, energy = curves.clone(), energy.clone()
    waiting = (torch.isfinite(slope) & (slope < 0)).nonzero().flatten()
    fell = torch.zeros(len(curves), dtype=torch.bool)
    fraction = 1.0
    for _ in range(HALVINGS):
        if not len(waiting):
            break
        trial = curves[waiting].clone()
        trial[:, 1:-1] += fraction * step[waiting, :-1].cumsum(1)
        found = metric.energy(trial)
        falls = found <= energy[waiting] + SUFFICIENT * fraction * slope[waiting]
        accepted = waiting[falls]
        curves[accepted], energy[accepted], fell[accepted] = trial[falls], found[falls], True
        waiting, fraction = waiting[~falls], fraction / 2
    return curves, energy, fell
