"""Ways to make more sounds of a class from a few of it: what a classifier is trained on beside them.

No generator has seen more of a class than its few training sounds. Those in the pack's latent space move between or
around their latent points, decode with the pack as it is, and carry the residuals of these sounds along: the pack
itself was trained on other makers' sounds, without labels. Those *of the class alone* train a small VAE on the class's
few sounds and nothing else, which is the published protocol.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.adapt import augment
from sonifold.metric import KernelMetric, Metric
from sonifold.morph.path import NODES
from sonifold.sample import ImportanceResampling, Mixture, VolumeHMC
from sonifold.types import Points
from sonifold.vae.config import TrainingConfig, VAEConfig
from sonifold.vae.network import VAE, divergence, freeze
from sonifold_research.fewshot.bench import Bench

SYNTHETIC = 150  # sounds of each class, in every arm that makes any
PAIRS = 50  # of each class, three points on each
NEAREST = 3  # library sounds that a sound is faded into
CHAIN = 20  # trajectories of each chain, after its warm-up
#: The network of a class alone, and its training.
ALONE = VAEConfig(latent_dim=10, width=64, hidden=128, encoder_blocks=1, decoder_blocks=1)
ALONE_STEPS, ALONE_RATE, ALONE_BATCH = 250, 2e-3, 32
Make = Callable[
    [Bench, list[int], int], Tensor
]  # coefficients (sound, K) from the indices of a class's sounds


def classic(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """Resampled, filtered, cut, noised recordings."""
    rows = bench.encodings.copies[indices].flatten(0, 1)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    return rows[order[:SYNTHETIC]]


def transposed(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """The copies that adaptation makes, in features."""
    features, _ = bench.model.representation.analyse(bench.sounds.audio[indices])
    each = -(-SYNTHETIC // len(indices))
    copies = augment.copies(features, each, bench.model.representation, np.random.default_rng(seed))
    return bench.model.coefficients.analyse(copies.flatten(0, 1))[:SYNTHETIC]


def cross_fade(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """(1-t) c_a + t c_b: nothing of the latent space."""
    first, second, t = _pairs(len(indices), seed)
    return _across(bench.encodings.coefficients[indices], first, second, t)


def linear(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """Straight in latent space."""
    first, second, t = _pairs(len(indices), seed)
    points = _across(bench.encodings.z[indices], first, second, t)
    return bench.model.vae.decode(points) + _across(_residuals(bench, indices), first, second, t)


def geodesics(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """On geodesics of the pack's metric, which keeps to sounds that the base knows."""
    return _on_geodesics(bench, indices, seed, bench.model.metric())


