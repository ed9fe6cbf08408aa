"""The VAE that learns a metric: its forces, its flow, its loss, and that it never ends in NaN."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from sonifold.cluster import k_medoids
from sonifold.vae.dense import DenseConfig, DenseVAE
from sonifold.vae.fit import Ending, EpochInfo, FitConfig, fit
from sonifold.vae.rhvae import RHVAE, RHVAEConfig, _Kernel, largest_gap


def config(latent: int = 2, **others) -> RHVAEConfig:
    sizes = {"encoder": (16,), "decoder": (16,), "metric": (16,)}
    return RHVAEConfig(**{"features": 6, "latent_dim": latent, **sizes, **others})


def examples(count: int = 20, seed: int = 0) -> torch.Tensor:
    """Three blurred bars, in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    bars = torch.eye(3).repeat_interleave(2, 1)[torch.randint(3, (count,), generator=generator)]
    return (0.8 * bars + 0.2 * torch.rand(count, 6, generator=generator)).double()


def model(latent: int = 2, seed: int = 0, **others) -> RHVAE:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return RHVAE(config(latent, **others)).double()


def normal(*shape: int, seed: int = 3) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def kernel() -> _Kernel:
    rhvae = model()
    return _Kernel.of(rhvae.encode(examples())[0], rhvae.factors(examples()), config(temperature=0.7))


def test_the_forces_are_the_derivatives_of_the_energies(kernel):
    z, rho = normal(5, 2), normal(5, 2, seed=4)
    y = z.clone().requires_grad_(True)
    energy = -torch.logdet(kernel.cometric(y)) / 2
    assert_close(kernel.volume_force(z), torch.autograd.grad(energy.sum(), y, retain_graph=True)[0])
    kinetic = (rho * kernel.raised(y, rho)).sum() / 2
    assert_close(kernel.kinetic_force(z, rho), torch.autograd.grad(kinetic, y)[0])


def hamiltonian(rhvae: RHVAE, kernel: _Kernel, z: torch.Tensor, rho: torch.Tensor) -> torch.Tensor:
    volume = -torch.logdet(kernel.cometric(z)) / 2
    return -rhvae.log_joint(z, examples(5)) + volume + (rho * kernel.raised(z, rho)).sum(1) / 2


def test_an_untempered_trajectory_conserves_the_hamiltonian_with_the_square_of_the_step():
    lost = {}
    for steps in (10, 20):
        rhvae = model(leapfrogs=steps, step=0.2 / steps, beta=1.0, clip=1e9, temperature=0.9)
        own = _Kernel.of(rhvae.encode(examples())[0], rhvae.factors(examples()), rhvae.config)
        start, noise = normal(5, 2), normal(5, 2, seed=4)
        factor = torch.linalg.cholesky(own.cometric(start))
        rho = torch.linalg.solve_triangular(factor.mT, noise[..., None], upper=True)[..., 0]
        end, momentum = rhvae._trajectory(examples(5), start, own, noise)
        assert (end - start).norm(dim=1).min() > 0.01
        before, after = hamiltonian(rhvae, own, start, rho), hamiltonian(rhvae, own, end, momentum)
        lost[steps] = (after - before).abs().mean().item()
    assert math.log2(lost[10] / lost[20]) == pytest.approx(2, abs=0.5)


def test_momenta_start_hot_and_end_at_the_targets_temperature():
    rhvae = model(leapfrogs=4, step=1e-9, beta=0.25, ridge=0.1)
    own = _Kernel.of(rhvae.encode(examples())[0], rhvae.factors(examples()), rhvae.config)
    noise = normal(5, 2)
    start = normal(5, 2, seed=4)
    _, momentum = rhvae._trajectory(examples(5), start, own, noise)
    assert_close((momentum * own.raised(start, momentum)).sum(1), noise.square().sum(1))


def test_without_leapfrog_the_loss_is_the_evidence_bound_of_a_gaussian_with_the_metrics_covariance():
    rhvae, x, noise = model(leapfrogs=0, step=0.5), examples(), normal(2, 20, 2)
    mean = rhvae.encode(x)[0]
    covariance = 0.25 * _Kernel.of(mean, rhvae.factors(x), rhvae.config).cometric(mean)
    posterior = torch.distributions.MultivariateNormal(mean, covariance)
    prior = torch.distributions.MultivariateNormal(torch.zeros_like(mean), torch.eye(2).double())
    z = mean + (torch.linalg.cholesky(covariance) @ noise[0, ..., None])[..., 0]
    nats = torch.distributions.kl_divergence(posterior, prior)
    assert_close(rhvae.loss(x, noise).total, (nats - rhvae.log_likelihood(z, x)).mean())


