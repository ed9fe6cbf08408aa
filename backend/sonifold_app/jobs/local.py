"""Starts workers, one after the other, and starts anew what a crash of the server or of a worker interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.concurrency import run_in_threadpool

from sonifold_app.engine.protocol import Engine
from sonifold_app.jobs.background import Background, logged
from sonifold_app.jobs.feed import EventFeed
from sonifold_app.jobs.worker import PASSING
from sonifold_app.store.jobs import Job, JobStore
from sonifold_app.user.models import UserModels

#: Attempts in a row that come to nothing, and in all, after which a job is given up.
FRUITLESS = 4
ATTEMPTS = 25
#: How long a worker is kept ready for a job that may come.
WARM_SECONDS = 600.0
IDLE_SECONDS = 1.0
KILL_SECONDS = 3.0

log = logging.getLogger(__name__)


class WorkerStoppedError(Exception):
    """A worker met an error that passes, such as a full disk: its job waits and goes on later."""


class JobRunner:
    """One worker at a time. ``start`` and ``close`` belong to the event loop."""

    def __init__(
        self,
        store: JobStore,
        engine: Engine,
        user_models: UserModels,
        data: Path,
        models: Path | None,
        threads: int = 1,
        device: str = "cpu",
        nice: int = 10,
    ) -> None:
        """``nice``: how far the worker gives way to other processes."""
        self.store = store
        self.feed = EventFeed(store)
        self._user_models = user_models
        self._engine, self._data, self._models, self._threads = engine, data, models, threads
        self._device, self._nice = device, nice
        self._woken = asyncio.Event()
        self._loop = Background("running jobs", self._turn)
        self._opened = False  # the user models
        self._queue_restored = False  # no job is said to run that has no worker
        self._begun = False  # whether that was so since this start
        self._worker: asyncio.subprocess.Process | None = None
        self._warm_worker: WarmWorker | None = None
        self._warming: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop.start()
        self.feed.start()

    @property
    def trouble(self) -> str | None:
        """Why no job can be run at the moment, as a sentence; None while they can."""
        return self._loop.trouble

    async def close(self) -> None:
        """Stop the worker; its job goes on at the next start."""
        await self._loop.close()
        await self.feed.close()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        for worker in (self._worker, self._warm_worker):
            await logged("stopping a worker", end(worker))

    def prepare(self, model: str) -> None:
        """Somebody may fine-tune this model soon: have a worker load what that needs. It waits for some minutes."""
        busy = self._worker is not None and self._worker.returncode is None
        ready = self._warming is not None and not self._warming.done()
        if not busy and not ready:
            self._warming = asyncio.create_task(self._warm(model))
            self._warming.add_done_callback(log_failure)

    async def _warm(self, model: str) -> None:
        warm_worker = self._warm_worker
        if warm_worker is None or warm_worker.model != model or warm_worker.process.returncode is not None:
            await end(warm_worker)
            process = await self._spawn(self._data / "jobs" / "spare.txt", "wb", f"--warm={model}")
            warm_worker = self._warm_worker = WarmWorker(model, process)
        await asyncio.sleep(WARM_SECONDS)
        if self._warm_worker is warm_worker:
            self._warm_worker = None
            await end(warm_worker.process)

    def wake(self) -> None:
        """There is a new job."""
        self._woken.set()

    async def discard(self, job: Job) -> None:
        """Forget a job that is over, with its log and its previews. The model it made stays."""
        await run_in_threadpool(self.store.remove, job.id)
        await run_in_threadpool(shutil.rmtree, self._data / "jobs" / job.id, ignore_errors=True)

    async def _turn(self) -> None:
        """Do the job that has waited longest, or wait a moment for one."""
        if not self._opened:
            await self._open()
        if not self._queue_restored:
            await self._restore_queue()
        waiting: Job | None = await run_in_threadpool(self.store.next)
        if waiting is not None:
            self._queue_restored = False  # until it has ended as it should
            await self._do(waiting)
            self._queue_restored = True
            return
        self._woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await self._woken.wait()

    async def _open(self) -> None:
        """Have the engine load the user models, once it has loaded its packs."""
        while await self._engine.catalogue(10.0) is None:
            pass
        await self._user_models.open_all()
        self._opened = True

    async def _restore_queue(self) -> None:
        """Put what an earlier start, or an error of ours, left in the middle back into the queue."""
        await end(self._worker)
        for job in await run_in_threadpool(self.store.running):
            await run_in_threadpool(self.store.requeue, job.id, passing=self._begun)
        self._queue_restored = self._begun = True

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
        if not await run_in_threadpool(self.store.start, job.id):
            return  # cancelled meanwhile
        code = await self._work(job)
        ended = await run_in_threadpool(self.store.find, job.id)
        if ended is None or ended.state != "running":
            return  # cancelled, or failed with a reason
        pack = self._data / "packs" / job.pack
        if code == 0 and pack.exists():
            await self._engine.open(pack, "finetuned")
            events = await run_in_threadpool(self.store.events, job.id)
            outcome = next((event.data for event in reversed(events) if event.kind == "saving"), {})
            await run_in_threadpool(self.store.finish, job.id, "done", {"model": job.pack, **outcome})
        elif code == PASSING:
            await run_in_threadpool(self.store.requeue, job.id, passing=True)
            raise WorkerStoppedError(f"the worker of job {job.id} could not go on; its log says why")
        else:
            log.warning("the worker of job %s ended with %s before the job did", job.id, code)
            await run_in_threadpool(self.store.requeue, job.id)

    async def _work(self, job: Job) -> int:
        """Have a worker do a job, to its end: the one that is ready if it has loaded the right model."""
        warm_worker, self._warm_worker = self._warm_worker, None
        self._worker = None
        if self._warming is not None and warm_worker is not None:
            self._warming.cancel()
        if (
            warm_worker is not None
            and warm_worker.model == job.model
            and warm_worker.process.stdin is not None
        ):
            with contextlib.suppress(OSError):  # it has ended
                warm_worker.process.stdin.write(f"{job.id}\n".encode())
                await warm_worker.process.stdin.drain()
                self._worker = warm_worker.process
        if self._worker is None:
            await end(warm_worker)
            self._worker = await self._spawn(self._data / "jobs" / job.id / "log.txt", "ab", job.id)
        return await self._worker.wait()

    async def _spawn(self, log: Path, mode: Literal["ab", "wb"], *more: str) -> asyncio.subprocess.Process:
        await run_in_threadpool(self.store.database.require_file)  # or its log would go into another folder
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
                f"--device={self._device}",
                f"--nice={self._nice}",
                *models,
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
            )


@dataclass(frozen=True)
class WarmWorker:
    """A worker without a job, which has loaded a model."""

    model: str
    process: asyncio.subprocess.Process


async def end(worker: asyncio.subprocess.Process | WarmWorker | None) -> None:
    """End a worker; its job goes on at another time."""
    process = worker.process if isinstance(worker, WarmWorker) else worker
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


def log_failure(task: asyncio.Task[None]) -> None:
    """A worker that could not be made ready is no loss: the job will start one."""
    if not task.cancelled() and task.exception() is not None:
        log.error("no worker could be made ready", exc_info=task.exception())
