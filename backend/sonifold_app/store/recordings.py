"""Rendered sound, kept under the sha256 of its WAV file, and in other formats as they are asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.base import AudioFormat, Recording
from sonifold_app.store.blobs import Blobs, Memo

Convert = Callable[[bytes, AudioFormat], Awaitable[bytes]]


class Recordings:
    """Where morphs and decoded sounds lie between the request that made them and those that fetch them."""

    def __init__(self, blobs: Blobs, memo: Memo, convert: Convert) -> None:
        self._blobs = blobs
        self._memo = memo
        self._convert = convert

    async def keep(self, recording: Recording) -> str:
        """Keep a recording; returns its sha256."""
        return await run_in_threadpool(self._blobs.put, recording.wav)

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
        data = await self._convert(wav, format)
        await run_in_threadpool(self._keep_derived, sha256, format, data)
        return data

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._blobs

    def _derived(self, sha256: str, format: AudioFormat) -> bytes | None:
        name = self._memo.get("format", sha256, format)
        return None if name is None else self._blobs.get(name)

    def _keep_derived(self, sha256: str, format: AudioFormat, data: bytes) -> None:
        self._memo.put(("format", sha256, format), self._blobs.put(data))
