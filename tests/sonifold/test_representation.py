"""Representations by name: what a pack names is what its sounds are analysed and rendered with."""

import json
import shutil
import sys

import pytest
import torch

import sonifold
from sonifold import representation
from sonifold.errors import PackInvalid
from sonifold.representation import registry

TOY = """
from sonifold.representation.registry import register
from sonifold.representation.spectral import Spectral


@register("half-rate")
class HalfRate(Spectral):
    sample_rate = 22_050
"""


@pytest.fixture
def named(pack_folder, tmp_path):
    """The pack as one of another representation."""
    folder = tmp_path / "models" / "toy"
    shutil.copytree(pack_folder, folder)
    config = json.loads((folder / "pack.json").read_text(encoding="utf-8"))

    def of(name):
        (folder / "pack.json").write_text(json.dumps(config | {"representation": name}), encoding="utf-8")
        return folder

    return of


@pytest.fixture
def half_rate(tmp_path, monkeypatch):
    """A second representation: one more file in the folder of representations."""
    (tmp_path / "half_rate.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(representation, "__path__", [*representation.__path__, str(tmp_path)])
    yield "half-rate"
    registry.REPRESENTATIONS.remove("half-rate")
    sys.modules.pop("sonifold.representation.half_rate", None)


def test_a_representation_is_one_file_and_one_pack(named, half_rate):
    model = sonifold.load(named(half_rate))
    sounds = model.library.ids[:2]
    path = model.geodesic(*(model.sound(sound) for sound in sounds), steps=3)
    clip = model.render_steps([path])[0]
    assert model.sample_rate == clip.sample_rate == 22_050
    assert clip.audio.shape == (3, model.sound_samples)
    assert torch.isfinite(clip.audio).all()


def test_an_unknown_representation_is_refused_with_those_there_are(named):
    with pytest.raises(PackInvalid, match=r"toy: no representation 'harmonic'.*spectral"):
        sonifold.load(named("harmonic"))
