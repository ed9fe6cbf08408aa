"""Jobs that wait until something has passed, such as a full disk: why, and when each is tried again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from sonifold_app.jobs.background import seconds_after
from sonifold_app.jobs.worker import folder_of
from sonifold_app.store.failures import StoreFullError
from sonifold_app.store.folder import bytes_under
from sonifold_app.store.jobs import Job
from sonifold_app.store.room import Room
from sonifold_app.user.models import FINETUNED

#: A checkpoint holds the weights and two moments of each.
CHECKPOINT_WEIGHTS = 3
MEGABYTE = 1_000_000
ROOM_ADVICE = (
    "Delete sounds or models that you no longer need, or make room on the disk; it goes on by itself, or can be "
    "cancelled."
)


@dataclass(frozen=True)
class Wait:
    reason: str | None
    tries: int
    until: float  # by the monotonic clock
    free_bytes: int | None  # of the disk, where it waits for room on it

    def is_over(self, free_bytes: int) -> bool:
        """Whether it is time to try again, or room was made."""
        has_more = self.free_bytes is not None and free_bytes >= self.free_bytes + MEGABYTE
        return has_more or self.until <= time.monotonic()


class Waits:
    """What keeps jobs waiting. The time between two tries doubles, up to a bound; who waits for room tries as soon as
    there is more of it.
    """

    def __init__(self, longest_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._by_job: dict[str, Wait] = {}

    def put_off(self, job: str, reason: str, free_bytes: int | None = None) -> float:
        """Try a job again later; returns after how many seconds at most.

        ``reason``: a sentence for the user. ``free_bytes``: of the disk, where it waits for room on it.
        """
        tries = self._by_job[job].tries if job in self._by_job else 0
        seconds = seconds_after(tries, self._longest_seconds)
        self._by_job[job] = Wait(reason, tries + 1, time.monotonic() + seconds, free_bytes)
        return seconds

    def first_due(self, queue: list[Job], free_bytes: int = 0) -> Job | None:
        """The first of the jobs that are queued whose time has come; others that waited are over.

        ``free_bytes``: of the disk, now.
        """
        self._by_job = {job.id: self._by_job[job.id] for job in queue if job.id in self._by_job}
        return next(
            (job for job in queue if (wait := self._by_job.get(job.id)) is None or wait.is_over(free_bytes)),
            None,
        )

    def begin(self, job: str) -> None:
        """A job is tried: it has no reason to wait any more, unless it is put off again."""
        if job in self._by_job:
            self._by_job[job] = replace(self._by_job[job], reason=None)

    @property
    def reasons(self) -> Collection[str]:
        """Each reason for which a job waits, once."""
        return dict.fromkeys(wait.reason for wait in self._by_job.values() if wait.reason is not None)


def free_bytes_of(folder: Path) -> int:
    """Of the disk that holds a folder; 0 where that cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def shortage(job: Job, data: Path, models: Path | None, room: Room) -> str | None:
    """A sentence about the room that a job lacks on the disk, if so; caches give way first.

    A fine-tuned pack is about as large as its base, and stands beside its checkpoint until it is written.
    Raises OSError, PackNotFound.
    """
    if (data / FINETUNED / job.pack).exists():  # written by an attempt that could not say so any more
        return None
    base = folder_of(job.model, data, models)
    checkpoint_bytes = CHECKPOINT_WEIGHTS * (base / "weights.safetensors").stat().st_size
    needed = bytes_under(base) + checkpoint_bytes - bytes_under(data / "jobs" / job.id)
    sentence = f"it waits for room on the disk, where it needs {needed / MEGABYTE:.0f} MB. {ROOM_ADVICE}"
    disk = shutil.disk_usage(data)
    if disk.total < needed:
        size = f"{disk.total / MEGABYTE:.0f} MB"
        return f"{sentence} All of that disk is {size}: SONIFOLD_DATA names a folder on a larger one."

    def require() -> None:
        if shutil.disk_usage(data).free < needed:
            raise StoreFullError()

    try:
        room.write(require, max(0, needed - disk.free))
    except StoreFullError:
        return sentence
    return None
