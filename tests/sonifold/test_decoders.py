"""Decoders as people bring them: each is measured as it is, or refused in words before anything is computed with it."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from metric_cases import DOUBLE
from torch import Tensor, nn
from torch.testing import assert_close

from sonifold.errors import DecoderInvalid, PointInvalid
from sonifold.geodesic import Stop, line, resample, solve
from sonifold.metric import (
    AnyDecoder,
    BackwardMode,
    Blend,
    DecoderEnsemble,
    Flat,
    Pullback,
    SequentialTangents,
)
from sonifold.vae.network import ResidualBlock

LATENT = 8


def pairs(count: int = 3, dtype: torch.dtype = torch.float32, latent: int = LATENT) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    return tuple(torch.randn(2, count, latent, generator=generator).to(dtype))


def perceptron(*more: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(LATENT, 32), nn.SiLU(), *more, nn.Linear(32, 20))


# -- the fast way, only where it is the same -------------------------------------------------------


class Squashed(nn.Sequential):
    def forward(self, z):
        return 10 * torch.sigmoid(super().forward(z))


class LowRank(nn.Linear):
    def forward(self, x):
        return super().forward(x) + 0.5 * x.sum(1, keepdim=True)


class OtherBlock(nn.Module):
    """Children of the pack's block, put together otherwise."""

    def __init__(self):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(32), nn.Linear(32, 32), nn.Linear(32, 32)

    def forward(self, h):
        return h + torch.relu(self.down(self.norm(self.up(h))))


class OtherNorm(nn.LayerNorm):
    def forward(self, h):
        return h / (h.square().mean(1, keepdim=True) + self.eps).sqrt()


def hooked() -> nn.Sequential:
    decoder = perceptron()
    decoder[2].register_forward_hook(lambda module, given, out: 3 * torch.tanh(out))
    return decoder


def pre_hooked() -> nn.Sequential:
    decoder = perceptron()
    decoder.register_forward_pre_hook(lambda module, given: (2 * given[0],))
    return decoder


def weight_normed() -> nn.Sequential:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoder = nn.Sequential(
            nn.utils.weight_norm(nn.Linear(LATENT, 32)), nn.SiLU(), nn.utils.weight_norm(nn.Linear(32, 20))
        )
    decoder.load_state_dict({key: 2 * value + 0.1 for key, value in decoder.state_dict().items()})
    return decoder


def parametrised() -> nn.Sequential:
    decoder = perceptron()
    nn.utils.parametrizations.orthogonal(decoder[0])
    return decoder


def patched() -> nn.Sequential:
    decoder = perceptron()
    decoder[0].forward = lambda z: torch.cat([z, z, z, z], 1) ** 2
    return decoder


def block_with_another_part() -> nn.Sequential:
    torch.manual_seed(0)
    block = ResidualBlock(32, 64)
    block.down.weight.data.normal_()
    block.norm = OtherNorm(32)
    return perceptron(block)


ODD = {
    "own forward": lambda: Squashed(nn.Linear(LATENT, 32), nn.SiLU(), nn.Linear(32, 20)),
    "own forward inside": lambda: perceptron(Squashed(nn.Linear(32, 32), nn.Tanh())),
    "subclass of a linear layer": lambda: perceptron(LowRank(32, 32)),
    "subclass of a norm": lambda: perceptron(OtherNorm(32)),
    "children named as the block's": lambda: perceptron(OtherBlock()),
    "block with a part exchanged": block_with_another_part,
    "hook": hooked,
    "hook before": pre_hooked,
    "weight norm": weight_normed,
    "parametrisation": parametrised,
    "patched forward": patched,
    "softplus with a threshold": lambda: perceptron(nn.Softplus(threshold=0.1)),
    "flattened batch": lambda: nn.Sequential(
        nn.Linear(LATENT, 32), nn.Unflatten(1, (4, 8)), nn.Flatten(), nn.Linear(32, 9)
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_a_decoder_that_does_more_than_its_layers_say_has_its_own_lengths(name):
    decoder, (starts, ends) = ODD[name](), pairs()
    with torch.no_grad():
        truth = decoder(line(starts, ends, 17).flatten(0, 1)).view(3, 17, -1).diff(dim=1).norm(dim=2).sum(1)
    metric = Pullback(decoder)
    assert_close(metric.length(line(starts, ends, 17)), truth, rtol=1e-4, atol=1e-4)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda z: decoder(z[None])[0]))(starts).detach()
    assert_close(metric.tensor(starts), jacobian.mT @ jacobian, rtol=1e-3, atol=1e-3)


