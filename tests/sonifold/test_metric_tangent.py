"""Hand-written tangents against automatic differentiation."""

from __future__ import annotations

import pytest
import torch
from metric_cases import head, points, residual_decoder, sphere
from torch import nn
from torch.testing import assert_close

from sonifold.metric import AnyDecoder, ForwardMode, Headed, Pullback, ResidualMLPTangents, SequentialTangents


def jacobian(decode, z):
    """(batch, output, latent), the slow way."""
    return torch.stack(
        [torch.autograd.functional.jacobian(lambda y: decode(y[None])[0].flatten(), row) for row in z]
    )


ACTIVATIONS = [
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    nn.SiLU(),
    nn.Tanh(),
    nn.Sigmoid(),
    nn.Softplus(),
    nn.ReLU(),
    nn.ELU(),
]


@pytest.fixture(params=ACTIVATIONS, ids=str)
def perceptron(request):
    torch.manual_seed(0)
    norms = nn.LayerNorm(7), nn.LayerNorm(9, elementwise_affine=False)
    return nn.Sequential(
        nn.Linear(3, 7), norms[0], request.param, nn.Sequential(nn.Linear(7, 9), norms[1]), nn.Linear(9, 5)
    ).double()


def test_values_tangents_and_pulls_of_any_perceptron_are_exact(perceptron):
    tangents, z = SequentialTangents(perceptron, exact=True), points(6, 3)
    expected = jacobian(perceptron, z)
    value, images = tangents.with_jacobian(z)
    assert_close(value, perceptron(z).detach())
    assert_close(tangents(z), value)
    assert_close(images.mT, expected)
    cotangent = torch.ones_like(value)
    pulled_value, pull = tangents.with_pull(z)
    assert_close(pulled_value, value)
    assert_close(pull(cotangent), (cotangent[:, None] @ expected)[:, 0])


def second_derivative(decode, z, u, v, step=1e-4):
    def value(a, b):
        return decode(z + step * (a * u + b * v)).detach().flatten(1)

    return (value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)) / (4 * step**2)


def test_second_derivatives_of_any_perceptron_agree_with_differences(perceptron):
    z, u, v = points(6, 3), points(6, 3, seed=1), -points(6, 3, seed=2)
    if isinstance(perceptron[2], nn.ReLU | nn.ELU):
        z = z + 0.05  # away from the kink
    expected = second_derivative(perceptron, z, u, v)
    assert_close(
        SequentialTangents(perceptron, exact=True).second_derivative(z, u, v), expected, rtol=1e-4, atol=1e-5
    )
    assert_close(ForwardMode(perceptron).second_derivative(z, u, v), expected, rtol=1e-4, atol=1e-5)


NORMALISED = {
    "layer norm": nn.LayerNorm((4, 3)),
    "group norm": nn.GroupNorm(2, 4),
    "instance norm": nn.InstanceNorm1d(4, affine=True),
    "batch norm": nn.BatchNorm1d(4),
    "softmax": nn.Softmax(2),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_second_derivatives_through_normalisations_agree_with_differences(name):
    torch.manual_seed(0)
    decode = (
        nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Unflatten(1, (4, 3)), NORMALISED[name]).double().eval()
    )
    z, u, v = points(5, 2), points(5, 2, seed=1), -points(5, 2, seed=2)
    assert_close(
        ForwardMode(decode).second_derivative(z, u, v),
        second_derivative(decode, z, u, v),
        rtol=1e-4,
        atol=1e-5,
    )


def test_residual_decoders_are_exact_too():
    decoder, z = residual_decoder(), points(6, 4)
    value, images = ResidualMLPTangents(decoder, exact=True).with_jacobian(z)
    assert_close(value, decoder(z).detach())
    assert_close(images.mT, jacobian(decoder, z))
    u, v = points(6, 4, seed=1), points(6, 4, seed=2)
    bent = ResidualMLPTangents(decoder, exact=True).second_derivative(z, u, v)
    assert_close(bent, second_derivative(decoder, z, u, v), rtol=1e-4, atol=1e-3)
    _, pull = ResidualMLPTangents(decoder, exact=True).with_pull(z)
    assert_close(pull(value), (value[:, None] @ jacobian(decoder, z))[:, 0])


