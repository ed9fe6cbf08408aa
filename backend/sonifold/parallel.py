"""Functions applied to several items, at the same time or one after another, as whoever calls decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

#: Applies a function to each item, in whatever order or at the same time; results in the items' order.
MapParallel = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]


def map_serially(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """One after the other: the simplest ``MapParallel``."""
    return [function(item) for item in items]
