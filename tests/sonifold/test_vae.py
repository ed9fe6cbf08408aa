"""Networks, coefficients, training and refinement: exact replays and known optima."""

import copy

import numpy as np
import pytest
import torch

from sonifold.metric import KernelMetric, Pullback
from sonifold.model import Model
from sonifold.model.metrics import Metrics
from sonifold.morph.render import Renderer
from sonifold.representation.spectral import Spectral
from sonifold.training.augment import resample, tilt
from sonifold.training.prepare import TrainingSet, prepare
from sonifold.training.train import train, train_riemannian
from sonifold.vae import coefficients
from sonifold.vae.config import HamiltonianConfig, TrainingConfig, VAEConfig
from sonifold.vae.field import ResidualField
from sonifold.vae.inversion import invert
from sonifold.vae.metric_network import MetricNetwork
from sonifold.vae.network import VAE, divergence, freeze
from sonifold.vae.optimiser import AdamW
from sonifold.vae.schedule import warmup_cosine

SMALL = VAEConfig(coefficients=12, latent_dim=3, width=16, hidden=32)
QUICK = TrainingConfig(steps=40, batch=16, warmup=5, checkpoint_every=10, augmentations=1)


@pytest.fixture(scope="module")
def maps() -> torch.Tensor:
    """Smooth positive maps on a curved three-dimensional sheet."""
    draw = torch.Generator().manual_seed(0)
    where = torch.rand(60, 3, generator=draw)
    band, frame = torch.linspace(0, 1, Spectral.bands)[:, None], torch.linspace(0, 1, Spectral.frames)
    centre, decay, width = (where[:, i, None, None] for i in range(3))
    return torch.exp(-(((band - centre) / (0.1 + 0.2 * width)) ** 2)) * torch.exp(-frame / (0.1 + decay))


@pytest.fixture(scope="module")
def fitted(maps) -> coefficients.Coefficients:
    return coefficients.fit(maps, Spectral(), 12, 0.7)


@pytest.fixture(scope="module")
def data(maps, fitted) -> TrainingSet:
    values = fitted.analyse(maps)
    return TrainingSet(fitted, values[:30], values[30:])


