"""The reference experiment: its splits, its judges, its words; a whole run on toy digits."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch.testing import assert_close

from sonifold.errors import DatasetError
from sonifold.vae.fit import FitConfig
from sonifold_research.mnist120 import digits, figure, judge, methods, page, report, run

PLAN = run.Plan(FitConfig(epochs=25, learning_rate=3e-3), counts=(20, 60), classifier_steps=20)


def quiet(*_) -> None:
    pass


@pytest.fixture(scope="module")
def pool() -> dict[int, torch.Tensor]:
    """Rings, bars and slants instead of zeros, ones and twos."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 28), torch.linspace(-1, 1, 28), indexing="ij")

    def images(distance) -> torch.Tensor:
        moved = [
            distance(x - dx, y - dy) for dx, dy in (0.2 * torch.randn(480, 2, generator=generator)).tolist()
        ]
        return torch.exp(-((torch.stack(moved) / 0.15) ** 2)).flatten(1)

    return {
        0: images(lambda a, b: (a.square() + b.square()).sqrt() - 0.6),
        1: images(lambda a, b: a + 0 * b),
        2: images(lambda a, b: (a + b) / 1.4),
    }


@pytest.fixture(scope="module")
def finished(pool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mnist120")
    return folder, [run.result_of(pool, 0, folder, quiet, PLAN)]


def test_a_split_has_the_published_counts_and_no_digit_twice(pool):
    split = digits.split(pool, 3)
    assert [(split.train.labels == c).sum().item() for c in (0, 1, 2)] == [40, 41, 39]
    assert len(split.judge) == 3 * digits.JUDGE
    everything = torch.cat([part.images for part in (split.train, split.judge, split.test)])
    assert len(everything.unique(dim=0)) == len(everything) == 3 * 480
    assert not torch.equal(digits.split(pool, 4).train.images, split.train.images)


def test_other_digits_than_the_experiments_are_refused(tmp_path):
    file = tmp_path / "0.json"
    file.write_text(json.dumps({"data": [0.5] * 784}))
    with pytest.raises(DatasetError, match="other digits"):
        digits._read(file, 0)


def test_density_and_coverage_are_what_their_authors_define():
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])  # with k = 1, balls of radius 1, 1, 1 and 8
    found = judge.fidelity(real, torch.tensor([[0.5], [0.6], [50.0]]), k=1)
    assert found.density == pytest.approx(4 / 3)  # two samples lie in two balls each, one in none
    assert found.coverage == pytest.approx(2 / 4)


def test_real_digits_have_density_and_coverage_of_about_one_and_far_ones_none():
    cloud = torch.randn(2, 800, 4, generator=torch.Generator().manual_seed(0))
    same = judge.fidelity(*cloud)
    assert same.density == pytest.approx(1, abs=0.1)
    assert same.coverage == pytest.approx(
        1 - 0.5**5, abs=0.03
    )  # the chance that one of 5 + 5 is a fake first
    far = judge.fidelity(cloud[0], cloud[1] + 100)
    assert (far.density, far.coverage) == (0, 0)


@pytest.mark.long
def test_a_whole_run_gives_every_figure_of_every_method(finished):
    _, results = finished
    for result in results:
        assert set(result) == {run.REAL, *(method.name for method in methods.METHODS)}
        assert result[run.REAL]["expert"] > 0.9
        for method in methods.METHODS:
            figures = result[method.name]
            assert {"density", "coverage", "alone 20", "added 60"} <= figures.keys()
            assert 0 <= figures["coverage"] <= 1
            assert 0.2 < figures["added 60"] <= 1
        assert result["RHVAE, learned metric"]["escapes"] == 0
        assert result["RHVAE, learned metric"]["acceptance"] > 0.8


@pytest.mark.long
def test_what_is_finished_is_not_run_again(finished, pool):
    folder, results = finished

    def fail(*_) -> None:
        raise AssertionError("it ran again")

    assert run.result_of(pool, 0, folder, fail) == json.loads(json.dumps(results[0]))


@pytest.mark.long
def test_the_figure_is_a_small_picture(finished, pool):
    folder, _ = finished
    latents = run.latents_of(digits.split(pool, 0), 0, folder, quiet)
    figure.draw(latents, 0, folder / "figure.png")
    data = (folder / "figure.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < 400_000


@pytest.mark.long
def test_samples_have_the_class_of_the_nearest_training_digit(finished, pool):
    folder, _ = finished
    latent = run.latents_of(digits.split(pool, 0), 0, folder, quiet)["RHVAE"]
    again = latent.decoded(latent.means)
    assert torch.equal(again.labels, latent.examples.labels)
    between = methods.interpolation(latent, 200, 1)
    assert between.points.min() >= latent.means.min() - 1e-5
    assert_close(between.images, latent.model.decode(between.points).detach())


@pytest.mark.long
def test_classic_augmentation_moves_digits_a_little(finished, pool):
    folder, _ = finished
    latent = run.latents_of(digits.split(pool, 0), 0, folder, quiet)["VAE"]
    moved = methods.augmentation(latent, 300, 0)
    assert moved.images.min() >= 0
    assert moved.images.max() <= 1
    away = torch.cdist(moved.images, latent.examples.images)
    assert (away.amin(1) > 0).float().mean() > 0.9
    assert (latent.examples.labels[away.argmin(1)] == moved.labels).float().mean() > 0.95


def result(**figures: float) -> run.Result:
    every = {"density": 1.0, "coverage": 0.5, "alone 2000": 0.8, "added 2000": 0.9, "escapes": 0.0}
    every |= {"alone 500": 0.7, "added 500": 0.8, "acceptance": 0.9}
    found: run.Result = {run.REAL: {**every, "expert": 0.98, "tested": 1800.0, "accuracy": 0.95}}
    found |= {method.name: dict(every) for method in methods.METHODS}
    found[page.METRIC] |= figures
    return found


def test_an_interval_is_students():
    found = report.Mean.of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.value == 3
    assert found.half == pytest.approx(2.776445 * math.sqrt(2.5 / 5), rel=1e-6)
    assert not math.isfinite(report.Mean.of([1.0]).half)


def test_the_page_says_better_worse_or_no_different_by_the_numbers():
    results = [result(coverage=c, density=d) for c, d in ((0.60, 0.90), (0.61, 0.91), (0.62, 0.92))]
    text = page.page(results, "picture.png")
    assert "- RHVAE, mixture: better in coverage; worse in density." in text
    assert "| RHVAE, mixture | **-0.090 ± 0.025** | **+0.110 ± 0.025** | +0.000 ± 0.000 |" in text
    assert "| RHVAE, learned metric | 0.910 ± 0.025 | 0.610 ± 0.025 |" in text
    noisy = [result(coverage=c) for c in (0.2, 0.5, 0.9)]
    assert "- RHVAE, mixture: no different, as far as 3 seeds can show." in page.page(noisy, "picture.png")
