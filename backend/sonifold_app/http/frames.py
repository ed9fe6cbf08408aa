"""Replies that come in frames: each is of use before the next is there, and what was cut off is seen to be.

A frame is one line of JSON and then as many bytes as its ``bytes`` says. Its ``frame`` says what it is; the last one is
``end``, or ``problem`` where something went wrong after the reply had begun. A reply without either was cut off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import anyio
import anyio.lowlevel
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

MEDIA_TYPE = "application/vnd.sonifold.frames"
#: That a client may take for a reply; what it leaves unread stays in memory for no longer.
LONGEST_SECONDS = 120.0


def frame(header: BaseModel, payload: bytes = b"") -> bytes:
    """A frame with a payload, whose size the header says too."""
    return header.model_dump_json(exclude_none=True).encode() + b"\n" + payload


class FramesReply(StreamingResponse):
    """Frames as they come. Their iterator is closed as soon as the client is gone, or takes too long to read them."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, headers=headers, media_type=MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        frames: Any = self.body_iterator
        async with aclosing(frames):
            with anyio.move_on_after(LONGEST_SECONDS):
                async with anyio.create_task_group() as group:

                    async def leave_when_hung_up() -> None:
                        await self.listen_for_disconnect(receive)
                        group.cancel_scope.cancel()

                    group.start_soon(leave_when_hung_up)
                    await self.stream_response(attentive(send))
                    group.cancel_scope.cancel()


def attentive(send: Send) -> Send:
    """The same, but after each message it is noticed whether the client has gone: what is ready is sent at once."""

    async def send_and_look(message: Message) -> None:
        await send(message)
        await anyio.lowlevel.checkpoint()

    return send_and_look
