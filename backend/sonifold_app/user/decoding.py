"""Processes that decode what strangers send before the server does, so that a file on which a decoder crashes, hangs or
takes all memory ends one of them, and is refused in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sonifold.errors import AudioUnreadable
from sonifold_app.engine.questions import Upload
from sonifold_app.user.decoder import TOO_LARGE

#: On the clock, for one file; its time of the processor ends before, unless the machine is very busy.
FILE_SECONDS = 120.0


class DecodingProcesses:
    """At most so many, each started when it is first needed. They belong to the event loop."""

    def __init__(self, count: int, command: tuple[str, ...] = ("-m", "sonifold_app.user.decoder")) -> None:
        """``command``: what Python is to run."""
        self._turns = asyncio.Semaphore(count)
        self._command = command
        self._idle: list[asyncio.subprocess.Process] = []
        self._processes: set[asyncio.subprocess.Process] = set()

    async def check(self, upload: Upload) -> None:
        """Decode a file elsewhere. Raises AudioUnreadable where that ends the process which does."""
        async with self._turns, self._process() as process:
            answer = await self._answer(process, upload.data)
        if answer is None or answer == TOO_LARGE:
            reason = "takes more memory than a sound does" if answer else "ended the process that decoded it"
            raise AudioUnreadable(
                f"{upload.name} {reason}, and was not read. Export it again, as WAV or FLAC."
            )

    async def close(self) -> None:
        """End them."""
        for process in list(self._processes):
            await end(process)

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """One that waits; ended afterwards, unless it has answered."""
        waiting = [process for process in self._idle if process.returncode is None]
        self._idle = waiting[1:]
        process = waiting[0] if waiting else await self._start()
        answered = False
        try:
            yield process
            answered = process.returncode is None
        finally:
            if answered:
                self._idle.append(process)
            else:
                await end(process)
                self._processes.discard(process)

    async def _answer(self, process: asyncio.subprocess.Process, data: bytes) -> bytes | None:
        """What it writes of a file; None where it ended, or was ended because it took too long."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(FILE_SECONDS):
                process.stdin.write(b"%d\n" % len(data))
                process.stdin.write(data)
                await process.stdin.drain()
                answer = await process.stdout.readline()
        except (TimeoutError, ConnectionError):
            answer = b""
        if not answer:
            await end(process)
        return answer or None

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._processes.add(process)
        return process


async def end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
