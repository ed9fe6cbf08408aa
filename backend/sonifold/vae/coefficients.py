r"""Perceptual principal components: features X <-> a few hundred numbers with Euclidean distance.

PCA under the metric  rho/TV_Phi |Phi(x)|^2 + (1-rho)/TV_X |x|^2,  TV the total variances over the training
set. The first part is what hearing measures; the second keeps the detail that hearing measures weakly.
One global scale makes the mean variance of a coefficient 1; the space stays Euclidean.

Phi(X) = A_1 X A_2 with A_1 = C R and A_2 = L T', so the metric is a Kronecker product plus a multiple of the
identity, and its square root comes from two small singular value decompositions.
"""

from __future__ import annotations

import copy
from functools import cached_property

import torch
from torch import Tensor

from sonifold.device import is_on
from sonifold.representation.spectral import Spectral
from sonifold.types import FeatureMap, FeatureMaps

#: Sounds the components are fitted on, evenly picked; beyond that the sounds repeat.
FIT_SOUNDS = 8000


class Coefficients:
    """The linear maps between features, coefficients and Phi; made by :func:`fit`.

    c = B' M (X - mean)  and  X = mean + B c, where the columns of B are orthonormal under M, so that B' M is the
    inverse of B and needs no storing.
    """

    def __init__(
        self, basis: Tensor, mean: FeatureMap, weights: tuple[float, float], representation: Spectral
    ):
        """basis (K, band, frame); mean (band, frame); weights of Phi and of the features in M."""
        self.basis, self.mean, self.weights = basis, mean, weights
        self.representation = representation
        metric = _PerceptualMetric(representation, *weights)
        self._synthesis = basis.flatten(1)
        self._analysis = metric.apply(basis).flatten(1).T.contiguous()
        self._copies: dict[str, Coefficients] = {}

    def on(self, device: torch.device) -> Coefficients:
        """The same on a device: itself, or a copy, of which there is one for all who ask."""
        if is_on(device, self.basis):
            return self
        if str(device) not in self._copies:
            self._copies[str(device)] = self._copy_on(device)
        return self._copies[str(device)]

    def _copy_on(self, device: torch.device) -> Coefficients:
        copied = copy.copy(self)
        vars(copied).pop("timbre_map", None)
        copied.representation = self.representation.on(device)
        copied.basis, copied.mean = self.basis.to(device), self.mean.to(device)
        copied._synthesis, copied._analysis = copied.basis.flatten(1), self._analysis.to(device)
        copied._copies = {}
        return copied

    @property
    def count(self) -> int:
        """K."""
        return len(self.basis)

    def analyse(self, features: FeatureMaps) -> Tensor:
        """(batch, band, frame) -> (batch, K)."""
        return (features - self.mean).flatten(1) @ self._analysis

    def synthesise(self, coefficients: Tensor) -> FeatureMaps:
        """(batch, K) -> (batch, band, frame)."""
        maps: FeatureMaps = torch.addmm(self.mean.flatten(), coefficients, self._synthesis).unflatten(
            1, self.mean.shape
        )
        return maps

    @cached_property
    def timbre_map(self) -> tuple[Tensor, Tensor]:
        """A (512, K) and b (512,) with Phi(coefficients) = A c + b."""
        timbre = self.representation.timbre
        return timbre(self.basis).T.contiguous(), timbre(self.mean[None])[0]

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that a pack stores. Half precision changes rendered sounds by less than 0.01 dB."""
        return {
            "basis": self.basis.half().contiguous(),
            "mean": self.mean.contiguous(),
            "weights": torch.tensor(self.weights, dtype=torch.float64),
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], representation: Spectral) -> Coefficients:
        """Inverse of :meth:`tensors`."""
        of_phi, of_features = tensors["weights"].tolist()
        return cls(tensors["basis"].float(), tensors["mean"].float(), (of_phi, of_features), representation)


class _PerceptualMetric:
    """M = a (A_1'A_1 kron A_2 A_2') + b I on feature maps, and its square root."""

    def __init__(self, representation: Spectral, of_phi: float, of_features: float):
        _, s1, v1 = torch.linalg.svd(representation.cepstrum.double(), full_matrices=False)
        u2, s2, _ = torch.linalg.svd(representation.log_time.double(), full_matrices=False)
        self.left, self.right = v1.float(), u2.T.float()  # (64, band), (8, frame)
        total = of_phi * torch.outer(s1, s2).square() + of_features
        self.base = of_features**0.5
        self.total = total.float()
        self.gain = (total.sqrt() - self.base).float()
        self.inverse_gain = (1 / total.sqrt() - 1 / self.base).float()

    def _apply(self, maps: Tensor, base: float, gain: Tensor) -> Tensor:
        filtered: Tensor = base * maps + self.left.T @ (gain * (self.left @ maps @ self.right.T)) @ self.right
        return filtered

    def apply(self, maps: FeatureMaps) -> FeatureMaps:
        """M X."""
        return self._apply(maps, self.base**2, self.total - self.base**2)

    def root(self, maps: FeatureMaps) -> FeatureMaps:
        """M^(1/2) X."""
        return self._apply(maps, self.base, self.gain)

    def inverse_root(self, maps: FeatureMaps) -> FeatureMaps:
        """M^(-1/2) X."""
        return self._apply(maps, 1 / self.base, self.inverse_gain)


def fit(
    maps: FeatureMaps,
    representation: Spectral,
    count: int,
    phi_share: float,
    seed: int = 0,
    block: int = 1024,
) -> Coefficients:
    """Perceptual PCA of training features by a randomised SVD (Halko, Martinsson & Tropp 2011, alg. 5.1).

    Args:
        maps: (batch, band, frame), float16 or float32.
        count: K, how many components to keep.
        phi_share: rho, the share of the perceptual map in the metric.
        seed: of the random test matrix.
        block: sounds brought to float32 at a time.
    """
    maps = maps[:: max(1, len(maps) // FIT_SOUNDS)]
    blocks = range(0, len(maps), block)
    phi = torch.cat([representation.timbre(maps[i : i + block].float()) for i in blocks])
    spread = sum(float(maps[i : i + block].double().square().sum()) for i in blocks) / len(maps)
    mean_map = torch.stack([maps[i : i + block].float().sum(0) for i in blocks]).sum(0) / len(maps)
    of_phi = phi_share / float(phi.var(0).sum())
    of_features = (1 - phi_share) / (spread - float(mean_map.double().square().sum()))
    metric = _PerceptualMetric(representation, of_phi, of_features)
    white_mean = metric.root(mean_map[None]).flatten()

    def white(i: int) -> Tensor:
        return metric.root(maps[i : i + block].float()).flatten(1) - white_mean

    generator = torch.Generator().manual_seed(seed)
    probe = torch.randn(len(maps), count + 32, generator=generator)
    for _ in range(3):
        image = sum(white(i).T @ probe[i : i + block] for i in blocks)
        image, _ = torch.linalg.qr(image)
        probe = torch.cat([white(i) @ image for i in blocks])
    _, singular, rotation = torch.linalg.svd(probe, full_matrices=False)
    basis = (image @ rotation.T)[:, :count]  # orthonormal, (D, K)
    scale = float((singular[:count].square().sum() / (len(maps) * count)).sqrt())
    white_basis = basis.T.unflatten(1, maps.shape[1:])
    return Coefficients(
        (metric.inverse_root(white_basis) * scale).contiguous(),
        mean_map,
        (of_phi / scale**2, of_features / scale**2),
        representation,
    )
