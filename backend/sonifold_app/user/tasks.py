"""Work that goes on behind the requests, by what it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """At most one task of each key at a time. Used from one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, key: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin some work, unless a task of that key is under way."""
        if key not in self._tasks:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def cancel(self, *keys: str) -> None:
        """End the tasks of these keys, and wait until they have."""
        tasks = [self._tasks[key] for key in keys if key in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """End all."""
        await self.cancel(*self._tasks)
