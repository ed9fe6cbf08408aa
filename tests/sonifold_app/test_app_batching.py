"""Requests that come together are computed together, and nobody pays for another's mistake."""

from __future__ import annotations

import asyncio
import contextvars
import json
import queue
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
from app_checks import API, assert_problem, file_of, tone, wait_for

from sonifold_app.engine.batching import BACKGROUND, Batcher, BusyError, Visit, visit
from sonifold_app.engine.parallel import all_or_error, attempt_each, by_group
from sonifold_app.http.waiting import Line
from sonifold_app.routes.services import SingleFlight


class Recorder:
    """Runs batches, remembers them, and can be held up."""

    def __init__(self):
        self.batches = []
        self.started = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def __call__(self, key, items):
        self.started.set()
        self.go.wait(10)
        self.batches.append((key, list(items)))
        if key == "raise":
            raise ValueError("all of them")
        return [ValueError(item) if item == "bad" else item for item in items]

    def hold(self, batcher):
        """Keep the thread busy, so that what is submitted now waits together."""
        self.go.clear()
        self.started.clear()
        held = batcher.submit("held", "held")
        self.started.wait(10)
        return held


@pytest.fixture
def run():
    return Recorder()


@pytest.fixture
def batcher(run):
    batcher = Batcher(run, window=0.0, most=lambda key: 3, patience=60)
    yield batcher
    run.go.set()
    batcher.close()


def test_jobs_that_wait_together_run_together(batcher, run):
    run.hold(batcher)
    jobs = [batcher.submit("a", i) for i in range(2)] + [batcher.submit("b", 7)] + [batcher.submit("a", 2)]
    run.go.set()
    assert [job.result(10) for job in jobs] == [0, 1, 7, 2]
    assert run.batches[1:] == [("a", [0, 1, 2]), ("b", [7])]


def test_the_first_job_waits_a_moment_for_others(run):
    batcher = Batcher(run, window=5.0, most=lambda key: 9)
    jobs = [batcher.submit("a", i) for i in range(3)]
    closing = threading.Thread(target=batcher.close)
    closing.start()  # ends the window early; what waits is cancelled, not run
    closing.join(10)
    assert run.batches == []
    assert all(job.cancelled() for job in jobs)


def test_a_batch_has_its_limit(batcher, run):
    run.hold(batcher)
    jobs = [batcher.submit("a", i) for i in range(7)]
    run.go.set()
    assert [job.result(10) for job in jobs] == list(range(7))
    assert [len(items) for _, items in run.batches[1:]] == [3, 3, 1]


def test_lower_ranks_go_first(batcher, run):
    run.hold(batcher)
    bulk = [batcher.submit("bulk", i, rank=1) for i in range(6)]
    quick = batcher.submit("quick", "now")
    run.go.set()
    for job in [*bulk, quick]:
        job.result(10)
    assert [key for key, _ in run.batches[1:]] == ["quick", "bulk", "bulk"]


def test_a_job_that_has_waited_long_goes_by_its_age(run):
    batcher = Batcher(run, window=0.0, patience=0.0)
    run.hold(batcher)
    jobs = [batcher.submit("bulk", 1, rank=1), batcher.submit("quick", 2)]
    run.go.set()
    for job in jobs:
        job.result(10)
    assert [key for key, _ in run.batches[1:]] == ["bulk", "quick"]
    batcher.close()


def test_a_mistake_is_its_own_items(batcher, run):
    run.hold(batcher)
    good, bad, fine = (batcher.submit("a", item) for item in ("good", "bad", "fine"))
    run.go.set()
    assert good.result(10) == "good"
    assert fine.result(10) == "fine"
    with pytest.raises(ValueError, match="bad"):
        bad.result(10)


def test_a_runner_that_fails_fails_its_batch_and_goes_on(batcher):
    with pytest.raises(ValueError, match="all of them"):
        batcher.submit("raise", 1).result(10)
    assert batcher.submit("a", 2).result(10) == 2


