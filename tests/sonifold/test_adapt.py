"""Few-shot adaptation: closed forms against their limits and brute force, exact undo, and no look at other sounds."""

import itertools

import numpy as np
import pytest
import torch

from sonifold import adapt
from sonifold.adapt import augment, geometry, replay, residual_field, ridge
from sonifold.adapt.ridge import Choice, Evidence, Spectrum, Statistics
from sonifold.adapt.uploads import Uploads
from sonifold.errors import PointInvalid, UploadsInvalid
from sonifold.representation.spectral import Spectral
from sonifold.training.augment import resample
from sonifold.vae.config import VAEConfig
from sonifold.vae.network import VAE

SMALL = VAEConfig(coefficients=12, latent_dim=3, width=16, hidden=32)


@pytest.fixture(scope="module")
def tabla(model):
    """A kit the base never saw."""
    found = [label.id for label in model.library.labels if label.group == "Sonic Pi tabla"]
    order = np.random.default_rng(0).permutation(len(found))
    return [model.sound(found[place]) for place in order]


@pytest.fixture(scope="module")
def adapted(model, tabla):
    return adapt.instant(model, tabla[:8])


@pytest.fixture(scope="module")
def small() -> tuple[VAE, Statistics, Evidence]:
    torch.manual_seed(0)
    vae = VAE(SMALL).requires_grad_(False).eval()
    points, copies = torch.randn(40, 3), torch.randn(15, 3)
    evidence = Evidence(ridge.hidden(vae, copies), torch.randn(15, 12), 5)
    return vae, Statistics.of(vae, points), evidence


# -- repeats ----------------------------------------------------------------------------------------


def test_sounds_that_repeat_another_do_not_foretell_themselves(model):
    recordings = [model.library.audio(id).numpy() for id in model.library.ids[:12:3]]
    some, softer = (
        [model.encode(gain * recording, model.sample_rate) for recording in recordings] for gain in (1.0, 0.3)
    )
    once, twice = adapt.forecast(model, some), adapt.forecast(model, [*some, *softer])
    assert (twice.uploads, twice.repeats, once.repeats) == (4, 4, 0)
    assert twice.gain == pytest.approx(once.gain)
    assert "4 of the 8 repeat another" in str(twice)
    assert "repeat" not in str(once)


def test_repeats_are_not_adapted_to(model, tabla):
    adapted = adapt.instant(model, [tabla[0], tabla[1], tabla[0]])
    assert [sound.id for sound in adapted.uploads] == [tabla[0].id, tabla[1].id]
    alone = adapt.instant(model, [tabla[0]] * 5)
    assert alone.forecast.gain is None


# -- the closed form ------------------------------------------------------------------------------


def test_the_closed_form_is_the_limit_of_gradient_descent_on_its_loss(small):
    _, known, evidence = small
    amount, lam = 0.3, 0.1
    change = torch.zeros(17, 12, dtype=torch.float64, requires_grad=True)
    h, r, w = evidence.hidden.double(), evidence.residuals.double(), amount * evidence.weights.double()
    penalty = known.moment.double() + lam * known.moment.double().diagonal().mean() * torch.eye(17)
    descent = torch.optim.LBFGS([change], max_iter=2000, tolerance_grad=1e-12, tolerance_change=1e-14)

    def loss():
        descent.zero_grad()
        misfit = (w[:, None] * (r - h @ change).square()).sum()
        total = misfit + (change * (penalty @ change)).sum()
        total.backward()
        return total

    descent.step(loss)
    closed = Spectrum.of(evidence, known, lam).solution(amount)
    torch.testing.assert_close(closed.double(), change.detach(), rtol=1e-3, atol=1e-4)


def test_leaving_out_in_closed_form_is_fitting_again_without_the_upload_and_its_copies(small):
    _, known, evidence = small
    found = Spectrum.of(evidence, known, 0.1).left_out(0.3)
    for upload in range(evidence.uploads):
        kept = torch.tensor([i for i in range(15) if i % 5 != upload])
        h, w = evidence.hidden[kept], 0.3 * evidence.weights[kept]
        moment = known.moment + 0.1 * known.moment.diagonal().mean() * torch.eye(17)
        again = torch.linalg.solve(
            moment + (h * w[:, None]).T @ h, (h * w[:, None]).T @ evidence.residuals[kept]
        )
        torch.testing.assert_close(found[upload], evidence.hidden[upload] @ again, rtol=1e-3, atol=1e-4)


def test_with_ever_more_weight_the_uploads_are_fitted_and_with_none_nothing_changes(small):
    vae, known, evidence = small
    few = Evidence(evidence.hidden[:5], evidence.residuals[:5], 5)
    exact = Spectrum.of(few, known, 1e-3).solution(1e6)
    torch.testing.assert_close(few.hidden @ exact, few.residuals, atol=1e-2, rtol=1e-2)
    assert not Spectrum.of(few, known, 1e-3).solution(0.0).any()
    same = ridge.with_head(vae, Spectrum.of(few, known, 1e-3).solution(0.0))
    assert all(torch.equal(a, b) for a, b in zip(vae.parameters(), same.parameters(), strict=True))


