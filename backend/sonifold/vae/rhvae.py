r"""A VAE that learns a metric of its latent space with it: the Riemannian Hamiltonian VAE.

Beside encoder and decoder there is a network that gives each example x_i a triangular matrix L_i. With mu_i the
encoder's means they make the inverse metric

    G^-1(z) = sum_i L_i L_i' exp(-|z - mu_i|^2 / T^2) + lambda I,

and a few leapfrog steps of the Hamiltonian H(z, rho) = -log p(x, z) + 1/2 log det G(z) + 1/2 rho' G^-1(z) rho move each
latent sample before it is decoded, so that training shapes the L_i. Chadebec, Thibeau-Sutre, Burgos and Allassonniere,
"Data augmentation in high dimensional low sample size setting using a geometry-based VAE", IEEE TPAMI 2022.

**What keeps it stable.** The published training is known to end in NaN. Here log diag L and the entries of L are
bounded smoothly; the metric is evaluated in double precision; and each force dH/dz is clipped to a norm. With
``leapfrogs = 0`` there is no Hamiltonian: the posterior is then N(mu, s^2 G^-1(mu)), and the loss an exact evidence
bound.

**The loss.** Writing out the evidence bound of the flow gives

    log p(x, z_K) + log N(rho_K; 0, G(z_K)) - log q(z_0|x) - log N(rho_0; 0, G(z_0)),    (tempering cancels)

while the code published with the paper leaves out the last term. That is not a detail. Under the exact bound the L_i
collapse: on 120 digits the median condition number of L_i L_i' passed 10^7 in 1,200 epochs, where it stayed at 2.5
without that term. Without it 1/2 log det G^-1 is rewarded, and the L_i grow until the steps hurt the decoding. The loss
here is the published one, so it is not a bound of the evidence.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sonifold.cluster import k_medoids
from sonifold.metric import KernelMetric
from sonifold.metric.kernel import largest_gap
from sonifold.types import Points, Tensors, Vectors

from .config import HamiltonianConfig, VAEConfig
from .dense import DenseConfig, DenseVAE, Loss
from .metric_network import MetricNetwork
from .network import VAE

#: Fixed-point rounds of the two implicit steps of the generalised leapfrog, as in the paper.
ROUNDS = 3
#: Most centroids a metric keeps, unless told otherwise; more cost time and hardly change it.
CENTROIDS = 200


class RHVAEConfig(DenseConfig, HamiltonianConfig):
    """Sizes, metric and Hamiltonian of one RHVAE; defaults are the paper's for images."""


class RHVAE(DenseVAE):
    """Encoder, decoder and metric network."""

    noises = 2
    config_class = RHVAEConfig
    config: RHVAEConfig

    def __init__(self, config: RHVAEConfig):
        super().__init__(config)
        self.metric_network = MetricNetwork(config.features, config.metric, config.latent_dim)

    def factors(self, examples: Tensor) -> Tensors:
        """The L_i, lower triangular with a positive diagonal; (batch, latent, latent)."""
        factors: Tensors = self.metric_network(examples)
        return factors

    def loss(self, examples: Tensor, noise: Tensor) -> Loss:
        """The published loss (see the module); ``noise`` is standard normal, (2, batch, latent).

        The batch's own means and matrices make the metric, so a batch of one example has one centroid.
        """
        mean, log_variance = self.encode(examples)
        kernel = _Kernel.of(mean, self.factors(examples), self.config)
        if self.config.leapfrogs == 0:
            return self._without_leapfrog(examples, mean, kernel, noise[0])
        start = mean + (0.5 * log_variance).exp() * noise[0]
        end, momentum = self._trajectory(examples, start, kernel, noise[1])
        reconstruction = -self.log_likelihood(end, examples)
        prior = -0.5 * end.square().sum(-1)
        cometric = kernel.cometric(end)
        momenta = 0.5 * (_log_det(cometric) - _quadratic(cometric, momentum))
        entropy = 0.5 * (noise[0].square() + log_variance).sum(-1)
        rest = -(prior + momenta.to(prior) + entropy)
        return Loss((reconstruction + rest).mean(), reconstruction.mean(), rest.mean())

    def _without_leapfrog(self, examples: Tensor, mean: Points, kernel: _Kernel, noise: Tensor) -> Loss:
        """The exact bound for q(z|x) = N(mu, C), C = s^2 G^-1(mu): KL = 1/2 (|mu|^2 + tr C - d - log det C)."""
        covariance = self.config.step**2 * kernel.cometric(mean)
        offset = (torch.linalg.cholesky(covariance) @ noise.to(covariance)[..., None])[..., 0]
        reconstruction = -self.log_likelihood(mean + offset.to(mean), examples).mean()
        trace = torch.diagonal(covariance, dim1=1, dim2=2).sum(-1)
        nats = 0.5 * (trace - mean.shape[1] - _log_det(covariance)).to(mean) + 0.5 * mean.square().sum(-1)
        return Loss(reconstruction + nats.mean(), reconstruction, nats.mean())

    def _trajectory(
        self, examples: Tensor, z: Points, kernel: _Kernel, noise: Tensor
    ) -> tuple[Points, Vectors]:
        """(z_K, rho_K) from z_0 and rho_0 ~ N(0, G(z_0) / beta), by the tempered generalised leapfrog.

        Girolami and Calderhead 2011, eqs. 16 to 18; tempering as in Caterini, Doucet and Sejdinovic 2018, section 3.
        """
        step, steps = self.config.step, self.config.leapfrogs
        hot = 1 / math.sqrt(self.config.beta)
        factor = torch.linalg.cholesky(kernel.cometric(z))
        rho = hot * torch.linalg.solve_triangular(factor.mT, noise.to(factor)[..., None], upper=True)[..., 0]
        still = self._still_force(examples, z, kernel)
        cooled = hot
        for k in range(1, steps + 1):
            begin = rho
            for _ in range(ROUNDS):
                rho = begin - step / 2 * self._clipped(still + kernel.kinetic_force(z, rho))
            here, begin_z = kernel.raised(z, rho), z
            for _ in range(ROUNDS):
                z = begin_z + (step / 2 * (here + kernel.raised(z, rho))).to(z)
            still = self._still_force(examples, z, kernel)
            rho = rho - step / 2 * self._clipped(still + kernel.kinetic_force(z, rho))
            warmth = (1 - hot) * (k / steps) ** 2 + hot  # 1 / sqrt(beta_k), from hot to 1
            rho, cooled = rho * (warmth / cooled), warmth
        return z, rho

    def _still_force(self, examples: Tensor, z: Points, kernel: _Kernel) -> Tensor:
        """The part of dH/dz that does not depend on the momentum; (batch, latent)."""
        with torch.enable_grad():
            y = z if z.requires_grad else z.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(self.log_joint(y, examples).sum(), y, create_graph=True)
        return kernel.volume_force(z) - slope.to(kernel.centroids)

    def _clipped(self, force: Tensor) -> Tensor:
        clipped: Tensor = force * (
            self.config.clip / force.norm(dim=1, keepdim=True).clamp_min(self.config.clip)
        )
        return clipped

    @torch.no_grad()
    def learned_metric(
        self, examples: Tensor, centroids: int = CENTROIDS, seed: int = 0, temperature: float | None = None
    ) -> KernelMetric:
        """The metric that was learned, with the weights as they are now: K examples encoded anew.

        The K are the medoids of all means. T is ``temperature``, else the config's, else the largest distance between
        nearest centroids.
        """
        means = torch.cat([self.encode(part)[0] for part in examples.split(1024)])
        medoids = k_medoids(means, centroids, seed)
        temperature = temperature or self.config.temperature or largest_gap(means[medoids])
        return KernelMetric.factors(
            means[medoids], self.factors(examples[medoids]), temperature, self.config.ridge
        )


