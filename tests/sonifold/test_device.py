"""Everything computes where it is told to: on a GPU where there is one, and on a stand-in that finds what was left."""

from __future__ import annotations

import pytest
import torch
from elsewhere import Elsewhere, LeftBehind, watching
from metric_cases import residual_decoder
from torch import nn

import sonifold
from sonifold import adapt, geodesic, sample
from sonifold.adapt.finetune import finetune_from
from sonifold.device import available, choose
from sonifold.errors import DeviceUnavailable
from sonifold.metric import Blend, Flat, KernelMetric, Pullback
from sonifold.model import Model

LATENT = 4


def points(count: int, latent: int = LATENT, seed: int = 0) -> torch.Tensor:
    """So near to each other that no path depends on the last digit."""
    return 0.4 * torch.randn(count, latent, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=["cuda", "mps"])
def gpu(request):
    if request.param not in available():
        pytest.skip(f"PyTorch {torch.__version__} finds no {request.param} device here")
    return torch.device(request.param)


def decoder(latent: int = LATENT) -> nn.Sequential:
    return residual_decoder(latent, dtype=torch.float32).requires_grad_(False)


def kernel(device) -> KernelMetric:
    return KernelMetric.posterior(points(12).to(device), (0.2 + points(12).abs()).to(device))


METRICS = {
    "flat": lambda device: Flat(2.0),
    "pullback": lambda device: Pullback(decoder().to(device)),
    "kernel": kernel,
    "foreign": lambda device: Pullback(nn.Sequential(decoder(), nn.Hardswish()).to(device)),
    "blend": lambda device: Blend(Pullback(decoder().to(device)), kernel(device)),
}  # fmt: skip


def transported(metric, z):
    return geodesic.transport(metric, geodesic.line(z[:1], z[1:2], 9), z[2:3])


def mean(metric, z):
    mean = geodesic.frechet_mean(metric, z[:2], torch.tensor([1.0, 2.0]), max_steps=2)
    return torch.cat([mean.point, mean.distances])


WORK = {
    "distances": lambda metric, z: geodesic.distances(metric, z[:3]),
    "neighbours": lambda metric, z: geodesic.neighbours(metric, z[0], z[1:4], 2).distances,
    "exponential": lambda metric, z: geodesic.exponential(metric, z[:1], 0.3 * z[2:3], 4).nodes,
    "logarithm": lambda metric, z: geodesic.logarithm(metric, z[:1], z[2:3]),
    "transport": transported,
    "analogy": lambda metric, z: geodesic.analogy(metric, *(0.2 * z[:3, None]), 2).ends,
    "extrapolation": lambda metric, z: geodesic.extrapolate(metric, z[:1], z[1:2], 1.2).nodes,
    "mean": mean,
}  # fmt: skip


class Walking:
    """A walk from the first point, which is on the CPU; called as the samplers are."""

    def __init__(self, z):
        self.metric, self.start = kernel(z.device), z[0].cpu()

    def sample(self, count, seed):
        return sample.wander(self.metric, self.start, count, seed)


SAMPLERS = {
    "walk": Walking,
    "prior": lambda z: sample.Prior(LATENT),
    "aggregated": lambda z: sample.AggregatedPosterior(z, z.abs() + 0.1),
    "mixture": lambda z: sample.Mixture(z, 3),
    "importance": lambda z: sample.ImportanceResampling(kernel(z.device)),
    "hmc": lambda z: sample.VolumeHMC(kernel(z.device), steps=2, warm_up=2),
}


def alike(values, others, rtol=1e-3, atol=1e-4):
    return torch.allclose(torch.as_tensor(values).cpu(), torch.as_tensor(others).cpu(), rtol=rtol, atol=atol)


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
    with watching(heavy=50) as device, pytest.raises(LeftBehind, match="heavy work on the CPU"):
        torch.ones(10, 10) @ torch.ones(10, 10)


# -- geometry --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METRICS)
def test_paths_under_every_metric_leave_nothing_behind(name):
    assert_the_same_paths(METRICS[name])


def test_in_two_dimensions_the_lattice_is_asked_there_too():
    assert_the_same_paths(lambda device: Pullback(decoder(2).to(device)), 2)


def assert_the_same_paths(metric_on, latent: int = LATENT):
    starts, ends = points(1, latent), points(1, latent, seed=1)
    with watching() as device:
        paths = geodesic.solve(metric_on(device), starts.to(device), ends.to(device))
        assert isinstance(paths.nodes, Elsewhere)
    assert alike(paths.nodes, geodesic.solve(metric_on("cpu"), starts, ends).nodes)


@pytest.mark.parametrize("work", WORK)
def test_geometry_leaves_nothing_behind_and_gives_back_where_the_points_are(work):
    with watching() as device:
        result = WORK[work](METRICS["pullback"](device), points(4))
        assert not isinstance(result, Elsewhere)
    assert alike(result, WORK[work](METRICS["pullback"]("cpu"), points(4)))


@pytest.mark.parametrize("work", WORK)
def test_geometry_on_a_real_gpu(work, gpu):
    result = WORK[work](METRICS["blend"](gpu), points(4).to(gpu))
    assert result.device.type == gpu.type
    assert alike(result, WORK[work](METRICS["blend"]("cpu"), points(4)), rtol=2e-2, atol=1e-2)


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_leave_nothing_behind(name):
    with watching() as device:
        drawn = SAMPLERS[name](points(20).to(device)).sample(5, seed=1)
    assert alike(drawn.points, SAMPLERS[name](points(20)).sample(5, seed=1).points)


