r"""Block-tridiagonal Gauss-Newton on the energy of curves.

One step solves  (H + mu s I) delta = -gradient  with H the metric's quadratic model (block tridiagonal, one block a
node), s the mean of its diagonal and mu the damping: a fifth after a step that lowered the energy, five times after one
that did not (Levenberg and Marquardt). It needs the whole Jacobian of a decoder at every node, which pays
where that is cheap: few latent dimensions, or a closed form.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold.metric.base import Metric
from sonifold.types import Curves

from . import tridiagonal
from .outcome import Stop
from .quasi_newton import Descent

#: Damping at the start, in units of the mean diagonal of H.
DAMPING = 1e-3
#: Its smallest and largest; at the largest a step no longer moves anything.
DAMPING_RANGE = (1e-8, 1e6)


def minimise(metric: Metric, curves: Curves, tolerance: float = 1e-3, max_steps: int = 40) -> Descent:
    """Lower the energy of each curve (batch, node, latent), its ends held.

    ``tolerance``: stop when the fall that the quadratic model promises is below this part of the energy.
    """
    count, nodes = curves.shape[:2]
    energy = metric.energy(curves)
    index, damping = torch.arange(count, device=curves.device), torch.full_like(energy, DAMPING)
    result = Descent(curves.clone(), energy.clone(), torch.zeros_like(index), [Stop.OUT_OF_STEPS] * count)
    model = metric.quadratic(curves)
    for _ in range(max_steps):
        step = tridiagonal.solve(_damped(model.diagonal, damping), model.upper, -model.gradient)
        promised = -(nodes - 1) * (model.gradient * step).sum((1, 2))
        trial = curves.clone()
        trial[:, 1:-1] += torch.nan_to_num(step)
        trial_energy = metric.energy(trial)
        falls = trial_energy < energy
        settled = (promised <= tolerance * energy) & torch.isfinite(promised)
        curves = torch.where(falls[:, None, None], trial, curves)
        energy = torch.where(falls, trial_energy, energy)
        damping = torch.where(falls, (damping / 5).clamp_min(DAMPING_RANGE[0]), damping * 5)
        result.curves[index], result.energy[index] = curves, energy
        result.steps[index] += 1
        over = settled | (damping > DAMPING_RANGE[1])
        if over.any():
            for row, fine in zip(index[over].tolist(), settled[over].tolist(), strict=True):
                result.stop[row] = Stop.CONVERGED if fine else Stop.STALLED
            if over.all():
                break
            curves, energy, damping, index = curves[~over], energy[~over], damping[~over], index[~over]
            falls = falls[~over]
            model = type(model)(*(part[~over] for part in model))
        if falls.any():
            model = metric.quadratic(curves)
    return result


def _damped(diagonal: Tensor, damping: Tensor) -> Tensor:
    scale = torch.diagonal(diagonal, dim1=2, dim2=3).mean((1, 2))
    eye = torch.eye(diagonal.shape[-1], dtype=diagonal.dtype, device=diagonal.device)
    return diagonal + (damping * scale)[:, None, None, None] * eye
