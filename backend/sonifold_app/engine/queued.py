"""The half of an engine that is in the server's process, wherever it computes: the catalogue of what is open, and the
lines that questions wait in.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Generic

from sonifold_app.engine.batching import BACKGROUND, Batcher
from sonifold_app.engine.facts import Catalogue
from sonifold_app.engine.models import Opened, OpenModels
from sonifold_app.engine.operations import OPERATIONS, PROGRESSIVE
from sonifold_app.engine.outlet import Outlet
from sonifold_app.engine.pools import Pool
from sonifold_app.engine.protocol import Bounds, Lane, Operation, Part, ProgressiveOperation, Question, Result

#: What waits in one line, by name.
IN_LINE: Mapping[str, Bounds[Any]] = {**OPERATIONS, **PROGRESSIVE}

#: An operation's name and a model's: what has both in common can be computed together.
Key = tuple[str, str | None]


class QueuedEngine(ABC, Generic[Opened]):
    """Questions wait in a line for company, or in a pool for a thread; how they are computed is the rest of the engine.

    Args:
        light, files: for operations of the lanes LIGHT and FILES.
    """

    def __init__(self, light: Pool, files: Pool) -> None:
        self._models: OpenModels[Opened] = OpenModels()
        self._light, self._files = light, files

    @abstractmethod
    def _line(self) -> Batcher[Key]:
        """Where a new question waits."""

    @abstractmethod
    def _answers(
        self, operation: Operation[Question, Result], model: str | None, questions: Sequence[Question]
    ) -> list[Result]:
        """The answers to all questions, computed by the calling thread. Raises the first of their errors."""

    async def catalogue(self, timeout: float) -> Catalogue | None:
        return await self._models.catalogue(timeout)

    async def retitle(self, model: str, title: str) -> None:
        self._models.retitle(model, title)

    async def run(
        self,
        operation: Operation[Question, Result],
        model: str | None,
        questions: Sequence[Question],
        *,
        behind: bool = False,
    ) -> list[Result]:
        if model is not None:
            self._models.find(model)  # an unknown name fails before it waits in line
        if operation.lane is not Lane.BATCH:
            pool = self._light if operation.lane is Lane.LIGHT else self._files
            return await pool.run(self._answers, operation, model, questions)
        rank = BACKGROUND if behind else operation.rank
        futures = self._line().submit_all((operation.name, model), questions, rank=rank)
        return await all_of([asyncio.wrap_future(future) for future in futures])

    async def stream(
        self, operation: ProgressiveOperation[Question, Part], model: str, question: Question
    ) -> AsyncIterator[Part]:
        self._models.find(model)
        outlet: Outlet[Question, Part] = Outlet(question)
        future = self._line().submit((operation.name, model), outlet, rank=operation.rank)
        future.add_done_callback(outlet.end)
        try:
            async for part in outlet.parts():
                yield part
        finally:
            outlet.close()
            future.cancel()


def most_of(key: Key) -> int:
    """Largest batch of an operation."""
    return IN_LINE[key[0]].most


def seconds_of(key: Key) -> float:
    """What a question of an operation takes, until that has been measured."""
    return IN_LINE[key[0]].seconds


def size_of(key: Key, item: Any) -> float:
    """What a question takes, compared with others of its operation."""
    return IN_LINE[key[0]].size(question_of(item))


def question_of(item: Any) -> Any:
    """The question that something in line is about."""
    return item.question if isinstance(item, Outlet) else item


async def all_of(futures: Sequence[asyncio.Future[Result]]) -> list[Result]:
    """Wait for all; once one has failed, or nobody waits any more, the others need not be computed."""
    try:
        return await asyncio.gather(*futures)
    finally:
        for future in futures:
            future.cancel()
