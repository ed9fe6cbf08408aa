"""A name for each request, by which its reply, its problem and the lines of the log are found together."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
#: What a client, or a proxy, may call a request: nothing that would not fit into a line of a log.
ACCEPTED = re.compile(r"[A-Za-z0-9._:/+=-]{1,64}")

#: Of the request that is being answered; in threads too that were begun for it.
request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIds:
    """Takes the id that a request brings, or draws one, and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        brought = Headers(scope=scope).get(HEADER, "")
        id = brought if ACCEPTED.fullmatch(brought) else secrets.token_hex(8)
        # for good: the reply to an error that nobody expected is written outside of this
        request_id.set(id)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        await self._app(scope, receive, send_named)
