"""Few-shot episodes: groups apart, supports nested, and rules that are what they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from sonifold_research.episodes import network, page, rules
from sonifold_research.episodes.draw import COUNTS, QUERIES, WAYS, Episode, draw
from sonifold_research.episodes.sounds import ForeignSounds

pytestmark = pytest.mark.long

FAMILIES = ("Kick", "Snare", "Tom", "Bell", "Wind", "Bowed")
INSTRUMENTS = ("Banjo", "Marimba", "Steel drum", "Clarinet", "Violin", "Trumpet")


@pytest.fixture(scope="module")
def foreign():
    """Six families in four groups each, and six instruments."""
    rows = [(family, f"kit {number}") for family in FAMILIES for number in range(4) for _ in range(6)]
    rows += [("Pluck", name) for name in INSTRUMENTS for _ in range(16)]
    families, groups = zip(*rows, strict=True)
    return ForeignSounds(torch.zeros(len(rows), 1), families, groups)


def test_queries_of_families_come_from_other_groups(foreign):
    for seed in range(20):
        episode = draw(foreign, "families", seed)
        assert len(episode.queries) == max(WAYS) * QUERIES
        for label in range(max(WAYS)):
            support, queries = (
                {foreign.groups[row] for row in rows[labels == label]}
                for rows, labels in (
                    (episode.support, episode.support_labels),
                    (episode.queries, episode.query_labels),
                )
            )
            assert not support & queries


def test_queries_of_instruments_come_from_the_other_half_of_their_notes(foreign):
    for seed in range(20):
        episode = draw(foreign, "instruments", seed)
        for label in range(max(WAYS)):
            support = episode.support[episode.support_labels == label]
            queries = episode.queries[episode.query_labels == label]
            assert support.max() < queries.min() or queries.max() < support.min()


def test_few_sounds_are_the_first_of_more(foreign):
    episode = draw(foreign, "families", 0)
    parts = [part for count in COUNTS if (part := episode.part(3, count)) is not None]
    assert len(parts) >= 3
    for fewer, more in itertools.pairwise(parts):
        assert set(fewer.support) < set(more.support)
        assert np.array_equal(fewer.queries, more.queries)


@pytest.fixture(scope="module")
def classes():
    """An episode of three Gaussian classes: (points, episode)."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    points = generator.normal(size=(60, 4)) + 1.5 * generator.normal(size=(3, 4))[labels]
    near = np.arange(60) % 20 < 5
    return points, Episode(np.flatnonzero(near), labels[near], np.flatnonzero(~near), labels[~near])


def test_prototypes_from_distances_are_the_nearest_class_means(classes):
    points, episode = classes
    table = np.linalg.norm(points[:, None] - points, axis=2)
    means = np.stack([points[episode.support[episode.support_labels == label]].mean(0) for label in range(3)])
    nearest = np.linalg.norm(points[episode.queries][:, None] - means, axis=2).argmin(1)
    assert np.array_equal(rules.prototype(table, episode), nearest)


@pytest.mark.parametrize("rule", rules.RULES)
def test_the_true_classes_as_distances_are_recognised_by_every_rule(classes, rule):
    _, episode = classes
    labels = np.repeat(np.arange(3), 20)
    table = (labels[:, None] != labels).astype(float)
    assert rules.accuracy(rules.RULES[rule](table, episode), episode) == 100


def test_the_network_learns_what_is_plain_to_see():
    labels = np.repeat(np.arange(3), 10)
    maps = 0.1 * torch.randn(30, 120, 64, generator=torch.Generator().manual_seed(0))
    for row, label in enumerate(labels):
        maps[row, 40 * label : 40 * label + 40] += 1
    near = np.arange(30) % 10 < 5
    episode = Episode(np.flatnonzero(near), labels[near], np.flatnonzero(~near), labels[~near])
    assert rules.accuracy(network.predicted(network.pooled(maps), episode, 0), episode) > 90


def test_points_are_paired_by_episode():
    cells = [
        {"protocol": "families", "seed": seed, "scores": {"ours": 50.0 + seed, "theirs": 40.0 + seed}}
        for seed in range(5)
    ]
    cells.append({"protocol": "families", "seed": 9, "scores": {"theirs": 0.0}})
    gain = page.Scores(cells).over("families", "ours", "theirs")
    assert (gain.mean, gain.low, gain.high, gain.n) == (10, 10, 10, 5)