# -- a whole model ---------------------------------------------------------------------------------

#: Numbers in the library that differ in every way: a kick, a snare, a flute and so on.
ROWS = (0, 16, 37, 53)
#: Numbers in a tensor from which an operation is what a device is there for: the networks' layers and all of audio.
HEAVY = 100_000
CONFIG = adapt.FinetuneConfig(steps=1, check_every=1, warmup=1, learn="all", trial=False)


def sounds(model):
    return [model.sound(model.library.ids[row]) for row in ROWS]


def encoded(model):
    again = model.recorded(sounds(model)[0].audio)
    return again.z, again.features, again.residual


def morphed(model):
    path, clip = model.morph(model.geodesic(*sounds(model)[:2], steps=3))
    return path.curve, path.speed, clip.audio


def through_neighbours(model):
    path, clip = model.morph(model.paths([tuple(sounds(model)[1:3])], "graph", steps=3)[0])
    return path.curve, path.speed, clip.audio


def glide(model):
    return (model.render(model.linear(*sounds(model)[:2], steps=3), 1.0).audio,)


def new_point(model):
    first, second, *_ = sounds(model)
    halfway = model.point((first.z + second.z) / 2)
    path, clip = model.morph(model.linear(halfway, second, steps=3))
    return path.curve, clip.audio, model.decode(halfway.z[None]).audio


def drawn(model):
    names = ("prior", "mixture", "aggregated", "importance")
    return [model.sample(name, 2, seed=1).points for name in names]


def words(model):
    traversal = model.traversal(sounds(model)[0], "brightness", steps=3, reach=0.2)
    return traversal.points, traversal.values, model.render_traversal(traversal).audio


def distances(model):
    chosen = sounds(model)
    nearest = torch.tensor([distance for _, distance in model.neighbours(chosen[0], 4, "geodesic")])
    described = model.describe(torch.stack([sound.z for sound in chosen]))
    return model.distances(chosen, "geodesic"), nearest, *described.values()


def modulo_transposition(model):
    return (model.distances(sounds(model)[:2], "geodesic", modulo="transposition"),)


MODEL_WORK = (
    encoded,
    morphed,
    through_neighbours,
    glide,
    new_point,
    drawn,
    words,
    distances,
    modulo_transposition,
)


@pytest.fixture(scope="module")
def here(small_models):
    return Model.load(small_models / "oneshots")


@pytest.fixture(scope="module")
def elsewhere(here):
    """The same model, loaded on the stand-in."""
    with watching() as device:
        return Model(here.parts, device)


@pytest.fixture(scope="module")
def adapted_elsewhere(elsewhere):
    with watching(heavy=HEAVY):
        return adapt.instant(elsewhere, sounds(elsewhere)[:2])


@pytest.mark.parametrize("work", MODEL_WORK)
def test_a_model_leaves_nothing_behind_and_nothing_heavy_on_the_cpu(work, here, elsewhere):
    with watching(heavy=HEAVY):
        results = work(elsewhere)
    for result, expected in zip(results, work(here), strict=True):
        assert not isinstance(result, Elsewhere)  # points and sounds come out on the CPU
        assert alike(result, expected, rtol=1e-2, atol=2e-2)


@pytest.mark.parametrize("work", MODEL_WORK)
def test_a_model_on_a_real_gpu_does_as_on_the_cpu(work, here, gpu):
    for result, expected in zip(work(Model(here.parts, gpu)), work(here), strict=True):
        assert alike(result, expected, rtol=5e-2, atol=5e-2)


def played(mine):
    """What an adapted model makes of a sound, between two, and of one that a slider moved."""
    moved = adapt.turned(mine, mine.uploads[0], mine.sliders, {"common": 0.5})
    path, clip = mine.morph(mine.linear(*mine.uploads, steps=3))
    return mine.uploads[1].z, path.curve, clip.audio, adapt.play(mine, moved).audio


def test_an_adaptation_leaves_nothing_behind(here, adapted_elsewhere):
    with watching(heavy=HEAVY):
        results = played(adapted_elsewhere)
    for result, expected in zip(results, played(adapt.instant(here, sounds(here)[:2])), strict=True):
        assert not isinstance(result, Elsewhere)
        assert alike(result, expected, rtol=1e-2, atol=2e-2)


def test_fine_tuning_of_a_model_elsewhere_is_saved_whole(adapted_elsewhere, tmp_path):
    with watching() as device:
        tuned = finetune_from(adapted_elsewhere, CONFIG, device=device)
        assert all(isinstance(tensor, Elsewhere) for tensor in tuned.vae.state_dict().values())
        adapt.write(tuned, tmp_path / "mine")
    stored = Model.load(tmp_path / "mine")
    for name, tensor in stored.vae.state_dict().items():
        assert torch.equal(tensor, tuned.vae.state_dict()[name].cpu())


def test_fine_tuning_elsewhere_leaves_the_base_where_it_is(here):
    adapted = adapt.instant(here, sounds(here)[:2])
    with watching() as device:
        tuned = finetune_from(adapted, CONFIG, device=device)
    for vae in (here.vae, tuned.vae):
        assert not any(isinstance(tensor, Elsewhere) for tensor in vae.state_dict().values())


def test_models_elsewhere_share_the_coefficients(here, elsewhere):
    """120 MB, which must not be on a GPU once for each adaptation."""
    with watching() as device:
        assert Model(here.parts, device).coefficients is elsewhere.coefficients


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