def test_coefficients_and_features_are_inverse_on_the_components(fitted):
    values = torch.randn(5, 12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(fitted.analyse(fitted.synthesise(values)), values, atol=1e-3, rtol=1e-3)


def test_coefficients_have_zero_mean_and_unit_mean_variance(maps, fitted):
    values = fitted.analyse(maps)
    assert values.mean(0).abs().max() < 1e-3
    assert values.square().mean() == pytest.approx(1, abs=0.02)


def test_components_are_ordered_by_variance(maps, fitted):
    spread = fitted.analyse(maps).var(0)
    assert (spread.diff() <= 1e-4).all()


def test_coefficient_distance_is_the_stated_metric(maps, fitted):
    """|c_a - c_b|^2 = w_Phi |Phi_a - Phi_b|^2 + w_X |X_a - X_b|^2 for maps in the span."""
    spectral = Spectral()
    spanned = fitted.synthesise(fitted.analyse(maps))
    of_phi, of_features = fitted.weights
    phi = (spectral.timbre(spanned)[:20] - spectral.timbre(spanned)[20:40]).square().sum(1)
    features = (spanned[:20] - spanned[20:40]).square().sum((1, 2))
    values = fitted.analyse(spanned)
    expected = of_phi * phi + of_features * features
    torch.testing.assert_close((values[:20] - values[20:40]).square().sum(1), expected, rtol=1e-2, atol=1e-3)


def test_the_timbre_map_is_phi_of_the_synthesised_features(fitted):
    spectral = Spectral()
    matrix, offset = fitted.timbre_map
    values = torch.randn(4, 12, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        values @ matrix.T + offset, spectral.timbre(fitted.synthesise(values)), atol=1e-3, rtol=1e-3
    )


def test_stored_and_read_again_coefficients_are_nearly_the_same(maps, fitted):
    again = coefficients.Coefficients.from_tensors(fitted.tensors(), Spectral())
    assert (
        again.synthesise(fitted.analyse(maps)) - fitted.synthesise(fitted.analyse(maps))
    ).abs().max() < 2e-3


def test_the_divergence_of_the_prior_from_itself_is_zero_and_grows_with_the_mean():
    assert divergence(torch.zeros(1, 4), torch.zeros(1, 4)) == 0
    assert divergence(torch.tensor([[2.0]]), torch.zeros(1, 1)) == pytest.approx(2.0)


def test_a_vae_with_its_noise_passed_in_is_a_function(data):
    torch.manual_seed(0)
    vae, noise = VAE(SMALL).eval(), torch.randn(30, 3)
    torch.testing.assert_close(vae(data.originals, noise)[0], vae(data.originals, noise)[0], rtol=0, atol=0)


def test_the_learning_rate_rises_and_falls():
    rates = [warmup_cosine(1e-3, step, QUICK.steps, QUICK.warmup) for step in range(QUICK.steps)]
    assert rates[0] < rates[5]
    assert rates[-1] < 0.05 * max(rates)


def test_the_optimiser_takes_the_steps_of_torchs():
    """Bit for bit, also where it goes on from a state that was stored."""
    networks = []
    for optimiser_class in (AdamW, torch.optim.AdamW):
        torch.manual_seed(0)
        network, inputs = torch.nn.Linear(5, 3), torch.randn(20, 5)
        optimiser = optimiser_class(network.parameters(), 1e-2, weight_decay=0.1)
        for step in range(6):
            if step == 3:
                state = optimiser.state_dict()
                optimiser = optimiser_class(network.parameters(), 1.0)
                optimiser.load_state_dict(state)
            optimiser.zero_grad(set_to_none=True)
            network(inputs).square().sum().backward()
            optimiser.step()
        networks.append(network)
    assert all(torch.equal(a, b) for a, b in zip(*(n.parameters() for n in networks), strict=True))


@pytest.mark.long
def test_training_lowers_the_error(data):
    found = []
    train(data, SMALL, QUICK.model_copy(update={"steps": 300}), report=found.append)
    assert found[-1].error < 0.5 * found[0].error


def test_interrupted_training_ends_with_the_same_weights(data, tmp_path):
    class PowerCutError(Exception):
        pass

    whole = train(data, SMALL, QUICK)

    def cut(model, optimiser_step=[0]):  # noqa: B006 - counts across calls
        optimiser_step[0] += 1
        if optimiser_step[0] == 25:
            raise PowerCutError

    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, given, out: cut(module) if isinstance(module, VAE) else None
    )
    with pytest.raises(PowerCutError):
        train(data, SMALL, QUICK, tmp_path / "checkpoint.safetensors")
    handle.remove()
    resumed = train(data, SMALL, QUICK, tmp_path / "checkpoint.safetensors")
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_an_interrupted_riemannian_training_ends_with_the_same_pack_and_metric(data, tmp_path):
    hamiltonian = HamiltonianConfig(metric=(8,), temperature=1.0, leapfrogs=1)
    network = SMALL.model_copy(update={"latent_dim": 2})
    config = TrainingConfig(steps=12, batch=16, checkpoint_every=6, warmup=2)
    checkpoint = tmp_path / "checkpoint"

    def stop(info):
        raise KeyboardInterrupt

    whole = train_riemannian(data, network, hamiltonian, config)
    with pytest.raises(KeyboardInterrupt):
        train_riemannian(data, network, hamiltonian, config, checkpoint, stop)
    resumed = train_riemannian(data, network, hamiltonian, config, checkpoint)
    examples, points = data.originals, torch.randn(3, 2)
    assert torch.equal(resumed.factors(examples), whole.factors(examples))
    stored = MetricNetwork.from_tensors(whole.metric_network.state_dict(), 2)
    assert torch.equal(stored(examples), whole.factors(examples))
    assert torch.equal(whole.vae().eval().decode(points), whole.decode(points))


