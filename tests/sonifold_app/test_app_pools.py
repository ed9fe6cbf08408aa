"""Playing never waits for work on files, and idle threads give memory back."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest
from app_checks import API, file_of, tone

from sonifold_app.engine.pools import Pool
from sonifold_app.store.recent import RecentFiles


@pytest.fixture
def blocked(client, monkeypatch):
    """Work on files that does not end; how much of it has begun."""
    go, begun = threading.Event(), threading.Semaphore(0)

    def wait(*_, **__):
        begun.release()
        assert go.wait(120)
        raise ValueError("it was only held up")

    monkeypatch.setattr("sonifold.audio.proposals.proposals", wait)
    begun.uploads = []
    yield begun
    go.set()
    for thread in begun.uploads:
        thread.join(60)  # before the client is closed


def answered(call, seconds=30):
    """What a call gives; None if it takes longer."""
    replies = []
    thread = threading.Thread(target=lambda: replies.append(call()), daemon=True)
    thread.start()
    thread.join(seconds)
    return replies[0] if replies else None


def test_sounds_are_heard_while_recordings_are_split(client, name, ids, blocked):
    url = f"{API}/models/{name}"
    files = [("files", (f"{n}.wav", file_of(tone()))) for n in range(3)]
    uploads = [
        threading.Thread(target=lambda: client.post(f"{url}/uploads", files=files), daemon=True)
        for _ in range(2)
    ]
    blocked.uploads = uploads
    for one in uploads:
        one.start()
    assert blocked.acquire(timeout=30)
    assert blocked.acquire(timeout=30)  # as much as is done at the same time
    for path in (f"sounds/{ids[904]}/audio?format=wav", f"sounds/{ids[1]}/distances"):
        reply = answered(lambda path=path: client.get(f"{url}/{path}"))
        assert reply is not None, f"{path} waits for the uploads"
        assert reply.status_code == 200
    reply = answered(lambda: client.post(f"{url}/atlas/positions", json={"points": [[0.0] * 32]}))
    assert reply is not None
    assert reply.status_code == 200


@pytest.fixture
def busy(client, hold_engine):
    """``with busy("files"): ...``: all threads of a kind of slow work are taken, and more of it waits."""

    @contextlib.contextmanager
    def busy(kind):
        engine, go = client.app.state.services.engine, threading.Event()
        pool = {"files": engine._files, "adapting": engine._adapting}.get(kind)
        with contextlib.ExitStack() as stack:
            if pool is None:
                stack.enter_context(hold_engine(0))
                threads = engine._workers
            else:
                threads = pool._threads
            work = [threads.submit(go.wait, 120) for _ in range(threads._max_workers + 4)]
            try:
                yield
            finally:
                go.set()
                for each in work:
                    each.result(120)

    return busy


@pytest.mark.parametrize(("kind", "row"), [("files", 901), ("adapting", 902), ("morphs", 903)])
def test_sounds_map_and_lists_wait_for_no_slow_work(client, name, ids, busy, kind, row):
    url, new = f"{API}/models/{name}", ids[row]  # a sound that is not in memory yet
    with busy(kind):
        for path in (
            f"{API}/models", f"{url}/sounds", f"{url}/atlas", f"{url}/adaptations", f"{url}/uploads", f"{API}/jobs",
            f"{url}/sounds/{new}", f"{url}/sounds/{new}/audio?format=wav", f"{url}/sounds/{ids[1]}/distances",
        ):  # fmt: skip
            reply = answered(lambda path=path: client.get(path))
            assert reply is not None, f"{path} waits for {kind}"
            assert reply.status_code == 200
        reply = answered(lambda: client.post(f"{url}/atlas/positions", json={"points": [[0.0] * 32]}))
        assert reply is not None
        assert reply.status_code == 200


def test_a_library_sound_that_was_sent_is_there_while_all_threads_are_busy(client, name, ids):
    url, go = f"{API}/models/{name}/sounds/{ids[5]}/audio", threading.Event()
    first, threads = client.get(url), client.app.state.services.engine._light._threads
    work = [threads.submit(go.wait, 120) for _ in range(threads._max_workers)]
    try:
        again = answered(lambda: client.get(url))
        part = answered(lambda: client.get(url, headers={"Range": "bytes=4-9"}))
        known = answered(lambda: client.get(url, headers={"If-None-Match": first.headers["etag"]}))
    finally:
        go.set()
        for each in work:
            each.result(120)
    assert again is not None, "it waits for a thread"
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert (part.status_code, part.content) == (206, first.content[4:10])
    assert known.status_code == 304


def test_files_in_memory_give_way_in_the_order_of_their_use():
    files = RecentFiles(max_bytes=10)
    for key in "abc":
        files.put(key, bytes(3))
    assert files.get("a") == bytes(3)
    files.put("d", bytes(4))
    assert [key for key in "abcd" if files.get(key)] == ["a", "c", "d"]
    files.put("d", bytes(1))
    assert files.bytes == 7
    files.put("e", bytes(11))
    assert files.get("e") is None
    assert files.bytes == 0


def test_a_pool_rests_once_after_its_last_work():
    rests, busy = [], []

    async def work():
        pool = Pool("test", 2, idle=lambda: rests.append(len(busy)), rest=0.05)
        assert await asyncio.gather(*(pool.run(busy.append, n) for n in range(20))) == [None] * 20
        assert await pool.run(sorted, [2, 1]) == [1, 2]
        await asyncio.sleep(0.5)
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 / 0)
        await asyncio.sleep(0.5)
        pool.close()

    asyncio.run(work())
    assert rests == [20, 20]


def test_what_nobody_waits_for_is_not_begun():
    begun, go = [], threading.Event()

    async def work():
        pool = Pool("test", 1)
        first = asyncio.ensure_future(pool.run(go.wait, 30))
        second = asyncio.ensure_future(pool.run(begun.append, 2))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0.05)
        go.set()
        assert await first
        assert await pool.run(begun.append, 3) is None
        pool.close()

    asyncio.run(work())
    assert begun == [3]
