"""What happens in jobs, for all who watch: read from the database once, however many they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from sonifold_app.jobs.background import Background
from sonifold_app.store.jobs import OVER, Event, JobStore

POLL_SECONDS = 0.2


@dataclass
class Watched:
    """A job that somebody watches."""

    seen: int = 0
    queues: set[asyncio.Queue[Event | None]] = field(default_factory=set)  # None: the job is over


class EventFeed:
    """One reader for all. ``start`` and ``close`` belong to the event loop."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._watched: dict[str, Watched] = {}
        self._somebody = asyncio.Event()
        self._loop = Background("reading the events of jobs", self._turn)

    def start(self) -> None:
        self._loop.start()

    async def close(self) -> None:
        await self._loop.close()

    async def follow(self, job: str, last_number: int, beat: float) -> AsyncIterator[Event | None]:
        """A job's events with a higher number, until it is over; None for each ``beat`` seconds without one."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._watched.setdefault(job, Watched()).queues.add(queue)  # first, so that nothing is missed between
        self._somebody.set()
        try:
            events, over = await run_in_threadpool(self._read, job, last_number)
            for event in events:
                last_number = event.number
                yield event
            while not over:
                try:
                    async with asyncio.timeout(beat):
                        news = await queue.get()
                except TimeoutError:
                    yield None
                    continue
                if news is None:
                    return
                if news.number > last_number:
                    last_number = news.number
                    yield news
        finally:
            self._leave(job, queue)

    def _leave(self, job: str, queue: asyncio.Queue[Event | None]) -> None:
        if job in self._watched:
            self._watched[job].queues.discard(queue)
            if not self._watched[job].queues:
                del self._watched[job]

    async def _turn(self) -> None:
        """Tell all who watch what is new."""
        if not self._watched:
            self._somebody.clear()
            await self._somebody.wait()
        for job, watched in list(self._watched.items()):
            events, over = await run_in_threadpool(self._read, job, watched.seen)
            watched.seen = events[-1].number if events else watched.seen
            for queue in watched.queues:
                for news in [*events, *([None] if over else [])]:
                    queue.put_nowait(news)
        await asyncio.sleep(POLL_SECONDS)

    def _read(self, job: str, last_number: int) -> tuple[list[Event], bool]:
        """New events, and whether there will be no more: the state is read first, and none comes after the last."""
        stored = self._store.find(job)
        return self._store.events(job, last_number), stored is None or stored.state in OVER
