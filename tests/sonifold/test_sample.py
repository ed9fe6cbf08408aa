"""Samplers: what they draw from, that they draw the same again, and that nothing escapes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from metric_cases import kernel, points, spread
from torch.testing import assert_close

from sonifold.metric import KernelMetric, SamplingMetric
from sonifold.sample import (
    AggregatedPosterior,
    ImportanceResampling,
    Mixture,
    Prior,
    Sampler,
    VolumeDensity,
    VolumeHMC,
    wander,
)
from sonifold.sample.hmc import Chains, transition

MEANS, VARIANCES = 3 * spread(40, 3), 0.1 * spread(40, 3, seed=2)
KERNEL = KernelMetric.posterior(MEANS, VARIANCES)
SAMPLERS: list[Sampler] = [
    Prior(3),
    Mixture(MEANS, 3),
    AggregatedPosterior(MEANS, VARIANCES),
    ImportanceResampling(KERNEL, proposals=20),
    VolumeHMC(KERNEL, steps=5, warm_up=5),
    VolumeHMC(SamplingMetric(MEANS, VARIANCES), steps=5, warm_up=5),
]


@pytest.fixture(params=SAMPLERS, ids=lambda sampler: f"{sampler.name}, {type(sampler).__name__}")
def sampler(request):
    return request.param


class TestContract:
    """Every sampler keeps these."""

    def test_it_draws_as_many_points_as_asked_for(self, sampler):
        samples = sampler.sample(7, seed=3)
        assert samples.points.shape == (7, 3)
        assert torch.isfinite(samples.points).all()
        assert (samples.sampler, samples.seed, samples.temperature) == (sampler.name, 3, 1.0)

    def test_a_seed_draws_the_same_points_again_and_another_seed_others(self, sampler):
        first, again, other = (sampler.sample(5, seed=seed).points for seed in (1, 1, 2))
        assert_close(first, again, rtol=0, atol=0)
        assert not torch.equal(first, other)

    def test_it_leaves_the_global_random_state_alone(self, sampler):
        before = torch.get_rng_state()
        sampler.sample(2)
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_higher_temperature_is_more_daring(self, sampler):
        calm, daring = (sampler.sample(200, seed=5, temperature=t).points for t in (0.3, 3.0))
        nearest = [torch.cdist(z, MEANS.to(z)).amin(1).mean() for z in (calm, daring)]
        spread_out = [z.var(0).sum() for z in (calm, daring)]
        assert nearest[1] > nearest[0] or spread_out[1] > spread_out[0]

    @pytest.mark.parametrize(("count", "temperature"), [(0, 1.0), (5, 0.0), (5, math.inf)])
    def test_it_refuses_what_cannot_be_drawn(self, sampler, count, temperature):
        with pytest.raises(ValueError, match=r"at least one|positive"):
            sampler.sample(count, temperature=temperature)


def test_the_prior_is_a_unit_gaussian_times_the_temperature():
    z = Prior(3).sample(20_000, temperature=2.0).points
    assert_close(z.mean(0), torch.zeros(3), rtol=0, atol=0.06)
    assert_close(z.T.cov(), 4 * torch.eye(3), rtol=0, atol=0.15)


def test_the_aggregated_posterior_has_the_moments_of_its_mixture():
    z = AggregatedPosterior(MEANS, VARIANCES).sample(50_000).points
    assert_close(z.mean(0), MEANS.mean(0), rtol=0, atol=0.03)
    assert_close(z.var(0), MEANS.var(0, unbiased=False) + VARIANCES.mean(0), rtol=0.03, atol=0)


def test_the_mixture_recovers_the_gaussians_it_was_fitted_to():
    generator = torch.Generator().manual_seed(0)
    true = torch.tensor([[0.0, 0.0], [6.0, 1.0], [0.0, 7.0]]).double()
    data = torch.cat([m + 0.5 * torch.randn(200, 2, generator=generator, dtype=torch.float64) for m in true])
    mixture = Mixture(data, 3, seed=1)
    assert torch.cdist(true, mixture.means).amin(1).max() < 0.15
    assert_close(mixture.covariances, (0.25 * torch.eye(2).double()).expand(3, -1, -1), rtol=0, atol=0.08)
    gains = torch.tensor(mixture.log_likelihood[1:]).diff()
    assert (gains > -1e-9).all()
    assert_close(mixture.log_density(data).mean().item(), mixture.log_likelihood[-1])


def test_a_mixture_of_identical_points_does_not_collapse():
    assert torch.isfinite(Mixture(torch.ones(20, 3)).sample(4).points).all()


@pytest.mark.parametrize("components", [0, 41])
def test_a_mixture_needs_a_point_for_each_component(components):
    with pytest.raises(ValueError, match="components"):
        Mixture(MEANS, components or -1)


DENSITIES = {
    "kernel, diagonal": KERNEL,
    "kernel, full": kernel(3, full=True),
    "sampling metric": SamplingMetric(MEANS, VARIANCES),
}


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_gradient_of_the_density_is_exact(name, temperature):
    metric = DENSITIES[name]
    density = VolumeDensity(metric, temperature)
    z = metric.centroids[:12] + density.reach * (
        points(12, 3, seed=8) - 0.9
    )  # inside and outside the support
    assert density(z)[0].isfinite().sum() > 0
    y = z.clone().requires_grad_(True)
    away = torch.cdist(y, metric.centroids).amin(1)
    edge = ((away - density.reach).clamp_min(0) / density.edge).square() / 2
    expected = density.sign * metric.magnification(y) / temperature - edge
    (gradient,) = torch.autograd.grad(expected.sum(), y)
    assert_close(density(z)[0], expected.detach())
    assert ((density(z)[1] - gradient).norm() / gradient.norm()).item() < 1e-9


def test_single_precision_gradients_are_good_to_one_in_ten_thousand():
    z = (MEANS[:30] + 0.3).float()
    exact = VolumeDensity(KERNEL)(z.double())[1]
    assert ((VolumeDensity(KERNEL.to(torch.float32))(z)[1] - exact).norm() / exact.norm()).item() < 1e-4


def test_the_density_is_high_on_the_data_under_either_metric():
    on, off = MEANS[:10], MEANS[:10] + 2.0
    for metric in (KERNEL, SamplingMetric(MEANS, VARIANCES)):
        density = VolumeDensity(metric)
        assert density(on)[0].min() > density(off)[0].max()


def grid_moments(density: VolumeDensity, low: float, high: float) -> tuple[torch.Tensor, torch.Tensor]:
    axis = torch.linspace(low, high, 300).double()
    z = torch.cartesian_prod(axis, axis)
    weight = torch.softmax(density(z)[0], 0)[:, None]
    mean = (weight * z).sum(0)
    return mean, (weight * (z - mean) ** 2).sum(0)


@pytest.mark.long
@pytest.mark.parametrize(
    "make",
    [lambda k: VolumeHMC(k, steps=60, warm_up=40), lambda k: ImportanceResampling(k)],
    ids=["HMC", "importance"],
)
def test_samples_of_the_volume_element_have_its_moments(make):
    centroids = torch.tensor([[0.0, 0.0], [1.5, 0.3], [0.5, 1.8]]).double()
    metric = KernelMetric(
        centroids, torch.ones(3, 2).double() * torch.tensor([[1.0], [3.0], [0.5]]), 0.8, 0.05
    )
    mean, variance = grid_moments(VolumeDensity(metric), -4, 6)
    samples = make(metric).sample(4000, seed=2)
    assert samples.escapes == 0
    assert_close(samples.points.mean(0), mean, rtol=0, atol=0.08)
    assert_close(samples.points.var(0), variance, rtol=0.12, atol=0)


def test_hamiltonian_trajectories_conserve_the_density_with_the_square_of_the_step():
    density, source = VolumeDensity(KERNEL), torch.Generator()
    z = MEANS[:20]
    lost = {}
    for step, leapfrogs in ((0.02, 10), (0.01, 20)):
        chance = transition(Chains(z, *density(z)), density, step, leapfrogs, source.manual_seed(0))[1]
        lost[step] = -chance.clamp_max(1).log().mean().item()
    assert lost[0.02] < 0.02
    assert lost[0.01] < 0.5 * lost[0.02] + 1e-9


@pytest.mark.parametrize("latent", [2, 8, 16])
@pytest.mark.parametrize("full", [False, True], ids=["diagonal", "full"])
def test_gradients_hold_to_one_in_ten_thousand_in_every_dimension_and_precision(latent, full):
    metric = kernel(latent, centroids=40, full=full)
    z = metric.centroids[:20] + 0.2 * (points(20, latent, seed=8) - 0.9)
    y = z.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(metric.log_det(y).sum() / -2, y)
    for dtype in (torch.float64, torch.float32):
        found = VolumeDensity(metric.to(dtype))(z.to(dtype))[1]
        assert ((found - expected).norm() / expected.norm()).item() < 1e-4


@pytest.mark.long
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_hmc_in_one_dimension_has_the_distribution_function_of_its_density(temperature):
    """Kolmogorov and Smirnov's distance from quadrature, between two overlapping kernels of unequal weight."""
    centroids = torch.tensor([[0.0], [1.0]]).double()
    metric = KernelMetric(centroids, torch.tensor([[1.0], [4.0]]).double(), 0.8, 0.3)
    axis = torch.linspace(-5, 6, 4001).double()
    weight = torch.softmax(VolumeDensity(metric, temperature)(axis[:, None])[0], 0)
    cumulative = weight.cumsum(0) - weight / 2
    drawn = VolumeHMC(metric, steps=60, warm_up=40).sample(4000, 5, temperature).points[:, 0].sort().values
    at = torch.from_numpy(np.interp(drawn.numpy(), axis.numpy(), cumulative.numpy()))
    ranks = (torch.arange(4000).double() + 0.5) / 4000
    assert (at - ranks).abs().max().item() < 1.63 / math.sqrt(4000)  # the 1 % point
    uniform = (drawn - drawn.min()) / (drawn.max() - drawn.min())
    assert (uniform - ranks).abs().max().item() > 3.26 / math.sqrt(4000)  # the test can fail


