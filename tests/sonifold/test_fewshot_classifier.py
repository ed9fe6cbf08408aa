"""The classifier's protocol: accuracies, distances, and what the ways of making more promise."""

import numpy as np
import pytest
import torch

from sonifold.adapt import replay
from sonifold.adapt.instant import statistics
from sonifold_research.fewshot import classified, classifiers, classify, making, nearness
from sonifold_research.fewshot.bench import Bench
from sonifold_research.fewshot.encodings import COPIES, Encodings
from sonifold_research.fewshot.groups import Sounds


@pytest.fixture(scope="module")
def bench(model) -> Bench:
    """Eighteen strokes of a tabla."""
    ids = [label.id for label in model.library.labels if label.group == "Sonic Pi tabla"][:18]
    audio = torch.stack([model.library.audio(sound_id, model.sound_samples) for sound_id in ids])
    features, _ = model.representation.analyse(audio)
    values, timbre = model.coefficients.analyse(features), model.representation.timbre(features)
    copies = values[:, None].expand(-1, COPIES, -1)
    heard, offset = model.coefficients.timbre_map
    library = replay.coefficients(model)[replay.trained(model.library)]
    z = model.inverted(values)
    return Bench(
        model,
        Sounds(audio, ()),
        Encodings(values, timbre, copies, z),
        statistics(model),
        library,
        heard,
        offset,
        (values[:2], timbre[:2], z[:2]),
    )


@pytest.fixture(scope="module")
def material(bench) -> classify.Material:
    """Three classes that are none: every third stroke."""
    thirds = [list(range(start, 18, 3)) for start in range(3)]
    pool, test = tuple(places[:4] for places in thirds), tuple(places[4:] for places in thirds)
    others = tuple(bench.encodings.coefficients[places] for places in test)
    return classify.Material(pool, test, others, tuple(bench.sounds.audio[places] for places in test))


def test_balanced_accuracy_counts_classes_alike():
    truth = torch.tensor([0] * 90 + [1] * 10)
    assert classifiers.balanced_accuracy(torch.zeros(100, dtype=torch.long), truth) == 0.5


def test_both_classifiers_tell_apart_what_is_apart_and_guess_where_nothing_is():
    draw = torch.Generator().manual_seed(0)
    centres = 10 * torch.eye(3, 5)

    def rows(apart):
        return [apart * centre + torch.randn(12, 5, generator=draw) for centre in centres]

    for apart, low, high in ((1.0, 0.99, 1.0), (0.0, 0.1, 0.6)):
        found = classify.accuracies(rows(apart), [torch.empty(0, 5)] * 3, (rows(apart), rows(apart)), seed=0)
        assert all(low <= accuracy <= high for accuracy in found.values())


def test_kernel_ridge_does_not_mind_that_a_class_is_large():
    """Two overlapping classes of a line: the boundary stays in the middle when one has ten times the sounds."""
    one, other = torch.linspace(-2, 0.2, 200)[:, None], torch.linspace(-0.2, 2, 20)[:, None]
    labels = torch.tensor([0] * 200 + [1] * 20)
    fit = classifiers.kernel_ridge(torch.cat([one, other]), labels, torch.tensor(1.0), 1.0, 2)
    scores = fit(torch.linspace(-1, 1, 201)[:, None])
    boundary = torch.linspace(-1, 1, 201)[(scores[:, 0] - scores[:, 1]).abs().argmin()]
    assert abs(boundary) < 0.15


def test_through_many_small_steps_is_nearer_than_one_large():
    """Points on a ring, known ones at its end and across the gap: squared steps go around."""
    angles = torch.linspace(0.2, 2 * np.pi - 0.2, 60)
    ring = torch.stack([angles.cos(), angles.sin()], 1)
    across, around = ring[-1:], ring[20:21]
    found = nearness.through(ring[:1], torch.cat([across, around]), ring[1:-1], neighbours=2)[0]
    step = (ring[1] - ring[0]).square().sum()
    assert (ring[0] - across[0]).norm() < (ring[0] - around[0]).norm()
    assert found[1] < found[0]
    assert found[1] == pytest.approx(20 * float(step), rel=1e-3)


