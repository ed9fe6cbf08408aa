"""Requests that arrive together are computed together, by one thread.

Jobs wait a few milliseconds for company. Those with the same key go to the runner as one batch; keys take
turns by rank, then by age, so that a bulk upload never stands between a person and the sound she is waiting
for.

The line is bounded by time: who would have to wait too long is turned away at once, and told how long it would be.
"""

from __future__ import annotations

import functools
import itertools
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sonifold_app.engine.workload import Queue, queue_of

Key = TypeVar("Key", bound=Hashable)

#: Of a rank from this one on: done while nothing else waits, however long that takes, and waited for by nobody.
BACKGROUND = 2

#: Between looks whether somebody has waited too long.
LOOK_SECONDS = 0.25

log = logging.getLogger(__name__)


@dataclass
class Visit:
    """One request on its way through the line: it is turned away before its first computation, or not at all."""

    wait: float | None = None  # seconds that it was expected to wait, once it is in
    begun: bool = False  # whether something has been computed for it


#: Whose computations are submitted; in the context of a request's task and of those it starts.
visit: ContextVar[Visit | None] = ContextVar("visit", default=None)


class BusyError(Exception):
    """The line is so long that waiting is of no use; ``wait``: seconds it would take, ``place``: jobs ahead."""

    def __init__(self, wait: float, ahead: int, limit: float) -> None:
        super().__init__(
            f"{ahead} computations are ahead of this one, about {wait:.0f} seconds of work. Send it again a little "
            "later."
        )
        self.wait, self.ahead = wait, ahead
        #: Seconds until half of what may wait is done: a crowd that came each second to be turned away again would
        #: take a fifth of a core, and the line is never empty when it comes.
        self.retry_after = max(1.0, wait - limit / 2)


@dataclass(frozen=True)
class Job(Generic[Key]):
    key: Key
    item: Any
    rank: int  # lower goes first
    number: int  # order of arrival
    size: float = 1.0  # what it takes, compared with others of its key
    visit: Visit | None = None  # of the request that waits for it
    born: float = field(default_factory=time.monotonic)
    future: Future[Any] = field(default_factory=Future)

    def is_late(self, now: float, limit: float) -> bool:
        """Whether it has waited too long, for a request that nothing has been computed for yet."""
        is_new = self.visit is not None and not self.visit.begun
        return is_new and self.rank < BACKGROUND and now - self.born > limit

    def rank_at(self, now: float, patience: float) -> int:
        """Its rank; after ``patience`` seconds it goes by its age alone, unless it is in the background."""
        aged = self.rank < BACKGROUND and now - self.born >= patience
        return 0 if aged else self.rank


class Pace(Generic[Key]):
    """Seconds that an item of size 1 takes, by key: a running mean, from a guess on. Knows the batch under way."""

    NEW = 0.3  # weight of the newest batch
    MOST_KEYS = 256

    def __init__(self, guess: Callable[[Key], float]) -> None:
        self._guess = guess
        self._seconds: dict[Key, float] = {}
        self._running: tuple[Key, float, float] | None = None  # key, size, since when

    def of(self, key: Key) -> float:
        """At least what the batch under way has taken already, if it is of that key."""
        seconds = self._mean(key)
        if self._running is not None and self._running[0] == key:
            _, size, began = self._running
            seconds = max(seconds, (time.monotonic() - began) / size)
        return seconds

    def remaining(self) -> float:
        """Seconds until the batch under way is expected to end."""
        if self._running is None:
            return 0.0
        key, size, began = self._running
        return max(0.0, began + size * self._mean(key) - time.monotonic())

    def begin(self, key: Key, size: float) -> None:
        """A batch of that size in all is under way."""
        self._running = key, size, time.monotonic()

    def end(self) -> None:
        """The batch under way is over."""
        assert self._running is not None, "begin() comes first"
        key, size, began = self._running
        self._running = None
        self.learn(key, size, time.monotonic() - began)

    def learn(self, key: Key, size: float, seconds: float) -> None:
        """A batch of that size in all took so long."""
        mean = self._mean(key)
        if len(self._seconds) >= self.MOST_KEYS and key not in self._seconds:
            self._seconds.clear()
        self._seconds[key] = mean + self.NEW * (seconds / size - mean)

    def _mean(self, key: Key) -> float:
        return self._seconds.get(key, self._guess(key))


