r"""Decoders that carry tangent vectors along: f(z) together with its Jacobian.

TangentDecoder
├─ AnyDecoder           any torch callable, checked when it first meets points; goes by one of the next two
├─ ForwardMode          by torch.func, a tangent at a time
├─ BackwardMode         by two backward passes a tangent, or one an output: for what torch cannot do forwards
├─ Headed               any of these followed by a linear map, folded to a small triangular one
└─ SequentialTangents   nn.Sequential of linear layers, pointwise activations, layer norms and the pack's residual
                        blocks, by hand: several times faster

A linear head W (outputs, width) with more rows than columns is replaced by R of its QR decomposition W = QR.
Q has orthonormal columns, so |W dh| = |R dh| exactly: every length, energy and metric tensor is that of the
full output at a cost independent of the number of outputs. What comes out are coordinates turned by Q', of
which only differences mean anything.

Jacobians are handed around transposed, (batch, latent, output): row i is the image of the i-th latent
direction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from sonifold.forward import jvp
from sonifold.types import Points, Vectors

#: Takes cotangents at the output of a map back to its input.
Pull = Callable[[Tensor], Tensor]


class TangentDecoder(ABC):
    """A map f from latent points to vectors, with its derivative."""

    latent_dim: int | None = None  #: None: any
    dtype: torch.dtype | None = None  #: None: that of the points
    device: torch.device | None = None  #: None: that of the points

    @abstractmethod
    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        """(f(z) (batch, output), images J(z) v (batch, k, output) of the tangents v (batch, k, latent))."""

    @abstractmethod
    def __call__(self, z: Points) -> Tensor:
        """f(z); (batch, output)."""

    def second_derivative(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        """The second derivative f''(u, v) at z; (batch, output)."""
        derivative: Tensor = jvp(lambda y: self.push(y, v[:, None])[1][:, 0], (z,), (u,))[1]
        return derivative

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        """(f(z) (batch, output), the map that takes cotangents a (batch, output) to J(z)' a (batch, latent))."""
        with torch.enable_grad():
            y = z.detach().requires_grad_(True)
            value = self(y)

        def pull(cotangent: Tensor) -> Tensor:
            if not value.requires_grad:  # f does not depend on the point
                return torch.zeros_like(y)
            (gradient,) = torch.autograd.grad(value, y, cotangent, allow_unused=True)
            return torch.zeros_like(y) if gradient is None else gradient

        return value.detach(), pull

    def with_jacobian(self, z: Points) -> tuple[Tensor, Tensor]:
        """(f(z) (batch, output), J(z)' (batch, latent, output))."""
        d = z.shape[1]
        return self.push(z, torch.eye(d, dtype=z.dtype, device=z.device).expand(len(z), d, d))


class Headed(TangentDecoder):
    """A trunk followed by the linear map h -> head h: the head folded by QR.

    head: (output, width). An offset would change no difference, so there is none.
    """

    def __init__(self, trunk: TangentDecoder, head: Tensor):
        self.trunk, self.latent_dim = trunk, trunk.latent_dim
        self.dtype, self.device = trunk.dtype, trunk.device
        self._fold = triangular(head).T.contiguous()

    def __call__(self, z: Points) -> Tensor:
        return self.trunk(z) @ self._fold

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        values, images = self.trunk.push(z, tangents)
        return values @ self._fold, images @ self._fold

    def second_derivative(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return self.trunk.second_derivative(z, u, v) @ self._fold

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        value, pull = self.trunk.with_pull(z)
        return value @ self._fold, lambda cotangent: pull(cotangent @ self._fold.T)


def triangular(head: Tensor) -> Tensor:
    """R (min(output, width), width) of head = Q R, for which |head dh| = |R dh|; head itself when it is not
    tall.
    """
    head = head.detach()
    return torch.linalg.qr(head, mode="r")[1] if head.shape[0] > head.shape[1] else head
