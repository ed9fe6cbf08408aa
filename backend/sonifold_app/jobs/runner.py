"""Starts workers, one after the other, and starts anew what a crash of the server or of a worker interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.base import Engine
from sonifold_app.jobs.store import Job, JobStore
from sonifold_app.made import MadeModels

ATTEMPTS = 5
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

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(tell_of_failure)

    async def close(self) -> None:
        """Stop the worker; its job goes on at the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._end_worker()

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
        if job.attempts >= ATTEMPTS:
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
            await run_in_threadpool(self.store.finish, job.id, "done", {"model": job.pack})
        else:
            log.warning("the worker of job %s ended with %s before the job did", job.id, code)
            await run_in_threadpool(self.store.requeue, job.id)

    async def _work(self, job: Job) -> int:
        """Run a worker to its end."""
        folder = self._data / "jobs" / job.id
        await run_in_threadpool(folder.mkdir, parents=True, exist_ok=True)
        models = ["--models", str(self._models)] if self._models is not None else []
        with (folder / "log.txt").open("ab") as out:
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sonifold_app.jobs.worker",
                str(self._data),
                job.id,
                f"--threads={self._threads}",
                *models,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        return await self._worker.wait()

    async def _end_worker(self) -> None:
        worker = self._worker
        if worker is None or worker.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            worker.terminate()
        try:
            async with asyncio.timeout(KILL_SECONDS):
                await worker.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()


def tell_of_failure(task: asyncio.Task[None]) -> None:
    """A runner that fails must not do so in silence."""
    if not task.cancelled() and task.exception() is not None:
        log.error("no more jobs are run until the next start", exc_info=task.exception())