def test_a_checkpoint_of_another_config_is_not_resumed(data, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    train(data, SMALL, QUICK, path)
    other = QUICK.model_copy(update={"learning_rate": 1e-4})
    fresh, resumed = train(data, SMALL, other), train(data, SMALL, other, path)
    torch.testing.assert_close(fresh.decoder[0].weight, resumed.decoder[0].weight)


@pytest.fixture
def conditioned() -> VAE:
    """A network whose decoder takes two numbers besides the latent point."""
    torch.manual_seed(5)
    vae = VAE(SMALL)
    vae.decoder[0] = torch.nn.Linear(SMALL.latent_dim + 2, SMALL.width)
    return vae.eval()


def test_a_condition_is_decoded_and_differentiated_as_more_inputs_of_the_decoder(conditioned):
    z, condition = torch.randn(4, SMALL.latent_dim), torch.tensor([0.3, -1.2])

    def whole(point):
        return conditioned.decoder(torch.cat([point, condition]))

    decoded, jacobian = conditioned.tangents(exact=True, condition=condition).with_jacobian(z)
    expected = torch.stack([torch.autograd.functional.jacobian(whole, point).T for point in z])
    torch.testing.assert_close(conditioned.decode(z, condition), torch.stack([whole(point) for point in z]))
    torch.testing.assert_close(decoded, conditioned.decode(z, condition))
    torch.testing.assert_close(jacobian, expected, atol=1e-5, rtol=1e-4)


def test_the_metrics_of_a_model_are_those_of_the_decoder_under_a_condition(conditioned):
    z, condition, other = (
        torch.randn(4, SMALL.latent_dim),
        torch.tensor([0.3, -1.2]),
        torch.tensor([2.0, 1.0]),
    )
    head = torch.randn(7, SMALL.coefficients)
    kernel = KernelMetric.isotropic(torch.randn(6, SMALL.latent_dim))
    metrics = Metrics(
        conditioned, head, Pullback(conditioned.tangents(head, condition=other)), kernel, 1.0, 3.0
    )
    expected = Pullback(conditioned.tangents(head, condition=condition)).tensor(z)
    torch.testing.assert_close(metrics.under(condition).named("pullback").tensor(z), expected)
    blend = metrics.under(condition).named("blend").tensor(z)
    torch.testing.assert_close(blend, expected + 3 * kernel.tensor(z))
    assert not torch.allclose(metrics.named("pullback").tensor(z), expected)


def test_what_is_rendered_under_a_condition_is_what_the_decoder_makes_of_both(small_models):
    parts = Model.load(small_models / "oneshots").parts
    widened, joined, pitch = copy.deepcopy(parts.vae), copy.deepcopy(parts.vae), torch.tensor([0.7])
    first, towards = parts.vae.decoder[0], 0.2 * torch.randn(parts.vae.decoder[0].out_features, 1)
    widened.decoder[0] = torch.nn.Linear(first.in_features + 1, first.out_features)
    with torch.no_grad():
        widened.decoder[0].weight.copy_(torch.cat([first.weight, towards], 1))
        widened.decoder[0].bias.copy_(first.bias)
        joined.decoder[0].bias.add_(towards @ pitch)
    renderers = [Renderer(parts.representation, freeze(vae), parts.coefficients) for vae in (widened, joined)]
    z, level = parts.library.z[:1], torch.tensor([parts.config.level])
    expected = renderers[1].points(z, level)
    torch.testing.assert_close(renderers[0].points(z, level, pitch), expected, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(renderers[0].points(z, level, -pitch), expected, atol=1e-2)


def test_a_condition_of_another_length_is_refused(conditioned):
    for condition in (None, torch.zeros(3)):
        with pytest.raises(ValueError, match="a condition of 2 numbers"):
            conditioned.tangents(condition=condition)


def test_a_damaged_checkpoint_is_left_alone(data, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    whole = train(data, SMALL, QUICK, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])  # the disk lost the rest
    again = train(data, SMALL, QUICK, path)
    torch.testing.assert_close(again.decoder[0].weight, whole.decoder[0].weight, rtol=0, atol=0)


def test_refinement_finds_the_point_a_sound_was_decoded_from():
    torch.manual_seed(3)
    vae = VAE(SMALL).eval()
    for parameter in vae.decoder.parameters():
        parameter.requires_grad_(False)
    there = 0.5 * torch.randn(6, 3)
    found = invert(vae, vae.decode(there), steps=60, prior=0.0)
    torch.testing.assert_close(vae.decode(found), vae.decode(there), atol=1e-3, rtol=1e-2)


def test_refinement_never_makes_it_worse():
    torch.manual_seed(4)
    vae, wanted = VAE(SMALL).eval(), torch.randn(20, 12)
    before = (vae.decode(vae.encode(wanted)[0]) - wanted).square().mean(1)
    after = (vae.decode(invert(vae, wanted, prior=0.0)) - wanted).square().mean(1)
    assert (after <= before + 1e-6).all()


def test_features_are_prepared_once_and_the_same_again(tmp_path):
    t = np.arange(Spectral.samples - 220) / Spectral.sample_rate
    sounds = [np.pad(np.sin(2 * np.pi * f * t) * np.exp(-t / 0.2), (220, 0)) for f in (110, 220, 440, 880)]
    audio = torch.from_numpy(0.5 * np.stack(sounds)).float()
    config = TrainingConfig(augmentations=1)
    seen = []
    first = prepare(audio, tmp_path, config, 4, lambda *news: seen.append(news))
    asked = len(seen)
    again = prepare(audio, tmp_path, config, 4, lambda *news: seen.append(news))
    assert len(seen) == asked
    assert not list(tmp_path.glob("*.npy"))
    torch.testing.assert_close(first.copies, again.copies, rtol=0, atol=0)


def test_resampling_moves_the_pitch_and_keeps_the_onset():
    rate = Spectral.sample_rate
    sound = np.zeros(Spectral.samples)
    sound[220:20_000] = np.sin(2 * np.pi * 500 * np.arange(19_780) / rate)
    faster = resample(sound, 2.0)
    spectrum = np.abs(np.fft.rfft(faster))
    assert np.argmax(spectrum) * rate / len(faster) == pytest.approx(1000, abs=5)
    assert np.argmax(np.abs(faster) > 0.2) == pytest.approx(220, abs=20)


def test_tilt_is_a_slope_through_one_kilohertz():
    rate = Spectral.sample_rate
    t = np.arange(rate) / rate
    for frequency, gain in ((1000, 1.0), (2000, 10 ** (3 / 20)), (500, 10 ** (-3 / 20))):
        wave = np.sin(2 * np.pi * frequency * t)
        assert np.std(tilt(wave, 3.0, rate)) / np.std(wave) == pytest.approx(gain, rel=0.02)


@pytest.fixture(scope="module")
def fielded() -> VAE:
    torch.manual_seed(5)
    vae = VAE(SMALL).requires_grad_(False).eval()
    for parameter in vae.decoder.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    vae.field = ResidualField(torch.randn(7, 3), torch.randn(7, 12), 0.8)
    return vae


@pytest.mark.parametrize("exact", [True, False])
def test_derivatives_of_a_decoder_with_a_field_are_those_of_autograd(fielded, exact):
    z, head = torch.randn(5, 3), torch.randn(40, 12)
    tangents = fielded.tangents(head, exact=exact)
    _, images = tangents.with_jacobian(z)
    expected = torch.func.vmap(torch.func.jacrev(lambda p: fielded.decode(p[None])[0] @ head.T))(z)
    if exact:
        torch.testing.assert_close(images.mT, expected, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(tangents(z), fielded.decode(z) @ head.T, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(images @ images.mT, expected.mT @ expected, atol=1e-3, rtol=1e-3)


def test_pulling_back_through_a_field_is_the_transpose_of_pushing(fielded):
    z, tangent = torch.randn(4, 3), torch.randn(4, 1, 3)
    tangents = fielded.tangents(exact=True)
    value, pull = tangents.with_pull(z)
    cotangent = torch.randn_like(value)
    pushed = tangents.push(z, tangent)[1][:, 0]
    torch.testing.assert_close(
        (pushed * cotangent).sum(1), (tangent[:, 0] * pull(cotangent)).sum(1), rtol=1e-3, atol=1e-3
    )


def test_far_from_its_centres_a_field_changes_nothing(fielded):
    far = torch.full((1, 3), 30.0)
    torch.testing.assert_close(fielded.decode(far), fielded.decoder(far), rtol=0, atol=0)


def test_a_network_comes_back_from_its_tensors_with_its_field(fielded):
    again = VAE.from_tensors(SMALL, fielded.state_dict())
    z = torch.randn(3, 3)
    torch.testing.assert_close(again.decode(z), fielded.decode(z), rtol=0, atol=0)
    assert VAE.from_tensors(SMALL, VAE(SMALL).state_dict()).field is None