def test_with_steps_of_no_length_the_loss_is_that_of_the_vae_less_the_rewarded_volume():
    rhvae, x, noise = model(step=1e-12, beta=1.0), examples(), normal(2, 20, 2)
    mean, log_variance = rhvae.encode(x)
    z = mean + (log_variance / 2).exp() * noise[0]
    volume = torch.logdet(_Kernel.of(mean, rhvae.factors(x), rhvae.config).cometric(z)) / 2
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(z).sum(1)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    single = posterior - prior - rhvae.log_likelihood(z, x) - volume + noise[1].square().sum(1) / 2
    assert_close(rhvae.loss(x, noise).total, single.mean())


@pytest.mark.long
@pytest.mark.parametrize("leapfrogs", [0, 3])
@pytest.mark.parametrize(("latent", "likelihood"), [(1, "bernoulli"), (2, "gaussian"), (5, "bernoulli")])
def test_ten_seeds_train_without_a_number_that_is_not_finite(leapfrogs, latent, likelihood):
    x = torch.cat([examples(10), examples(1).expand(4, -1)]).float()  # some of them equal
    for seed in range(10):
        training = FitConfig(epochs=12, learning_rate=0.03, seed=seed)
        rhvae, how = fit(RHVAE, config(latent, leapfrogs=leapfrogs, likelihood=likelihood), x, training)
        metric = rhvae.learned_metric(x)
        z = torch.cat([rhvae.encode(x)[0], 30 * torch.ones(1, latent)])
        assert how.skipped == 0
        assert torch.isfinite(metric.log_det(z)).all()
        assert (torch.linalg.eigvalsh(metric.cometric(z)) > 0).all()


@pytest.mark.long
def test_training_lowers_the_loss_and_stops_when_it_settles():
    seen: list[EpochInfo] = []
    training = FitConfig(epochs=400, learning_rate=0.01, patience=10)
    _, how = fit(RHVAE, config(), examples(), training, report=seen.append)
    assert how.ending is Ending.SETTLED
    assert how.epochs == len(seen) == how.best_epoch + 10
    assert how.best < seen[0].loss - 0.5
    assert fit(RHVAE, config(), examples(), FitConfig(epochs=2))[1].ending is Ending.OUT_OF_EPOCHS


@pytest.mark.long
def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(tmp_path):
    training = FitConfig(epochs=10, batch=8, patience=None, checkpoint_every=3)
    whole, _ = fit(RHVAE, config(), examples(), training)

    def stop(info: EpochInfo) -> None:
        if info.epoch == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(RHVAE, config(), examples(), training, tmp_path / "c", stop)
    after: list[int] = []
    resumed, _ = fit(
        RHVAE, config(), examples(), training, tmp_path / "c", lambda info: after.append(info.epoch)
    )
    assert after == [7, 8, 9, 10]
    for name, tensor in whole.state_dict().items():
        assert_close(resumed.state_dict()[name], tensor, rtol=0, atol=0)
    others: list[int] = []
    fit(
        RHVAE,
        config(step=0.02),
        examples(),
        training,
        tmp_path / "c",
        lambda info: others.append(info.epoch),
    )
    assert others[0] == 1  # a checkpoint of other arguments is left alone


@pytest.mark.parametrize("left", [0, 7, 200])
def test_a_damaged_checkpoint_is_left_alone(tmp_path, left):
    path, training = tmp_path / "c", FitConfig(epochs=4, patience=None, checkpoint_every=2)
    fit(RHVAE, config(), examples(), training, path)
    path.write_bytes(path.read_bytes()[:left])
    epochs: list[int] = []
    fit(RHVAE, config(), examples(), training, path, lambda info: epochs.append(info.epoch))
    assert epochs == [1, 2, 3, 4]


