"""Factors and solutions of symmetric positive matrices that rounding may have made something else.

One rule for the whole library. A matrix that does not factorise is tried again with more and more of its own mean
diagonal added: a decoder is nearly flat in the dimensions it does not use, and in single precision J'J comes out a
little negative there. What even that does not help (a decoder that is flat altogether, numbers that overflowed) has
NaN for its factor, and so has everything computed from it, while the rest of the batch goes on. No function here
raises for the values it is given; whoever calls them turns NaN into an outcome.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Added to a matrix that does not factorise, over its mean diagonal: from FIRST roundings of its precision in
#: steps of ten up to MOST, where it would no longer be the same matrix.
FIRST, MOST = 10.0, 2e-3


def cholesky(matrices: Tensor) -> Tensor:
    """L with L L' = A, or as little more than A as factorises; NaN where nothing does.

    A symmetric, (..., n, n); of A only the lower triangle is read. Differentiable.
    """
    factors, failed = torch.linalg.cholesky_ex(matrices)
    lift = FIRST * torch.finfo(matrices.dtype).eps
    while lift <= MOST and failed.any():
        again, still = torch.linalg.cholesky_ex(lifted(matrices, lift))
        factors = torch.where(failed[..., None, None] > 0, again, factors)
        failed = torch.where(failed > 0, still, failed)
        lift *= 10
    return torch.where(failed[..., None, None] > 0, torch.nan, factors) if failed.any() else factors


def lifted(matrices: Tensor, share: float) -> Tensor:
    """Matrices (..., n, n) with a share of their mean diagonal added to it."""
    mean = torch.diagonal(matrices, dim1=-2, dim2=-1).abs().mean(-1)
    eye = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    return matrices + share * mean[..., None, None] * eye


def solve(matrices: Tensor, right: Tensor) -> Tensor:
    """A^-1 B for positive A (..., n, n) and B (..., n, k); NaN where A does not factorise."""
    return torch.cholesky_solve(right, cholesky(matrices))


def inverse(matrices: Tensor) -> Tensor:
    """A^-1 (..., n, n) of positive A. (torch.cholesky_inverse has a wrong forward-mode derivative, torch 2.13.)"""
    eye = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    return solve(matrices, eye.expand_as(matrices))


def log_det(matrices: Tensor) -> Tensor:
    """log det A (...) of positive A, without the determinant, which under- and overflows in float32."""
    return 2 * torch.diagonal(cholesky(matrices), dim1=-2, dim2=-1).log().sum(-1)