class BoundedLine(Generic[Key]):
    """The jobs that were submitted, have not begun, and are still wanted; of a crowd none waits too long.

    Safe to use from several threads. ``guess``, ``limit``, ``few``: as of the ``Batcher``.
    """

    def __init__(self, guess: Callable[[Key], float], limit: float, few: int) -> None:
        self._pace, self._limit, self._few = Pace(guess), limit, few
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._pending: dict[int, Job[Key]] = {}  # by number
        self._batch_sizes: Counter[int] = Counter()

    def enter(
        self, key: Key, items: Sequence[Any], rank: int, size: Callable[[Key, Any], float]
    ) -> list[Job[Key]]:
        """Jobs for items, at the end of the line. Raises BusyError."""
        with self._lock:
            self._require_turn(rank)
            jobs = [Job(key, item, rank, next(self._numbers), size(key, item), visit.get()) for item in items]
            self._pending.update((job.number, job) for job in jobs)
        return jobs

    def _require_turn(self, rank: int) -> None:
        """Raises BusyError."""
        current = visit.get()
        if rank >= BACKGROUND or (current is not None and current.wait is not None):
            return
        wait, ahead = self._ahead(rank)
        if wait > self._limit and ahead > self._few:
            raise BusyError(wait, ahead, self._limit)
        if current is not None:
            current.wait = wait

    def leave(self, number: int, _: Future[Any] | None = None) -> None:
        """A job is done, or nobody wants it any more."""
        with self._lock:
            self._pending.pop(number, None)

    def expected(self, rank: int = 0) -> tuple[float, int]:
        """Seconds that a new job would wait, and how many are ahead of it."""
        with self._lock:
            return self._ahead(rank)

    def _ahead(self, rank: int) -> tuple[float, int]:
        """Every other job but one in the background is waited for: whoever waits long goes by age."""
        ahead = [job for job in self._pending.values() if job.rank <= max(rank, BACKGROUND - 1)]
        return self._pace.remaining() + sum(job.size * self._pace.of(job.key) for job in ahead), len(ahead)

    def wanted(self, jobs: list[Job[Key]]) -> list[Job[Key]]:
        """Those of some jobs that have not given up and were not turned away."""
        with self._lock:
            return [job for job in jobs if job.number in self._pending]

    def take(self, jobs: list[Job[Key]]) -> list[Job[Key]]:
        """The same, out of the line."""
        with self._lock:
            return [job for job in jobs if self._pending.pop(job.number, None) is not None]

    def turn_away(self) -> None:
        """Let go of those of a crowd who have waited too long for a beginning."""
        now = time.monotonic()
        with self._lock:
            crowd = list(self._pending.values()) if len(self._pending) > self._few else []
            late = [job for job in crowd if job.is_late(now, self._limit)]
            for job in late:
                del self._pending[job.number]
        for job in late:
            if job.future.set_running_or_notify_cancel():
                wait, ahead = self.expected(job.rank)
                job.future.set_exception(BusyError(wait, ahead, self._limit))

    def begin(self, batch: list[Job[Key]]) -> None:
        """A batch is under way."""
        with self._lock:
            for job in batch:
                if job.visit is not None:
                    job.visit.begun = True
            self._batch_sizes[len(batch)] += 1
            self._pace.begin(batch[0].key, sum(job.size for job in batch))

    def end(self) -> None:
        """The batch under way is over."""
        with self._lock:
            self._pace.end()

    def queue(self) -> Queue:
        """What waits, in the background too."""
        with self._lock:
            return queue_of([job.born for job in self._pending.values()])

    def batch_sizes(self) -> dict[int, int]:
        """Size -> how many batches."""
        with self._lock:
            return dict(self._batch_sizes)