class _Kernel:
    """The inverse metric while it is trained, in double precision where the device has it.

    Unlike ``KernelMetric`` it keeps gradients of its centroids and matrices.
    """

    def __init__(self, centroids: Points, matrices: Tensors, temperature: float | Tensor, ridge: float):
        self.centroids, self.d = centroids, centroids.shape[1]
        self.table = matrices.flatten(1)
        self.square = temperature**2
        self.ridge = ridge * torch.eye(self.d, dtype=centroids.dtype, device=centroids.device)

    @classmethod
    def of(cls, means: Points, factors: Tensors, config: RHVAEConfig) -> _Kernel:
        if means.device.type != "mps":  # which has no float64
            means, factors = means.double(), factors.double()
        temperature = config.temperature or largest_gap(means.detach())
        return cls(means, factors @ factors.mT, temperature, config.ridge)

    def weights(self, z: Points) -> Tensor:
        z = z.to(self.centroids)
        return ((z[:, None] - self.centroids).square().sum(-1) / -self.square).exp()

    def cometric(self, z: Points) -> Tensors:
        """G^-1(z); (batch, latent, latent)."""
        cometric: Tensors = (self.weights(z) @ self.table).unflatten(1, (self.d, self.d)) + self.ridge
        return cometric

    def raised(self, z: Points, rho: Vectors) -> Vectors:
        return (self.cometric(z) @ rho[..., None])[..., 0]

    def volume_force(self, z: Points) -> Tensor:
        """grad 1/2 log det G = (1/T^2) sum_i t_i (z - c_i), t_i = w_i tr(G M_i)."""
        weights = self.weights(z)
        cometric = (weights @ self.table).unflatten(1, (self.d, self.d)) + self.ridge
        return self._towards(z, weights * (torch.linalg.inv(cometric).flatten(1) @ self.table.T))

    def kinetic_force(self, z: Points, rho: Vectors) -> Tensor:
        """grad 1/2 rho' G^-1 rho = -(1/T^2) sum_i w_i (rho' M_i rho) (z - c_i)."""
        outer = (rho[:, :, None] * rho[:, None]).flatten(1)
        return self._towards(z, -self.weights(z) * (outer @ self.table.T))

    def _towards(self, z: Points, pull: Tensor) -> Tensor:
        return (pull.sum(1, keepdim=True) * z - pull @ self.centroids) / self.square


def _log_det(matrices: Tensors) -> Tensor:
    factor = torch.linalg.cholesky(matrices)
    return 2 * torch.diagonal(factor, dim1=-2, dim2=-1).log().sum(-1)


def _quadratic(matrices: Tensors, vectors: Vectors) -> Tensor:
    return torch.einsum("bi,bij,bj->b", vectors, matrices, vectors)


class ResidualRHVAE(RHVAE):
    """An RHVAE between the encoder and decoder of a pack, whose names its weights have."""

    def __init__(self, network: VAEConfig, config: RHVAEConfig, dropout: float = 0.0):
        super().__init__(config)
        self.network = network
        vae = VAE(network, dropout)
        self.encoder, self.decoder = vae.encoder, vae.decoder

    def vae(self) -> VAE:
        """Encoder and decoder alone, as a pack has them."""
        tensors = {k: v for k, v in self.state_dict().items() if not k.startswith("metric_network.")}
        return VAE.from_tensors(self.network, tensors)