def test_what_nobody_wants_any_more_is_not_computed(batcher, run):
    run.hold(batcher)
    unwanted, wanted = batcher.submit("a", "unwanted"), batcher.submit("a", "wanted")
    unwanted.cancel()
    run.go.set()
    assert wanted.result(10) == "wanted"
    assert ("a", ["wanted"]) in run.batches
    with pytest.raises(CancelledError):
        unwanted.result()


def test_after_work_there_is_one_call_to_clear_up(run):
    cleared = queue.SimpleQueue()
    batcher = Batcher(run, window=0.0, idle=lambda: cleared.put(len(run.batches)), rest=0.01)
    cleared.get(timeout=10)
    batcher.submit("a", 1).result(10)
    assert cleared.get(timeout=10) == 1
    batcher.close()
    assert cleared.empty()


def test_a_closed_batcher_takes_nothing(run):
    batcher = Batcher(run)
    batcher.close()
    with pytest.raises(RuntimeError):
        batcher.submit("a", 1)


def test_who_would_wait_too_long_is_turned_away_at_once_and_told_how_long(run):
    batcher = Batcher(run, window=0.0, most=lambda key: 1, guess=lambda key: 2.0, limit=10.0)
    run.hold(batcher)
    waiting = [batcher.submit("a", i) for i in range(5)]  # 2 s of work under way, 2 s each before a sixth
    with pytest.raises(BusyError) as refused:
        batcher.submit("a", "one too many")
    assert refused.value.ahead == 5
    assert refused.value.wait == pytest.approx(12, abs=0.5)
    assert refused.value.retry_after == pytest.approx(7, abs=0.5)  # when five of ten seconds are left
    for job in waiting[2:]:
        job.cancel()  # who gives up makes room
    assert batcher.expected() == (pytest.approx(6, abs=0.5), 2)
    assert batcher.submit("a", "there is room") is not None
    run.go.set()
    batcher.close()
    assert ("a", ["one too many"]) not in run.batches


def test_many_items_of_one_question_are_taken_together_or_not_at_all(run):
    batcher = Batcher(run, window=0.0, guess=lambda key: 1.0, limit=10.0)
    run.hold(batcher)
    batcher.submit_all("a", list(range(30)))  # what a question takes itself does not count against it
    with pytest.raises(BusyError):
        batcher.submit_all("a", [1, 2])
    assert batcher.expected()[1] == 30
    run.go.set()
    batcher.close()


def test_a_request_is_turned_away_at_its_first_step_or_at_none(run):
    batcher = Batcher(run, window=0.0, guess=lambda key: 6.0, limit=10.0)
    run.hold(batcher)

    def ask(how_often):
        visit.set(Visit())
        for n in range(how_often):
            batcher.submit("a", n)
        return visit.get().wait

    assert contextvars.copy_context().run(ask, 5) == pytest.approx(6, abs=0.5)
    with pytest.raises(BusyError):
        contextvars.copy_context().run(ask, 1)
    run.go.set()
    batcher.close()


def test_who_waits_longer_than_was_expected_is_turned_away_in_the_end(run):
    """Unless something has been computed for the same request already."""
    batcher = Batcher(run, window=0.0, most=lambda key: 1, guess=lambda key: 0.001, limit=0.2, few=2)
    new, begun = Visit(), Visit(begun=True)

    def ask(whose):
        visit.set(whose)
        return batcher.submit("a", "asked")

    run.hold(batcher)
    late, kept = (contextvars.copy_context().run(ask, whose) for whose in (new, begun))
    alone = batcher.submit("a", "by nobody's request")
    with pytest.raises(BusyError):
        late.result(10)  # while the batch that was under way still is
    run.go.set()
    assert kept.result(10) == "asked"
    assert alone.result(10) == "by nobody's request"
    assert run.batches.count(("a", ["asked"])) == 1
    batcher.close()


