r"""The metric a decoder induces on its latent space.

G(z) = J(z)' J(z) + ridge I with J the Jacobian of f: a step in latent space is as long as the change it makes
in the output. Arvanitidis, Hansen and Hauberg, "Latent space oddity", ICLR 2018, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from sonifold.types import Curves, Points, Tensors, Vectors

from .base import GeodesicOrigin, Metric, Quadratic
from .foreign import NUMBERS, AnyDecoder
from .registry import MetricParts, register
from .sequential import SequentialTangents
from .tangent import Headed, TangentDecoder


class Pullback(Metric):
    """G(z) = J(z)' J(z) + ridge I, in squared output units per squared latent unit.

    decode
        Any torch callable (batch, latent) -> (batch, ...) with independent rows, or a ``TangentDecoder``.
        An ``nn.Sequential`` of known layers gets the fast hand-written propagation, with its last linear
        layer folded by QR; anything else is differentiated by torch (``AnyDecoder``).
    ridge
        Added to G, so that it stays positive where f is flat or has fewer outputs than latent dimensions.
    points
        (batch, latent), at which a decoder differentiated by torch is checked at once; by default at the first points
        that it is asked about.
    region
        (count, latent), points among which paths will be, on a decoder that is known to be smooth between them: the
        typical tensor, from which solvers start, is taken there when it is first needed.

    Curves are measured by chords, |f(z_{k+1}) - f(z_k)|^2, which needs no Jacobian and can never report less
    than the distance between the decoded ends. Memory is bounded: many points or outputs are taken in parts.
    Raises ``DecoderInvalid`` for a decoder that geometry cannot be made of, with what to do about it.
    """

    chordal = True

    def __init__(
        self,
        decode: Callable[[Tensor], Tensor] | TangentDecoder,
        ridge: float = 0.0,
        points: Points | None = None,
        region: Points | None = None,
    ):
        if ridge < 0:
            raise ValueError(f"ridge must not be negative, got {ridge}")
        self.decode = _tangents(decode)
        self.ridge = ridge
        self.dtype, self.device = self.decode.dtype, self.decode.device
        self.latent_dim = self.decode.latent_dim
        self.region = region
        self._outputs: int | None = None
        if points is not None:
            self.decode(points)

    @classmethod
    def linear_head(
        cls, trunk: Callable[[Tensor], Tensor] | TangentDecoder, head: Tensor, ridge: float = 0.0
    ) -> Self:
        """The pullback of z -> head @ trunk(z), head (outputs, width), at a cost that ignores outputs."""
        tangents = trunk if isinstance(trunk, TangentDecoder) else AnyDecoder(trunk)
        return cls(Headed(tangents, head), ridge)

    def tensor(self, z: Points) -> Tensors:
        return torch.cat([self._tensor(part) for part in z.split(self._most(z, z.shape[1]))])

    def _tensor(self, z: Points) -> Tensors:
        _, images = self.decode.with_jacobian(z)
        return images @ images.mT + self._floor(images)

    def _most(self, z: Points, vectors: int) -> int:
        """How many points, or curves, may be worked on at once, each with so many vectors of outputs."""
        if self._outputs is None and len(z):
            with torch.no_grad():
                self._outputs = self.decode(z.flatten(0, -2)[:1]).shape[1]
        return max(1, NUMBERS // (vectors * (self._outputs or 1)))

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        if u is v:
            _, images = self.decode.push(z, u[:, None])
            return (images[:, 0] ** 2).sum(-1) + self.ridge * (u * u).sum(-1)
        _, images = self.decode.push(z, torch.stack([u, v], 1))
        return (images[:, 0] * images[:, 1]).sum(-1) + self.ridge * (u * v).sum(-1)

    def connection(self, z: Points, u: Vectors, v: Vectors) -> Vectors:
        """J' f''(u, v), two derivatives forward and one pass back."""
        _, pull = self.decode.with_pull(z)
        return pull(self.decode.second_derivative(z, u, v))

    def connections(self, samples: Curves, velocities: Curves, rates: Tensor) -> tuple[Tensor, Tensor]:
        """J' dJ/dt v, with the rate at which J changes along the curve: no second derivatives."""
        most = self._most(samples, 2 * samples.shape[1] * samples.shape[2])
        pairs = zip(samples.split(most), velocities.split(most), strict=True)
        tensors, turns = zip(*(self._connections(*pair, rates) for pair in pairs), strict=True)
        return torch.cat(tensors), torch.cat(turns)

    def _connections(self, samples: Curves, velocities: Curves, rates: Tensor) -> tuple[Tensor, Tensor]:
        b, n, d = samples.shape
        images = self.decode.with_jacobian(samples.reshape(-1, d))[1].view(b, n, d, -1)
        changes = (rates.to(images) @ images.flatten(2)).view(images.shape)
        return images @ images.mT + self._floor(images), images @ changes.mT

    def geodesic_origin(self, z: Points) -> GeodesicOrigin:
        """2 J'(f(z) - f(other)), with J kept: another place costs one decoding."""
        value, images = self.decode.with_jacobian(z)

        def slope(others: Tensor) -> Tensor:
            difference = value[:, None] - self.decode(others.flatten(0, 1)).view(*others.shape[:2], -1)
            return 2 * (difference @ images.mT + self.ridge * (z[:, None] - others))

        return GeodesicOrigin(images @ images.mT + self._floor(images), slope)

    def squared_steps(self, curves: Curves) -> Tensor:
        most = self._most(curves, curves.shape[1])
        return torch.cat([self._squared_steps(part) for part in curves.split(most)])

    def _squared_steps(self, curves: Curves) -> Tensor:
        b, n, d = curves.shape
        outputs = self.decode(curves.reshape(-1, d)).view(b, n, -1)
        squared = outputs.diff(dim=1).square().sum(2)
        return squared if self.ridge == 0 else squared + self.ridge * curves.diff(dim=1).square().sum(2)

    def rounding(self, z: Points) -> Tensor:
        outputs: Tensor = self.decode(z)
        return torch.finfo(outputs.dtype).eps * outputs.square().sum(1).sqrt()

    def anchors(self, curves: Curves) -> Tensor:
        """The decoded ends (batch, 2, output)."""
        decoded: Tensor = self.decode(curves[:, [0, -1]].flatten(0, 1)).unflatten(0, (len(curves), 2))
        return decoded

    def energy_gradient(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """By one decoding of the inner nodes and one pass back: dE/dz_k = 2N J_k'(2 f_k - f_{k-1} - f_{k+1})."""
        ends = self.anchors(curves) if anchors is None else anchors
        most = self._most(curves, 2 * curves.shape[1])
        pairs = zip(curves.split(most), ends.split(most), strict=True)
        energies, gradients = zip(*(self._energy_gradient(*pair) for pair in pairs), strict=True)
        return torch.cat(energies), torch.cat(gradients)

    def _energy_gradient(self, curves: Curves, ends: Tensor) -> tuple[Tensor, Tensor]:
        b, n, d = curves.shape
        inner, pull = self.decode.with_pull(curves[:, 1:-1].reshape(-1, d))
        outputs = torch.cat([ends[:, :1], inner.view(b, n - 2, -1), ends[:, 1:]], 1)
        steps = outputs.diff(dim=1)
        gradient = pull(-2 * (n - 1) * steps.diff(dim=1).flatten(0, 1)).view(b, n - 2, d)
        energy = (n - 1) * steps.square().sum((1, 2))
        if self.ridge:
            moves = curves.diff(dim=1)
            energy = energy + self.ridge * (n - 1) * moves.square().sum((1, 2))
            gradient = gradient - 2 * self.ridge * (n - 1) * moves.diff(dim=1)
        return energy, gradient

    def quadratic(self, curves: Curves) -> Quadratic:
        """Gauss-Newton. H_kk = 2 J_k'J_k, H_k,k+1 = -J_k'J_{k+1}; gradient J_k'(2 f_k - f_{k-1} - f_{k+1})."""
        most = self._most(curves, curves.shape[1] * curves.shape[2])
        return Quadratic(
            *map(torch.cat, zip(*(self._quadratic(part) for part in curves.split(most)), strict=True))
        )

    def _quadratic(self, curves: Curves) -> Quadratic:
        b, n, d = curves.shape
        ends = self.decode(curves[:, [0, -1]].reshape(-1, d)).view(b, 2, -1)
        inner, images = self.decode.with_jacobian(curves[:, 1:-1].reshape(-1, d))
        images = images.view(b, n - 2, d, -1)
        outputs = torch.cat([ends[:, :1], inner.view(b, n - 2, -1), ends[:, 1:]], 1)
        diagonal = 2 * (images @ images.mT + self._floor(images))
        upper = -(images[:, :-1] @ images[:, 1:].mT + self._floor(images[:, 1:]))
        gradient = -(images @ outputs.diff(n=2, dim=1)[..., None])[..., 0] - self.ridge * curves.diff(
            n=2, dim=1
        )
        return Quadratic(diagonal, upper, gradient)

    def _floor(self, like: Tensor) -> Tensor:
        return self.ridge * torch.eye(like.shape[-2], dtype=like.dtype, device=like.device)


def _tangents(decode: Callable[[Tensor], Tensor] | TangentDecoder) -> TangentDecoder:
    if isinstance(decode, TangentDecoder):
        return decode
    if isinstance(decode, nn.Sequential):
        try:
            return SequentialTangents(decode)
        except (TypeError, ValueError):  # a layer without a hand-written rule, or ends that are not linear
            return AnyDecoder(decode)
    return AnyDecoder(decode)


@register("pullback")
def of_model(parts: MetricParts) -> Pullback:
    """The pull-back of a model by itself."""
    return parts.pullback