def test_residuals_with_nothing_in_common_choose_no_adaptation(small):
    _, known, _ = small
    torch.manual_seed(1)
    strangers = Evidence(torch.randn(8, 17), 10 * torch.randn(8, 12), 8)
    heard = torch.eye(12)
    chosen = ridge.choose(strangers, known, heard)
    assert chosen.amount <= 0.03


def test_the_base_changes_no_more_than_its_budget(small):
    _, known, evidence = small
    heard = torch.randn(20, 12)
    bold = Choice(10.0, 0.1, None)
    free = ridge.fit(evidence, known, bold, heard, budget=1e9)
    kept = ridge.fit(evidence, known, bold, heard, budget=0.2)
    torch.testing.assert_close(free, Spectrum.of(evidence, known, 0.1).solution(20.0))
    assert ridge.unrest(free, known, heard) > 0.2
    assert 0.19 < ridge.unrest(kept, known, heard) <= 0.2


# -- residuals interpolated -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def scattered() -> tuple[torch.Tensor, Evidence]:
    draw = torch.Generator().manual_seed(2)
    z, residuals = torch.randn(15, 3, generator=draw), torch.randn(15, 12, generator=draw)
    return z, Evidence(torch.ones(15, 1), residuals, 5)


def test_without_noise_the_field_goes_through_the_residuals(scattered):
    z, evidence = scattered
    field = residual_field.fit(z, evidence, residual_field.Choice(0.5, 1e-9, None))
    torch.testing.assert_close(field(z), evidence.residuals, atol=1e-3, rtol=1e-3)


def test_leaving_out_of_the_field_is_fitting_again_without_the_upload_and_its_copies(scattered):
    z, evidence = scattered
    found = residual_field.left_out(z, evidence, 0.8, 0.1)
    for upload in range(5):
        kept = torch.tensor([i for i in range(15) if i % 5 != upload])
        noise = torch.diag(0.1 / (15 * evidence.weights[kept]))
        kernel = (-0.5 * torch.cdist(z, z[kept]).square() / 0.64).exp()
        again = kernel[upload] @ torch.linalg.solve(kernel[kept] + noise, evidence.residuals[kept])
        torch.testing.assert_close(found[upload], again, rtol=1e-3, atol=1e-3)


def test_a_field_that_would_move_the_base_is_made_narrower(scattered):
    z, evidence = scattered
    wide = residual_field.Choice(5.0, 0.1, None)
    known, heard = z + 0.5, torch.eye(12)
    field = residual_field.within_budget(z, evidence, wide, known, heard, budget=0.05)
    assert field.scale[0] < 5.0
    assert field(known).square().sum(1).mean() <= 0.05


# -- altered copies -------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.8, 1.3])
def test_a_transposition_of_features_is_near_that_of_the_recording(ratio):
    """Far nearer than the sound as it was: what is left is the window's width, which does not scale."""
    spectral = Spectral()
    t = np.arange(Spectral.samples - 220) / Spectral.sample_rate
    tone = sum(np.sin(2 * np.pi * 330 * k * t) / k for k in range(1, 8)) * np.exp(-t / 0.3)
    sound = np.pad(tone, (220, 0))
    given, _ = spectral.analyse(torch.from_numpy(sound)[None].float())
    wanted, _ = spectral.analyse(torch.from_numpy(resample(sound, ratio))[None].float())
    found = augment.transposed(given, ratio, spectral)
    phi = [spectral.timbre(maps)[0] for maps in (given, wanted, found)]
    assert (phi[2] - phi[1]).norm() < 0.4 * (phi[0] - phi[1]).norm()


def test_transposing_by_nothing_changes_nothing():
    spectral = Spectral()
    noise = torch.randn(2, Spectral.samples, generator=torch.Generator().manual_seed(0))
    features, _ = spectral.analyse(noise)
    torch.testing.assert_close(augment.transposed(features, 1.0, spectral), features, atol=2e-3, rtol=1e-2)


# -- the model ------------------------------------------------------------------------------------


def same(first, second) -> bool:
    pairs = zip(first.vae.state_dict().values(), second.vae.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_other_sounds_of_the_kit_come_closer(model, adapted, tabla):
    heard, offset = model.coefficients.timbre_map

    def error(one) -> float:
        features = torch.stack([sound.features for sound in tabla[8:]])
        z = one.inverted(model.coefficients.analyse(features))
        phi = model.representation.timbre(features)
        return float((one.vae.decode(z) @ heard.T + offset - phi).norm(dim=1).mean())

    assert error(adapted) < error(model)


def test_the_base_is_untouched_and_going_back_is_exact(model, tabla):
    before = {name: tensor.clone() for name, tensor in model.vae.state_dict().items()}
    adapted = adapt.instant(model, tabla[:3])
    assert adapted.base is model
    assert adapted.vae.field is not None
    assert model.vae.field is None
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.vae.state_dict().items())


def test_adapting_an_adapted_model_starts_from_the_base_again(model, adapted, tabla):
    again = adapt.instant(adapted, tabla[:8])
    assert again.base is model
    assert same(again, adapted)