def test_a_few_are_served_however_long_a_slow_machine_takes(run):
    batcher = Batcher(run, window=0.0, guess=lambda key: 0.001, limit=0.2, few=2)

    def ask(number):
        visit.set(Visit())
        return batcher.submit("a", number)

    run.hold(batcher)
    waiting = [contextvars.copy_context().run(ask, number) for number in (1, 2)]
    time.sleep(0.7)  # more than twice the limit and the time between two looks
    assert not any(future.done() for future in waiting)
    run.go.set()
    assert [future.result(10) for future in waiting] == [1, 2]
    batcher.close()


def test_a_few_are_taken_however_slow_the_machine_has_been_so_far(run):
    batcher = Batcher(run, window=0.0, most=lambda key: 1, guess=lambda key: 60.0, limit=8.0, few=2)

    def ask(number):
        visit.set(Visit())
        return batcher.submit("a", number)

    held = run.hold(batcher)  # 60 s of work under way: more than the limit, but not of a crowd
    waiting = [contextvars.copy_context().run(ask, number) for number in (1, 2, 3)]
    with pytest.raises(BusyError):
        contextvars.copy_context().run(ask, 4)
    run.go.set()
    held.result(10)
    assert [future.result(10) for future in waiting] == [1, 2, 3]
    batcher.close()


def test_a_batch_that_takes_longer_than_expected_tells_of_those_to_come(run):
    batcher = Batcher(run, window=0.0, most=lambda key: 1, guess=lambda key: 0.01, limit=0.5, few=0)
    run.go.clear()
    first = batcher.submit("a", 1)
    run.started.wait(10)
    second = batcher.submit("a", 2)
    time.sleep(0.7)
    with pytest.raises(BusyError):
        batcher.submit("a", 3)
    run.go.set()
    assert [first.result(10), second.result(10)] == [1, 2]
    batcher.close()


def test_the_wait_is_learned_from_how_long_items_took():
    batcher = Batcher(lambda key, items: [time.sleep(0.02)] * len(items), guess=lambda key: 100.0, limit=10.0)
    for _ in range(40):
        batcher.submit("a", None).result(10)
    held = batcher.submit_all("a", [None] * 10)
    wait, _ = batcher.expected()
    assert 0 < wait < 10
    for job in held:
        job.cancel()
    batcher.close()


def test_larger_questions_count_for_more(run):
    batcher = Batcher(run, window=0.0, guess=lambda key: 1.0, size=lambda key, item: item, limit=100.0)
    run.go.clear()
    first = batcher.submit("a", 1.0)
    run.started.wait(10)
    batcher.submit("a", 30.0)
    assert batcher.expected() == (pytest.approx(31, abs=0.5), 1)
    run.go.set()
    first.result(10)
    batcher.close()


def test_what_is_in_the_background_waits_for_all_others_and_nobody_for_it(run):
    batcher = Batcher(run, window=0.0, patience=0.0, guess=lambda key: 1.0, limit=10.0)
    held = run.hold(batcher)
    behind = batcher.submit_all("behind", list(range(50)), rank=BACKGROUND)
    assert batcher.expected() == (pytest.approx(1, abs=0.5), 0)
    jobs = [batcher.submit("a", i, rank=i % 2) for i in range(6)]
    run.go.set()
    for job in [held, *jobs, *behind]:
        job.result(10)
    keys = [key for key, _ in run.batches]
    assert keys.index("behind") > max(index for index, key in enumerate(keys) if key == "a")
    batcher.close()


def test_a_failure_to_clear_up_does_not_end_the_thread(run):
    def fail():
        raise OSError("no free file descriptor")

    batcher = Batcher(run, window=0.0, idle=fail, rest=0.01)
    time.sleep(0.05)
    assert batcher.submit("a", 1).result(10) == 1
    batcher.close()


