"""The ways to new digits that are compared: which model, and from where its latent points are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.metric import KernelMetric
from sonifold.sample import AggregatedPosterior, Mixture, Prior, VolumeHMC, wander
from sonifold.types import Points
from sonifold.vae.dense import DenseVAE
from sonifold.vae.rhvae import RHVAE

from .digits import SIDE, Examples
from .training import RHVAE_CONFIG

#: Steps of the walk between two samples.
EVERY = 3
#: Length of one of them under the metric, which is small on the data: about .6 latent units there.
PACE = 0.06
#: Largest shift, in pixels, and turn, in radians, of classic augmentation.
SHIFT, TURN = 2.0, 0.2
#: Trajectories in which HMC tunes its step; the published figures were drawn with so many.
WARM_UP = 50


@dataclass(frozen=True)
class Drawn:
    """New digits with the classes they are taken to have; latent points and diagnostics where there are any."""

    images: Tensor  #: (count, 784)
    labels: Tensor  #: (count,)
    points: Points | None = None  #: (count, latent)
    acceptance: float | None = None
    escapes: int | None = None

    def first(self, count: int) -> Examples:
        """Some of them, evenly spaced, since a walk's neighbours are alike."""
        rows = torch.linspace(0, len(self.labels) - 1, count).round().long()
        return Examples(self.images[rows], self.labels[rows])


class Latent:
    """A trained model with what it makes of its training digits."""

    def __init__(self, model: DenseVAE, examples: Examples):
        self.model, self.examples = model, examples
        with torch.no_grad():
            self.means, log_variances = model.encode(examples.images)
        self.variances = log_variances.exp()
        #: The learned metric; for a plain VAE that of its posteriors, with the same T and lambda.
        self.metric = (
            model.learned_metric(examples.images)
            if isinstance(model, RHVAE)
            else KernelMetric.posterior(
                self.means, self.variances, RHVAE_CONFIG.temperature, RHVAE_CONFIG.ridge
            )
        )

    @torch.no_grad()
    def decoded(self, points: Points, acceptance: float | None = None, escapes: int | None = None) -> Drawn:
        """Digits at latent points (count, latent); each has the class of the training digit nearest in latent space."""
        labels = self.examples.labels[torch.cdist(points, self.means).argmin(1)]
        return Drawn(self.model.decode(points), labels, points, acceptance, escapes)


def prior(latent: Latent, count: int, seed: int) -> Drawn:
    """N(0, I)."""
    return latent.decoded(Prior(latent.means.shape[1]).sample(count, seed).points)


def mixture(latent: Latent, count: int, seed: int) -> Drawn:
    """Ten Gaussians fitted to the latent means."""
    return latent.decoded(Mixture(latent.means, 10, seed).sample(count, seed).points)


def aggregated(latent: Latent, count: int, seed: int) -> Drawn:
    """The posteriors of the training digits."""
    return latent.decoded(AggregatedPosterior(latent.means, latent.variances).sample(count, seed).points)


def interpolation(latent: Latent, count: int, seed: int) -> Drawn:
    """Anywhere on the straight line between two training digits of one class."""
    source = torch.Generator().manual_seed(seed)
    first = torch.randint(len(latent.means), (count,), generator=source)
    same = latent.examples.labels[first][:, None] == latent.examples.labels
    second = torch.multinomial(same.float(), 1, generator=source)[:, 0]
    t = torch.rand(count, 1, generator=source)
    return latent.decoded((1 - t) * latent.means[first] + t * latent.means[second])


def volume(latent: Latent, count: int, seed: int) -> Drawn:
    """The metric's volume element, by HMC."""
    samples = VolumeHMC(latent.metric, warm_up=WARM_UP).sample(count, seed)
    return latent.decoded(samples.points, samples.acceptance, samples.escapes)


def walk(latent: Latent, count: int, seed: int) -> Drawn:
    """One random walk under the metric, from a training digit."""
    source = torch.Generator().manual_seed(seed)
    start = latent.means[int(torch.randint(len(latent.means), (1,), generator=source))]
    wandered = wander(latent.metric, start, count, seed, PACE, EVERY)
    return latent.decoded(wandered.points[1:], wandered.acceptance)


def augmentation(latent: Latent, count: int, seed: int) -> Drawn:
    """No model: training digits shifted and turned a little."""
    source = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(latent.examples), (count,), generator=source)
    shift = (2 * torch.rand(count, 2, generator=source) - 1) * SHIFT * 2 / SIDE
    angle = (2 * torch.rand(count, generator=source) - 1) * TURN
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    grid = torch.nn.functional.affine_grid(
        torch.cat([turn, shift[..., None]], 2), [count, 1, SIDE, SIDE], align_corners=False
    )
    images = latent.examples.images[rows].view(-1, 1, SIDE, SIDE)
    transformed = torch.nn.functional.grid_sample(images, grid, align_corners=False)
    return Drawn(transformed.flatten(1), latent.examples.labels[rows])


@dataclass(frozen=True)
class Method:
    """One row of the table."""

    name: str
    network: str  #: "VAE", "RHVAE", or "" for none
    draw: Callable[[Latent, int, int], Drawn]


METHODS = [
    Method("VAE, prior N(0, I)", "VAE", prior),
    Method("VAE, mixture", "VAE", mixture),
    Method("VAE, aggregated posterior", "VAE", aggregated),
    Method("VAE, interpolation", "VAE", interpolation),
    Method("VAE, metric of its posteriors", "VAE", volume),
    Method("RHVAE, prior N(0, I)", "RHVAE", prior),
    Method("RHVAE, mixture", "RHVAE", mixture),
    Method("RHVAE, aggregated posterior", "RHVAE", aggregated),
    Method("RHVAE, random walk", "RHVAE", walk),
    Method("RHVAE, learned metric", "RHVAE", volume),
    Method("classic augmentation", "", augmentation),
]
