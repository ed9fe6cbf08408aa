"""The evidence of the card: what is measured on methods of known quality, and that the shipped card holds it."""

import math

import numpy as np
import pytest
import torch

from sonifold.audio.descriptors import DESCRIPTORS
from sonifold.evaluate import card, directions, metrics, paths
from sonifold.evaluate.directions import CHANGE
from sonifold.intervals import Estimate


def test_ranks_agree_when_one_column_is_any_rising_function_of_the_other():
    values = np.random.default_rng(0).normal(size=200)
    found = directions.rank_correlation(values, np.exp(values))
    assert found.mean == pytest.approx(1.0)
    noisy = directions.rank_correlation(values, values + np.random.default_rng(1).normal(size=200))
    assert noisy.low < noisy.mean < noisy.high < 1


def test_where_a_change_is_reached_is_found_between_nodes():
    nodes = torch.arange(-2.0, 3.0)[:, None].repeat(1, 2)
    values = nodes[:, 0] * CHANGE
    assert directions._where(nodes, values, nodes[2], 1.0).tolist() == pytest.approx([1.0, 1.0])
    assert directions._where(nodes, values, nodes[2], -1.0).tolist() == pytest.approx([-1.0, -1.0])
    assert directions._where(nodes, 0 * values, nodes[2], 1.0).isnan().all()


def judgement(**numbers):
    blank = dict.fromkeys(paths.Judgement.__dataclass_fields__, 1.0)
    return paths.Judgement(**{**blank, **numbers})


def test_gains_are_paired_differences_to_the_re_timed_line():
    judged = [
        {
            "line": judgement(length=10.0),
            "line, re-timed": judgement(variation_mel=0.4 + k, length=10.0),
            "blend, w = 3": judgement(variation_mel=0.1 + k, length=10.1, energy=0.5),
        }
        for k in range(5)
    ]
    found = metrics.summarise(judged)
    gained = found["gained"]["blend, w = 3"]["variation_mel"]
    assert (gained.mean, gained.low, gained.high) == pytest.approx((-0.3, -0.3, -0.3))
    assert found["straight"]["blend, w = 3"]["in_energy"] == 0.0
    assert found["straight"]["blend, w = 3"]["in_length"] == 1.0


def test_a_pair_is_judged_by_every_method(model):
    one = paths.Judge(model, 1, methods={"line": paths.Method("linear", "flat"), "blend": paths.Method()})(0)
    assert set(one) == {"line", "blend", "cross-fade"}
    assert one["line"].energy == pytest.approx(1.0)
    assert one["blend"].energy < 1.0
    assert one["blend"].variation < one["line"].variation
    assert 0 < one["blend"].straightness <= 1.0 + 1e-3
    assert one["blend"].reencoding < one["blend"].length


def test_what_is_not_a_number_is_nothing_in_the_card():
    found = card._plain({"a": Estimate(math.nan, math.nan, math.nan, 0), "b": [1.0, math.inf]})
    assert found == {"a": {"mean": None, "low": None, "high": None, "n": 0}, "b": [1.0, None]}
    assert metrics.cell(found["a"]) == "-"


def test_the_shipped_card_is_written_again_as_it_stands(model):
    """Its estimates stand under the key of before: that is still read."""
    assert paths.by_method({"ways": {"line": 1}}) == paths.by_method({"methods": {"line": 1}}) == {"line": 1}
    assert "\n".join(metrics.section(model.card["metrics"])) in model.card_markdown
    assert "\n".join(directions.section(model.card["directions"])) in model.card_markdown


def test_the_shipped_card_says_how_well_words_are_read_and_what_the_natural_gradient_gains(model):
    found = model.card["directions"]
    assert set(found["agreement"]) == set(DESCRIPTORS)
    assert all(row["recordings"]["mean"] >= 0.6 for row in found["agreement"].values())
    methods = paths.by_method(found)
    assert methods["natural gradient"]["away"]["mean"] < methods["Euclidean gradient"]["away"]["mean"]
    assert (
        methods["natural gradient, others held"]["others"]["high"]
        < methods["Euclidean gradient"]["others"]["low"]
    )
    assert "## Words" in model.card_markdown
