"""The blocks of the tutorial for researchers run one after another, and say what the text says they say."""

import re
from pathlib import Path

import pytest
import torch

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial-researchers.md"


@pytest.fixture(scope="module")
def names(tmp_path_factory, pack_folder):
    """Every name that the tutorial binds, after all its blocks ran."""
    blocks = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text(encoding="utf-8"), re.M | re.S)
    namespace = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tutorial"))
        for block in blocks:
            exec(compile(block, TUTORIAL.name, "exec"), namespace)
        assert Path("steps.wav").exists()
        assert Path("new.wav").exists()
    return namespace


def test_the_length_on_the_sphere_is_that_of_the_great_circle(names):
    path = names["geodesic"].solve(names["pullback"], names["start"], names["end"])
    assert float(path.length[0]) == pytest.approx(float(names["great_circle"]), rel=1e-3)


def test_the_length_in_the_half_plane_is_log_2(names):
    assert float(names["up"].length[0]) == pytest.approx(float(torch.tensor(2.0).log()), rel=1e-3)


def test_the_timed_line_and_the_geodesic_are_more_even_than_the_line(names):
    line = names["straight"].speed_variation
    assert max(names["retimed"].speed_variation, names["curved"].speed_variation) < line


def test_the_figures_are_figures(names):
    assert all(names[name].data for name in ("figure", "pace", "pictures"))