def test_a_hook_for_every_module_is_seen():
    decoder = perceptron()
    handle = nn.modules.module.register_module_forward_hook(lambda module, given, out: out + 1)
    try:
        assert isinstance(Pullback(decoder).decode, AnyDecoder)
    finally:
        handle.remove()
    assert isinstance(Pullback(decoder).decode, SequentialTangents)


def test_the_pack_s_own_block_goes_the_fast_way():
    assert isinstance(Pullback(perceptron(ResidualBlock(32, 64))).decode, SequentialTangents)


# -- before the first call -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hide",
    [lambda decoder: decoder, lambda decoder: {"it": decoder}["it"].__call__, lambda d: lambda z: d(z)],
)
@pytest.mark.parametrize(
    "layer", [nn.BatchNorm1d(32), nn.Dropout(0.3), nn.RReLU()], ids=lambda layer: type(layer).__name__
)
def test_training_mode_is_refused_and_nothing_is_changed(layer, hide):
    decoder = perceptron(copy.deepcopy(layer))
    before = copy.deepcopy(decoder.state_dict())
    with pytest.raises(DecoderInvalid, match=r"\.eval\(\)"):
        solve(Pullback(hide(decoder)), *pairs())
    assert all(torch.equal(value, decoder.state_dict()[key]) for key, value in before.items())
    solve(Pullback(hide(decoder.eval())), *pairs())


def test_training_mode_without_such_layers_is_welcome():
    assert solve(Pullback(perceptron().train()), *pairs()).converged == [True] * 3


class Counting(nn.Module):
    """Learns from every call, in a way of its own."""

    def __init__(self):
        super().__init__()
        self.net = perceptron()
        self.register_buffer("mean", torch.zeros(20))

    def forward(self, z):
        x = self.net(z)
        self.mean.mul_(0.9).add_(0.1 * x.detach().mean(0))
        return x - self.mean


def test_a_decoder_that_learns_in_its_own_way_is_refused_and_put_back():
    decoder = Counting()
    with pytest.raises(DecoderInvalid, match="changes it"):
        solve(Pullback(decoder), *pairs())
    assert not decoder.mean.any()


# -- what it returns -------------------------------------------------------------------------------

NET = perceptron().eval()


class Lookup(nn.Module):
    def forward(self, z):
        return NET(z).argmax(1)