class Batcher(Generic[Key]):
    """One thread that runs jobs in batches.

    ``run(key, items)`` gives one result for each item, in order; an exception among them is that item's own.

    ``window``: seconds that the first job waits for others. ``most``: largest batch of a key. ``patience``:
    seconds after which a job of any rank but BACKGROUND goes by its age alone. ``idle`` is called once there has been
    nothing to do for ``rest`` seconds. ``guess``: seconds that an item of size 1 takes, until that has been seen;
    ``size``: what an item takes, compared with others of its key. ``limit``: seconds of work ahead from which on a
    crowd takes nothing new, and of waiting after which a job of a crowd is let go. ``few``: so many waiting jobs are no
    crowd; on a machine that is slow all are taken and done, however long it takes.
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
        guess: Callable[[Key], float] = lambda _: 0.1,
        size: Callable[[Key, Any], float] = lambda key, item: 1.0,
        limit: float = 8.0,
        few: int = 4,
    ) -> None:
        self._run = run
        self._window = window
        self._most = most
        self._patience = patience
        self._idle = idle
        self._rest = rest
        self._size = size
        self._line = BoundedLine(guess, limit, few)
        self._inbox: queue.SimpleQueue[Job[Key] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sonifold-inference", daemon=True)
        self._thread.start()
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="sonifold-line", daemon=True).start()

    def submit(self, key: Key, item: Any, *, rank: int = 0) -> Future[Any]:
        """Have an item computed; see ``submit_all``."""
        return self.submit_all(key, [item], rank=rank)[0]

    def submit_all(self, key: Key, items: Sequence[Any], *, rank: int = 0) -> list[Future[Any]]:
        """Have items computed, all or none. Cancelling a future before its batch begins takes it out of the queue.

        Raises BusyError where a crowd with too much to do is ahead of them; what they take themselves does not count,
        nor is a request turned away (see ``Visit``) that had something computed before. Where the wait turns out longer
        than expected the futures of a request raise it later.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            jobs = self._line.enter(key, items, rank, self._size)
            for job in jobs:
                self._inbox.put(job)
        for job in jobs:
            job.future.add_done_callback(functools.partial(self._line.leave, job.number))
        return [job.future for job in jobs]

    def expected(self, rank: int = 0) -> tuple[float, int]:
        """Seconds that a new job would wait, and how many are ahead of it."""
        return self._line.expected(rank)

    def queue(self) -> Queue:
        """What waits, in the background too."""
        return self._line.queue()

    def batch_sizes(self) -> dict[int, int]:
        """Size -> how many batches."""
        return self._line.batch_sizes()

    def close(self) -> None:
        """Finish the batch under way and cancel what waits."""
        with self._lock:
            self._closed = True
            self._inbox.put(None)
        self._ended.set()
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
        try:
            self._idle()
        except Exception:
            log.exception("clearing up failed")  # and the thread must go on
        return self._inbox.get()

    def _next_batch(self, waiting: list[Job[Key]]) -> list[Job[Key]]:
        """Take the next batch out of ``waiting``, skipping what nobody wants any more."""
        now = time.monotonic()
        waiting[:] = self._line.wanted(waiting)
        if not waiting:
            return []
        first = min(waiting, key=lambda job: (job.rank_at(now, self._patience), job.number))
        batch = [job for job in waiting if job.key == first.key][: self._most(first.key)]
        numbers = {job.number for job in batch}
        waiting[:] = [job for job in waiting if job.number not in numbers]
        return [job for job in self._line.take(batch) if job.future.set_running_or_notify_cancel()]

    def _watch(self) -> None:
        """Let go of those who have waited too long for a beginning, also while a batch is under way."""
        while not self._ended.wait(LOOK_SECONDS):
            self._line.turn_away()

    def _compute(self, batch: list[Job[Key]]) -> None:
        if not batch:
            return
        self._line.begin(batch)
        try:
            results = self._run(batch[0].key, [job.item for job in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"the runner gave {len(results)} results for {len(batch)} items")
        except Exception as error:
            results = [error] * len(batch)
        finally:
            self._line.end()
        for job, result in zip(batch, results, strict=True):
            if isinstance(result, BaseException):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)