def test_a_saved_model_is_the_same_again_and_no_other_class_takes_it(tmp_path):
    rhvae = model(latent=3)
    rhvae.save(tmp_path / "m.safetensors")
    again = RHVAE.load(tmp_path / "m.safetensors")
    assert again.config == rhvae.config
    assert_close(again.factors(examples()), rhvae.factors(examples()), rtol=0, atol=0)
    with pytest.raises(ValueError, match="holds a RHVAE, not a DenseVAE"):
        DenseVAE.load(tmp_path / "m.safetensors")


def test_the_metric_is_made_of_examples_encoded_with_the_weights_of_now():
    rhvae, x = model(), examples()
    stale = rhvae.learned_metric(x, 7)
    for parameter in rhvae.parameters():
        parameter.data += 0.1
    metric = rhvae.learned_metric(x, 7)
    assert metric.centroids.shape == (7, 2)
    means = rhvae.encode(x)[0]
    where = torch.cdist(metric.centroids, means).argmin(1)
    assert_close(metric.centroids, means[where])
    factors = rhvae.factors(x)[where]
    assert_close(metric.matrices, factors @ factors.mT)
    assert_close(metric.temperature, largest_gap(metric.centroids))
    assert torch.cdist(stale.centroids, means).amin(1).max() > 1e-3


def test_the_metric_in_training_is_the_metric_afterwards():
    rhvae, x = model(temperature=0.7), examples()
    metric = rhvae.learned_metric(x)
    z = normal(6, 2)
    in_training = _Kernel.of(rhvae.encode(x)[0], rhvae.factors(x), rhvae.config)
    assert_close(metric.cometric(z), in_training.cometric(z))
    assert_close(metric.magnification_gradient(z)[1], in_training.volume_force(z))


@pytest.mark.long
def test_a_gaussian_vae_with_a_linear_decoder_finds_the_principal_plane():
    """The optimum of a linear Gaussian VAE is probabilistic PCA (Lucas et al. 2019)."""
    axes = torch.linalg.qr(normal(6, 2))[0]
    x = 3 * normal(200, 2, seed=5) @ axes.T + 0.1 * normal(200, 6, seed=6)
    settings = DenseConfig(
        features=6, latent_dim=2, encoder=(), decoder=(), likelihood="gaussian", deviation=0.3
    )
    vae, _ = fit(DenseVAE, settings, x, FitConfig(epochs=600, learning_rate=0.02, patience=None))
    found = torch.linalg.qr(vae.decoder[0].weight.detach())[0]
    assert torch.linalg.svdvals(axes.T @ found).min().item() > 0.99


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (torch.zeros(3, 5), r"\(count, 6\)"),
        (torch.full((3, 6), math.nan), "NaN"),
        (torch.full((3, 6), 2.0), "gaussian"),
        (torch.zeros(0, 6), "count"),
    ],
)
def test_examples_that_cannot_be_learned_are_refused(x, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(DenseVAE, DenseConfig(features=6), x, FitConfig(epochs=1))


def test_training_that_only_meets_infinities_gives_up_and_says_so():
    class Broken(DenseVAE):
        def log_likelihood(self, points, examples):
            return super().log_likelihood(points, examples) / 0.0

    with pytest.raises(FloatingPointError, match="learning_rate"):
        fit(Broken, DenseConfig(features=6), examples(), FitConfig(epochs=50))


def test_medoids_of_separate_groups_are_one_of_each_and_its_middle():
    line = torch.cat([centre + torch.tensor([-0.2, -0.1, 0.0, 0.1, 0.3]) for centre in (0.0, 10.0, 20.0)])[
        :, None
    ]
    assert k_medoids(line, 3).tolist() == [2, 7, 12]


def test_medoids_are_closer_to_the_points_than_points_picked_at_random():
    cloud = normal(150, 3)
    near = torch.cdist(cloud, cloud[k_medoids(cloud, 12)]).amin(1).sum()
    random = [torch.cdist(cloud, cloud[torch.randperm(150)[:12]]).amin(1).sum() for _ in range(20)]
    assert near < min(random)


def test_medoids_of_equal_points_and_of_few():
    assert k_medoids(torch.ones(5, 2), 3).shape == (3,)
    assert k_medoids(torch.arange(3.0)[:, None], 5).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="k >= 1"):
        k_medoids(torch.ones(5, 2), 0)
