"""Values that threads share: computed once, waited for by the others, and by nobody else."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sonifold.shared import RecentValues, SharedProperty


class Counted:
    """A square that takes a while; ``meet`` is called while it is computed."""

    def __init__(self, number: int, meet=lambda: time.sleep(0.05)):
        self.number, self.meet, self.computed = number, meet, 0

    @SharedProperty
    def square(self) -> int:
        """Of the number."""
        self.computed += 1
        self.meet()
        return self.number**2

    @SharedProperty
    def fourth(self) -> int:
        return self.square**2


def test_threads_at_one_object_compute_a_property_once():
    counted = Counted(3)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: counted.square, range(8))) == [9] * 8
    assert counted.computed == 1
    assert counted.fourth == 81
    assert counted.computed == 1


def test_threads_at_two_objects_do_not_wait_for_each_other():
    both = threading.Barrier(2)
    objects = [Counted(number, lambda: both.wait(timeout=30)) for number in (2, 3)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda counted: counted.square, objects)) == [4, 9]


def test_the_class_shows_the_property_and_its_sentence():
    assert isinstance(Counted.square, SharedProperty)
    assert Counted.square.__doc__ == "Of the number."


def test_the_last_values_are_remembered_and_computed_once_by_threads():
    calls = []

    def halved(number: float) -> float:
        calls.append(number)
        time.sleep(0.05)
        return number / 2

    recent = RecentValues(halved, 2)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(recent, [4.0, 6.0] * 4)) == [2.0, 3.0] * 4
    assert sorted(calls) == [4.0, 6.0]
    recent(4.0)
    recent(8.0)  # the least recent, 6, goes
    assert (recent(4.0), len(calls)) == (2.0, 3)
    assert (recent(6.0), len(calls)) == (3.0, 4)


def test_an_error_reaches_all_who_wait_and_is_tried_again():
    begun, calls = threading.Barrier(3), []

    def refused(number: int) -> int:
        calls.append(number)
        if len(calls) == 1:
            time.sleep(0.2)
            raise ValueError(f"{number} is too small")
        return number

    def ask(number: int) -> int:
        begun.wait(timeout=30)
        return recent(number)

    recent = RecentValues(refused, 2)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, 1) for _ in range(3)]
        for future in asked:
            with pytest.raises(ValueError, match="1 is too small"):
                future.result()
    assert recent(1) == 1
    assert calls == [1, 1]
