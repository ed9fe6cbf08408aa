"""Several files of which some cannot be used: the good ones are taken, each bad one is named with what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sonifold import errors
from sonifold_app.http.problems import Problem, of_science
from sonifold_app.schemas.problems import Refused

Result = TypeVar("Result")


@dataclass(frozen=True)
class RequestItem:
    """Where something stands in a request."""

    file: int
    name: str
    sound: int | None = None

    def refused(self, code: str, detail: str) -> Refused:
        return Refused(file=self.file, sound=self.sound, name=self.name, code=code, detail=detail)


@dataclass(frozen=True)
class Sorted(Generic[Result]):
    """The results of those that could be used, each with its item, and the others."""

    taken: list[tuple[RequestItem, Result]]
    refused: list[Refused]


async def outcomes(work: Sequence[Awaitable[Result]]) -> list[Result | errors.SonifoldError]:
    """The result of each, or what it raised of ``sonifold.errors``; anything else is raised."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, errors.SonifoldError):
            raise result
    return results  # type: ignore[return-value]


def sort(
    items: Sequence[RequestItem],
    results: Sequence[Result | errors.SonifoldError],
    skipped: Sequence[Refused] = (),
) -> Sorted[Result]:
    """What was taken and what was not. Raises a 422 that names every file where none was."""
    usable, refused = [], list(skipped)
    for item, result in zip(items, results, strict=True):
        if isinstance(result, errors.SonifoldError):
            problem = of_science(result)
            refused.append(item.refused(problem.code, str(problem.detail)))
        else:
            usable.append((item, result))
    refused.sort(key=lambda refusal: (refusal.file, refusal.sound or 0))
    if not usable:
        raise none_usable(refused)
    return Sorted(usable, refused)


def none_usable(refused: Sequence[Refused]) -> Problem:
    """The problem of the first of them that is more than a file manager's leftover."""
    first = next((refusal for refusal in refused if refusal.code != "skipped"), refused[0])
    others = f" None of the {len(refused)} can be used; `refused` names each." if len(refused) > 1 else ""
    return Problem(
        422,
        first.code,
        "Nothing in it can be used",
        first.detail + others,
        refused=[refusal.model_dump(exclude_none=True) for refusal in refused],
    )
