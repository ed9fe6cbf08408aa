r"""Several decoders trained alike agree where there are data, and nowhere else: their disagreement as a metric.

    G(z) = 1/M sum_m J_m(z)' J_m(z) + v(z) / l^2 I,     v(z) = 1/M sum_m |f_m(z) - f(z)|^2,  f the mean decoding

The first term is the expectation of the pullback, in which the decoders' Jacobians already disagree off the data. The
second is the variance of what they decode, made a length: a step of l latent units costs as much as the decoders
differ. Syrota, Moreno-Munoz and Hauberg, "Decoder ensembling for learned latent geometries", GRaM workshop at ICML
2024, whose discrete energy E |f_l(z_k) - f_m(z_{k+1})|^2 over independent l, m has the same two parts; there the
variance is counted once a node rather than along the way, so that it is no metric and grows with the number of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sonifold.types import Curves, Points, Tensors, Vectors

from .base import Metric, Quadratic
from .pullback import Pullback
from .tangent import TangentDecoder

#: Looks at the variance on each step of a curve: it has bumps between few nodes, as a kernel metric has.
SAMPLES_PER_STEP = 3


class Disagreement(Metric):
    """The conformal metric v(z) / reach^2 I of decoders (batch, latent) -> (batch, ...) with equal outputs.

    Zero where they agree altogether, so only a part of others.
    """

    samples_per_step = SAMPLES_PER_STEP

    def __init__(self, decoders: Sequence[Callable[[Tensor], Tensor]], reach: float):
        self.decoders, self.reach = list(decoders), float(reach)

    def variance(self, z: Points) -> Tensor:
        """v(z), in squared output units; (batch,)."""
        outputs = torch.stack([decode(z).flatten(1) for decode in self.decoders])
        return (outputs - outputs.mean(0)).square().sum(2).mean(0)

    def tensor(self, z: Points) -> Tensors:
        eye = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
        return (self.variance(z) / self.reach**2)[:, None, None] * eye

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        return self.variance(z) / self.reach**2 * (u * v).sum(-1)


class DecoderEnsemble(Metric):
    """G = E[J'J] + v / reach^2 I + ridge I, in squared output units per squared latent unit; see the module.

    decoders
        Torch callables (batch, latent) -> (batch, ...) with equally many outputs, such as the decoders of one VAE
        trained with several seeds on fixed latent means. An ``nn.Sequential`` gets the fast tangents of ``Pullback``.
        One decoder alone is its pullback. A ``TangentDecoder`` is refused: it may turn its outputs, and the
        difference of two that are turned differently says nothing.
    reach
        l, the latent length over which a disagreement counts in full.
    scale
        G is divided by scale^2; ``over`` finds the one that makes G about I on the data.

    As the data term of a ``Blend`` it replaces the kernel: ``Blend(pullback, DecoderEnsemble.over(decoders, means))``.
    Raises ``ValueError`` for no decoders, or a reach, ridge or scale that cannot be.
    """

    chordal = True

    def __init__(
        self,
        decoders: Sequence[Callable[[Tensor], Tensor]],
        reach: float = 1.0,
        ridge: float = 0.0,
        scale: float = 1.0,
    ):
        if not len(decoders):
            raise ValueError("an ensemble needs at least one decoder")
        if any(isinstance(decode, TangentDecoder) for decode in decoders):
            raise ValueError(
                "a TangentDecoder may turn its outputs, so that a difference between two means nothing; "
                "pass the torch callables themselves"
            )
        if not reach > 0 or not scale > 0:
            raise ValueError(f"reach and scale must be positive, got {reach} and {scale}")
        self.decoders, self.reach, self.ridge, self.scale = (
            list(decoders),
            float(reach),
            ridge,
            float(scale),
        )
        self.members = [Pullback(decode, ridge) for decode in decoders]
        self.disagreement = Disagreement(decoders, reach)
        self.dtype = next((member.dtype for member in self.members if member.dtype), None)
        self.device = next((member.device for member in self.members if member.device), None)
        self.latent_dim = next((member.latent_dim for member in self.members if member.latent_dim), None)

    @classmethod
    def over(
        cls,
        decoders: Sequence[Callable[[Tensor], Tensor]],
        points: Points,
        reach: float = 1.0,
        ridge: float = 0.0,
    ) -> DecoderEnsemble:
        """The ensemble scaled so that the median of tr G / d over points (batch, latent) is 1."""
        plain = cls(decoders, reach, ridge)
        with torch.no_grad():
            traces = torch.diagonal(plain.tensor(points), dim1=1, dim2=2).mean(1)
        return cls(decoders, reach, ridge, float(traces.median().sqrt()))

    def _mean(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(parts)).mean(0) / self.scale**2

    def _plus(self, expected: Tensor, variance: Tensor) -> Tensor:
        return expected + variance / self.scale**2

    def tensor(self, z: Points) -> Tensors:
        expected = self._mean([member.tensor(z) for member in self.members])
        return self._plus(expected, self.disagreement.tensor(z))

    def inner(self, z: Points, u: Vectors, v: Vectors) -> Tensor:
        expected = self._mean([member.inner(z, u, v) for member in self.members])
        return self._plus(expected, self.disagreement.inner(z, u, v))

    def gradient(self, z: Points, u: Vectors) -> Vectors:
        expected = self._mean([member.gradient(z, u) for member in self.members])
        return self._plus(expected, self.disagreement.gradient(z, u))

    def connection(self, z: Points, u: Vectors, v: Vectors) -> Vectors:
        expected = self._mean([member.connection(z, u, v) for member in self.members])
        return self._plus(expected, self.disagreement.connection(z, u, v))

    def squared_steps(self, curves: Curves) -> Tensor:
        """The members' chords, and the variance at the samples on each step."""
        expected = self._mean([member.squared_steps(curves) for member in self.members])
        return self._plus(expected, self.disagreement.squared_steps(curves))

    def rounding(self, z: Points) -> Tensor:
        return self._mean([member.rounding(z).square() for member in self.members]).sqrt()

    def energy_gradient(self, curves: Curves, anchors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        parts = [member.energy_gradient(curves) for member in self.members]
        energies, gradients = zip(*parts, strict=True)
        more = self.disagreement.energy_gradient(curves)
        return (
            self._plus(self._mean(energies), more[0]),
            self._plus(self._mean(gradients), more[1]),
        )

    def quadratic(self, curves: Curves) -> Quadratic:
        parts = [member.quadratic(curves) for member in self.members]
        expected = [self._mean(blocks) for blocks in zip(*parts, strict=True)]
        more = self.disagreement.quadratic(curves)
        return Quadratic(*(self._plus(*blocks) for blocks in zip(expected, more, strict=True)))
