"""What can be computed again, and need not be: replies by request, and rendered sound under the sha256 of its WAV file
and in other formats as they are asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from sonifold.audio.formats import AudioFormat
from sonifold_app.engine.answers import Recording
from sonifold_app.engine.operations import CONVERT
from sonifold_app.engine.protocol import Engine, run_one
from sonifold_app.engine.questions import ConversionQuery
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.failures import StorageError
from sonifold_app.store.folder import BoundedFolder
from sonifold_app.store.room import Room

log = logging.getLogger(__name__)


class ReplyCache:
    """Replies by request, on disk: what was computed once is not computed again, not even after a restart.

    A key is a sequence of strings that together determine the reply: the model's version and the request. A disk that
    fails costs the time to compute again, nothing else.
    """

    def __init__(self, path: Path, max_bytes: int, *, room: Room | None = None) -> None:
        self._folder = BoundedFolder(path, max_bytes, room=room)
        self._counting = threading.Lock()
        self._lookups = {"hit": 0, "miss": 0}

    def lookups(self) -> dict[str, int]:
        """How often there was something under a key (``hit``), and was not (``miss``)."""
        with self._counting:
            return dict(self._lookups)

    def get(self, *key: str) -> str | None:
        """The text kept under a key, or None; damaged text counts as none."""
        text = self._read(key)
        with self._counting:
            self._lookups["miss" if text is None else "hit"] += 1
        return text

    def _read(self, key: tuple[str, ...]) -> str | None:
        name = self._name(key)
        try:
            data = self._folder.get(name)
        except StorageError as error:
            log.warning("cached reply %s… cannot be read: %s", name[:12], error)
            return None
        if data is None:
            return None
        digest, _, text = data.partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            log.warning("cached reply %s… was damaged on disk; dropped", name[:12])
            with contextlib.suppress(OSError):
                self._folder.drop(name)
            return None
        return text.decode()

    def put(self, key: tuple[str, ...], text: str) -> None:
        """Remember a text, if the disk takes it."""
        data, name = text.encode(), self._name(key)
        try:
            self._folder.put(name, hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        except StorageError as error:
            log.warning("cached reply %s… is not kept: %s", name[:12], error)

    def clear_abandoned(self) -> None:
        """Delete what was never finished."""
        self._folder.clear_abandoned()

    @staticmethod
    def _name(key: tuple[str, ...]) -> str:
        return hashlib.sha256("\0".join(key).encode()).hexdigest()


class Recordings:
    """Where morphs and decoded sounds lie between the request that made them and those that fetch them."""

    def __init__(self, blobs: Blobs, cache: ReplyCache, engine: Engine) -> None:
        self._blobs = blobs
        self._cache = cache
        self._engine = engine

    async def keep(self, recording: Recording, key: tuple[str, ...] | None = None) -> str:
        """Keep a recording, to be found under a key too; returns its sha256."""
        return await run_in_threadpool(self._keep, recording.wav, key)

    async def keep_if_possible(self, recording: Recording, key: tuple[str, ...]) -> None:
        """Keep a recording where the disk takes it: it can be made again."""
        await run_in_threadpool(self._keep_if_possible, recording.wav, key)

    async def find(self, *key: str) -> str | None:
        """The sha256 of what was kept under a key, or None if it is not kept (any more)."""
        return await run_in_threadpool(self._find, key)

    async def get(self, sha256: str, format: AudioFormat) -> bytes | None:
        """A recording as a file of that format, or None if it is not kept (any more)."""
        if format == "wav":
            return await run_in_threadpool(self._blobs.get, sha256)
        derived = await run_in_threadpool(self._derived, sha256, format)
        if derived is not None:
            return derived
        wav = await run_in_threadpool(self._blobs.get, sha256)
        if wav is None:
            return None
        data = await self.converted(wav, format)
        await run_in_threadpool(self._keep_if_possible, data, ("format", sha256, format))
        return data

    async def get_or_render(
        self, key: tuple[str, ...], format: AudioFormat, render: Callable[[], Awaitable[Recording]]
    ) -> bytes:
        """The recording under a key as a file of that format; ``render`` makes it where it is not kept (any more)."""
        sha256 = await self.find(*key)
        data = None if sha256 is None else await self.get(sha256, format)
        if data is not None:
            return data
        recording = await render()
        await self.keep_if_possible(recording, key)
        return await self.converted(recording.wav, format)

    async def converted(self, wav: bytes, format: AudioFormat) -> bytes:
        """A WAV file as a file of that format."""
        return (
            wav
            if format == "wav"
            else await run_one(self._engine, CONVERT, None, ConversionQuery(wav, format))
        )

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._blobs

    def _derived(self, sha256: str, format: AudioFormat) -> bytes | None:
        name = self._cache.get("format", sha256, format)
        return None if name is None else self._blobs.get(name)

    def _keep(self, data: bytes, key: tuple[str, ...] | None) -> str:
        sha256 = self._blobs.put(data)
        if key is not None:
            self._cache.put(key, sha256)
        return sha256

    def _keep_if_possible(self, data: bytes, key: tuple[str, ...]) -> None:
        """If the disk takes it: whoever asked for it has it."""
        try:
            self._keep(data, key)
        except StorageError as error:
            log.warning("the recording %s is not kept: %s", " ".join(key), error)

    def _find(self, key: tuple[str, ...]) -> str | None:
        sha256 = self._cache.get(*key)
        return sha256 if sha256 is not None and sha256 in self._blobs else None