REFUSED = {
    "a pair": (lambda z: (NET(z), NET(z)), "tuple of 2.*decoder.z..0."),
    "a dict": (lambda z: {"audio": NET(z)}, "'audio'"),
    "a distribution": (lambda z: torch.distributions.Normal(NET(z), 1), "Normal.*mean"),
    "an array": (lambda z: NET(z).detach().numpy(), "ndarray.*tensor"),
    "numbers without a slope": (Lookup(), "int64"),
    "one vector": (lambda z: torch.tanh(torch.ones(30, LATENT) @ z), "one latent point.*vmap"),
    "one vector, silently": (lambda z: torch.cat([z.flatten(), z.flatten()]), "batch"),
    "a channel more": (nn.Sequential(nn.Unflatten(1, (2, 4)), nn.Conv2d(8, 4, 1)), "batch"),
    "with an axis of time": (lambda z: NET(z[:, :, 0]), r"\[\.\.\., None\]"),
    "half precision": (lambda z: NET(z).bfloat16(), "bfloat16"),
    "random": (lambda z: NET(z) + torch.randn(20), "random"),
    "mixed rows": (lambda z: NET(z).softmax(0), "mixes"),
    "no gradient": (lambda z: torch.no_grad()(NET)(z), "cut off"),
    "a part without gradient": (lambda z: NET(z) + 3 * NET(2 * z).detach(), "cut off"),
    "a derivative that torch lacks": (lambda z: torch.special.bessel_j0(z) + z, "torch.special"),
    "another size": (nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Flatten(), nn.Linear(6, 9)), "latent"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_decoder_that_no_geometry_can_be_made_of_is_refused_in_words(name):
    decode, words = REFUSED[name]
    with pytest.raises(DecoderInvalid, match=words):
        solve(Pullback(decode), *pairs())


def test_a_decoder_can_be_checked_when_the_metric_is_made():
    with pytest.raises(DecoderInvalid, match="random"):
        Pullback(lambda z: z + torch.randn_like(z), points=pairs()[0])


@pytest.mark.parametrize("ends", [(LATENT, 5), (5, LATENT)])
def test_points_of_another_dimension_are_named(ends):
    metric = Pullback(lambda z: torch.cat([z.sin(), z.cos()], 1))
    metric.tensor(torch.zeros(2, ends[0]))
    with pytest.raises(PointInvalid, match=f"{ends[0]} numbers.*{ends[1]}"):
        metric.tensor(torch.zeros(2, ends[1]))


def test_ends_that_are_no_tensors_are_named():
    with pytest.raises(PointInvalid, match=r"ndarray.*tensor"):
        solve(Pullback(NET), *(ends.numpy() for ends in pairs()))


def test_no_pairs_have_no_paths_whatever_the_decoder():
    assert len(solve(Pullback(lambda z: NET(z)), *pairs(0))) == 0


# -- precision -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decode", [NET, NET.forward, lambda z: NET(z), lambda z: torch.tanh(z @ torch.ones(LATENT, 3))]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_points_of_any_precision_are_taken_to_that_of_the_decoder(decode, dtype):
    paths = solve(Pullback(decode), *pairs(dtype=dtype))
    assert paths.nodes.dtype is paths.length.dtype is dtype
    assert torch.isfinite(paths.length).all()


@pytest.mark.parametrize("make", [perceptron, lambda: nn.Sequential(perceptron(), nn.Hardswish())])
def test_half_precision_is_computed_in_single(make):
    half = make().half()
    expected = Pullback(copy.deepcopy(half).float()).tensor(pairs()[0])
    assert_close(Pullback(half).tensor(pairs()[0]), expected)
    assert next(half.parameters()).dtype is torch.float16


def test_complex_outputs_are_measured_by_their_real_and_imaginary_parts():
    decode = lambda z: torch.fft.rfft(NET(z))  # noqa: E731
    z = pairs()[0]
    whole = Pullback(lambda z: torch.view_as_real(torch.fft.rfft(NET(z))))
    assert_close(Pullback(decode).tensor(z), whole.tensor(z))
    assert_close(Pullback(decode).length(line(*pairs(), 9)), whole.length(line(*pairs(), 9)))


# -- derivatives -----------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(LATENT, 6 * 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

    def forward(self, z):
        return self.layer(self.enter(z).view(-1, 6, 16))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]):
        super().__init__()
        self.layer = kind(LATENT, 16, batch_first=True)

    def forward(self, z):
        return self.layer(z[:, None].expand(-1, 5, -1))[0]


def square(z: Tensor) -> Tensor:
    """(batch, 4, 4), positive."""
    x = z.repeat(1, 2).view(-1, 4, 4) + torch.eye(4).to(z)
    return x @ x.mT + torch.eye(4).to(z)


def spectrum(z: Tensor) -> Tensor:
    """(batch, 5, 8), complex."""
    real, imaginary = torch.randn(2, LATENT, 40, generator=torch.Generator().manual_seed(0)).to(z)
    return torch.complex(z @ real, z @ imaginary).view(-1, 5, 8)


HARD = {
    "attention": Attention(),
    "LSTM": Recurrent(nn.LSTM),
    "GRU": Recurrent(nn.GRU),
    "distances": lambda z: torch.exp(-torch.cdist(z, torch.eye(LATENT).to(z))),
    "grid sample": lambda z: nn.functional.grid_sample(
        z.view(-1, 1, 2, 4), z.tanh().view(-1, 2, 2, 2), align_corners=False
    ),
    "spectrogram": lambda z: torch.istft(spectrum(z), 8, window=torch.hann_window(8).to(z)),
    "cholesky inverse": lambda z: torch.cholesky_inverse(torch.linalg.cholesky(square(z))),
    "solve": lambda z: torch.linalg.solve(square(z), z.view(-1, 4, 2)),
    "product": lambda z: z.new_zeros(len(z), 2).scatter_reduce(
        1, torch.tensor([[0, 1] * 4]).expand(len(z), -1), z + 3, "prod", include_self=False
    ),
    "cumulative": lambda z: torch.logcumsumexp(z, 1),
    "a norm": lambda z: nn.functional.layer_norm(z, (LATENT,)) * z.sum(1, keepdim=True),
    "a wave": lambda z: torch.sin(300 * torch.linspace(0, 1, 400).to(z) * (1 + z[:, :1] / 4)) * z[:, 1:2],
}  # fmt: skip