@pytest.mark.long
@pytest.mark.parametrize("latent", [2, 8, 16])
def test_hmc_accepts_and_nothing_escapes_however_long_it_runs(latent):
    metric = KernelMetric.posterior(3 * spread(60, latent), 0.1 * spread(60, latent, seed=2))
    samples = VolumeHMC(metric, steps=200, warm_up=60).sample(30)
    assert samples.escapes == 0
    assert samples.acceptance >= 0.8


def test_importance_resampling_says_what_it_was_worth():
    few = ImportanceResampling(
        KernelMetric.posterior(3 * spread(60, 12), 0.1 * spread(60, 12, seed=2))
    ).sample(50)
    many = ImportanceResampling(KERNEL).sample(50)
    assert 1 <= few.effective < many.effective <= 50


def test_a_walk_starts_where_it_should_moves_and_stays_near_the_data():
    walk = wander(KERNEL, MEANS[0], 200, seed=1)
    assert walk.points.shape == (201, 3)
    assert_close(walk.points[0], MEANS[0])
    assert 0.2 < walk.acceptance < 1
    assert torch.cdist(walk.points, MEANS).amin(1).max() < VolumeDensity(KERNEL).reach * 2
    assert_close(wander(KERNEL, MEANS[0], 200, seed=1).points, walk.points, rtol=0, atol=0)


@pytest.mark.long
def test_the_long_run_of_a_walk_is_the_volume_element():
    centroids = torch.tensor([[0.0, 0.0], [0.6, 0.3]]).double()
    metric = KernelMetric(centroids, torch.ones(2, 2).double(), 0.6, 0.2)
    mean, variance = grid_moments(VolumeDensity(metric), -3, 4)
    visited = wander(metric, centroids[0], 4_000, pace=1.5).points[200:]
    assert_close(visited.mean(0), mean, rtol=0, atol=0.12)
    assert_close(visited.var(0), variance, rtol=0.25, atol=0)


def test_a_walk_looked_at_less_often_is_the_same_walk():
    often, seldom = wander(KERNEL, MEANS[0], 12, seed=3), wander(KERNEL, MEANS[0], 4, seed=3, every=3)
    assert_close(seldom.points, often.points[::3], rtol=0, atol=0)
    assert seldom.acceptance == often.acceptance


@pytest.mark.parametrize("wrong", [{"pace": 0.0}, {"every": 0}])
def test_a_walk_needs_a_pace_and_steps(wrong):
    with pytest.raises(ValueError, match=r"pace|step"):
        wander(KERNEL, MEANS[0], 5, **wrong)
