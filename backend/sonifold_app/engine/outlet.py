"""The way of an answer's parts from the thread that computes them to the event loop that waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

Question = TypeVar("Question")
Part = TypeVar("Part")


class Outlet(Generic[Question, Part]):
    """A question, and where the parts of its answer go; made on the event loop that takes them.

    What is not taken yet is kept, an answer at most: so whoever takes slowly holds up no computation.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[Part | Future[Any]] = asyncio.Queue()
        self._closed = False

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for what comes."""
        return not self._closed

    def put(self, parts: Sequence[Part]) -> None:
        """Hand parts over, from any thread."""
        for part in parts:
            self._hand_over(part)

    def end(self, future: Future[Any]) -> None:
        """There is no more: as ``future``, which is done, ended."""
        self._hand_over(future)

    def close(self) -> None:
        """Nobody waits any more."""
        self._closed = True

    async def parts(self) -> AsyncIterator[Part]:
        """What is handed over, to the end. Raises the error that it ended with."""
        while True:
            arrived = await self._arrived.get()
            if isinstance(arrived, Future):
                arrived.result()
                return
            yield arrived

    def _hand_over(self, arrived: Part | Future[Any]) -> None:
        if not self._closed:
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, arrived)
