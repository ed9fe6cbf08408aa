"""Threads for work of one kind, so that it never waits for work of another."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sonifold_app.engine.workload import Queue, queue_of

Result = TypeVar("Result")


class Pool:
    """A few threads, and something to do once they have been idle for a moment. Used from one event loop.

    Args:
        name: of the threads.
        threads: how many at most; what comes when all are busy waits for its turn.
        begin: called in each thread before its first work.
        idle: called in one of them once there has been nothing to do for ``rest`` seconds.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        *,
        begin: Callable[[], None] | None = None,
        idle: Callable[[], None] | None = None,
        rest: float = 1.0,
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=begin)
        self._idle, self._rest = idle, rest
        self._unfinished = 0
        self._waiting: dict[object, float] = {}  # what has not begun, and since when
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in one of the threads. One that has not begun is dropped when nobody waits any more."""
        loop = asyncio.get_running_loop()
        entry = object()
        self._waiting[entry] = time.monotonic()

        def begun() -> Result:
            self._waiting.pop(entry, None)
            return function(*arguments)

        future = self._threads.submit(begun)
        self._enter()

        def done(_: object) -> None:
            self._waiting.pop(entry, None)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(self._leave, loop)

        future.add_done_callback(done)
        return await asyncio.wrap_future(future)

    def queue(self) -> Queue:
        """What waits for a thread."""
        return queue_of(tuple(self._waiting.values()))

    def close(self) -> None:
        """Finish what is under way and drop what waits."""
        self._idle = None
        self._threads.shutdown(cancel_futures=True)

    def _enter(self) -> None:
        self._unfinished += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        self._unfinished -= 1
        if self._unfinished == 0 and self._idle is not None:
            self._timer = loop.call_later(self._rest, self._rest_now)

    def _rest_now(self) -> None:
        if self._idle is not None:
            self._threads.submit(self._idle)
