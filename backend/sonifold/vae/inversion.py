"""Latent inversion: the point whose decoding comes closest to a sound, starting from the encoder's guess.

Levenberg-Marquardt on  |dec(z) - c|^2 / K + prior |z|^2 : a handful of steps of a small least-squares problem,
since the decoder's Jacobian has few columns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonifold import linalg
from sonifold.types import Points
from sonifold.vae.network import VAE

STEPS = 10
PRIOR = 1e-4  # weight of |z|^2; the error's total variance is 1
DAMPING = 1e-2  # relative to the mean curvature, at first


class Inversion:
    """The inversion of one network, whose weights stay as they are: its decoder is prepared once, which takes as long
    as two steps.
    """

    def __init__(self, vae: VAE):
        self._vae = vae
        self._decoder = vae.tangents(exact=True)

    @torch.no_grad()
    def __call__(
        self, coefficients: Tensor, points: Points | None = None, steps: int = STEPS, prior: float = PRIOR
    ) -> Points:
        """Latent points (batch, latent) of coefficients (batch, K); never worse than where it started.

        ``points`` is where to start, the encoder's means when None. Computed, and given back, where the decoder is.
        """
        decoder = self._decoder
        count, device = coefficients.shape[1], next(self._vae.parameters()).device
        coefficients = coefficients.to(device)
        z = self._vae.encode(coefficients)[0] if points is None else points.to(device, copy=True)
        damping = torch.full((len(z),), DAMPING, device=device)
        loss = _loss(decoder(z), coefficients, z, prior)
        eye = torch.eye(z.shape[1], device=device)
        for _ in range(steps):
            decoded, jacobian = decoder.with_jacobian(z)  # (batch, K), (batch, latent, K)
            gradient = (jacobian @ (decoded - coefficients)[..., None])[..., 0] / count + prior * z
            curvature = jacobian @ jacobian.mT / count + prior * eye
            mean = torch.diagonal(curvature, dim1=1, dim2=2).mean(1)
            damped = curvature + (damping * mean)[:, None, None] * eye
            step = linalg.solve(damped, gradient[..., None])[..., 0]
            candidate = z - step
            reached = _loss(decoder(candidate), coefficients, candidate, prior)
            better = reached < loss
            z = torch.where(better[:, None], candidate, z)
            loss = torch.where(better, reached, loss)
            damping = torch.where(better, damping * 0.3, damping * 5)
        return z


def invert(
    vae: VAE, coefficients: Tensor, points: Points | None = None, steps: int = STEPS, prior: float = PRIOR
) -> Points:
    """The same once, with a network's weights as they are now."""
    return Inversion(vae)(coefficients, points, steps, prior)


def _loss(decoded: Tensor, coefficients: Tensor, z: Points, prior: float) -> Tensor:
    return (decoded - coefficients).square().mean(1) + prior * z.square().sum(1)
