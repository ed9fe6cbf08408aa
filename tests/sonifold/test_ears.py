"""Independent judges: the opponents are what they are called, and the figures say of an ideal morph that it is one."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sonifold import pack
from sonifold.evaluate import card
from sonifold.model import Model
from sonifold.morph.path import NODES
from sonifold_research.ears import page, run
from sonifold_research.ears.figures import FIGURES, figures, summary
from sonifold_research.ears.judges import JUDGES, NEAREST
from sonifold_research.ears.judges.__main__ import Bench
from sonifold_research.ears.judges.cdpam_judge import OverlapSave
from sonifold_research.ears.linear import LinearRenderer
from sonifold_research.ears.methods import DEFAULT, spherical

IDEAL = {"steps": [0.25] * 4, "ends": 1.0, "halves": [0.5, 0.5], "nearest": 0.2}


class Euclid:
    """A judge of whom all answers are known."""

    rate = 44_100

    def prepared(self, samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        return samples

    def distance(self, first: NDArray[np.float32], second: NDArray[np.float32], /) -> float:
        return float(np.linalg.norm(first - second))


def test_an_ideal_morph_has_no_unevenness_and_is_as_long_as_its_ends_are_apart() -> None:
    numbers = figures(IDEAL)
    assert numbers == pytest.approx(
        {"unevenness": 0, "largest": 1, "length": 1, "off_middle": 0, "nearest": 0.2}
    )
    assert set(numbers) == set(FIGURES)


def test_a_morph_that_jumps_late_is_uneven_and_its_middle_is_not_in_the_middle() -> None:
    numbers = figures({"steps": [0, 0, 0, 2.0], "ends": 1.0, "halves": [0.0, 2.0], "nearest": 0.0})
    assert numbers == pytest.approx(
        {"unevenness": math.sqrt(3), "largest": 4, "length": 2, "off_middle": 1, "nearest": 0}
    )


def test_what_is_saved_is_paired_and_positive_where_the_reference_is_better() -> None:
    worse = {**IDEAL, "nearest": 0.5}
    pairs = [{DEFAULT: figures(IDEAL), "other": figures(worse)}] * 3
    table = summary(pairs, DEFAULT)
    assert "saved" not in table[DEFAULT]
    assert table["other"]["saved"]["nearest"].mean == pytest.approx(0.3)
    assert table["other"]["saved"]["length"].mean == 0


def test_a_bench_asks_about_steps_ends_halves_and_the_nearest_recording(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    first, last = draw.standard_normal((2, 4410)).astype(np.float32) / 10
    fade = np.linspace(0, 1, 5, dtype=np.float32)[:, None]
    recordings = np.stack([last, (first + last) / 2 + 0.001, first]).astype(np.float32)
    np.savez(tmp_path / "recordings.npz", audio=recordings, rate=44_100)
    morphs = {"fade": (1 - fade) * first + fade * last, f"fade{NEAREST}": np.array([0, 1, 2])}
    np.savez(tmp_path / "morphs.npz", rate=44_100, **morphs)
    numbers = figures(Bench(Euclid(), tmp_path / "recordings.npz").verdicts(tmp_path / "morphs.npz")["fade"])
    assert numbers["length"] == pytest.approx(1, rel=1e-5)
    assert numbers["unevenness"] == pytest.approx(0, abs=1e-5)
    assert numbers["off_middle"] == pytest.approx(0, abs=1e-5)
    expected = 0.001 * math.sqrt(4410) / float(np.linalg.norm(first - last))
    assert numbers["nearest"] == pytest.approx(expected, rel=1e-3)


def test_a_convolution_by_spectra_is_the_convolution() -> None:
    draw = torch.Generator().manual_seed(0)
    plain = torch.nn.Conv1d(3, 5, 15, padding=7)
    for length in (1, 14, 114, 115, 1000):
        signal = torch.randn(1, 3, length, generator=draw)
        torch.testing.assert_close(OverlapSave(plain)(signal), plain(signal), atol=1e-5, rtol=1e-5)


def test_spherical_interpolation_keeps_to_the_sphere_at_an_even_pace() -> None:
    generator = torch.Generator().manual_seed(0)
    start, end = torch.nn.functional.normalize(
        torch.randn(2, 8, generator=generator, dtype=torch.float64), dim=1
    )
    curve = spherical(start, end)
    assert curve.shape == (NODES, 8)
    torch.testing.assert_close(curve[[0, -1]], torch.stack([start, end]))
    torch.testing.assert_close(curve.norm(dim=1), torch.ones(NODES, dtype=torch.float64))
    steps = curve.diff(dim=0).norm(dim=1)
    torch.testing.assert_close(steps, steps.mean().expand_as(steps))


def test_spherical_interpolation_in_one_direction_is_the_line() -> None:
    start = torch.arange(1.0, 5.0)
    torch.testing.assert_close(spherical(start, 3 * start)[NODES // 2], 2 * start)


def test_the_linear_autoencoder_is_principal_components_with_the_model_s_rendering(model: Model) -> None:
    linear = LinearRenderer.of(model, 40)
    torch.testing.assert_close(
        linear.principal.T @ linear.principal, torch.eye(model.latent_dim), atol=1e-4, rtol=0
    )
    sound = model.sound(model.library.ids[3])
    point = linear.sound(sound)
    again = linear.features(point.z[None])[0] + point.residual
    torch.testing.assert_close(again, sound.features)
    off = (model.coefficients.analyse(sound.features[None]) - linear.centre) @ linear.principal
    torch.testing.assert_close(point.z, off[0])


def test_pairs_are_different_sounds_and_within_a_family_where_they_should_be(model: Model) -> None:
    families = model.library.families
    for name, count in run.SETS.items():
        drawn = run.pairs(model, name)
        assert len(drawn) == count
        assert all(first != second for first, second in drawn)
        assert drawn == run.pairs(model, name)
    assert all(families[first] == families[second] for first, second in run.pairs(model, run.FAMILY))


def test_the_page_and_the_card_say_what_each_judge_said(tmp_path: Path) -> None:
    pack_copy = tmp_path / "oneshots"
    shutil.copytree(pack.find("oneshots", None), pack_copy)
    worse = {**IDEAL, "nearest": 0.5}
    cell = {
        "names": ["a", "b"],
        "begun": {DEFAULT: False, "cross-fade": True},
        "verdicts": {DEFAULT: IDEAL, "cross-fade": worse},
    }
    measured = {name: {judge: [cell, cell] for judge in JUDGES} for name in run.SETS}
    page.write(pack_copy, measured, tmp_path, None)
    text = (tmp_path / page.PAGE).read_text(encoding="utf-8")
    for judge in JUDGES.values():
        assert f"## {judge}, 2 random pairs" in text
    assert "| cross-fade | 100 [100, 100] |" in text
    assert "0.500 (+0.300 [+0.300, +0.300])" in text
    stored = json.loads((pack_copy / "card.json").read_text(encoding="utf-8"))
    assert stored["ears"]["random"]["cdpam"]["cross-fade"]["mean"]["nearest"]["mean"] == 0.5
    assert "## Judges not made here (2 random pairs" in card.markdown(stored)