def test_the_uploads_alone_decide(model, tabla, adapted):
    """The same uploads give the same head, whatever other sounds of the group were looked at between."""
    for sound in tabla[8:12]:
        adapted.distance(sound, tabla[0], "geodesic")
    again = adapt.instant(model, tabla[:8])
    assert same(again, adapted)


def test_library_sounds_stay_where_they_are_on_the_map(adapted):
    z, positions = adapted.library.z[:50], adapted.library.positions[:50]
    torch.testing.assert_close(adapted.project(z), positions, atol=1e-3, rtol=1e-3)


def test_ends_of_a_morph_in_the_adapted_model_are_still_the_recordings(adapted):
    first, last = adapted.uploads[:2]
    maps = adapted.renderer.features(first.z[None]) + first.residual
    torch.testing.assert_close(maps[0], first.features, atol=1e-4, rtol=1e-4)
    assert adapted.geodesic(first, last).converged


def test_the_forecast_knows_a_kit_from_a_mixed_bag(model, tabla):
    bag = [model.sound(model.library.ids[i]) for i in range(0, 1550, 190)]
    kit, mixed = adapt.forecast(model, tabla[:8]), adapt.forecast(model, bag[:8])
    assert kit.coherence > mixed.coherence
    assert kit.gain > mixed.gain
    assert kit.low <= kit.gain <= kit.high


def test_one_upload_is_enough_and_nothing_is_foretold(model, tabla):
    adapted = adapt.instant(model, tabla[:1])
    assert adapted.forecast.gain is None
    assert adapted.vae.field is not None


def test_a_bare_point_or_nothing_at_all_is_refused(model):
    with pytest.raises(UploadsInvalid, match="1 to 100"):
        adapt.instant(model, [])
    with pytest.raises(UploadsInvalid, match="a latent point without one"):
        adapt.instant(model, [model.point([0.0] * model.latent_dim)])


# -- sliders --------------------------------------------------------------------------------------


def test_all_sliders_together_explain_what_they_say(model, tabla):
    uploads = Uploads.of(model, tabla[:8])
    found = adapt.sliders(model, uploads, most=8)
    assert sum(slider.share for slider in found) == pytest.approx(1, abs=1e-3)
    assert all(a.share >= b.share for a, b in itertools.pairwise(found[1:]))


def test_a_slider_moves_the_sound_by_its_direction(model, tabla):
    chosen = adapt.sliders(model, Uploads.of(model, tabla[:4]))
    point = model.point(torch.zeros(model.latent_dim))
    moved = adapt.turned(model, point, chosen, {"common": 1.0})
    there = model.coefficients.analyse(model.coefficients.mean + moved.residual[None])[0]
    torch.testing.assert_close(there, chosen[0].direction, atol=1e-3, rtol=1e-2)
    assert adapt.play(model, moved).samples.any()


def test_a_slider_that_is_not_there_is_named(model, tabla):
    chosen = adapt.sliders(model, Uploads.of(model, tabla[:4]))
    with pytest.raises(PointInvalid, match="common"):
        adapt.turned(model, tabla[0], chosen, {"warmth": 1.0})


# -- sounds made between uploads --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cross-fade", "linear", "geodesic", "metric"])
def test_synthetic_sounds_lie_nearer_to_the_uploads_than_to_the_library_at_large(model, tabla, kind):
    uploads = Uploads.of(model, tabla[:4], copies=1)
    made = geometry.synthetic(model, uploads, kind)
    near = torch.cdist(made, uploads.coefficients).amin(1).mean()
    typical = torch.cdist(uploads.coefficients, replay.coefficients(model)).mean()
    assert near < typical


def test_halfway_between_two_uploads_a_synthetic_sound_carries_half_of_each_residual(model, tabla):
    uploads = Uploads.of(model, tabla[:2], copies=1)
    made = geometry.synthetic(model, uploads, "linear").unflatten(0, (-1, len(geometry.TIMES)))
    middle = uploads.z.mean(0)[None]
    expected = model.vae.decode(middle) + uploads.residuals(model.vae).mean(0)
    torch.testing.assert_close(made[0, 3][None], expected, atol=1e-4, rtol=1e-3)


def test_a_scaled_rotation_has_no_isometry_penalty_and_a_squeeze_has_one():
    torch.manual_seed(0)
    vae, heard, draw = VAE(SMALL), torch.eye(12), torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(12, 3))[0]
    vae.decoder = torch.nn.Linear(3, 12)
    vae.decoder.weight.data = 5 * rotation
    points = torch.randn(64, 3)
    assert geometry.isometry(vae, points, heard, draw) < 1e-5
    vae.decoder.weight.data[:, 0] *= 10
    assert geometry.isometry(vae, points, heard, draw) > 0.3


def test_distillation_asks_for_distances_and_not_for_places():
    points = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    turned = points @ torch.linalg.qr(torch.randn(4, 4))[0] + 3
    assert geometry.distillation(turned, points) < 1e-9
    assert geometry.distillation(1.5 * points, points) == pytest.approx(0.25, abs=1e-4)
