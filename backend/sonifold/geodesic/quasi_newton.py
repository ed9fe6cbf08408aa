r"""Preconditioned L-BFGS on the energy of curves: the solver for decoders.

The energy of a curve of N steps under a constant metric G is exactly quadratic, with Hessian 2N (L x G), L
the second-difference matrix tridiag(-1, 2, -1) and x the Kronecker product. Its inverse costs two small
matrix products, and with G a typical tensor of the metric it is a good first guess of the inverse Hessian
everywhere; limited-memory updates learn the rest (Nocedal and Wright 2006, algorithm 7.4). Where the tensor is known at
a few places of each line, the guess is the inverse of the block-tridiagonal matrix of their linear interpolation, which
saves a third of the steps. A step needs one decoding of the nodes and one backward pass. A Gauss-Newton step needs
the whole Jacobian at every node, which at 32 latent dimensions costs 15 times as much; it takes about half as many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sonifold import linalg
from sonifold.metric.base import Metric
from sonifold.types import Curves

from .outcome import Stop

#: Pairs of past steps and gradient changes kept. More than 10 gained nothing.
MEMORY = 10
#: A step must achieve this part of the fall its slope promises (Armijo).
SUFFICIENT = 1e-4
#: A step that does not is shortened by this.
SHORTEN = 0.3
#: Steps shorter than this part of the full one are not tried any more.
SHORTEST = 1e-4
#: A last step is not taken where it promises less than this part of the energy: rounding in single precision.
ROUND_OFF = 1e-5
#: First guess of the Hessian over that of the typical tensor. The metric along a path exceeds the typical one
#: often enough that without it the first full step is rejected on most curves (32 dimensions, trained
#: decoder).
STIFFEN = 2.0
#: The same where the tensors of the line itself are the guess.
STIFFEN_ALONG = 1.5
#: Added to a guess of the Hessian, over its mean eigenvalue: decoders are nearly flat in dimensions they do not use.
LIFT = 1e-3
#: Largest number of unknowns of a curve for which the guess is inverted as one matrix.
LARGEST = 400


class Descent(NamedTuple):
    """The result of a descent."""

    curves: Curves
    energy: Tensor  #: (batch,)
    steps: Tensor  #: (batch,) evaluations of the gradient, and one for a last step without
    stop: list[Stop]


@dataclass
class _History:
    """Past steps s, gradient changes y and 1/(s.y), (batch, m, latent) and (batch,). 1/(s.y) = 0: none for
    that curve.
    """

    steps: list[Tensor] = field(default_factory=list)
    changes: list[Tensor] = field(default_factory=list)
    inverses: list[Tensor] = field(default_factory=list)

    def add(self, step: Tensor, change: Tensor) -> None:
        product = _dot(step, change)
        bends_up = product > 1e-10 * (_dot(step, step) * _dot(change, change)).sqrt()
        if not bends_up.any():
            return
        self.steps.append(step)
        self.changes.append(change)
        self.inverses.append(torch.where(bends_up, 1 / product, torch.zeros_like(product)))
        for queue in (self.steps, self.changes, self.inverses):
            del queue[:-MEMORY]

    def keep(self, mask: Tensor) -> None:
        for queue in (self.steps, self.changes, self.inverses):
            queue[:] = [item[mask] for item in queue]

    def direction(self, gradient: Tensor, precondition: Callable[[Tensor], Tensor]) -> Tensor:
        """-H^-1 gradient by the two-loop recursion."""
        rest, weights = gradient, []
        for s, y, inverse in zip(
            *(reversed(queue) for queue in (self.steps, self.changes, self.inverses)), strict=True
        ):
            weight = inverse * _dot(s, rest)
            weights.append(weight)
            rest = rest - weight[:, None, None] * y
        step = precondition(rest)
        for s, y, inverse in zip(self.steps, self.changes, self.inverses, strict=True):
            step = step + (weights.pop() - inverse * _dot(y, step))[:, None, None] * s
        return -step


class Precondition:
    """gradient -> (2N stiffen L x G)^-1 gradient, for curves of ``nodes`` nodes and one tensor G (latent, latent)."""

    def __init__(self, nodes: int, typical: Tensor):
        self.across = _inverse_second_difference(nodes - 2).to(typical) / (2 * STIFFEN * (nodes - 1))
        self.along = inverse_or_scale(typical)

    def __call__(self, gradient: Tensor, index: Tensor) -> Tensor:
        return self.across @ gradient @ self.along


class PreconditionAlong:
    """gradient -> (2N stiffen H)^-1 gradient, H block tridiagonal, from tensors (batch, place, latent, latent) at
    evenly spaced places of each line: H_kk = G_{k-1} + G_k, H_k,k+1 = -G_k, G_k interpolated at the middle of step k.
    """

    def __init__(self, nodes: int, tensors: Tensor):
        m, d = nodes - 2, tensors.shape[-1]
        g = torch.einsum("np,bpij->bnij", _hats(tensors.shape[1], nodes).to(tensors), tensors)
        k = torch.arange(m, device=tensors.device)
        hessian = tensors.new_zeros(len(tensors), m, d, m, d)
        hessian[:, k, :, k] = (g[:, :-1] + g[:, 1:]).transpose(0, 1)
        # the lower triangle is all that Cholesky reads
        hessian[:, k[1:], :, k[:-1]] = -g[:, 1:-1].transpose(0, 1)
        whole = hessian.view(-1, m * d, m * d)
        diagonal = torch.diagonal(whole, dim1=1, dim2=2)
        diagonal += LIFT * diagonal.mean(1, keepdim=True)
        factor = _factor_or_scale(whole)
        self.inverse = torch.cholesky_inverse(factor) / (2 * STIFFEN_ALONG * (nodes - 1))

    def __call__(self, gradient: Tensor, index: Tensor) -> Tensor:
        inverse = self.inverse if len(index) == len(self.inverse) else self.inverse[index]
        return (inverse @ gradient.flatten(1)[..., None]).view(gradient.shape)


def guess(nodes: int, typical: Tensor) -> Precondition | PreconditionAlong:
    """From one tensor (latent, latent), or from tensors (batch, place, latent, latent) along each line."""
    if typical.ndim == 2:
        return Precondition(nodes, typical)
    if (nodes - 2) * typical.shape[-1] <= LARGEST:
        return PreconditionAlong(nodes, typical)
    return Precondition(nodes, typical.mean((0, 1)))


def minimise(
    metric: Metric,
    curves: Curves,
    typical: Tensor,
    tolerance: float = 1e-3,
    max_steps: int = 40,
    anchors: Tensor | None = None,
) -> Descent:
    """Lower the energy of each curve (batch, node, latent), its ends held.

    typical: a tensor of the metric (latent, latent), typical of the region, or tensors (batch, place, latent,
    latent) at evenly spaced places of the line between the ends of each. ``tolerance``: stop when the fall that the
    quadratic model still promises, g' H^-1 g / 2, is below this part of the energy.
    """
    fixed = metric.anchors(curves) if anchors is None else anchors

    def whole(inner: Tensor, index: Tensor) -> Curves:
        return torch.cat([curves[index, :1], inner, curves[index, -1:]], 1)

    def energy_gradient(inner: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        return metric.energy_gradient(whole(inner, index), None if fixed is None else fixed[index])

    descent = descend(energy_gradient, curves[:, 1:-1], guess(curves.shape[1], typical), tolerance, max_steps)
    return descent._replace(curves=whole(descent.curves, torch.arange(len(curves), device=curves.device)))


def descend(
    energy_gradient: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    x: Tensor,
    precondition: Callable[..., Tensor],
    tolerance: float,
    max_steps: int,
    accept: Callable[[Tensor, Tensor], None] | None = None,
) -> Descent:
    """Lower a batch of functions of x (batch, m, latent), each on its own until it settles.

    One that settles takes the step that said so, without another evaluation. Its value is what the step promises.

    energy_gradient: (x of some of the batch, which of it) -> their (values (some,), gradients). precondition:
    (gradients, index=which) -> steps, by a guess of the inverse Hessian. accept: told which were evaluated last, and
    whether each was accepted. The result's ``curves`` are the x reached.
    """
    index = torch.arange(len(x), device=x.device)  # which are still on their way
    energy, gradient = energy_gradient(x, index)
    result = Descent(x.clone(), energy.clone(), torch.ones_like(index), [Stop.OUT_OF_STEPS] * len(x))
    fraction = torch.ones_like(energy)
    history = _History()
    for _ in range(max_steps):
        step = history.direction(gradient, partial(precondition, index=index))
        slope = _dot(gradient, step)
        settled = -slope / 2 <= tolerance * energy
        over = settled | (fraction < SHORTEST) | ~torch.isfinite(slope)
        if over.any():
            for row, fine in zip(index[over].tolist(), settled[over].tolist(), strict=True):
                result.stop[row] = Stop.CONVERGED if fine else Stop.STALLED
            _close(result, index, x, step, energy, slope, settled & (-slope / 2 > ROUND_OFF * energy))
            going = ~over
            if not going.any():
                break
            x, energy, gradient, index = x[going], energy[going], gradient[going], index[going]
            fraction, step, slope = fraction[going], step[going], slope[going]
            history.keep(going)
        move = fraction[:, None, None] * step
        trial_energy, trial_gradient = energy_gradient(x + move, index)
        falls = trial_energy <= energy + SUFFICIENT * fraction * slope
        if accept is not None:
            accept(index, falls)
        accepted = falls[:, None, None]
        move = torch.where(accepted, move, 0.0)
        history.add(move, torch.where(accepted, trial_gradient - gradient, 0.0))
        x, gradient = x + move, torch.where(accepted, trial_gradient, gradient)
        energy = torch.where(falls, trial_energy, energy)
        fraction = torch.where(falls, torch.ones_like(fraction), fraction * SHORTEN)
        result.curves[index], result.energy[index] = x, energy
        result.steps[index] += 1
    return result


def _close(
    result: Descent, index: Tensor, x: Tensor, step: Tensor, energy: Tensor, slope: Tensor, closing: Tensor
) -> None:
    """Take the last steps (some, m, latent) of those under way that a mask names."""
    rows = index[closing]
    result.curves[rows] = x[closing] + step[closing]
    result.energy[rows] = energy[closing] + slope[closing] / 2
    result.steps[rows] += 1


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2))


def inverse_or_scale(tensor: Tensor) -> Tensor:
    """Of a typical tensor (latent, latent), lifted a little; of its scale alone where it is not positive."""
    return torch.cholesky_inverse(_factor_or_scale(linalg.lifted(tensor, LIFT)))


def _factor_or_scale(guesses: Tensor) -> Tensor:
    """Cholesky factors of guesses of the Hessian (..., n, n); where one has none, that of its scale times the identity.

    The scale is the mean diagonal, or one where that is no scale either: what starts from there stays where it is, or
    finds out by its steps.
    """
    factors = linalg.cholesky(guesses)
    sound = torch.isfinite(factors).flatten(-2).all(-1)
    if sound.all():
        return factors
    scale = torch.diagonal(guesses, dim1=-2, dim2=-1).abs().mean(-1)
    scale = torch.where(torch.isfinite(scale) & (scale > 0), scale, 1.0)
    eye = torch.eye(guesses.shape[-1], dtype=guesses.dtype, device=guesses.device)
    return torch.where(sound[..., None, None], factors, scale.sqrt()[..., None, None] * eye)


@lru_cache(maxsize=64)
def _inverse_second_difference(inner: int) -> Tensor:
    """Inverse of tridiag(-1, 2, -1): (i, j) -> min(i, j) (inner + 1 - max(i, j)) / (inner + 1), counted
    from 1.
    """
    i = torch.arange(1, inner + 1, dtype=torch.float64)
    return torch.minimum(i[:, None], i) * (inner + 1 - torch.maximum(i[:, None], i)) / (inner + 1)


@lru_cache(maxsize=64)
def _hats(samples: int, nodes: int) -> Tensor:
    """(nodes - 1, places): values at evenly spaced places, linearly interpolated to the middles of the steps."""
    middles = (np.arange(nodes - 1) + 0.5) / (nodes - 1)
    return torch.from_numpy(
        np.stack([np.interp(middles, np.linspace(0, 1, samples), hat) for hat in np.eye(samples)], 1)
    )
