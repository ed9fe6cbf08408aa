"""Everything computes where it is told to: on a GPU where there is one, and on a stand-in that finds what is left behind."""

from __future__ import annotations

import pytest
import torch
from elsewhere import Elsewhere, LeftBehind, watching
from metric_cases import head, residual_decoder
from torch import nn

from sonifold import geodesic, sample
from sonifold.metric import Blend, Flat, KernelMetric, Pullback, SamplingMetric, SequentialTangents, Slice

LATENT = 4


def points(count: int, latent: int = LATENT, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, latent, generator=torch.Generator().manual_seed(seed))


def decoder(latent: int = LATENT) -> nn.Sequential:
    return residual_decoder(latent, dtype=torch.float32).requires_grad_(False)


def foreign(latent: int = LATENT):
    net = decoder(latent)
    return nn.Sequential(net, nn.Hardswish())


def kernel(device, latent: int = LATENT) -> KernelMetric:
    return KernelMetric.posterior(points(12, latent).to(device), (0.2 + points(12, latent).abs()).to(device))


METRICS = {
    "flat": lambda device: Flat(),
    "kernel": kernel,
    "kernel, full": lambda device: KernelMetric.factors(points(5).to(device), torch.eye(4).repeat(5, 1, 1).to(device), 1.0),
    "sampling": lambda device: SamplingMetric(points(9).to(device), 0.5 + points(9).abs().to(device)),
    "pullback": lambda device: Pullback(SequentialTangents(decoder().to(device), head().float().to(device))),
    "any decoder": lambda device: Pullback(foreign().to(device)),
    "blend": lambda device: Blend(Pullback(decoder().to(device)), kernel(device)),
}  # fmt: skip

WORK = {
    "paths": lambda metric, z: geodesic.solve(metric, z[:2], z[2:4]).nodes,
    "one path": lambda metric, z: geodesic.solve(metric, z[:1], z[1:2], polish=True).nodes,
    "distances": lambda metric, z: geodesic.distances(metric, z[:3]),
    "neighbours": lambda metric, z: geodesic.neighbours(metric, z[0], z[1:], 2).distances,
    "clusters": lambda metric, z: geodesic.k_means(metric, z, 2, rounds=1).centres,
    "mean": lambda metric, z: geodesic.frechet_mean(metric, z[:3]).point,
    "mean of two": lambda metric, z: geodesic.frechet_mean(metric, z[:2], torch.tensor([1.0, 2.0]).to(z)).point,
    "straight on": lambda metric, z: geodesic.exponential(metric, z[:2], 0.1 * z[2:4]).nodes,
    "velocity": lambda metric, z: geodesic.logarithm(metric, z[:2], z[2:4]),
    "beyond": lambda metric, z: geodesic.extrapolate(metric, z[:2], z[2:4], 1.5).nodes,
    "analogy": lambda metric, z: geodesic.analogy(metric, z[:1], z[1:2], z[2:3]).nodes,
    "volume": lambda metric, z: metric.magnification_gradient(z)[1],
    "ellipses": lambda metric, z: Slice(metric, z[0], *torch.eye(4)[:2].to(z)).tensor(z[:3, :2]),
}  # fmt: skip

SAMPLERS = {
    "prior": lambda z: sample.Prior(LATENT),
    "aggregated": lambda z: sample.AggregatedPosterior(z, z.abs() + 0.1),
    "mixture": lambda z: sample.Mixture(z, 3),
    "importance": lambda z: sample.ImportanceResampling(kernel(z.device)),
    "hmc": lambda z: sample.VolumeHMC(kernel(z.device), steps=2, warm_up=2),
}


def test_the_stand_in_finds_a_tensor_that_was_left_behind():
    with watching() as device:
        there = points(2).to(device)
        assert isinstance(there * 2 + there.new_ones(LATENT), Elsewhere)
        assert there.cpu().tolist() == points(2).tolist()
        assert isinstance(there[torch.tensor([0])], Elsewhere)
        for leave in (
            lambda: there + torch.ones(LATENT),
            lambda: torch.cat([there, torch.zeros(1, LATENT)]),
            lambda: there @ torch.eye(LATENT),
            lambda: points(2)[(there > 0).all(1)],
            lambda: torch.func.jvp(lambda y: y * torch.ones(LATENT), (there,), (there,)),
        ):
            with pytest.raises(LeftBehind):
                leave()
        with pytest.raises(RuntimeError):
            there.numpy()


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("name", METRICS)
def test_geometry_leaves_nothing_behind(name, work):
    with watching() as device:
        result = WORK[work](METRICS[name](device), points(8).to(device))
        assert isinstance(result, Elsewhere)
        assert torch.isfinite(result).all()


def test_in_two_dimensions_too():
    with watching() as device:
        paths = geodesic.solve(
            Pullback(decoder(2).to(device)), points(2, 2).to(device), points(2, 2, 1).to(device)
        )
        assert isinstance(paths.nodes, Elsewhere)


def test_points_on_the_cpu_come_back_there_from_a_decoder_elsewhere():
    with watching() as device:
        paths = geodesic.solve(Pullback(decoder().to(device)), points(2), points(2, seed=1))
        assert not isinstance(paths.nodes, Elsewhere)


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_leave_nothing_behind(name):
    with watching() as device:
        drawn = SAMPLERS[name](points(20).to(device)).sample(5, seed=1)
    alike = SAMPLERS[name](points(20)).sample(5, seed=1)
    assert torch.allclose(drawn.points.cpu(), alike.points, atol=1e-4)