def test_a_folded_head_has_the_metric_of_the_whole_output():
    decoder, z = residual_decoder(), points(6, 4)
    whole = jacobian(lambda y: decoder(y) @ head().T, z)
    folded = Pullback(ResidualMLPTangents(decoder, head(), offset=torch.ones(40)))
    assert folded.decode(z).shape[1] == 24  # the width of the last layer, not the 40 features
    assert_close(folded.tensor(z), whole.mT @ whole)
    assert_close(Pullback.linear_head(decoder, head()).tensor(z), whole.mT @ whole)


def test_folded_outputs_are_as_far_apart_as_whole_ones():
    decoder, z = residual_decoder(), points(6, 4)
    whole = (decoder(z) @ head().T).detach()
    assert_close(torch.pdist(ResidualMLPTangents(decoder, head())(z)), torch.pdist(whole))


def test_an_exact_head_gives_the_features_themselves():
    decoder, z, offset = residual_decoder(), points(6, 4), torch.arange(40.0)
    assert_close(
        ResidualMLPTangents(decoder, head(), offset, exact=True)(z), (decoder(z) @ head().T + offset).detach()
    )


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_forward_mode_takes_any_callable_in_chunks_of_any_size(chunk):
    z = points(6, 2)
    decode = ForwardMode(lambda y: sphere(y)[:, None] * torch.ones(2, 1), chunk)
    value, images = decode.with_jacobian(z)
    assert value.shape == (6, 6)
    assert_close(images.mT, jacobian(lambda y: sphere(y)[:, None] * torch.ones(2, 1), z))
    pushed = decode.push(z, z[:, None])[1]
    assert_close(pushed[:, 0], (images.mT @ z[..., None])[..., 0])


def test_a_network_of_known_layers_is_recognised_and_any_other_still_works():
    known = nn.Sequential(nn.Linear(2, 8), nn.SiLU(), nn.Linear(8, 3)).double()
    unknown = nn.Sequential(
        nn.Linear(2, 8), nn.Hardswish(), nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 3, 2)
    ).double()
    assert isinstance(Pullback(known).decode, SequentialTangents)
    assert isinstance(Pullback(unknown).decode, AnyDecoder)
    z = points(4, 2)
    whole = jacobian(unknown, z)
    assert_close(Pullback(unknown).tensor(z), whole.mT @ whole)


def test_a_headed_trunk_is_folded():
    z = points(4, 2)
    folded = Headed(ForwardMode(sphere), head(40, 3))
    assert folded(z).shape == (4, 3)
    assert_close(torch.pdist(folded(z)), torch.pdist(sphere(z) @ head(40, 3).T))


def test_a_single_linear_layer_is_a_decoder():
    layer = nn.Linear(3, 2).double()
    assert_close(
        Pullback(nn.Sequential(layer)).tensor(points(1, 3))[0], (layer.weight.T @ layer.weight).detach()
    )


@pytest.mark.parametrize(
    ("modules", "error", "sentence"),
    [
        ([nn.Tanh(), nn.Linear(2, 2)], ValueError, "AnyDecoder"),
        ([nn.Linear(2, 2), nn.Hardswish(), nn.Linear(2, 2)], TypeError, "Hardswish"),
    ],
)
def test_a_decoder_without_a_hand_written_rule_is_named(modules, error, sentence):
    with pytest.raises(error, match=sentence):
        SequentialTangents(nn.Sequential(*modules))


def test_a_head_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(any, 16\)"):
        SequentialTangents(residual_decoder(), torch.ones(3, 5))
