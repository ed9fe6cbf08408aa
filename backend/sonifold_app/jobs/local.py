"""Starts workers, one after the other, and starts anew what a crash of the server or of a worker interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.concurrency import run_in_threadpool

from sonifold import errors
from sonifold_app.engine.protocol import Engine
from sonifold_app.jobs.background import Background, logged
from sonifold_app.jobs.feed import EventFeed
from sonifold_app.jobs.waits import ROOM_ADVICE, Waits, free_bytes_of, shortage
from sonifold_app.jobs.worker import BLOBS_VARIABLE, DATABASE_VARIABLE, NO_ROOM, PASSING
from sonifold_app.store.jobs import Job, JobStore
from sonifold_app.store.room import Room
from sonifold_app.user.models import UserModels

#: Attempts in a row that come to nothing, and in all, after which a job is given up.
FRUITLESS = 4
ATTEMPTS = 25
#: How long after it was asked for a worker is made ready, so that it takes no core from what the page asks for at that
#: moment; and how long it is kept for a job that may come.
WARM_AFTER_SECONDS = 2.0
WARM_SECONDS = 600.0
IDLE_SECONDS = 1.0
KILL_SECONDS = 3.0
#: Exit status of a worker -> why its job waits, where that passes.
WAITS = {
    PASSING: "it waits because something that it needs cannot be read or written at the moment; the server's log says "
    "more. It goes on by itself once that has passed, or can be cancelled.",
    NO_ROOM: f"it waits for room on the disk. {ROOM_ADVICE}",
}

log = logging.getLogger(__name__)


class JobRunner:
    """One worker at a time. ``start`` and ``close`` belong to the event loop."""

    def __init__(
        self,
        store: JobStore,
        engine: Engine,
        user_models: UserModels,
        data: Path,
        models: Path | None,
        room: Room,
        threads: int = 1,
        device: str = "cpu",
        nice: int = 10,
        retry_seconds: float = 60.0,
        database: str | None = None,
        blobs: str | None = None,
        turn: asyncio.Lock | None = None,
        warm: bool = True,
    ) -> None:
        """``room``: what gives way on a full disk. ``nice``: how far the worker gives way to other processes.
        ``retry_seconds``: at most, between two tries of a job that waits for something to pass.
        ``database``: URL of the database that ``store`` is in, unless it is the embedded one. ``blobs``: URL of the
        object store that has the recordings, if one has. ``turn``: of runners that share a machine one works at a time.
        ``warm``: whether a worker may be kept ready.
        """
        self.store = store
        self.feed = EventFeed(store)
        self._user_models = user_models
        self._engine, self._data, self._models, self._room = engine, data, models, room
        self._command = WorkerCommand(data, models, threads, device, nice, database, blobs)
        self._waits = Waits(retry_seconds)
        self._working, self._may_warm = turn or asyncio.Lock(), warm
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
        """Why jobs wait at the moment, for something other than their turn; None where none does."""
        if self._loop.trouble is not None:
            return self._loop.trouble
        return " ".join(f"Fine-tuning: {reason}" for reason in self._waits.reasons) or None

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
        if self._may_warm and (self._warming is None or self._warming.done()):
            self._warming = asyncio.create_task(self._warm(model))
            self._warming.add_done_callback(log_failure)

    async def _warm(self, model: str) -> None:
        await asyncio.sleep(WARM_AFTER_SECONDS)
        if self._worker is not None and self._worker.returncode is None:
            return  # it takes the core
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
        """Do the job that has waited longest and can be done, or wait a moment for one."""
        if not self._opened:
            await self._open()
        if not self._queue_restored:
            await self._restore_queue()
        next_job = self._waits.first_due(await run_in_threadpool(self.store.queue), free_bytes_of(self._data))
        if next_job is not None:
            self._queue_restored = False  # until it has ended as it should
            async with self._working:
                await self._do(next_job)
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
        if missing_room := await run_in_threadpool(self._shortage, job):
            await self._put_off(job, missing_room, free_bytes_of(self._data))
            return
        if not await run_in_threadpool(self.store.start, job.id):
            return  # cancelled meanwhile
        self._waits.begin(job.id)
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
        elif code in WAITS:
            await self._put_off(job, WAITS[code], free_bytes_of(self._data) if code == NO_ROOM else None)
        else:
            log.warning("the worker of job %s ended with %s before the job did", job.id, code)
            await run_in_threadpool(self.store.requeue, job.id)

    def _shortage(self, job: Job) -> str | None:
        """A sentence about the room that a job lacks on the disk, if so. Raises OSError."""
        try:
            return shortage(job, self._data, self._models, self._room)
        except (errors.PackError, FileNotFoundError):
            return None  # the worker says what is missing

    async def _put_off(self, job: Job, reason: str, free_bytes: int | None = None) -> None:
        """Have a job wait, by no fault of its own, while others go on. ``free_bytes``: where it waits for room."""
        seconds = self._waits.put_off(job.id, reason, free_bytes)
        log.warning("job %s: %s Trying again in %g seconds", job.id, reason, seconds)
        await run_in_threadpool(self.store.put_off, job.id, reason)

    async def _work(self, job: Job) -> int:
        """Have a worker do a job, to its end: the one that is ready if it has loaded the right model."""
        warm_worker, self._warm_worker, self._worker = self._warm_worker, None, None
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
        await run_in_threadpool(self._room.require_folder)  # or its log would go into another folder
        await run_in_threadpool(log.parent.mkdir, parents=True, exist_ok=True)
        with log.open(mode) as out:
            return await asyncio.create_subprocess_exec(
                *self._command.arguments(*more),
                env=self._command.environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
            )


@dataclass(frozen=True)
class WorkerCommand:
    """How a worker is started."""

    data: Path
    models: Path | None
    threads: int
    device: str
    nice: int
    database: str | None  # URL, unless it is the embedded one
    blobs: str | None  # URL, unless recordings are in the data folder

    def arguments(self, *more: str) -> list[str]:
        models = ["--models", str(self.models)] if self.models is not None else []
        numbers = [f"--threads={self.threads}", f"--device={self.device}", f"--nice={self.nice}"]
        return [sys.executable, "-m", "sonifold_app.jobs.worker", str(self.data), *more, *numbers, *models]

    def environment(self) -> dict[str, str]:
        """With the URLs, which everybody on the machine would see among the arguments."""
        urls = {DATABASE_VARIABLE: self.database, BLOBS_VARIABLE: self.blobs}
        inherited = {name: value for name, value in os.environ.items() if name not in urls}
        return inherited | {name: url for name, url in urls.items() if url is not None}


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
