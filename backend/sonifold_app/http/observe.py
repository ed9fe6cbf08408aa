"""What is measured of every request, for metrics and logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonifold_app.urls import API

#: Of what no route of the API answers: files of the page, what is refused before, and addresses where nothing is.
NO_ROUTE = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Exchange:
    """A request and its reply."""

    method: str
    path: str
    route: str  # the template of the address, such as /api/v1/models/{model}
    status: int
    seconds: float  # until the reply began: how long it is read is the client's affair


#: Called with each exchange when it is over.
Observer = Callable[[Exchange], None]


class Observed:
    """Measures the requests that pass through."""

    def __init__(
        self, app: ASGIApp, observers: Sequence[Observer], enter: Callable[[int], None] = lambda change: None
    ) -> None:
        """``enter``: called with 1 when a request comes in and with -1 when its reply is over."""
        self._app, self._observers, self._enter = app, observers, enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = time.perf_counter()
        status, seconds = 500, 0.0  # of an error that nobody expected, which is answered outside of this

        async def send_measured(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - began
            await send(message)

        self._enter(1)
        try:
            await self._app(scope, receive, send_measured)
        finally:
            self._enter(-1)
            exchange = Exchange(
                method_of(scope),
                scope["path"],
                route_of(scope),
                status,
                seconds or time.perf_counter() - began,
            )
            for observe in self._observers:
                observe(exchange)


def method_of(scope: Scope) -> str:
    """One of a few: a client may send any word."""
    method: str = scope["method"]
    return method if method in METHODS else NO_ROUTE


def route_of(scope: Scope) -> str:
    """The template of the route that answered, once it has; a router in another one may know its part of it only."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None:
        return NO_ROUTE
    is_part = scope["path"].startswith(f"{API}/") and not template.startswith(f"{API}/")
    return API + template if is_part else template
