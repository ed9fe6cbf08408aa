"""The table of choices: words for every name, a file for every metric, and the first as the default everywhere."""

import re

import pytest

from script_modules import ROOT
from sonifold.choices import DistanceName, MetricName, PathKind, SamplerName
from sonifold.metric.registry import METRICS

EVERY = [*PathKind, *MetricName, *DistanceName, *SamplerName]


@pytest.mark.parametrize("choice", EVERY, ids=str)
def test_every_choice_has_its_words_and_none_says_that_it_sounds_better(choice):
    assert all(choice.words)
    assert not re.search("better|best|nicer|natural", " ".join(choice.words), re.I)


def test_every_metric_with_words_is_registered_by_a_file_and_the_reverse():
    registered = [
        name for name in METRICS.names() if METRICS.get(name).__module__.startswith("sonifold.metric.")
    ]
    assert registered == sorted(MetricName)


def test_the_keys_of_the_page_stand_for_kinds_of_paths_and_begin_with_the_first():
    """What each key looks like is the page's; what it is called comes from the table."""
    state = (ROOT / "frontend" / "core" / "state.js").read_text(encoding="utf-8")
    keys = re.findall(r'"(\w+)"', re.search(r"export const PATHS = \[(.*)\]", state)[1])
    assert [kind for kind in PathKind if kind in keys] == keys
    assert keys[0] == next(iter(PathKind))
