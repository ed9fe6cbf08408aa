r"""Residuals interpolated over latent space, and what that would have done to each upload left out.

With latent points z and residuals r of the uploads and of their copies, the field's values are (K + noise W^-1)^-1 R,
K_ij = exp(-|z_i - z_j|^2 / 2 l^2): the mean of a Gaussian process (Rasmussen & Williams 2006, eq. 2.25) whose rows
count by their weights W. Scale l and noise are those with the least Phi error on uploads left out, all their copies
with them; leaving out block b needs no new solution, its error is (A^-1)_bb^-1 (A^-1 R)_b (ibid., eq. 5.12, by blocks).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.adapt.ridge import Evidence
from sonifold.device import in_double
from sonifold.types import Points
from sonifold.vae.field import ResidualField
from sonifold.vae.network import VAE

#: Of the unit, the median distance between uploads. Wider fields gained little on other sounds and moved the base.
SCALES = (0.2, 0.3, 0.45)
NOISES = (0.03, 0.1, 0.3, 1.0, 3.0)
COPIES = 16  # of each upload that take part, at most
ROWS = 400  # at most: decoding costs a kernel a row
ALONE = (0.3, 0.3)  # scale and noise where nothing can be left out
BUDGET = 0.3  # Phi^2: mean squared change of what the base decodes that adapting may cost
NARROWER = 0.7  # the scale, until the budget is kept


@dataclass(frozen=True)
class Choice:
    """Length scale and noise of residuals, by leave-one-out error of the uploads."""

    scale: float  # latent units; 0: nothing is carried
    noise: float
    left_out: (
        Tensor | None
    )  # (upload, K), each residual as predicted from the others; None for a single upload


def rows(count: int) -> int:
    """Number of copies of each of ``count`` uploads that take part."""
    return max(0, min(COPIES, ROWS // count - 1))


def choose(z: Points, evidence: Evidence, timbre_map: Tensor, unit: float) -> Choice:
    """Scale and noise with the least Phi error on uploads left out; no field if nothing beats that.

    Args:
        z: (row, latent), of the evidence's rows.
        timbre_map: (512, K), takes coefficients to Phi.
        unit: of the scales, in latent units.
    """
    if evidence.uploads == 1:
        return Choice(ALONE[0] * unit, ALONE[1], None)
    target = evidence.residuals[: evidence.uploads]
    nothing = torch.zeros_like(target)
    best, least = Choice(0.0, 0.0, nothing), float((target @ timbre_map.T).norm(dim=1).sum())
    squares = _squares(z)
    for scale in (share * unit for share in SCALES):
        kernel = _kernel(squares, scale)
        for noise in NOISES:
            predicted = _left_out(kernel, evidence, noise)
            error = float(((target - predicted) @ timbre_map.T).norm(dim=1).sum())
            if error < least:
                best, least = Choice(scale, noise, predicted), error
    return best


def left_out(z: Points, evidence: Evidence, scale: float, noise: float) -> Tensor:
    """The residual of each upload as predicted without it and its copies, (upload, K); scale in latent units."""
    kernel = _kernel(_squares(z), scale)
    return _left_out(kernel, evidence, noise)


def _left_out(kernel: Tensor, evidence: Evidence, noise: float) -> Tensor:
    inverse = torch.linalg.inv(kernel + _noise(evidence, noise))
    solution = inverse @ in_double(evidence.residuals)
    errors = []
    for upload in range(evidence.uploads):
        block = torch.arange(upload, len(kernel), evidence.uploads)
        errors.append(torch.linalg.solve(inverse[block][:, block], solution[block])[0])
    target = evidence.residuals[: evidence.uploads]
    return (target - torch.stack(errors).to(target.device)).float()


def fit(z: Points, evidence: Evidence, choice: Choice) -> ResidualField | None:
    """The field through the residuals; None where nothing is to be carried."""
    if choice.scale <= 0:
        return None
    kernel = _kernel(_squares(z), choice.scale)
    values = torch.linalg.solve(kernel + _noise(evidence, choice.noise), in_double(evidence.residuals))
    return ResidualField(z.clone(), values.to(z), choice.scale)


def within_budget(
    z: Points,
    evidence: Evidence,
    choice: Choice,
    library_points: Points,
    timbre_map: Tensor,
    budget: float = BUDGET,
) -> ResidualField | None:
    """The field, narrower where it would change what is decoded at ``library_points`` by more than the budget."""
    while True:
        field = fit(z, evidence, choice)
        if field is None or float((field(library_points) @ timbre_map.T).square().sum(1).mean()) <= budget:
            return field
        choice = Choice(NARROWER * choice.scale, choice.noise, choice.left_out)


def with_field(vae: VAE, field: ResidualField | None) -> VAE:
    """A copy of the network with the field on top of what it decodes."""
    adapted = copy.deepcopy(vae).requires_grad_(False).eval()
    if field is not None:
        adapted.field = field.joined(adapted.field)
    return adapted


def _squares(z: Points) -> Tensor:
    """Squared distances (row, row), in double precision."""
    return in_double(torch.cdist(z, z)).square()


def _kernel(squares: Tensor, scale: float) -> Tensor:
    return (-0.5 * squares / scale**2).exp()


def _noise(evidence: Evidence, noise: float) -> Tensor:
    """A row of the mean weight has ``noise``, one that counts twice has half of it."""
    return torch.diag(noise / (len(evidence.hidden) * in_double(evidence.weights)))