def test_a_busy_server_says_so_before_anything_is_computed(client, ids, name, counted, hold_engine):
    batcher = client.app.state.services.engine._batcher
    body = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kinds": ["linear"], "steps": 5}
    with counted() as calls, hold_engine(0):
        ahead = batcher.submit_all(("trace", "held"), [None] * 60)
        answer = client.post(f"{API}/models/{name}/morphs", json=body)
        problem = assert_problem(answer, 503, "server_busy")
        assert int(answer.headers["retry-after"]) >= 1
        assert problem["expected_wait"] > 10
        assert problem["place"] >= 60
        assert client.get(f"{API}/models/{name}/sounds/{ids[0]}/audio").status_code == 200
        for job in ahead:
            job.cancel()
        assert not calls
    answer = client.post(f"{API}/models/{name}/morphs", json=body)
    assert answer.status_code == 200
    assert answer.headers["server-timing"].startswith("line;dur=")


def test_a_line_has_so_many_places_and_lets_so_many_wait():
    async def scenario():
        line, go, inside = Line(at_once=1, waiting=2, seconds=4.0), asyncio.Event(), []

        async def stay(who):
            async with line:
                inside.append(who)
                await go.wait()

        guests = [asyncio.create_task(stay(who)) for who in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert inside == [0]
        assert line.expected == 12
        with pytest.raises(BusyError):
            line.refuse_when_full()
        guests[2].cancel()
        await asyncio.wait([guests[2]])
        line.refuse_when_full()
        go.set()
        await asyncio.gather(*guests[:2])
        assert inside == [0, 1]
        assert line.expected < 4

    asyncio.run(scenario())


def test_groups_are_computed_together_and_come_back_in_order():
    seen = []

    def double(group, items):
        seen.append(items)
        return [2 * item for item in items]

    assert by_group([1, 2, 3, 4, 5, 6], lambda n: n % 2, double) == [2, 4, 6, 8, 10, 12]
    assert seen == [[1, 3, 5], [2, 4, 6]]


def test_a_group_that_fails_together_is_tried_one_by_one():
    def invert(group, items):
        return [1 / item for item in items]

    one, zero, two = by_group([1, 0, 2], lambda n: "all", invert)
    assert (one, two) == (1.0, 0.5)
    assert isinstance(zero, ZeroDivisionError)


def test_all_or_the_first_error():
    good, bad = attempt_each(float, ["1", "x"])
    assert all_or_error([good]) == [1.0]
    assert all_or_error([good, bad]) is bad


def test_concurrent_requests_share_a_batch(client, ids, name, counted, hold_engine):
    def ask(kind_and_index):
        kind, i = kind_and_index
        body = {
            "anchors": [{"sound": ids[i]}, {"sound": ids[i + 1]}],
            "kind": kind,
            "steps": 3,
            "weight": 0.25,
        }
        return client.post(f"{API}/models/{name}/paths", json=body)

    asked = [("linear", i) for i in range(5)] + [("geodesic", 3)]
    with counted() as calls, ThreadPoolExecutor(8) as pool:
        with hold_engine(len(asked)):
            answers = [pool.submit(ask, one) for one in asked]
        assert [answer.result().status_code for answer in answers] == [200] * 6
    assert sorted(calls["paths"]) == [1, 5]


def test_a_bad_request_does_not_spoil_its_batch(client, ids, name, hold_engine):
    def ask(anchor):
        body = {"anchors": [{"sound": ids[0]}, anchor], "kind": "linear", "steps": 3}
        return client.post(f"{API}/models/{name}/paths", json=body)

    anchors = [{"sound": ids[1]}, {"point": [0.0]}, {"sound": "nope"}, {"sound": ids[2]}]
    with ThreadPoolExecutor(8) as pool:
        with hold_engine(3):  # the sound that is not there is missed before
            answers = [pool.submit(ask, anchor) for anchor in anchors]
        assert [answer.result().status_code for answer in answers] == [200, 422, 404, 200]


async def ask_and_hang_up(client, method, path, body, waiting):
    """Plain ASGI: the client hangs up while its question waits in line; returns the status, which nobody sees."""
    target, _, query = path.partition("?")
    messages = [{"type": "http.request", "body": body.encode()}, {"type": "http.disconnect"}]
    statuses = []

    async def receive():
        if len(messages) == 1:
            while waiting() == 0:
                await asyncio.sleep(0.001)
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(message):
        statuses.append(message.get("status"))

    scope = {
        "type": "http",
        "method": method,
        "path": target,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "scheme": "http",
        "http_version": "1.1",
    }
    await client.app(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "morphs"),
        ("GET", "indicatrices"),
        ("GET", "sounds/{0}/neighbours?distance=geodesic"),
        ("GET", "sounds/{0}/neighbours"),
        ("GET", "sounds/{3}/decoded"),
    ],
)
def test_what_nobody_waits_for_any_more_is_not_computed(
    client, ids, name, counted, hold_engine, method, path
):
    question = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kinds": ["linear"], "steps": 4}
    batcher = client.app.state.services.engine._batcher
    with counted() as calls, hold_engine(0):
        asking = ask_and_hang_up(
            client,
            method,
            f"{API}/models/{name}/{path.format(*ids)}",
            json.dumps(question) if method == "POST" else "",
            waiting=lambda: batcher.expected()[1],
        )
        assert asyncio.run(asking) == 499
        assert batcher.expected()[1] == 0
    assert not calls


