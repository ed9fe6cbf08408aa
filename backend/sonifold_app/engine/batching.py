"""Requests that arrive together are computed together, by one thread.

Jobs wait a few milliseconds for company. Those with the same key go to the runner as one batch; keys take
turns by rank, then by age, so that a bulk upload never stands between a person and the sound she is waiting
for.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")

#: Applies a function to each item, in whatever order or at the same time; results in the items' order.
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job(Generic[Key]):
    key: Key
    item: Any
    rank: int  # lower goes first
    number: int  # order of arrival
    born: float = field(default_factory=time.monotonic)
    future: Future[Any] = field(default_factory=Future)


class Batcher(Generic[Key]):
    """One thread that runs jobs in batches.

    ``run(key, items)`` gives one result for each item, in order; an exception among them is that item's own.

    ``window``: seconds that the first job waits for others. ``most``: largest batch of a key. ``patience``:
    seconds after which a job of any rank goes by its age alone. ``idle`` is called once there has been nothing to
    do for ``rest`` seconds.
    """

    def __init__(
        self,
        run: Callable[[Key, Sequence[Any]], Sequence[Any]],
        *,
        window: float = 0.003,
        most: Callable[[Key], int] = lambda _: 16,
        patience: float = 2.0,
        idle: Callable[[], None] = lambda: None,
        rest: float = 1.0,
    ) -> None:
        self._run = run
        self._window = window
        self._most = most
        self._patience = patience
        self._idle = idle
        self._rest = rest
        self._inbox: queue.SimpleQueue[Job[Key] | None] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sonifold-inference", daemon=True)
        self._thread.start()

    def submit(self, key: Key, item: Any, *, rank: int = 0) -> Future[Any]:
        """Have an item computed. Cancelling the future before its batch begins takes it out of the queue."""
        job = Job(key, item, rank, next(self._numbers))
        with self._lock:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._inbox.put(job)
        return job.future

    def close(self) -> None:
        """Finish the batch under way and cancel what waits."""
        with self._lock:
            self._closed = True
            self._inbox.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _work(self) -> None:
        waiting: list[Job[Key]] = []
        while True:
            open_ = self._collect(waiting)
            if not open_ or self._closed:
                for job in waiting:
                    job.future.cancel()
                return
            self._compute(self._next_batch(waiting))

    def _collect(self, waiting: list[Job[Key]]) -> bool:
        """Move what has arrived from the inbox to ``waiting``; False once the batcher is closed."""
        if not waiting:
            job = self._next_job()
            if job is None:
                return False
            waiting.append(job)
        deadline = waiting[0].born + self._window
        while True:
            try:
                job = self._inbox.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                return True
            if job is None:
                return False
            waiting.append(job)

    def _next_job(self) -> Job[Key] | None:
        """Wait for a job, however long; None once the batcher is closed."""
        with suppress(queue.Empty):
            return self._inbox.get(timeout=self._rest)
        self._idle()
        return self._inbox.get()

    def _next_batch(self, waiting: list[Job[Key]]) -> list[Job[Key]]:
        """Take the next batch out of ``waiting``, skipping what nobody wants any more."""
        now = time.monotonic()
        first = min(waiting, key=lambda job: (job.rank if now - job.born < self._patience else 0, job.number))
        batch = [job for job in waiting if job.key == first.key][: self._most(first.key)]
        taken = {job.number for job in batch}
        waiting[:] = [job for job in waiting if job.number not in taken]
        return [job for job in batch if job.future.set_running_or_notify_cancel()]

    def _compute(self, batch: list[Job[Key]]) -> None:
        if not batch:
            return
        try:
            results = self._run(batch[0].key, [job.item for job in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"the runner gave {len(results)} results for {len(batch)} items")
        except Exception as error:
            for job in batch:
                job.future.set_exception(error)
            return
        for job, result in zip(batch, results, strict=True):
            if isinstance(result, BaseException):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)


def serially(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """One after the other: the simplest way to compute several things."""
    return [function(item) for item in items]


def attempt_each(
    compute: Callable[[Item], Result], items: Iterable[Item], spread: Spread = serially
) -> list[Result | Exception]:
    """Compute each item by itself; what an item raises is its result."""

    def attempt(item: Item) -> Result | Exception:
        try:
            return compute(item)
        except Exception as error:
            return error

    return spread(attempt, items)


def by_group(
    items: Sequence[Item],
    group_of: Callable[[Item], Any],
    compute: Callable[[Any, Sequence[Item]], Sequence[Result]],
    spread: Spread = serially,
) -> list[Result | Exception]:
    """Compute items of the same group together; results in the items' order.

    If a group fails its items are computed one by one, so that only the culprit's request fails.
    """
    groups: dict[Any, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(group_of(item), []).append(index)

    def compute_group(group: Any) -> Sequence[Result | Exception]:
        members = [items[index] for index in groups[group]]
        try:
            return compute(group, members)
        except Exception as error:
            if len(members) == 1:
                return [error]
            return attempt_each(lambda member: compute(group, [member])[0], members)

    results: dict[int, Result | Exception] = {}
    for indices, computed in zip(groups.values(), spread(compute_group, groups), strict=True):
        results.update(zip(indices, computed, strict=True))
    return [results[index] for index in range(len(items))]


def all_or_error(results: Sequence[Result | Exception]) -> list[Result] | Exception:
    """The results, or the first exception among them."""
    good = [result for result in results if not isinstance(result, Exception)]
    return good if len(good) == len(results) else next(r for r in results if isinstance(r, Exception))
