r"""Hamiltonian Monte Carlo on the volume element of a metric.

Many chains side by side, each started at a centroid, all with one step size that is tuned while they warm up (dual
averaging, Hoffman and Gelman 2014, section 3.2.1). One exact gradient a leapfrog step, matrix products
only. Momenta are unit Gaussian; a trajectory is accepted with probability min(1, exp(H_0 - H_1)).

What the chains reach is the density around where they began. In many dimensions none crosses the gap between two
groups of centroids in any time worth waiting (on the pack's 32, chains of 400 trajectories ended 3.1 from their start,
chains of 25 2.5), so the shares of groups stay those of the starts, one centroid as likely as another: what a listener
wants, though not the volume's own shares, which a few dense groups would take whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sonifold.metric import KernelMetric, SamplingMetric
from sonifold.types import Points

from .base import Sampler, Samples, check, generator
from .volume import REACH, VolumeDensity

#: Acceptance the step size is tuned for.
TARGET = 0.9


class VolumeHMC(Sampler):
    """Points from the volume element of a kernel metric or a ``SamplingMetric``, by HMC on a bounded support."""

    name = "volume element, HMC"

    def __init__(
        self,
        metric: KernelMetric | SamplingMetric,
        steps: int = 100,
        leapfrogs: int = 10,
        warm_up: int = 15,
        reach: float = REACH,
    ):
        self.metric, self.reach = metric, reach
        self.steps, self.leapfrogs, self.warm_up = steps, leapfrogs, warm_up

    @torch.no_grad()
    def sample(self, count: int, seed: int = 0, temperature: float = 1.0) -> Samples:
        check(count, temperature)
        density, source = VolumeDensity(self.metric, temperature, self.reach), generator(seed)
        centroids = self.metric.centroids
        z = centroids[torch.randint(len(centroids), (count,), generator=source).to(centroids.device)]
        chains = Chains(z, *density(z))
        pace = _Pace(0.1 * density.edge)
        for _ in range(self.warm_up):
            chains, accepted = transition(chains, density, pace.size, self.leapfrogs, source)
            pace.learn(float(accepted.mean()))
        shares = []
        for _ in range(self.steps):
            chains, accepted = transition(chains, density, pace.settled, self.leapfrogs, source)
            shares.append(accepted.mean())
        acceptance = float(torch.stack(shares).mean()) if shares else None
        escapes = int(density.escaped(chains.z).sum())
        return Samples(chains.z, self.name, seed, temperature, acceptance, escapes=escapes)


@dataclass(frozen=True)
class Chains:
    """Points of the chains, with the log density there and its gradient."""

    z: Points
    log_density: Tensor
    gradient: Tensor


def transition(
    chains: Chains, density: VolumeDensity, step: float, leapfrogs: int, source: torch.Generator
) -> tuple[Chains, Tensor]:
    """One trajectory of each chain; (the chains after it, each one's probability of acceptance (count,))."""
    z, gradient, log_density = chains.z, chains.gradient, chains.log_density
    momentum = torch.randn(z.shape, generator=source, dtype=z.dtype).to(z)
    before = log_density - momentum.square().sum(1) / 2
    for _ in range(leapfrogs):
        momentum = momentum + step / 2 * gradient
        z = z + step * momentum
        log_density, gradient = density(z)
        momentum = momentum + step / 2 * gradient
    after = log_density - momentum.square().sum(1) / 2
    chance = torch.nan_to_num((after - before).clamp_max(0).exp())
    accepted = torch.rand(len(z), generator=source, dtype=z.dtype).to(z) < chance
    row = accepted[:, None]
    return (
        Chains(
            torch.where(row, z, chains.z),
            torch.where(accepted, log_density, chains.log_density),
            torch.where(row, gradient, chains.gradient),
        ),
        chance,
    )


@dataclass
class _Pace:
    """The step size: tuned by dual averaging, then settled on its running mean."""

    first: float
    rounds: int = 0
    deficit: float = 0.0
    log_settled: float = field(init=False)
    size: float = field(init=False)

    def __post_init__(self) -> None:
        self.size, self.log_settled = self.first, math.log(self.first)

    @property
    def settled(self) -> float:
        return math.exp(self.log_settled)

    def learn(self, accepted: float) -> None:
        """gamma = .05, t_0 = 10, kappa = .75 as in the paper; it shrinks towards ten times the first guess."""
        self.rounds += 1
        self.deficit += (TARGET - accepted - self.deficit) / (self.rounds + 10)
        log_size = math.log(10 * self.first) - math.sqrt(self.rounds) / 0.05 * self.deficit
        weight = self.rounds**-0.75
        self.log_settled = weight * log_size + (1 - weight) * self.log_settled
        self.size = math.exp(log_size)
