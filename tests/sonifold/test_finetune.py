"""Fine-tuning: what was interrupted ends as what was not, how it tells of itself, and its result as a pack."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

import sonifold
from sonifold import adapt
from sonifold.adapt import AdaptedModel, FinetuneConfig, FinetuneInfo
from sonifold.adapt.finetune import finetune_from
from sonifold.audio.clip import Clip
from sonifold.cli import main
from sonifold.errors import Cancelled, PackInvalid

pytestmark = pytest.mark.long

#: Four looks in the trial, then five, the first of them before a step.
QUICK = FinetuneConfig(steps=8, check_every=2, warmup=2)


class Refined(NamedTuple):
    """A run from beginning to end, watched, with its checkpoint kept."""

    model: AdaptedModel
    looks: list[FinetuneInfo]
    previews: list[int]  # steps
    checkpoint: Path


@pytest.fixture(scope="module")
def kit(model):
    """A kit the base never saw."""
    ids = [label.id for label in model.library.labels if label.group == "Sonic Pi tabla"]
    order = np.random.default_rng(0).permutation(len(ids))
    return [model.sound(ids[place]) for place in order[:8]]


@pytest.fixture(scope="module")
def start(model, kit):
    return adapt.instant(model, kit[:4])


@pytest.fixture(scope="module")
def refined(model, kit, tmp_path_factory) -> Refined:
    checkpoint = tmp_path_factory.mktemp("refined") / "checkpoint.safetensors"
    looks, previews = [], []
    watch = adapt.Watch(looks.append, preview=lambda now, step: previews.append(step))
    return Refined(
        adapt.finetune(model, kit[:4], QUICK, checkpoint, watch, keep=True), looks, previews, checkpoint
    )


def same(first, second) -> bool:
    pairs = zip(first.vae.state_dict().values(), second.vae.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def first_look(start: AdaptedModel, checkpoint: Path | None) -> FinetuneInfo:
    looks: list[FinetuneInfo] = []
    with pytest.raises(Cancelled):
        finetune_from(start, QUICK, checkpoint, adapt.Watch(looks.append, cancelled=lambda: len(looks) == 1))
    return looks[0]


@pytest.mark.parametrize("looks", [2, 6])
def test_an_interrupted_refinement_ends_with_the_same_weights(start, refined, tmp_path, looks):
    """Cut in the trial and in the final run."""
    seen = []
    watch = adapt.Watch(report=seen.append, cancelled=lambda: len(seen) >= looks)
    with pytest.raises(Cancelled):
        finetune_from(start, QUICK, tmp_path / "checkpoint.safetensors", watch)
    assert (tmp_path / "checkpoint.safetensors").is_file()
    assert seen[-1].phase == ("trial" if looks == 2 else "final")
    rest = []
    watch = adapt.Watch(report=rest.append)
    resumed = finetune_from(start, QUICK, tmp_path / "checkpoint.safetensors", watch)
    assert same(resumed, refined.model)
    assert len(seen) + len(rest) == len(refined.looks), "steps were taken again"
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_refinement_that_had_ended_takes_no_step_again(start, refined, tmp_path):
    """Its checkpoint was kept because the result had not been saved yet."""
    path = Path(shutil.copy(refined.checkpoint, tmp_path))
    seen = []
    again = finetune_from(start, QUICK, path, adapt.Watch(report=seen.append))
    assert same(again, refined.model)
    assert not seen
    assert not path.exists()


def test_a_checkpoint_of_other_uploads_is_not_gone_on_from(model, kit, refined, tmp_path):
    """Neither its weights nor its place in the run."""
    other = adapt.instant(model, kit[4:])
    foreign = first_look(other, Path(shutil.copy(refined.checkpoint, tmp_path)))
    fresh = first_look(other, None)
    assert (foreign.phase, foreign.step) == ("trial", QUICK.check_every)
    assert (foreign.train, foreign.held_out) == (fresh.train, fresh.held_out)


def test_refining_tells_how_far_it_is(refined):
    looks = refined.looks
    assert [info.percent for info in looks] == sorted(info.percent for info in looks)
    assert looks[-1].percent == 100
    assert all(info.held_out is not None for info in looks if info.phase == "trial")
    assert refined.previews == [QUICK.steps]


def test_fine_tuning_loads_neither_torchs_compiler_nor_all_of_scipy(small_models):
    """That takes three seconds of a process that compiles nothing and filters nothing."""
    script = f"""
import sys, tempfile, pathlib, sonifold
from sonifold import adapt
model = sonifold.load("oneshots", pathlib.Path({str(small_models)!r}))
sounds = [model.sound(sound) for sound in model.library.ids[:4]]
with tempfile.TemporaryDirectory() as folder:
    checkpoint = pathlib.Path(folder, "checkpoint.safetensors")
    adapt.finetune(model, sounds, adapt.FinetuneConfig(steps=1, check_every=1), checkpoint)
print({{"torch._dynamo", "scipy.signal", "scipy.stats"}} & set(sys.modules))
"""
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "set()"


def test_refining_brings_the_uploads_closer_than_the_instant_adaptation(model, kit, start, refined):
    def own(one) -> float:
        timbre_map, _ = model.coefficients.timbre_map
        recorded = model.coefficients.analyse(torch.stack([sound.features for sound in kit[:4]]))
        decoded = one.vae.decode(one.inverted(recorded))
        return float(((decoded - recorded) @ timbre_map.T).norm(dim=1).mean())

    assert own(refined.model) < own(start)
    assert same(model, sonifold.load("oneshots"))


# -- as a pack ------------------------------------------------------------------------------------


def test_a_saved_pack_loads_like_any_other_and_knows_its_uploads(small_models, tmp_path):
    model = sonifold.load("oneshots", small_models)
    known = [model.sound(sound) for sound in model.library.ids[:7]]
    audio = known[0].audio.numpy()
    own = model.encode(audio[::-1].copy(), model.sample_rate, "Backwards")
    adapted = adapt.instant(model, [own, *known[:3]])
    saved = adapt.save(adapted, tmp_path / "mine")
    assert len(saved.library) == len(model.library) + 1
    label = saved.library.labels[-1]
    assert (label.name, label.split, label.group) == ("Backwards", "uploaded", "mine")
    upload = saved.sound(label.id)
    assert saved.distance(upload, own, "geodesic") < 1.0
    assert torch.equal(saved.library.positions[:-1], model.library.positions)
    assert same(saved, adapted)
    again = adapt.instant(saved, known[3:])  # a base like any other
    assert again.base is saved


def test_a_pack_is_not_written_over_another(start, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(PackInvalid, match="already"):
        adapt.save(start, tmp_path / "there")
    with pytest.raises(PackInvalid, match="lower-case"):
        adapt.save(start, tmp_path / "Not A Name")


def test_the_command_makes_a_pack_of_files(model, small_models, kit, tmp_path, capsys):
    files = [
        str(Clip(sound.audio, model.sample_rate).write(tmp_path / f"{number}.wav"))
        for number, sound in enumerate(kit[:2])
    ]
    models = shutil.copytree(small_models, tmp_path / "models")
    arguments = ["finetune", "oneshots", *files, "--name", "mine", "--models", str(models)]
    assert main([*arguments, "--steps", "5"]) == 0
    base = sonifold.load("oneshots", models)
    assert len(sonifold.load("mine", models).library) >= len(base.library)
    assert main(arguments) == 1
    assert "already" in capsys.readouterr().err