def hard(name: str):
    decode = HARD[name]
    return decode.double().eval() if isinstance(decode, nn.Module) else decode


def directional(decode, z: Tensor, v: Tensor, step: float = 1e-5) -> Tensor:
    with torch.no_grad():
        return (decode(z + step * v) - decode(z - step * v)).flatten(1) / (2 * step)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("name", HARD)
def test_derivatives_are_those_of_differences_whatever_torch_can_do(name):
    decode, (z, v) = hard(name), pairs(2, DOUBLE)
    metric = Pullback(decode)
    change = directional(decode, z, v)
    assert_close(metric.inner(z, v, v), change.square().sum(1), rtol=1e-5, atol=1e-8)
    assert_close(
        torch.einsum("bi,bij,bj->b", v, metric.tensor(z), v), change.square().sum(1), rtol=1e-5, atol=1e-8
    )
    curves = line(z, v, 5)
    _, gradient = metric.energy_gradient(curves)
    towards = torch.zeros_like(curves)
    towards[:, 1:-1] = 1.0
    slope = (metric.energy(curves + 1e-5 * towards) - metric.energy(curves - 1e-5 * towards)) / 2e-5
    assert_close(gradient.sum((1, 2)), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["distances", "cholesky inverse", "a norm"])
def test_second_derivatives_are_those_of_differences(name):
    decode, (z, v) = hard(name), pairs(2, DOUBLE)
    u = v.flip(1)
    ahead, behind = (directional(decode, z + side * 1e-4 * u, v) for side in (1, -1))
    jacobian = torch.stack([directional(decode, z, e.expand_as(z)) for e in torch.eye(LATENT).double()], 1)
    expected = (jacobian @ ((ahead - behind) / 2e-4)[..., None])[..., 0]
    assert_close(Pullback(decode).connection(z, u, v), expected, rtol=1e-2, atol=1e-3)


def test_a_decoder_differentiated_backwards_keeps_gradients():
    decode, z = hard("cholesky inverse"), pairs(2, DOUBLE)[0].requires_grad_(True)
    metric = Pullback(decode, ridge=0.1)
    assert isinstance(metric.decode.meet(z), BackwardMode)
    (gradient,) = torch.autograd.grad(metric.log_det(z).sum(), z)
    step = 1e-5 * torch.ones_like(z)
    slope = (metric.log_det(z + step) - metric.log_det(z - step)) / 2e-5
    assert_close(gradient.sum(1), slope.detach(), rtol=1e-4, atol=1e-6)


# -- where a decoder stands still ------------------------------------------------------------------


def test_a_flat_pair_has_an_outcome_and_the_others_their_paths():
    torch.manual_seed(0)
    decoder = nn.Sequential(
        nn.Linear(LATENT, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 100)
    )
    starts, ends = pairs(4)
    alone = solve(Pullback(decoder), starts[:3], ends[:3])
    starts, ends = starts.clone(), ends.clone()
    starts[3], ends[3] = 1e4 * starts[3], 1e4 * starts[3] * 1.1
    both = solve(Pullback(decoder), starts, ends)
    assert both.stop[3] is Stop.FLAT
    assert not both.converged[3]
    assert_close(both.nodes[:3], alone.nodes, rtol=1e-3, atol=1e-3)
    assert both.stop[:3] == alone.stop


CODES = torch.randn(64, LATENT, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "decode",
    [
        lambda z: NET(CODES[((z[:, None] - CODES) ** 2).sum(-1).argmin(1)]),
        lambda z: (NET(z).clamp(-1, 1) * 32767).round() / 32767,
        lambda z: torch.ones(len(z), 3),
    ],
    ids=["nearest code", "sixteen bits", "constant"],
)
def test_a_decoder_in_steps_is_no_error_and_no_geodesic(decode):
    paths = solve(Pullback(decode), *pairs())
    assert not any(paths.converged)
    assert set(paths.stop) <= {Stop.FLAT, Stop.LINE_KEPT}
    assert torch.equal(paths.nodes, line(*pairs(), 17))


