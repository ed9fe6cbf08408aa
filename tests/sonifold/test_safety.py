"""No path is dearer than its line: the experiment's own count, on maps with holes in few and in many dimensions."""

from __future__ import annotations

import pytest
import torch
from metric_cases import residual_decoder

from sonifold.metric import Blend, DecoderEnsemble, KernelMetric, Metric, Pullback, SamplingMetric
from sonifold_research import safety


def cloud(latent: int, count: int = 80) -> torch.Tensor:
    """Points in four groups, far enough apart that the kernels leave gaps."""
    generator = torch.Generator().manual_seed(latent)
    groups = 2 * torch.randn(4, latent, generator=generator)
    return groups.repeat(count // 4, 1) + 0.5 * torch.randn(count, latent, generator=generator)


def metric_named(name: str, latent: int) -> Metric:
    points = cloud(latent)
    decoders = [residual_decoder(latent, seed=seed, dtype=torch.float32) for seed in (0, 1)]
    pullback, kernel = Pullback(decoders[0]), KernelMetric.posterior(points, torch.rand_like(points) + 0.1)
    return {
        "kernel": kernel,
        "pullback": pullback,
        "ensemble": DecoderEnsemble(decoders),
        "blend": Blend.over(pullback, kernel, points, weight=10.0),
    }[name]


@pytest.mark.long
@pytest.mark.parametrize("latent", [2, 8])
@pytest.mark.parametrize("name", ["kernel", "pullback", "ensemble", "blend"])
def test_no_path_is_dearer_than_its_line(name, latent):
    found = safety.paths(metric_named(name, latent), cloud(latent), pairs=40)
    assert found["not finite"] == found["worse than the line"] == 0
    assert found["energy over the line's, median"] <= 1
    assert found["converged"] > 0.7


def test_paths_that_are_dearer_than_their_lines_are_counted(monkeypatch):
    class Detours:
        def __init__(self, nodes):
            self.nodes, self.converged = nodes, [True] * len(nodes)

        def sample(self, nodes):
            bump = torch.sin(torch.linspace(0, 3.14159, nodes))[:, None]
            line = safety.geodesic.line(self.nodes[:, 0], self.nodes[:, -1], nodes)
            line[:3] += bump
            line[3] = torch.nan
            return line

    monkeypatch.setattr(
        safety.geodesic, "solve", lambda metric, a, b, n: Detours(safety.geodesic.line(a, b, n))
    )
    found = safety.paths(KernelMetric.isotropic(cloud(2), temperature=50.0), cloud(2), pairs=20)
    assert found["worse than the line"] == 3
    assert found["not finite"] == 1


@pytest.mark.parametrize("kind", ["kernel", "sampling metric"])
def test_chains_report_acceptance_escapes_and_the_error_of_their_gradient(kind):
    points = cloud(2)
    variances = 0.2 * torch.ones_like(points)
    metric = (
        KernelMetric.posterior(points, variances) if kind == "kernel" else SamplingMetric(points, variances)
    )
    found = safety.chains(metric, 30)
    assert found["acceptance"] >= 0.8
    assert found["escapes"] == 0
    assert found["gradient error"] <= 1e-4
