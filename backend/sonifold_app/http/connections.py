"""Connections that ask nothing, or never to an end, are closed; there are never more than the system has room for."""

from __future__ import annotations

import asyncio
import time
from enum import Enum, auto
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Until a request's headers have come: from the start of a connection, or from their first byte.
HEADER_SECONDS = 15.0
#: Between two parts of a request's body, and for all of it.
PART_SECONDS, BODY_SECONDS = 30.0, 900.0
#: Open connections, where the system allows as many.
MOST_CONNECTIONS = 1000
#: That a client may leave unread what was sent to it; players that pause do.
STALLED_SECONDS = 900.0
TURNED_AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def connection_limit() -> int:
    """Half of the file descriptors that this process may have, which is first raised as far as it goes; the other half
    is for files and the database.
    """
    if resource is None:
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4 * MOST_CONNECTIONS and soft != hard:
        enough = 4 * MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, 4 * MOST_CONNECTIONS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))
        soft = max(soft, enough)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(8, min(MOST_CONNECTIONS, soft // 2))


class Phase(Enum):
    """What a connection waits for."""

    HEADERS = auto()
    BODY = auto()
    ANSWER = auto()


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with time limits on what clients send and take, and a limit on how many there are.

    A connection beyond ``limit`` takes the place of the one that has been idle longest; where all are busy it is turned
    away.
    """

    limit = MOST_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._phase = Phase.HEADERS
        self._phase_began = 0.0
        self._watched: object = None  # the request that the phase is of
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self.limit and not self._make_room():
            transport.write(TURNED_AWAY)
            return transport.close()
        super().connection_made(transport)
        self._phase_began = time.monotonic()
        self._watch()

    def connection_lost(self, error: Exception | None) -> None:
        for timer in (self._timer, self._writing):
            if timer is not None:
                timer.cancel()
        if self.transport is not None:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self.transport is not None:
            super().data_received(data)
            self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()

    @property
    def _now_in(self) -> Phase:
        if self.conn.their_state is h11.SEND_BODY:
            return Phase.BODY
        return Phase.HEADERS if self.cycle is None or self.cycle.response_complete else Phase.ANSWER

    def _watch(self) -> None:
        """Set the clock for what must come next."""
        now, phase = time.monotonic(), self._now_in
        if (phase, self.cycle) != (self._phase, self._watched):
            self._phase, self._watched, self._phase_began = phase, self.cycle, now
        if self._timer is not None:
            self._timer.cancel()
        age = now - self._phase_began
        if phase is Phase.HEADERS:
            self._timer = self.loop.call_later(HEADER_SECONDS - age, self.transport.abort)
        elif phase is Phase.BODY:
            self._timer = self.loop.call_later(min(PART_SECONDS, BODY_SECONDS - age), self._part_missing)

    def _part_missing(self) -> None:
        if self.flow.read_paused:
            return self._watch()  # it is we who do not read
        self.transport.abort()

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; False where all are busy."""
        idle = [
            connection
            for connection in self.connections
            if isinstance(connection, BoundedProtocol) and connection._phase is Phase.HEADERS
        ]
        if not idle:
            return False
        longest = min(idle, key=lambda connection: connection._phase_began)
        self.connections.discard(longest)  # now: its socket is closed in the next turn of the loop
        longest.transport.abort()
        return True