def pulled_back(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """On geodesics of the decoder's metric alone, which knows of no sounds."""
    return _on_geodesics(bench, indices, seed, bench.model.metric("pullback"))


def _on_geodesics(bench: Bench, indices: list[int], seed: int, metric: Metric) -> Tensor:
    first, second, t = _pairs(len(indices), seed)
    z = bench.encodings.z[indices]
    nodes = geodesic.solve(metric, z[first], z[second], NODES).nodes
    points = geodesic.at(nodes, t).flatten(0, 1)
    return bench.model.vae.decode(points) + _across(_residuals(bench, indices), first, second, t)


def to_library(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """Cross-fades with the library sounds nearest by ear, up to halfway: the base's sounds without its geometry."""
    values = bench.encodings.coefficients[indices]
    near = torch.cdist(values @ bench.timbre_weight.T, bench.library @ bench.timbre_weight.T).topk(
        NEAREST, largest=False
    )
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(indices), (SYNTHETIC,), generator=draw)
    other = near.indices[rows, torch.randint(NEAREST, (SYNTHETIC,), generator=draw)]
    t = 0.5 * torch.rand(SYNTHETIC, 1, generator=draw)
    return (1 - t) * values[rows] + t * bench.library[other]


def class_gaussian(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """A Gaussian as the prior of the class, its covariance shrunk halfway to its diagonal."""
    z = bench.encodings.z[indices]
    covariance = torch.cov(z.T)
    covariance = 0.5 * covariance + 0.5 * torch.diag(covariance.diagonal().clamp(min=1e-4))
    root = torch.linalg.cholesky(covariance + 1e-5 * torch.eye(len(covariance)))
    noise = torch.randn(SYNTHETIC, z.shape[1], generator=torch.Generator().manual_seed(seed))
    return _decoded(bench, indices, z.mean(0) + noise @ root.T)


def mixture(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """A Gaussian mixture fitted to the class's points, a component for every ten."""
    fitted = Mixture(bench.encodings.z[indices], seed=seed)
    return _decoded(bench, indices, fitted.sample(SYNTHETIC, seed).points)


def posteriors(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """The posteriors of the class, mixed."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(indices), (SYNTHETIC,), generator=draw)
    _, log_variance = bench.model.vae.encode(bench.encodings.coefficients[indices])
    noise = torch.randn(SYNTHETIC, bench.model.latent_dim, generator=draw)
    spread = (0.5 * log_variance[rows]).exp()
    return _decoded(bench, indices, bench.encodings.z[indices][rows] + spread * noise)


def volume(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """The volume of the kernel metric over the class's posteriors, by importance resampling."""
    return _decoded(
        bench, indices, ImportanceResampling(_kernel(bench, indices)).sample(SYNTHETIC, seed).points
    )


def hmc(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """The same by Hamiltonian Monte Carlo (Chadebec et al. 2022, section 4)."""
    return _decoded(bench, indices, VolumeHMC(_kernel(bench, indices), CHAIN).sample(SYNTHETIC, seed).points)


def alone_prior(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """N(0, I) through a VAE of the class alone."""
    vae = trained_alone(bench.encodings.coefficients[indices], seed)
    noise = torch.randn(SYNTHETIC, ALONE.latent_dim, generator=torch.Generator().manual_seed(seed))
    return vae.decode(noise)


def alone_hmc(bench: Bench, indices: list[int], seed: int) -> Tensor:
    """The metric volume over the posteriors of a VAE of the class alone."""
    rows = bench.encodings.coefficients[indices]
    vae = trained_alone(rows, seed)
    means, log_variance = vae.encode(rows)
    metric = KernelMetric.posterior(means, log_variance.exp())
    return vae.decode(VolumeHMC(metric, CHAIN).sample(SYNTHETIC, seed).points)


#: By the names of the tables; None makes nothing.
WAYS: dict[str, Make | None] = {
    "real only": None,
    "classic augmentation": classic,
    "transposed in features": transposed,
    "cross-fade": cross_fade,
    "linear interpolation": linear,
    "geodesic": geodesics,
    "geodesic, pull-back alone": pulled_back,
    "cross-fade with the library": to_library,
    "Gaussian of the class": class_gaussian,
    "Gaussian mixture": mixture,
    "mixture of posteriors": posteriors,
    "metric volume": volume,
    "metric volume, HMC": hmc,
    "VAE of the class alone, prior": alone_prior,
    "VAE of the class alone, metric HMC": alone_hmc,
}


@torch.enable_grad()
def trained_alone(rows: Tensor, seed: int) -> VAE:
    """A small VAE of the rows (sound, K), which come as often as they are few."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    vae = VAE(ALONE)
    weight = TrainingConfig().reconstruction
    optimiser = torch.optim.AdamW(vae.parameters(), ALONE_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, ALONE_STEPS)
    for _ in range(ALONE_STEPS):
        target = rows[torch.randint(len(rows), (ALONE_BATCH,), generator=draw)]
        noise = torch.randn(ALONE_BATCH, ALONE.latent_dim, generator=draw)
        decoded, mean, log_variance = vae(target, noise)
        loss = weight * (decoded - target).square().mean() + divergence(mean, log_variance).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    freeze(vae)
    return vae


def _pairs(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of random pairs (pair,) twice, and where on the way, (pair, point)."""
    draw = np.random.default_rng([seed, 3])
    pairs = np.array([draw.choice(count, 2, replace=False) for _ in range(PAIRS)])
    first, second = torch.from_numpy(pairs.T.copy())
    return first, second, torch.from_numpy(draw.uniform(0.1, 0.9, (PAIRS, SYNTHETIC // PAIRS))).float()


def _across(rows: Tensor, first: Tensor, second: Tensor, t: Tensor) -> Tensor:
    share = t[..., None]
    return ((1 - share) * rows[first][:, None] + share * rows[second][:, None]).flatten(0, 1)


def _residuals(bench: Bench, indices: list[int]) -> Tensor:
    return bench.encodings.coefficients[indices] - bench.model.vae.decode(bench.encodings.z[indices])


def _kernel(bench: Bench, indices: list[int]) -> KernelMetric:
    _, log_variance = bench.model.vae.encode(bench.encodings.coefficients[indices])
    return KernelMetric.posterior(bench.encodings.z[indices], log_variance.exp())


def _decoded(bench: Bench, indices: list[int], points: Points) -> Tensor:
    """Decodings with the residual of the class's nearest sound."""
    nearest = torch.cdist(points, bench.encodings.z[indices]).argmin(1)
    return bench.model.vae.decode(points) + _residuals(bench, indices)[nearest]
