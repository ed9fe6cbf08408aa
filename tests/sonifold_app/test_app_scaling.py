"""How many replicas there are, by what waits: told of each moment, nothing is waited for."""

from __future__ import annotations

import itertools

import pytest

from sonifold_app.engine.cluster.scaling import GROW_SECONDS, SHRINK_SECONDS, WAIT_SECONDS, Scaling

LONG, SHORT = WAIT_SECONDS * 2, WAIT_SECONDS / 2


def test_there_are_never_fewer_than_the_least_and_never_more_than_the_most():
    scaling = Scaling(2, 4)
    assert scaling.wanted(0, replicas=0, wait=0, busy=0) == 2
    counts = [2]
    for second in range(100):
        counts.append(scaling.wanted(second, replicas=counts[-1], wait=LONG, busy=counts[-1]))
    assert counts[-1] == 4
    assert max(after - before for before, after in itertools.pairwise(counts)) == 1


def test_one_more_is_begun_once_a_line_has_stayed_long():
    scaling = Scaling(1, 4)
    assert scaling.wanted(0, replicas=1, wait=LONG, busy=1) == 1
    assert scaling.wanted(GROW_SECONDS * 0.9, replicas=1, wait=LONG, busy=1) == 1
    assert scaling.wanted(GROW_SECONDS, replicas=1, wait=LONG, busy=1) == 2
    assert scaling.wanted(GROW_SECONDS * 1.5, replicas=2, wait=LONG, busy=2) == 2, "the new one helps first"


def test_a_line_that_was_short_between_begins_anew():
    scaling = Scaling(1, 4)
    scaling.wanted(0, replicas=1, wait=LONG, busy=1)
    scaling.wanted(GROW_SECONDS / 2, replicas=1, wait=SHORT, busy=1)
    assert scaling.wanted(GROW_SECONDS, replicas=1, wait=LONG, busy=1) == 1


@pytest.mark.parametrize(("busy", "count"), [(1, 2), (3, 3)])
def test_one_less_remains_where_one_was_idle_for_long(busy, count):
    scaling = Scaling(1, 4)
    assert scaling.wanted(0, replicas=3, wait=0, busy=busy) == 3
    assert scaling.wanted(SHRINK_SECONDS, replicas=3, wait=0, busy=busy) == count
