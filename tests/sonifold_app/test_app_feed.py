"""However many watch a job, the database is read once; each sees every event, in order, from where it was."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from sonifold_app.jobs import feed as feeds
from sonifold_app.jobs.feed import EventFeed
from sonifold_app.store.jobs import JobStore


class CountingStore(JobStore):
    reads = 0

    def events(self, id, after=0):
        self.reads += 1
        return super().events(id, after)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.02)
    with contextlib.closing(CountingStore(tmp_path)) as store:
        yield store


def following(store, scenario):
    """Run a scenario with a feed that reads the store."""

    async def run():
        feed = EventFeed(store)
        feed.start()
        try:
            async with asyncio.timeout(30):
                await scenario(feed)
        finally:
            await feed.close()

    asyncio.run(run())


async def numbers(feed, job, seen=0):
    return [event.number async for event in feed.follow(job, seen, beat=60)]


def test_all_who_watch_see_every_event_and_the_database_is_read_once(store):
    job = store.create("m", "t", {}).id

    async def scenario(feed):
        watching = [asyncio.create_task(numbers(feed, job)) for _ in range(40)]
        while not feed._watched or len(feed._watched[job].queues) < 40:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        before = store.reads
        for n in range(20):
            store.tell(job, "progress", {"n": n})
            await asyncio.sleep(0.03)
        assert store.reads - before < 40 * 5, "each reads for itself"
        store.cancel(job)
        assert await asyncio.gather(*watching) == [list(range(1, 23))] * 40
        assert not feed._watched

    following(store, scenario)


def test_whoever_was_cut_off_goes_on_where_it_was(store):
    job = store.create("m", "t", {}).id
    for n in range(5):
        store.tell(job, "progress", {"n": n})

    async def scenario(feed):
        early = asyncio.create_task(numbers(feed, job))
        late = asyncio.create_task(numbers(feed, job, seen=4))
        beyond = asyncio.create_task(numbers(feed, job, seen=2**53))
        await asyncio.sleep(0.1)
        store.tell(job, "progress", {})
        store.cancel(job)
        assert await early == list(range(1, 9))
        assert await late == [5, 6, 7, 8]
        assert await beyond == []
        assert await numbers(feed, job, seen=6) == [7, 8]  # when it is over

    following(store, scenario)


def test_silence_is_told_and_a_deleted_job_ends(store):
    job = store.create("m", "t", {}).id

    async def scenario(feed):
        seen = []
        async for event in feed.follow(job, 1, beat=0.05):
            seen.append(event)
            if len(seen) == 3:
                store.cancel(job)
                store.remove(job)
        assert seen[:3] == [None, None, None]

    following(store, scenario)


def test_nothing_is_read_while_nobody_watches(store):
    job = store.create("m", "t", {}).id

    async def scenario(feed):
        stream = feed.follow(job, 0, beat=60)
        assert (await anext(stream)).kind == "queued"
        await stream.aclose()
        await asyncio.sleep(0.1)
        before = store.reads
        await asyncio.sleep(0.2)
        assert store.reads == before

    following(store, scenario)
