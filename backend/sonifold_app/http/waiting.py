"""Waiting in line: how many may, and what is told of it."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonifold_app.engine.batching import BusyError, Visit, visit


class WaitHeader:
    """Lets a request through the line as one, and says in ``Server-Timing`` how long it was to wait there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_visit = Visit()

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start" and request_visit.wait is not None:
                MutableHeaders(scope=message).append(
                    "Server-Timing", f"line;dur={1000 * request_visit.wait:.0f}"
                )
            await send(message)

        token = visit.set(request_visit)
        try:
            await self._app(scope, receive, send_timed)
        finally:
            visit.reset(token)


class Line:
    """``async with line``: at most ``at_once`` are inside, and at most ``waiting`` before it.

    Whoever comes then is turned away with BusyError.
    """

    NEW = 0.3  # weight of the newest stay

    def __init__(self, at_once: int, waiting: int, seconds: float = 1.0) -> None:
        """``seconds``: how long a stay is, until that has been seen."""
        self._at_once, self._most = at_once, waiting
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._seconds = seconds
        self._began: dict[asyncio.Task[object] | None, float] = {}

    @property
    def expected(self) -> float:
        """Seconds that whoever comes now would wait."""
        return self._seconds * (self._waiting + self._slots.locked()) / self._at_once

    def refuse_when_full(self) -> None:
        """Raises BusyError where nobody else may wait: to be asked before a body is read."""
        if self._slots.locked() and self._waiting >= self._most:
            raise BusyError(self.expected, self._waiting, self.expected / 2)

    async def enter(self) -> float:
        """Wait for a place; returns what ``leave`` needs. Raises BusyError."""
        self.refuse_when_full()
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        return time.monotonic()

    def leave(self, began: float) -> None:
        """Give the place to the next."""
        self._slots.release()
        self._seconds += self.NEW * (time.monotonic() - began - self._seconds)

    async def __aenter__(self) -> None:
        self._began[asyncio.current_task()] = await self.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave(self._began.pop(asyncio.current_task(), time.monotonic()))
