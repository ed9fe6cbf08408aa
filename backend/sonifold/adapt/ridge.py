r"""Closed-form update of a decoder's linear head, and what it would have done to each upload left out.

With hidden features h(z) (a one appended), residuals r = c - dec(z) of the uploads and their copies, weights w and
the base's second moment S = E[h h'] over its training sounds, the change of the head is the ridge solution

    dW = argmin  sum_i w_i |r_i - dW' h_i|^2 + tr(dW' (S + lam s I) dW),      s = mean diagonal of S,

in its dual form  dW = P H' (H P H' + diag(1/w))^-1 R  with P = (S + lam s I)^-1, whatever the base was trained on.
The penalty is the mean squared change of the base's own decodings, so the weights read as shares of the base's mass:
``amount`` = 1 lets the uploads weigh as much as everything it knows.

Leaving out block b (an upload and all its copies) needs no new solution: with A the dual matrix and a = A^-1 R the
error at the block is (A^-1)_bb^-1 a_b (Hoerl & Kennard 1970; the block form of Cook 1977).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sonifold.device import in_double
from sonifold.types import Points
from sonifold.vae.network import VAE

AMOUNTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
RIDGES = (1e-3, 1e-2, 1e-1)
UPLOADS_SHARE = 0.4  # of the weight is on the uploads themselves, the rest on their copies
ALONE = (0.1, 0.1)  # amount and ridge where nothing can be left out
#: What leaving out chooses is too timid: each fit was of one upload less. Twice the amount was as good or better
#: on 10 of 11 groups that settings are chosen on, four times little better again, for twice the drift.
BOLDER = 2.0
#: Mean squared change of what the base decodes, in Phi^2, that adapting may cost. The base's error on its own held-out
#: sounds grows by .15 of it.
BUDGET = 0.3


@dataclass(frozen=True)
class Statistics:
    """Second moment of the base's hidden features over its training sounds."""

    moment: Tensor  # (width + 1, width + 1), E[h h']
    count: int  # sounds behind it

    @classmethod
    @torch.no_grad()
    def of(cls, vae: VAE, points: Points) -> Statistics:
        """From the latent points (sound, latent) of the base's training sounds."""
        h = hidden(vae, points)
        return cls(h.T @ h / len(h), len(h))

    def inverse_root(self, ridge: float) -> Tensor:
        """L with L L' = (S + ridge * mean diagonal)^-1, in double precision."""
        values, axes = torch.linalg.eigh(in_double(self.moment))
        root: Tensor = axes / (values.clamp(min=0) + ridge * values.mean()).sqrt()
        return root


@dataclass(frozen=True)
class Evidence:
    """Rows to fit: the first ``uploads`` of them the uploads, then copy 1 of each, copy 2 of each, and so on."""

    hidden: Tensor  # (row, width + 1)
    residuals: Tensor  # (row, K)
    uploads: int

    @property
    def weights(self) -> Tensor:
        """Of the rows, summing to 1, (row,)."""
        copies = len(self.hidden) - self.uploads
        share = UPLOADS_SHARE if copies else 1.0
        upload_weights = torch.full((self.uploads,), share / self.uploads)
        copy_weights = torch.full((copies,), (1 - share) / max(copies, 1))
        return torch.cat([upload_weights, copy_weights]).to(self.hidden.device)


@dataclass(frozen=True)
class Choice:
    """Strength of the adaptation, by leave-one-out error of the uploads."""

    amount: float  # of the base's mass; 0: not at all
    ridge: float
    left_out: (
        Tensor | None
    )  # (upload, K), each residual as predicted from the other uploads; None for one upload


@torch.no_grad()
def hidden(vae: VAE, points: Points) -> Tensor:
    """Input of the linear head, a one appended, (batch, width + 1)."""
    h = vae.decoder[:-1](points)
    return torch.cat([h, torch.ones_like(h[:, :1])], 1)