@pytest.mark.parametrize(
    "path",
    [
        "models/{name}/sounds/{900}/audio?format=ogg",  # no other test has it in memory
        "models/{name}/sounds/{0}/distances",
        "audio/{sha256}?format=ogg",
    ],
)
def test_what_is_quick_is_given_up_too_while_it_waits(client, ids, name, path):
    """Files are converted by two threads; both are busy."""
    pool = client.app.state.services.engine._light
    point = {"points": [[0.25] * 32]}
    (sound,) = client.post(
        f"{API}/models/{name}/decodings", json=point, headers={"Accept": "application/json"}
    ).json()["sounds"]
    go = threading.Event()
    held = [pool._threads.submit(go.wait, 60) for _ in range(2)]
    before = pool._unfinished
    try:
        address = path.format(*ids, name=name, sha256=sound["audio"]["sha256"])
        asking = ask_and_hang_up(
            client, "GET", f"{API}/{address}", "", waiting=lambda: pool._unfinished - before
        )
        assert client.portal.call(lambda: asking) == 499
        wait_for(lambda: pool._unfinished <= before, 30, "its place is not free again")
        assert not any(future.done() for future in held)
    finally:
        go.set()


def test_a_client_that_hangs_up_gives_up_its_place_in_a_line(client, name):
    files = [("files", ("a.wav", file_of(tone())))]
    uploads = f"{API}/models/{name}/uploads"
    id = client.post(uploads, files=files).json()["id"]
    line = client.app.state.services.uploads
    began = [client.portal.call(line.enter) for _ in range(2)]
    asking = ask_and_hang_up(client, "GET", f"{uploads}/{id}", "", waiting=lambda: line._waiting)
    assert client.portal.call(lambda: asking) == 499
    wait_for(lambda: not line._waiting, 30, "its place is not free again")
    for each in began:
        client.portal.call(line.leave, each)
    assert client.delete(f"{uploads}/{id}").status_code == 204


def test_equal_questions_are_asked_once_and_dropped_when_nobody_waits():
    async def scenario():
        flights, asked, dropped = SingleFlight(), [], asyncio.Event()

        async def answer():
            asked.append(1)
            try:
                await asyncio.sleep(60)
            finally:
                dropped.set()

        first, second = (asyncio.create_task(flights.ask("q", answer)) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert not dropped.is_set()
        second.cancel()
        await asyncio.wait_for(dropped.wait(), 10)
        assert asked == [1]

        async def quick():
            return 7

        assert await flights.ask("q", quick) == 7
        assert await flights.ask("q", quick) == 7

    asyncio.run(scenario())
