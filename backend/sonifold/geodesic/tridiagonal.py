"""Symmetric positive block-tridiagonal systems, the linear algebra of one Newton step."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import LinAlgError, solveh_banded
from torch import Tensor


def solve(diagonal: Tensor, upper: Tensor, right: Tensor) -> Tensor:
    """x (batch, m, latent) with H x = right.

    diagonal (batch, m, latent, latent), upper (batch, m - 1, latent, latent) the blocks right of the
    diagonal, right (batch, m, latent). Where H is not positive the answer is NaN, for the caller to see and
    damp.
    """
    return banded(diagonal, upper, right) if len(diagonal) == 1 else thomas(diagonal, upper, right)


def thomas(diagonal: Tensor, upper: Tensor, right: Tensor) -> Tensor:
    """Block Cholesky, forward and back, all systems of the batch at once.

    L_k L_k' = H_kk - C_{k-1}' C_{k-1},  C_k = L_k^-1 H_k,k+1,  y_k = L_k^-1 (r_k - C_{k-1}' y_{k-1}),
    x_k = L_k'^-1 (y_k - C_k x_{k+1}).
    """
    m = diagonal.shape[1]
    factors: list[Tensor] = []
    couplings: list[Tensor] = []
    values: list[Tensor] = []
    for k in range(m):
        block, value = diagonal[:, k], right[:, k, :, None]
        if k:
            block = block - couplings[-1].mT @ couplings[-1]
            value = value - couplings[-1].mT @ values[-1]
        factor, failed = torch.linalg.cholesky_ex(block)
        factors.append(torch.where(failed[:, None, None] > 0, torch.nan, factor))
        if k < m - 1:
            both = torch.linalg.solve_triangular(factors[-1], torch.cat([value, upper[:, k]], 2), upper=False)
            values.append(both[:, :, :1])
            couplings.append(both[:, :, 1:])
        else:
            values.append(torch.linalg.solve_triangular(factors[-1], value, upper=False))
    solution = [torch.linalg.solve_triangular(factors[-1].mT, values[-1], upper=True)]
    for k in range(m - 2, -1, -1):
        value = values[k] - couplings[k] @ solution[-1]
        solution.append(torch.linalg.solve_triangular(factors[k].mT, value, upper=True))
    return torch.cat(solution[::-1], 2).mT


def banded(diagonal: Tensor, upper: Tensor, right: Tensor) -> Tensor:
    """One system by LAPACK's banded Cholesky, bandwidth 2 latent - 1; in double precision."""
    _, m, d = right.shape
    if m * d == 1:  # scipy's tridiagonal branch has no off-diagonal to give to LAPACK
        return torch.where(diagonal[..., 0] > 0, right / diagonal[..., 0], torch.nan)
    width = 2 * d - 1
    band = np.zeros((width + 1, m * d))
    blocks, couplings = diagonal[0].cpu().double().numpy(), upper[0].cpu().double().numpy()
    rows, columns = np.triu_indices(d)
    columns_at = np.arange(m)[:, None] * d + columns
    band[np.broadcast_to(width + rows - columns, columns_at.shape), columns_at] = blocks[:, rows, columns]
    if m > 1:
        rows, columns = np.indices((d, d)).reshape(2, -1)
        columns_at = np.arange(1, m)[:, None] * d + columns
        band[np.broadcast_to(width + rows - columns - d, columns_at.shape), columns_at] = couplings[
            :, rows, columns
        ]
    try:
        solution = solveh_banded(band, right[0].reshape(-1).cpu().double().numpy(), check_finite=False)
    except LinAlgError:
        return torch.full_like(right, torch.nan)
    return torch.from_numpy(solution).view(1, m, d).to(right)