@dataclass(frozen=True)
class Spectrum:
    """A fit for every amount at once, for one ridge.

    With P = L L' and G = diag(sqrt w) H L = U diag(s) V', the solution for amount a is
    L V diag(a s / (1 + a s^2)) U' diag(sqrt w) R, and the scaled dual matrix has the inverse
    a (I - U diag(a s^2 / (1 + a s^2)) U').
    """

    uploads: int
    turned: Tensor  # L V, (width + 1, k)
    rows: Tensor  # U, (row, k)
    squares: Tensor  # s^2, (k,)
    targets: Tensor  # diag(sqrt w) R, (row, K)
    roots: Tensor  # sqrt w, (row,)

    @classmethod
    def of(cls, evidence: Evidence, statistics: Statistics, ridge: float) -> Spectrum:
        """All in double precision: a ridge of a thousandth squares to more than single precision holds."""
        roots = in_double(evidence.weights).sqrt()
        inverse_root = statistics.inverse_root(ridge)
        scaled = roots[:, None] * (in_double(evidence.hidden) @ inverse_root)
        squares, axes = torch.linalg.eigh(scaled.T @ scaled)
        significant = squares > 1e-10 * squares[-1]
        squares, axes = squares[significant], axes[:, significant]
        rows = scaled @ axes / squares.sqrt()
        targets = roots[:, None] * in_double(evidence.residuals)
        return cls(evidence.uploads, inverse_root @ axes, rows, squares, targets, roots)

    def solution(self, amount: float) -> Tensor:
        """dW (width + 1, K)."""
        gain = amount * self.squares.sqrt() / (1 + amount * self.squares)
        return (self.turned @ (gain[:, None] * (self.rows.T @ self.targets))).float()

    def left_out(self, amount: float) -> Tensor:
        """The residual of each upload as predicted without it and its copies, (upload, K)."""
        shrink = amount * self.squares / (1 + amount * self.squares)
        errors = self.targets - self.rows @ (shrink[:, None] * (self.rows.T @ self.targets))
        blocks = self.rows.unflatten(0, (-1, self.uploads)).transpose(0, 1)  # (upload, copy, k)
        eye = torch.eye(blocks.shape[1], dtype=blocks.dtype, device=blocks.device)
        within = eye - (blocks * shrink) @ blocks.mT
        column = torch.linalg.solve(within, eye[:, :1])[..., 0]
        first = torch.einsum("uc,cuk->uk", column, errors.unflatten(0, (-1, self.uploads)))
        scale = self.roots[: self.uploads, None]
        return ((self.targets[: self.uploads] - first) / scale).float()


def choose(evidence: Evidence, statistics: Statistics, timbre_map: Tensor) -> Choice:
    """The amount and ridge with the least Phi error on uploads left out; no adaptation if nothing beats that.

    ``timbre_map`` (512, K) takes coefficients to Phi.
    """
    if evidence.uploads == 1:
        return Choice(*ALONE, None)
    target = evidence.residuals[: evidence.uploads]

    def phi_error(predicted: Tensor) -> float:
        return float(((target - predicted) @ timbre_map.T).norm(dim=1).sum())

    best = Choice(0.0, RIDGES[0], torch.zeros_like(target))
    least = phi_error(torch.zeros_like(target))
    for ridge in RIDGES:
        spectrum = Spectrum.of(evidence, statistics, ridge)
        for amount in AMOUNTS:
            predicted = spectrum.left_out(amount).to(target)
            error = phi_error(predicted)
            if error < least:
                best, least = Choice(amount, ridge, predicted), error
    return best


def fit(
    evidence: Evidence, statistics: Statistics, choice: Choice, timbre_map: Tensor, budget: float = BUDGET
) -> Tensor:
    """dW (width + 1, K) of what was chosen, a little bolder, but within what the base may change.

    Args:
        timbre_map: (512, K), takes coefficients to Phi.
        budget: largest mean squared change of the base's decodings, in Phi^2.
    """
    spectrum = Spectrum.of(evidence, statistics, choice.ridge)
    high = BOLDER * choice.amount
    whole = spectrum.solution(high)
    if unrest(whole, statistics, timbre_map) <= budget:
        return whole
    low = 0.0
    for _ in range(12):  # unrest grows with the amount
        middle = (low + high) / 2
        if unrest(spectrum.solution(middle), statistics, timbre_map) <= budget:
            low = middle
        else:
            high = middle
    return spectrum.solution(low)


def unrest(change: Tensor, statistics: Statistics, timbre_map: Tensor) -> float:
    """E |Phi of the change of a decoding|^2 over the base's training sounds."""
    timbre_change = change.to(timbre_map) @ timbre_map.T
    return float((timbre_change * (statistics.moment @ timbre_change)).sum())


def with_head(vae: VAE, change: Tensor) -> VAE:
    """A copy of the network whose head is changed by ``change`` (width + 1, K)."""
    adapted = copy.deepcopy(vae)
    head = adapted.decoder[-1]
    assert isinstance(head, nn.Linear)  # what VAE builds
    with torch.no_grad():
        head.weight.add_(change[:-1].T.to(head.weight))
        head.bias.add_(change[-1].to(head.bias))
    return adapted.requires_grad_(False).eval()
