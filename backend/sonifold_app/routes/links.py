"""Rendered answers as replies: the sound is stored, and its address stands in its place."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from sonifold_app import urls
from sonifold_app.engine.answers import Recording, Rendered
from sonifold_app.schemas.audio import AudioLink, AudioMode
from sonifold_app.store.cache import Recordings

Reply = TypeVar("Reply", bound=BaseModel)


async def linked(
    reply: type[Reply], rendered: Rendered[BaseModel], recordings: Recordings, mode: AudioMode
) -> Reply:
    """A reply with the fields that it shares with the answer, and with ``audio``, the link to its sound."""
    fields: dict[str, Any] = {name: value for name, value in rendered.facts if name in reply.model_fields}
    return reply.model_construct(**fields, audio=await link_to(rendered.recording, recordings, mode))


async def link_to(recording: Recording, recordings: Recordings, mode: AudioMode) -> AudioLink:
    """Store a recording; returns where to fetch it."""
    sha256 = await recordings.keep(recording)
    return AudioLink(
        url=urls.audio(sha256),
        sha256=sha256,
        seconds=round(recording.seconds, 4),
        frames=recording.frames,
        mode=mode,
    )
