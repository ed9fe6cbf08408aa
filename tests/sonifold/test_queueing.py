"""The simulation of queues beside what is known in closed form."""

import math

import numpy as np
import pytest

from sonifold_research.scale.queueing import (
    Fleet,
    erlang_b,
    erlang_c,
    simulate,
    wait_in_batches,
    wait_of_many,
    wait_of_one,
)

REQUESTS = 30_000
BLOCKS = 20


def exponential(generator, size):
    return generator.exponential(1.0)


def constant(generator, size):
    return 1.0


def mean_and_error(values):
    """The mean, and its standard error by means of blocks: neighbours in a queue wait alike."""
    means = np.array([block.mean() for block in np.array_split(values, BLOCKS)])
    return means.mean(), means.std(ddof=1) / math.sqrt(BLOCKS)


@pytest.mark.parametrize(
    ("fleet", "rate", "expected"),
    [
        (Fleet(1, exponential), 0.6, wait_of_one(0.6, 1, 1)),
        (Fleet(1, constant), 0.7, wait_of_one(0.7, 1, 0)),
        (Fleet(4, exponential), 3.0, wait_of_many(3.0, 1, 4)),
        (Fleet(1, exponential, most=4), 2.4, wait_in_batches(2.4, 1, 4)),
    ],
    ids=["M/M/1", "M/D/1", "M/M/4", "batches of 4"],
)
def test_the_mean_wait_is_that_of_the_closed_form(fleet, rate, expected):
    mean, error = mean_and_error(simulate(fleet, rate, REQUESTS, seed=1).waits)
    assert error < 0.1 * expected, "or the comparison says little"
    assert mean == pytest.approx(expected, abs=3 * error)


def test_where_nobody_may_wait_the_refused_share_is_erlangs():
    outcome = simulate(Fleet(4, exponential, limit=0.0), 3.2, REQUESTS, seed=1)
    assert outcome.refused_share == pytest.approx(erlang_b(3.2, 4), abs=0.01)
    assert not outcome.waits.any()


def test_closed_forms_agree_where_they_meet():
    assert wait_of_many(0.7, 1, 1) == pytest.approx(wait_of_one(0.7, 1, 1)) == pytest.approx(0.7 / 0.3)
    assert wait_in_batches(0.7, 1, 1) == pytest.approx(0.7 / 0.3)
    assert wait_of_one(0.7, 1, 0) == pytest.approx(0.7 / 0.3 / 2)
    assert erlang_c(0.7, 1) == pytest.approx(0.7)
    assert erlang_b(2.0, 2) == pytest.approx(0.4)


def test_replicas_are_busy_for_what_is_offered_and_every_request_has_its_end():
    outcome = simulate(Fleet(4, exponential, shared=False), 3.0, REQUESTS, seed=2, warm_up=0)
    assert outcome.busy == pytest.approx(3 / 4, abs=0.02)
    assert len(outcome.stays) + outcome.refused == REQUESTS
    assert (outcome.stays > outcome.waits).all()


def test_a_line_each_is_no_better_than_one_for_all():
    shared, own = (
        simulate(Fleet(4, constant, shared=shared), 3.4, 8_000, seed=3) for shared in (True, False)
    )
    assert shared.waits.mean() < own.waits.mean()


def test_a_limit_bounds_the_wait_under_any_load():
    fleet = Fleet(2, constant, limit=5.0, each=1.0)
    outcome = simulate(fleet, 8.0, 8_000, seed=4)
    assert outcome.refused_share == pytest.approx(1 - 2 / 8, abs=0.02)
    assert outcome.waits.max() <= 5.0 + 1e-9


def test_the_same_seed_draws_the_same():
    fleet = Fleet(3, exponential, most=2)
    first, second, other = (simulate(fleet, 4.0, 2_000, seed).stays for seed in (5, 5, 6))
    assert (first == second).all()
    assert first.mean() != other.mean()