def test_a_path_that_rounding_alone_tells_from_its_line_is_not_called_converged():
    """Instance norm over two samples is a sign but for a crease: elsewhere lines are hardly longer than rounding."""
    torch.manual_seed(0)
    decoder = nn.Sequential(
        nn.Linear(1, 8), nn.Unflatten(1, (4, 2)), nn.InstanceNorm1d(4), nn.SELU(), nn.Conv1d(4, 8, 2)
    ).eval()
    starts, ends = (1.5 * torch.randn(2, 50, 1))[:, :12]
    paths = solve(Pullback(decoder), starts, ends)
    exact = Pullback(copy.deepcopy(decoder).double()).length(line(starts.double(), ends.double(), 129))
    beside = (paths.nodes != line(starts, ends, 17)).flatten(1).any(1) & torch.tensor(paths.converged)
    assert_close(paths.length[beside].double(), exact[beside], rtol=5e-3, atol=0)
    flat = torch.tensor([why is Stop.FLAT for why in paths.stop])
    assert flat.any()
    assert torch.equal(paths.nodes[flat], line(starts, ends, 17)[flat])


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_the_rounding_of_a_step_is_in_the_unit_of_the_metric(scale):
    z = pairs()[0]
    plain = Pullback(NET)
    blend, ensemble = Blend(plain, Flat(), weight=0, scale=scale), DecoderEnsemble([NET], scale=scale)
    size = plain.decode(z).norm(dim=1) * torch.finfo(torch.float32).eps
    assert_close(plain.rounding(z), size)
    assert_close(blend.rounding(z), size / scale)
    outputs = NET(z).flatten(1).norm(dim=1).detach() * torch.finfo(torch.float32).eps
    assert_close(ensemble.rounding(z).detach(), outputs / scale)
    assert not Flat().rounding(z).any()


# -- a decoder with a domain -----------------------------------------------------------------------


def strict(z: Tensor) -> Tensor:
    """Half a sphere over the unit disc, and an error beyond."""
    if (z.norm(dim=1) > 1).any():
        raise ValueError("outside the disc")
    return torch.cat([z, (1 - z.square().sum(1, keepdim=True)).clamp_min(1e-9).sqrt()], 1)


def lenient(z: Tensor) -> Tensor:
    """The same, and NaN beyond."""
    return torch.cat([z, (1 - z.square().sum(1, keepdim=True)).sqrt()], 1)


@pytest.mark.parametrize("decode", [strict, lenient])
def test_a_decoder_is_not_asked_outside_its_domain(decode):
    starts, ends = torch.tensor([[-0.5, 0.1]]).double(), torch.tensor([[0.5, 0.3]]).double()
    path = solve(Pullback(decode), starts, ends)
    great_circle = torch.acos((strict(starts) * strict(ends)).sum())
    assert path.converged == [True]
    assert float(path.length) == pytest.approx(float(great_circle), rel=2e-3)


# -- never worse than the line ---------------------------------------------------------------------


def creased(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Unflatten(1, (4, 2)),
        nn.ConvTranspose1d(4, 8, 4, 2, 1),
        nn.InstanceNorm1d(8),
        nn.SELU(),
        nn.Conv1d(8, 1, 3),
    ).eval()


@pytest.mark.long
@pytest.mark.parametrize("polish", [False, True])
def test_no_path_through_creases_is_dearer_or_longer_than_its_line(polish):
    for seed in range(4):
        metric, (starts, ends) = Pullback(creased(seed)), pairs(8)
        paths = solve(metric, 2 * starts, 2 * ends, polish=polish)
        with torch.no_grad():
            ours, lines = (resample(curves, 129) for curves in (paths.nodes, line(2 * starts, 2 * ends, 17)))
            assert (metric.energy(ours) <= metric.energy(lines) * (1 + 1e-4)).all()
            assert (metric.length(ours) <= metric.length(lines) * (1 + 1e-4)).all()
        assert (paths.energy <= paths.line_energy * (1 + 1e-6)).all()
        assert (paths.length <= paths.line_length * (1 + 1e-5)).all()


def test_memory_is_bounded_by_parts(monkeypatch):
    decode, (z, v) = hard("a wave"), pairs(40, DOUBLE)
    at_once = Pullback(decode)
    expected = at_once.tensor(z), at_once.energy_gradient(line(z, v, 5))
    monkeypatch.setattr("sonifold.metric.pullback.NUMBERS", 20_000)
    monkeypatch.setattr("sonifold.metric.foreign.NUMBERS", 20_000)
    most = 0

    def counting(points: Tensor) -> Tensor:
        nonlocal most
        most = max(most, len(points))
        return decode(points)

    parts = Pullback(counting)
    assert_close((parts.tensor(z), parts.energy_gradient(line(z, v, 5))), expected)
    most = 0
    parts.tensor(z)
    assert most <= 50
