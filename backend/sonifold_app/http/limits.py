"""Limits of request sizes, and of the JSON that is parsed.

Plain ASGI, so that files stream through. A request that is large is screened in a thread: checking it against what a
route takes happens on the event loop, and must be over in milliseconds whatever came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonifold_app import urls
from sonifold_app.http.problems import Problem, upload_too_large
from sonifold_app.user.archive import ARCHIVE_BYTES

KIBIBYTE = 1024
#: What questions need: 16 points of 512 numbers.
JSON_BYTES = 256 * KIBIBYTE
#: What lists of places need: 1024 points of 32 numbers.
BULK_BYTES = 1024 * KIBIBYTE
BULK = ("/atlas/positions", "/atlas/points", "/decodings", "/descriptions")
#: No object in a request has as many members.
MOST_KEYS = 64
#: Smaller JSON cannot hold up the event loop.
SCREENED_BYTES = 16 * KIBIBYTE


def limits(api: str, upload_bytes: int) -> Callable[[str], int]:
    """How many bytes a path takes, as a function of it; ``api``: where the API lives."""

    def limit_of(path: str) -> int:
        if path == f"{api}/models":
            return ARCHIVE_BYTES
        if path.endswith(("/embeddings", "/uploads", "/sounds")) and "/uploads/" not in path:
            return upload_bytes
        return BULK_BYTES if path.endswith(BULK) else JSON_BYTES

    return limit_of


class BodyLimit:
    """Refuses bodies that are too large: by their announced length at once, else as soon as they have
    become so. Reads on after any answer that comes before its request has been read.

    ``limit_of``: the bytes that a path takes.
    """

    #: Read on for so long: a client that is cut off while it sends sees no answer.
    LINGER_SECONDS = 10.0
    LINGER_BYTES = 1 << 30

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = self._limit_of(scope["path"])
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        received, sending = 0, announced != "0" or "transfer-encoding" in headers

        async def receive_some() -> Message:
            nonlocal received, sending
            message = await receive()
            received += len(message.get("body", b""))
            sending = message.get("more_body", False)
            if received > limit:
                raise upload_too_large(limit)
            return message

        async def send_and_read_on(message: Message) -> None:
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            if ends and sending and "expect" not in headers:  # who asks first has sent nothing yet
                await send({**message, "more_body": True})
                await self._drain(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        if announced.isdecimal() and int(announced) > limit:
            reply = upload_too_large(limit).response()
            reply.headers["connection"] = "close"
            return await reply(scope, receive, send_and_read_on)
        await self._app(scope, receive_some, send_and_read_on)

    async def _drain(self, receive: Receive) -> None:
        drained = 0
        with anyio.move_on_after(self.LINGER_SECONDS):
            while drained < self.LINGER_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


class ScreenedJson:
    """Refuses JSON with objects of very many members, each of which would be an error of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_json(Headers(scope=scope)):
            return await self._app(scope, receive, send)
        try:
            messages = [await receive()]
            while messages[-1].get("more_body", False):
                messages.append(await receive())
        except Problem as too_large:
            return await too_large.response()(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in messages)
        if len(body) > SCREENED_BYTES and await run_in_threadpool(is_sprawling, body):
            return await too_many_members().response()(scope, receive, send)

        async def receive_again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, receive_again, send)


def is_json(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type.startswith("application/") and media_type.endswith("json")


def is_sprawling(body: bytes) -> bool:
    """Whether an object in some JSON has more members than any request needs."""

    def look(pairs: Sequence[tuple[str, Any]]) -> None:
        if len(pairs) > MOST_KEYS:
            raise OverflowError

    try:
        json.loads(body, object_pairs_hook=look)
    except OverflowError:
        return True
    except (ValueError, RecursionError):
        return False  # what reads the request will say what is wrong with it
    return False


def too_many_members() -> Problem:
    return Problem(
        422,
        "request_invalid",
        "The request is not valid",
        f"An object in the request has more than {MOST_KEYS} members, and none that fits has. The description at "
        f"{urls.OPENAPI} shows what does.",
    )
