"""Everything computes where it is told to: on a GPU where there is one, and on a stand-in that finds what was left."""

from __future__ import annotations

import pytest
import torch
from elsewhere import Elsewhere, LeftBehind, watching
from metric_cases import residual_decoder
from torch import nn

import sonifold
from sonifold import adapt, geodesic, sample
from sonifold.device import available, choose
from sonifold.errors import DeviceUnavailable
from sonifold.metric import Blend, KernelMetric, Pullback

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
    "kernel": kernel,
    "foreign": lambda device: Pullback(foreign().to(device)),
    "blend": lambda device: Blend(Pullback(decoder().to(device)), kernel(device)),
}  # fmt: skip

WORK = {
    "paths": lambda metric, z: geodesic.solve(metric, z[:2], z[2:4]).nodes,
    "distances": lambda metric, z: geodesic.distances(metric, z[:3]),
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
        assert there[:, [0, -1]].tolist() == points(2)[:, [0, -1]].tolist()
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
    assert torch.allclose(result.cpu(), WORK[work](METRICS[name]("cpu"), points(8)), rtol=1e-3, atol=1e-4)


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


def test_fine_tuning_elsewhere_leaves_the_base_where_it_is(oneshots):
    sounds = [oneshots.sound(id) for id in oneshots.library.ids[:4]]
    config = adapt.FinetuneConfig(steps=2, check_every=1, warmup=1, learn="all", distillation=300.0)
    with watching() as device:
        tuned = adapt.finetune(oneshots, sounds, config, device=device)
    for vae in (oneshots.vae, tuned.vae):
        assert not any(isinstance(tensor, Elsewhere) for tensor in vae.state_dict().values())


# -- which device ----------------------------------------------------------------------------------


def test_auto_takes_what_there_is_and_the_cpu_is_always_there():
    assert choose("auto").type == available()[0]
    assert choose("cpu").type == "cpu"


@pytest.mark.usefixtures("pack_folder")
@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_here_is_a_sentence(name):
    if name in available():
        pytest.skip(f"there is a {name} device here")
    with pytest.raises(DeviceUnavailable, match=f"no {name} device.*it has"):
        sonifold.load("oneshots", device=name)


def test_a_device_that_does_not_exist_is_a_sentence():
    with pytest.raises(DeviceUnavailable, match="no device 'abacus'"):
        choose("abacus")


def ends(model):
    return [model.sound(model.library.ids[k]) for k in (3, 900)]


@pytest.mark.usefixtures("pack_folder")
@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_on_a_real_gpu_everything_is_as_on_the_cpu(name):
    if name not in available():
        pytest.skip(f"PyTorch finds no {name} device here")
    here, there = sonifold.load("oneshots"), sonifold.load("oneshots", device=name)
    (expected, clip), (path, moved) = (
        model.morph(model.geodesic(*ends(model), steps=3)) for model in (here, there)
    )
    assert path.length == pytest.approx(expected.length, rel=1e-2)
    assert torch.allclose(moved.audio, clip.audio, atol=5e-2)
    starts, finish = points(4), points(4, seed=1)
    ours, theirs = (geodesic.solve(Pullback(decoder().to(where)), starts, finish) for where in ("cpu", name))
    assert torch.allclose(ours.length, theirs.length, rtol=1e-2)
