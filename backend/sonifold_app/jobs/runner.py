"""Starts workers, one after the other, and starts anew what a crash of the server or of a worker interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.base import Engine
from sonifold_app.jobs.store import Job, JobStore
from sonifold_app.made import MadeModels

#: Attempts in a row that come to nothing, and in all, after which a job is given up.
FRUITLESS = 4
ATTEMPTS = 25
#: How long a worker is kept ready for a job that may come.
WARM_SECONDS = 600.0
IDLE_SECONDS = 1.0
KILL_SECONDS = 3.0

log = logging.getLogger(__name__)


class JobRunner:
    """One worker at a time. ``start`` and ``close`` belong to the event loop."""

    def __init__(
        self,
        store: JobStore,
        engine: Engine,
        made: MadeModels,
        data: Path,
        models: Path | None,
        threads: int = 1,
    ) -> None:
        self.store = store
        self._made = made
        self._engine, self._data, self._models, self._threads = engine, data, models, threads
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._worker: asyncio.subprocess.Process | None = None
        self._spare: Spare | None = None
        self._warming: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(tell_of_failure)

    async def close(self) -> None:
        """Stop the worker; its job goes on at the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._warming is not None:
            self._warming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._warming
        await end(self._worker)
        await end(self._spare)

    def prepare(self, model: str) -> None:
        """Somebody may refine this model soon: have a worker load what that needs. It waits for some minutes."""
        busy = self._worker is not None and self._worker.returncode is None
        ready = self._warming is not None and not self._warming.done()
        if not busy and not ready:
            self._warming = asyncio.create_task(self._warm(model))

    async def _warm(self, model: str) -> None:
        spare = self._spare
        if spare is None or spare.model != model or spare.process.returncode is not None:
            await end(spare)
            process = await self._spawn(self._data / "jobs" / "spare.txt", "wb", f"--warm={model}")
            spare = self._spare = Spare(model, process)
        await asyncio.sleep(WARM_SECONDS)
        if self._spare is spare:
            self._spare = None
            await end(spare.process)

    def wake(self) -> None:
        """There is a new job."""
        self._woken.set()

    async def _run(self) -> None:
        if not await self._ready():
            return  # the engine has said why it has no packs; without any there is nothing to refine
        await self._made.open_all()
        for job in await run_in_threadpool(self.store.running):
            await run_in_threadpool(self.store.requeue, job.id)
        while True:
            waiting: Job | None = await run_in_threadpool(self.store.next)
            if waiting is not None:
                await self._do(waiting)
                continue
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._woken.wait()

    async def _ready(self) -> bool:
        """Wait until the engine has its packs; whether it has any."""
        try:
            while await self._engine.catalogue(10.0) is None:
                pass
        except Exception:
            return False
        return True

    async def _do(self, job: Job) -> None:
        if job.cancel:
            await run_in_threadpool(self.store.finish, job.id, "cancelled", {})
            return
        if job.attempts >= ATTEMPTS or await run_in_threadpool(self.store.fruitless, job.id) >= FRUITLESS:
            message = (
                f"it was interrupted {job.attempts} times. Start it again; the server's log may say why."
            )
            await run_in_threadpool(self.store.finish, job.id, "failed", {"message": message}, message)
            return
        await run_in_threadpool(self.store.start, job.id)
        await run_in_threadpool(self.store.tell, job.id, "started", {"attempt": job.attempts + 1})
        code = await self._work(job)
        ended = await run_in_threadpool(self.store.find, job.id)
        if ended is None or ended.state != "running":
            return  # cancelled, or failed with a reason
        pack = self._data / "packs" / job.pack
        if code == 0 and pack.exists():
            await self._engine.open(pack, "refined")
            told = await run_in_threadpool(self.store.events, job.id)
            outcome = next((one.data for one in reversed(told) if one.kind == "saving"), {})
            await run_in_threadpool(self.store.finish, job.id, "done", {"model": job.pack, **outcome})
        else:
            log.warning("the worker of job %s ended with %s before the job did", job.id, code)
            await run_in_threadpool(self.store.requeue, job.id)

    async def _work(self, job: Job) -> int:
        """Have a worker do a job, to its end: the one that is ready if it has loaded the right model."""
        spare, self._spare = self._spare, None
        self._worker = None
        if self._warming is not None and spare is not None:
            self._warming.cancel()
        if spare is not None and spare.model == job.model and spare.process.stdin is not None:
            with contextlib.suppress(OSError):  # it has ended
                spare.process.stdin.write(f"{job.id}\n".encode())
                await spare.process.stdin.drain()
                self._worker = spare.process
        if self._worker is None:
            await end(spare)
            self._worker = await self._spawn(self._data / "jobs" / job.id / "log.txt", "ab", job.id)
        return await self._worker.wait()

    async def _spawn(self, log: Path, mode: Literal["ab", "wb"], *more: str) -> asyncio.subprocess.Process:
        await run_in_threadpool(log.parent.mkdir, parents=True, exist_ok=True)
        models = ["--models", str(self._models)] if self._models is not None else []
        with log.open(mode) as out:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sonifold_app.jobs.worker",
                str(self._data),
                *more,
                f"--threads={self._threads}",
                *models,
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
            )


@dataclass(frozen=True)
class Spare:
    """A worker without a job, which has loaded a model."""

    model: str
    process: asyncio.subprocess.Process


async def end(worker: asyncio.subprocess.Process | Spare | None) -> None:
    """End a worker; its job goes on at another time."""
    process = worker.process if isinstance(worker, Spare) else worker
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(KILL_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def tell_of_failure(task: asyncio.Task[None]) -> None:
    """A runner that fails must not do so in silence."""
    if not task.cancelled() and task.exception() is not None:
        log.error("no more jobs are run until the next start", exc_info=task.exception())
