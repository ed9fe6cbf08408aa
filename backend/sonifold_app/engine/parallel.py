"""Computing each item of a batch, at the same time or one after another; an item's exception is its own result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sonifold.parallel import MapParallel as MapParallel
from sonifold.parallel import map_serially as map_serially

Item = TypeVar("Item")
Result = TypeVar("Result")
Model = TypeVar("Model")


def attempt_each(
    compute: Callable[[Item], Result], items: Iterable[Item], map_parallel: MapParallel = map_serially
) -> list[Result | Exception]:
    """Compute each item by itself; what an item raises is its result."""

    def attempt(item: Item) -> Result | Exception:
        try:
            return compute(item)
        except Exception as error:
            return error

    return map_parallel(attempt, items)


def each(
    compute: Callable[[Model, Item], Result],
) -> Callable[[Model, Sequence[Item], MapParallel], list[Result | Exception]]:
    """A function of a model and one question as one of a model and a batch."""

    def compute_batch(
        model: Model, questions: Sequence[Item], map_parallel: MapParallel = map_serially
    ) -> list[Result | Exception]:
        return attempt_each(lambda question: compute(model, question), questions, map_parallel)

    return compute_batch


def by_group(
    items: Sequence[Item],
    group_of: Callable[[Item], Any],
    compute: Callable[[Any, Sequence[Item]], Sequence[Result]],
    map_parallel: MapParallel = map_serially,
) -> list[Result | Exception]:
    """Compute items of the same group together; results in the items' order.

    If a group fails its items are computed one by one, so that only the culprit's request fails.
    """
    groups: dict[Any, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(group_of(item), []).append(index)

    def compute_group(group: Any) -> Sequence[Result | Exception]:
        members = [items[index] for index in groups[group]]
        try:
            return compute(group, members)
        except Exception as error:
            if len(members) == 1:
                return [error]
            return attempt_each(lambda member: compute(group, [member])[0], members)

    results: dict[int, Result | Exception] = {}
    for indices, computed in zip(groups.values(), map_parallel(compute_group, groups), strict=True):
        results.update(zip(indices, computed, strict=True))
    return [results[index] for index in range(len(items))]


def all_or_error(results: Sequence[Result | Exception]) -> list[Result] | Exception:
    """The results, or the first exception among them."""
    errors = [result for result in results if isinstance(result, Exception)]
    return errors[0] if errors else [result for result in results if not isinstance(result, Exception)]


def value_of(result: Result | Exception) -> Result:
    """The result. Raises the exception that stands in its place."""
    if isinstance(result, Exception):
        raise result
    return result