def test_straight_lengths_are_zero_on_the_spot_and_never_less_than_the_chord(bench):
    z = bench.encodings.z[:4]
    found = nearness.straight(bench, z, z)
    assert found.diagonal().max() < 1e-4
    ends = bench.model.coordinates(z)
    assert (found - torch.cdist(ends, ends)).min() > -1e-3


def test_every_distance_is_there_and_the_geodesic_is_no_longer_than_the_line(bench, tmp_path):
    values, z = bench.encodings.coefficients, bench.encodings.z
    asked, known = (values[:2], z[:2]), (values[2:5], z[2:5])
    found = nearness.tables(bench, asked, known, tmp_path / "n.safetensors", lambda *a: None)
    assert set(found) == set(nearness.NAMES)
    assert all(table.shape == (2, 3) and (table > 0).all() for table in found.values())
    again = nearness.tables(
        bench, asked, known, tmp_path / "n.safetensors", lambda *a: pytest.fail("not kept")
    )
    torch.testing.assert_close(again, found)


def test_every_way_of_making_more_gives_as_many_sounds(bench):
    places = list(range(6))
    for name, make in making.WAYS.items():
        if make is not None:
            wanted = 6 * COPIES if name == "classic augmentation" else making.SYNTHETIC
            made = make(bench, places, 0)
            assert made.shape == (wanted, bench.model.coefficients.count), name
            assert made.isfinite().all(), name


def test_a_cross_fade_stays_between_its_ends_and_paths_end_where_it_does(bench):
    places = list(range(6))
    values = bench.encodings.coefficients[places]
    assert torch.cdist(making.cross_fade(bench, places, 0), values).amin(1).max() <= torch.pdist(values).max()
    first, second, _ = making._pairs(6, 0)
    ends = making._across(values, first, second, torch.tensor([[0.0, 1.0]]).expand(len(first), -1))
    torch.testing.assert_close(ends.unflatten(0, (-1, 2))[:, 1], values[second])


def test_a_generator_of_a_class_alone_has_seen_that_class(bench):
    rows = bench.encodings.coefficients[:6]
    vae = making.trained_alone(rows, seed=0)
    rebuilt = vae.decode(vae.encode(rows)[0])
    assert (rebuilt - rows).square().sum() < 0.5 * (rows - rows.mean(0)).square().sum()


def test_no_arm_sees_the_test_sounds(material):
    for count, seed in ((3, 0), (4, 1)):
        for own, tested in zip(classify.chosen(material, count, seed), material.test, strict=True):
            assert len(set(own)) == count
            assert not set(own) & set(tested)


def test_the_nearest_by_ear_is_the_weak_classifier(bench, material, tmp_path):
    distances = material.nearness(bench, tmp_path / "n.safetensors", lambda *a: None)
    nearest = classify.by_distance(distances, material, 4, 0)
    weak = classify.measure(bench, material, 4, 0, ["real only"])["real only"]
    assert nearest["by ear"]["test"] == pytest.approx(weak["weak, test"])
    assert nearest["by ear"]["elsewhere"] == pytest.approx(weak["weak, elsewhere"])


def test_the_section_says_which_arm_gains(monkeypatch):
    monkeypatch.setattr(classify, "COUNTS", (5,))
    accuracies = {name: dict.fromkeys(classified.COLUMNS, 0.5) for name in making.WAYS}
    accuracies["geodesic"] = dict.fromkeys(classified.COLUMNS, 0.75)
    cells = [{"count": 5, "seed": seed, "arms": accuracies} for seed in range(3)]
    text = "\n".join(classified.section(cells, None))
    assert "better than real only: geodesic +25.0 [+25.0, +25.0]; worse: nothing" in text
    assert "against linear interpolation: +25.0" in text
