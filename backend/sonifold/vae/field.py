r"""A field of residuals over latent space: what a decoder leaves out of a few sounds, interpolated between them.

    dec'(z) = dec(z) + sum_i k(z, c_i) v_i,      k(z, c) = exp(-|z - c|^2 / 2 l^2)

With v = (K + noise)^-1 R it is the mean of a Gaussian process through residuals R at the centres c (Rasmussen and
Williams 2006, eq. 2.25). Far from every centre it is zero: what the decoder knew elsewhere stays as it was.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sonifold.metric import ResidualMLPTangents, TangentDecoder
from sonifold.metric.tangent import Pull, triangular
from sonifold.types import Points, Vectors


class ResidualField(nn.Module):
    """Values v (centre, K) at centres c (centre, latent); l in latent units, a number or one a centre (centre,)."""

    centres: Tensor
    values: Tensor
    scale: Tensor

    def __init__(self, centres: Points, values: Tensor, scale: float | Tensor):
        super().__init__()
        self.register_buffer("centres", centres)
        self.register_buffer("values", values)
        scales = torch.as_tensor(scale, dtype=centres.dtype, device=centres.device)
        self.register_buffer("scale", scales.expand(len(centres)).clone())

    def kernel(self, points: Points) -> Tensor:
        """k(z, c_i), (batch, centre)."""
        # not torch.cdist: its gradient under vmap is wrong (torch 2.13)
        squares = (points[:, None] - self.centres).square().sum(-1)
        return (-0.5 * squares / self.scale**2).exp()

    def forward(self, points: Points) -> Tensor:
        """(batch, K)."""
        return self.kernel(points) @ self.values

    def joined(self, earlier: ResidualField | None) -> ResidualField:
        """The sum of this field and an earlier one."""
        if earlier is None:
            return self
        pairs = [(earlier.centres, self.centres), (earlier.values, self.values), (earlier.scale, self.scale)]
        return ResidualField(*(torch.cat(pair) for pair in pairs))


class FieldTangents(TangentDecoder):
    """A residual-MLP decoder with a field on top, and its derivatives.

    Hidden features and kernels together are one wide layer before one linear head, which is folded by QR as ever.

    decoder
        ``nn.Sequential`` that begins and ends with ``nn.Linear``.
    head
        Linear map (output, K) applied to what is decoded.
    exact
        Keep the outputs themselves: no QR, which turns them.
    """

    def __init__(
        self, decoder: nn.Sequential, field: ResidualField, head: Tensor | None = None, exact: bool = False
    ):
        last = decoder[-1]
        assert isinstance(last, nn.Linear)  # what VAE builds
        width = last.in_features
        same = nn.Linear(width, width, bias=False)
        same.weight = nn.Parameter(torch.eye(width).to(last.weight), requires_grad=False)
        self._trunk = ResidualMLPTangents(nn.Sequential(*list(decoder)[:-1], same), exact=True)
        self._centres, self._scale = field.centres, field.scale[:, None]
        weight = torch.cat([last.weight.detach(), field.values.T], 1)  # (K, width + centre)
        offset = last.bias.detach()
        if head is not None:
            weight, offset = head @ weight, head @ offset
        if not exact and weight.shape[0] > weight.shape[1]:
            weight = triangular(weight)
            offset = torch.zeros_like(weight[:, 0])
        self._weight, self._offset = weight.T.contiguous(), offset
        self.latent_dim, self.dtype, self.device = (
            self._trunk.latent_dim,
            self._trunk.dtype,
            self._trunk.device,
        )

    def _kernel(self, z: Points) -> tuple[Tensor, Tensor]:
        """Kernels (batch, centre) and differences z - c over l^2 (batch, centre, latent)."""
        apart = (z[:, None] - self._centres) / self._scale
        return (-0.5 * apart.square().sum(-1)).exp(), apart / self._scale

    def __call__(self, z: Points) -> Tensor:
        z = z.to(self.device, self.dtype)
        return torch.cat([self._trunk(z), self._kernel(z)[0]], 1) @ self._weight + self._offset

    def push(self, z: Points, tangents: Tensor) -> tuple[Tensor, Tensor]:
        z, tangents = z.to(self.device, self.dtype), tangents.to(self.device, self.dtype)
        hidden, images = self._trunk.push(z, tangents)
        kernel, slope = self._kernel(z)
        turned = -kernel[:, None] * (tangents @ slope.mT)  # (batch, tangent, centre)
        value = torch.cat([hidden, kernel], 1) @ self._weight + self._offset
        return value, torch.cat([images, turned], 2) @ self._weight

    def with_pull(self, z: Points) -> tuple[Tensor, Pull]:
        z = z.detach().to(self.device, self.dtype)
        hidden, pull_hidden = self._trunk.with_pull(z)
        kernel, slope = self._kernel(z)
        width = hidden.shape[1]

        def pull(cotangent: Tensor) -> Vectors:
            back = cotangent @ self._weight.T
            through = -(back[:, width:] * kernel)[:, None] @ slope
            return pull_hidden(back[:, :width]) + through[:, 0]

        return torch.cat([hidden, kernel], 1) @ self._weight + self._offset, pull
