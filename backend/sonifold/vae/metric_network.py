"""The network that gives each example the matrix of its kernel in a learned metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor, nn

from sonifold.types import Tensors

#: |log L_ii| and |L_ij| stay below this: eigenvalues of L L' between about e^-10 and e^10.
BOUND = 5.0


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with SiLU between them: smooth, so that metrics pulled back through it have curvature."""
    layers: list[nn.Module] = [nn.Linear(sizes[0], sizes[1])]
    for before, after in pairwise(sizes[1:]):
        layers += [nn.SiLU(), nn.Linear(before, after)]
    return nn.Sequential(*layers)


class MetricNetwork(nn.Sequential):
    """Examples (batch, features) -> L_i (batch, latent, latent), lower triangular with a positive diagonal."""

    def __init__(self, features: int, widths: Sequence[int], latent_dim: int):
        super().__init__(*mlp([features, *widths, latent_dim * (latent_dim + 1) // 2]))
        self.latent_dim = latent_dim

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], latent_dim: int) -> Self:
        """A network with the weights that a pack stores; its sizes are theirs."""
        weights = [tensor for name, tensor in tensors.items() if name.endswith("weight")]
        network = cls(weights[0].shape[1], [len(weight) for weight in weights[:-1]], latent_dim)
        network.load_state_dict(dict(tensors))
        return network

    def forward(self, examples: Tensor) -> Tensors:
        d, output = self.latent_dim, examples
        for layer in self:
            output = layer(output)
        output = BOUND * torch.tanh(output / BOUND)
        rows, columns = torch.tril_indices(d, d, -1, device=output.device)
        lower = output.new_zeros(len(output), d, d)
        if d > 1:
            lower = lower.index_put(
                (torch.arange(len(output), device=output.device)[:, None], rows, columns), output[:, d:]
            )
        factors: Tensors = lower + torch.diag_embed(output[:, :d].exp())
        return factors
