"""Fine-tunes as jobs: told of while they run, cancelled, resumed whoever is killed, and at the end a model."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from app_checks import API, assert_problem, file_of, samples_of, tone, wait_for
from server import started_server
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from sonifold import errors
from sonifold_app.app import create_app
from sonifold_app.jobs import worker
from sonifold_app.jobs.local import FRUITLESS
from sonifold_app.jobs.waits import Waits
from sonifold_app.settings import Settings
from sonifold_app.store.failures import StoreFullError
from sonifold_app.store.jobs import MOST_QUEUED, JobStore

pytestmark = pytest.mark.long

#: A run of some seconds.
SHORT = {"steps": 8, "check_every": 2, "warmup": 2, "uploads": 4, "copies": 4, "replay": 8}
LONG = {**SHORT, "steps": 100_000}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def ids(small_model):
    return small_model.library.ids


@pytest.fixture(scope="module")
def app(data, small_models, small_engine_of):
    with TestClient(
        create_app(
            Settings(data=data, models=small_models, finetune_nice=0, retry_seconds=0.1), small_engine_of()
        ),
        base_url="http://localhost",
        raise_server_exceptions=False,
    ) as client:
        yield client


@pytest.fixture(scope="module")
def mine(app, name):
    """Ids of five uploaded sounds."""
    files = [("files", (f"{i}.wav", file_of(tone(0.4, 150 + 70 * i)))) for i in range(5)]
    return [one["id"] for one in app.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]


@pytest.fixture
def begin(app, name, mine):
    """Start a job with a config of ours, past the route, which offers none."""

    def begin(config, sounds=None):
        jobs = app.app.state.services.jobs
        request = {"sounds": sounds or mine, "kept_with": name, "config": config}
        job = jobs.store.create(name, "My kit", request)
        jobs.wake()
        return job.id

    return begin


def events_of(text):
    """What a stream of events says: (number, kind, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields.get("event") == "beat":
            assert json.loads(fields["data"])["elapsed"] >= 0
        elif fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def kinds(store, job):
    return [event.kind for event in store.events(job)]


def test_a_finetune_is_told_of_from_its_first_moment_and_ends_as_a_model(app, begin, ids, name, mine):
    job = begin(SHORT)
    reply = app.get(f"{API}/jobs/{job}/events")  # the stream ends with the job
    assert reply.headers["content-type"].startswith("text/event-stream")
    told = events_of(reply.text)
    assert [number for number, *_ in told] == list(range(1, len(told) + 1))
    order = list(dict.fromkeys(kind for _, kind, _ in told))
    assert order[:4] == ["queued", "started", "loading", "progress"]
    assert order[-2:] == ["saving", "done"], told[-1]
    percents = [data["percent"] for _, kind, data in told if kind == "progress"]
    assert percents == sorted(percents)
    step = next(data for _, kind, data in told if kind == "progress")
    assert set(step) == {
        "phase", "step", "steps", "percent", "elapsed", "eta", "train", "held_out", "best_step"
    }  # fmt: skip
    assert step["eta"] > 0
    assert told[-1][2]["best_step"] in range(2, 10, 2)
    assert "8 steps" in told[-1][2]["reason"]
    assert told[-1][2]["share"] in (0.5, 0.75, 1.0)
    assert percents[-1] == 100
    result = told[-1][2]["model"]
    found = app.get(f"{API}/jobs/{job}").json()
    assert (found["state"], found["result"], found["attempts"]) == ("done", result, 1)
    assert found["progress"]["percent"] == 100
    model = app.get(f"{API}/models/{result}").json()
    assert model["title"] == "My kit"
    assert model["sounds"] == len(ids) + len(mine)
    asked = {"anchors": [{"sound": ids[0]}, {"sound": ids[9]}], "kind": "linear", "steps": 3}
    assert app.post(f"{API}/models/{result}/paths", json=asked).status_code == 200
    for which in ("before", "after"):
        audio, _ = samples_of(app.get(f"{API}/jobs/{job}/previews/{which}").content)
        assert len(audio) == model["sound_samples"]
    # from where somebody was cut off
    for how in ({"headers": {"Last-Event-ID": "3"}}, {"params": {"after": 3}}):
        assert events_of(app.get(f"{API}/jobs/{job}/events", **how).text) == told[3:]
    for other in ("", "x", "-1", "9" * 5000):  # an id that no event here has
        reply = app.get(f"{API}/jobs/{job}/events", headers={"Last-Event-ID": other})
        assert events_of(reply.text) == told
    assert app.get(f"{API}/jobs").json()["jobs"][0]["id"] == job
    assert app.delete(f"{API}/models/{result}").status_code == 204
    assert_problem(app.get(f"{API}/models/{result}"), 404, "model_not_found")
    assert not list((app.app.state.services.settings.data / "packs").iterdir())
    assert_problem(app.delete(f"{API}/models/{name}"), 403, "model_not_yours")


def test_while_nothing_happens_the_stream_says_that_the_job_lives(app, begin):
    """The worker needs some seconds to begin; the page should not wonder meanwhile."""
    job = begin(SHORT)
    text = app.get(f"{API}/jobs/{job}/events").text
    assert text.index("event: beat") < text.index("event: progress")
    app.delete(f"{API}/models/{app.get(f'{API}/jobs/{job}').json()['result']}")


def test_the_headers_of_a_stream_can_be_asked_for_alone(app, begin):
    job = begin(LONG)
    reply = app.head(f"{API}/jobs/{job}/events")  # and the job goes on meanwhile
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert app.get(f"{API}/jobs/{job}").json()["state"] in ("queued", "running")
    app.post(f"{API}/jobs/{job}/cancellation")
    assert events_of(app.get(f"{API}/jobs/{job}/events").text)[-1][1] == "cancelled"


def test_a_job_whose_model_was_deleted_says_so_and_names_no_folder_of_the_server(tmp_path):
    with pytest.raises(errors.PackNotFound, match="the model mine was deleted before the job") as caught:
        worker.folder_of("mine", tmp_path / "data", tmp_path / "models")
    assert str(tmp_path) not in str(caught.value)


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_soon(app, begin):
    running, waiting = begin(LONG), begin(SHORT)
    store = app.app.state.services.jobs.store
    wait_for(lambda: "progress" in kinds(store, running))
    assert app.get(f"{API}/jobs/{waiting}").json()["state"] == "queued"
    answer = app.post(f"{API}/jobs/{waiting}/cancellation")
    assert answer.status_code == 202
    assert answer.json()["state"] == "cancelled"
    assert answer.json()["finished"]
    assert kinds(store, waiting) == ["queued", "cancelled"]
    assert app.post(f"{API}/jobs/{running}/cancellation").status_code == 202
    assert events_of(app.get(f"{API}/jobs/{running}/events").text)[-1][1] == "cancelled"
    assert app.get(f"{API}/jobs/{running}").json()["state"] == "cancelled"


def test_a_cancelled_job_is_not_begun_by_a_runner_that_saw_it_before(tmp_path):
    store = JobStore(tmp_path)
    job = store.create("m", "t", {}).id
    store.cancel(job)
    assert not store.start(job)
    assert store.find(job).state == "cancelled"
    store.cancel(job)
    assert kinds(store, job) == ["queued", "cancelled"]
    store.close()


def test_a_job_that_is_over_can_be_deleted_and_no_other(app, begin, data):
    job = begin(LONG)
    wait_for(lambda: "started" in kinds(app.app.state.services.jobs.store, job))
    assert_problem(app.delete(f"{API}/jobs/{job}"), 409, "job_not_over")
    app.post(f"{API}/jobs/{job}/cancellation")
    assert events_of(app.get(f"{API}/jobs/{job}/events").text)[-1][1] == "cancelled"
    assert (data / "jobs" / job).is_dir()
    assert app.delete(f"{API}/jobs/{job}").status_code == 204
    assert_problem(app.get(f"{API}/jobs/{job}"), 404, "job_not_found")
    assert job not in [one["id"] for one in app.get(f"{API}/jobs").json()["jobs"]]
    assert not (data / "jobs" / job).exists()
    assert_problem(app.delete(f"{API}/jobs/{job}"), 404, "job_not_found")


def test_so_many_jobs_wait_and_no_more(app, begin, name, mine):
    running = begin(LONG)
    store = app.app.state.services.jobs.store
    wait_for(lambda: "started" in kinds(store, running))
    waiting = [begin(SHORT) for _ in range(MOST_QUEUED)]
    asked = {"sounds": mine, "title": "One too many"}
    problem = assert_problem(app.post(f"{API}/models/{name}/finetunes", json=asked), 409, "jobs_full")
    assert str(MOST_QUEUED) in problem["detail"]
    app.post(f"{API}/jobs/{waiting[0]}/cancellation")
    answer = app.post(f"{API}/models/{name}/finetunes", json=asked)
    assert answer.status_code == 202
    for job in (*waiting[1:], answer.json()["id"], running):
        app.post(f"{API}/jobs/{job}/cancellation")
    wait_for(lambda: store.find(running).state == "cancelled")


def test_jobs_go_on_after_the_database_has_failed_for_a_while(app, begin, data):
    runner = app.app.state.services.jobs
    with contextlib.closing(sqlite3.connect(data / "library" / "library.sqlite")) as database:
        database.execute("ALTER TABLE jobs RENAME TO jobs_away")
        assert wait_for(lambda: runner.trouble).endswith(".")
        database.execute("ALTER TABLE jobs_away RENAME TO jobs")
    job = begin(SHORT)
    told = events_of(app.get(f"{API}/jobs/{job}/events").text)
    assert told[-1][1] == "done"
    assert runner.trouble is None
    app.delete(f"{API}/models/{told[-1][2]['model']}")


def test_a_job_whose_worker_cannot_be_started_waits_until_it_can(app, begin, data):
    """However long that takes: it is no fault of the job."""
    runner = app.app.state.services.jobs
    job = runner.store.create("no-such-model", "Kit", {"sounds": [], "kept_with": "x", "config": {}}).id
    folder = data / "jobs" / job
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way of its log")
    runner.wake()
    wait_for(lambda: kinds(runner.store, job).count("interrupted") >= 2)
    assert runner.trouble
    assert runner.store.fruitless(job) == 0
    folder.unlink()
    wait_for(lambda: runner.store.find(job).state == "failed")  # there is no such model, as the worker found
    wait_for(lambda: runner.trouble is None)


def test_a_job_whose_end_could_not_be_written_is_ended_when_it_can(app, begin, data):
    """The worker is through while nobody can write: its pack is there, and the job is done a little later."""
    job = begin(SHORT)
    store = app.app.state.services.jobs.store
    wait_for(lambda: "saving" in kinds(store, job))
    with contextlib.closing(sqlite3.connect(data / "library" / "library.sqlite")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        wait_for(lambda: app.app.state.services.jobs.trouble)
        database.execute("DROP TRIGGER full")
    told = events_of(app.get(f"{API}/jobs/{job}/events").text)
    assert told[-1][1] == "done"
    app.delete(f"{API}/models/{told[-1][2]['model']}")


def test_waits_double_up_to_a_bound_and_end_with_their_job(tmp_path):
    store, waits = JobStore(tmp_path), Waits(longest_seconds=3.0)
    first, second = (store.create("m", "t", {}) for _ in range(2))
    for _ in range(2):
        assert waits.first_due(store.queue()).id == first.id
    assert [waits.put_off(first.id, "It waits.") for _ in range(4)] == [1.0, 2.0, 3.0, 3.0]
    assert waits.first_due(store.queue()).id == second.id
    assert list(waits.reasons) == ["It waits."]
    waits.begin(first.id)
    assert not waits.reasons
    assert waits.put_off(first.id, "It waits.") == 3.0, "to have been tried is not to have come further"
    store.cancel(first.id)
    waits.first_due(store.queue())
    assert not waits.reasons
    store.close()


def test_who_waits_for_room_tries_again_as_soon_as_there_is_more(tmp_path):
    store, waits = JobStore(tmp_path), Waits(longest_seconds=60.0)
    for_room, for_other = (store.create("m", "t", {}) for _ in range(2))
    free = 5_000_000
    for _ in range(6):
        waits.put_off(for_room.id, "It waits for room.", free)
        waits.put_off(for_other.id, "It waits.")
    assert waits.first_due(store.queue(), free) is None
    assert waits.first_due(store.queue(), free + 1000) is None, "as much as a log may take and give"
    assert waits.first_due(store.queue(), free + 1_000_000).id == for_room.id
    store.close()


def test_a_job_that_waits_for_the_same_writes_that_once(tmp_path):
    store = JobStore(tmp_path)
    job = store.create("m", "t", {}).id
    for reason in ("No room.", "No room.", "No permission."):
        store.put_off(job, reason)
    assert kinds(store, job) == ["queued", "waiting", "waiting"]
    assert store.start(job)
    assert store.find(job).error is None
    store.put_off(job, "No room.")
    assert (store.find(job).state, store.find(job).attempts) == ("queued", 0)
    store.close()


def test_an_attempt_that_ended_by_no_fault_of_the_job_does_not_count(tmp_path):
    store = JobStore(tmp_path)
    job = store.create("m", "t", {}).id
    for _ in range(FRUITLESS + 1):
        assert store.start(job)
        store.requeue(job, passing=True)
    assert store.fruitless(job) == 0
    assert store.find(job).attempts == 0
    store.start(job)
    store.requeue(job)
    assert store.fruitless(job) == store.find(job).attempts == 1
    store.close()


def sqlite_error(code):
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return OperationalError("UPDATE jobs", {}, error)


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EMFILE, "Too many open files"), True),
        (StoreFullError(), True),
        (sqlite_error(sqlite3.SQLITE_FULL), True),
        (sqlite_error(sqlite3.SQLITE_MISMATCH), False),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
    ],
)
def test_a_worker_tells_errors_that_pass_from_others(error, passing):
    assert worker.passes(error) is passing


def test_a_worker_is_not_made_ready_at_once(tmp_path, engine_of, name):
    """The page asks for sounds at that moment."""
    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost") as client:
        client.portal.call(client.app.state.services.jobs.prepare, name)
        assert client.get("/livez").status_code == 200
    assert not (tmp_path / "jobs" / "spare.txt").exists()


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr("sonifold_app.jobs.local.WARM_AFTER_SECONDS", 0.0)


@pytest.mark.usefixtures("no_pause")
def test_the_server_ends_well_whatever_its_background_met(tmp_path, engine_of, name):
    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost") as client:
        (tmp_path / "jobs").write_text("in the way of the workers' logs")
        runner = client.app.state.services.jobs
        client.portal.call(runner.prepare, name)
        wait_for(lambda: runner._warming.done())
        assert client.get("/livez").status_code == 200


def test_a_job_whose_worker_is_killed_or_finds_no_room_goes_on_from_its_checkpoint(app, begin):
    """Killed first; then the system takes no large file of its worker any more, as on a disk that fills meanwhile."""
    job = begin({**SHORT, "steps": 24})
    runner = app.app.state.services.jobs

    def stepped(times):
        return kinds(runner.store, job).count("progress") >= times and runner._worker.pid

    killed = wait_for(lambda: stepped(3))
    os.kill(killed, signal.SIGKILL)
    if sys.platform == "linux":
        wait_for(lambda: "interrupted" in kinds(runner.store, job))
        before = kinds(runner.store, job).count("progress")
        limited = wait_for(lambda: stepped(before + 1))
        most = (
            5 << 20
        )  # a checkpoint is larger; the database and its log, which hold all jobs of here, are not
        resource.prlimit(limited, resource.RLIMIT_FSIZE, (most, most))
    told = events_of(app.get(f"{API}/jobs/{job}/events").text)
    order = [kind for _, kind, _ in told]
    assert order[-1] == "done"
    assert order.count("interrupted") == 1
    for cause in ("interrupted", "waiting") if sys.platform == "linux" else ("interrupted",):
        again = next(data["step"] for _, kind, data in told[order.index(cause) :] if kind == "progress")
        assert again > 2, "it began anew"
    if sys.platform == "linux":
        assert order.count("waiting") == 1
        assert "room on the disk" in told[order.index("waiting")][2]["message"]
    over = app.get(f"{API}/jobs/{job}").json()
    assert (over["state"], over["error"]) == ("done", None)
    assert over["attempts"] == 2, "an attempt without room does not count"
    wait_for(lambda: runner.trouble is None)
    app.delete(f"{API}/models/{told[-1][2]['model']}")


def test_jobs_without_room_say_so_and_can_be_cancelled_and_deleted(app, data):
    """Their base is larger than the disk, as far as its file says."""
    runner = app.app.state.services.jobs
    weights = data / "packs" / "huge" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.touch()
    os.truncate(weights, 1 << 42)
    request = {"sounds": [], "kept_with": "x", "config": {}}
    waiting, other = (runner.store.create("huge", "Kit", request).id for _ in range(2))
    runner.wake()
    job = wait_for(lambda: (found := app.get(f"{API}/jobs/{waiting}").json())["state"] == "waiting" and found)
    assert "room on the disk, where it needs 17592186 MB" in job["error"]
    assert "SONIFOLD_DATA" in job["error"]
    assert job["attempts"] == 0
    ready = app.get("/readyz")
    assert ready.status_code == 200, "everything else works"
    assert "room on the disk" in ready.json()["parts"]["jobs"]
    assert app.post(f"{API}/jobs/{other}/cancellation").json()["state"] == "cancelled"
    assert app.delete(f"{API}/jobs/{other}").status_code == 204
    assert kinds(runner.store, waiting) == ["queued", "waiting"]
    app.post(f"{API}/jobs/{waiting}/cancellation")
    shutil.rmtree(weights.parent)
    wait_for(lambda: "parts" not in app.get("/readyz").json())


def test_attempts_that_come_to_nothing_count_from_the_last_progress(tmp_path):
    store = JobStore(tmp_path)
    job = store.create("m", "t", {}).id
    for kind in ("started", "interrupted", "started", "progress", "interrupted", "started", "interrupted"):
        store.tell(job, kind, {})
    assert store.fruitless(job) == 2


def test_a_job_that_gets_nowhere_is_given_up_with_a_sentence(app, begin):
    """Its worker ends each time before it has come anywhere; being killed, it does so sooner."""
    hopeless = begin({**SHORT, "no such setting": 1})
    runner = app.app.state.services.jobs
    while runner.store.find(hopeless).state in ("queued", "running"):
        if runner._worker is not None and runner._worker.returncode is None:
            os.kill(runner._worker.pid, signal.SIGKILL)
        time.sleep(0.05)
    told = events_of(app.get(f"{API}/jobs/{hopeless}/events").text)
    assert [kind for _, kind, _ in told].count("interrupted") == FRUITLESS
    assert told[-1][1] == "failed"
    assert "Start it again" in app.get(f"{API}/jobs/{hopeless}").json()["error"]


@pytest.mark.usefixtures("no_pause")
def test_a_worker_that_was_asked_for_in_time_does_the_job(app, begin, name):
    """It has loaded the model by then, and takes the job from there; another one's is ended."""
    runner = app.app.state.services.jobs
    for model, takes in (("no-such-model", False), (name, True)):
        app.portal.call(runner.prepare, model)
        warm_worker = wait_for(lambda: runner._warm_worker).process
        job = begin(SHORT)
        told = events_of(app.get(f"{API}/jobs/{job}/events").text)
        assert told[-1][1] == "done"
        assert (runner._worker is warm_worker) == takes
        assert wait_for(lambda process=warm_worker: process.returncode is not None)
        assert runner._warm_worker is None
        app.delete(f"{API}/models/{told[-1][2]['model']}")


def test_a_sound_deleted_meanwhile_fails_the_job_with_a_sentence(app, begin):
    job = begin(SHORT, ["u000000000000"])
    told = events_of(app.get(f"{API}/jobs/{job}/events").text)
    assert told[-1][1] == "failed"
    assert "deleted" in told[-1][2]["message"]
    assert "deleted" in app.get(f"{API}/jobs/{job}").json()["error"]


def test_a_missing_recording_fails_the_job_with_its_true_cause(app, begin, mine, name, data):
    audio = app.app.state.services.user_sounds.store.some(name, {mine[0]})[mine[0]].audio
    file = data / "library" / "sounds" / audio[:2] / audio[2:]
    aside = file.rename(data / "aside")
    job = begin(SHORT)
    told = events_of(app.get(f"{API}/jobs/{job}/events").text)
    aside.rename(file)
    assert told[-1][1] == "failed"
    assert "deleted" not in told[-1][2]["message"]
    assert f"library/sounds/{audio[:2]}/{audio[2:]}" in app.get(f"{API}/jobs/{job}").json()["error"]


def test_the_route_asks_for_a_job(app, name, mine):
    answer = app.post(f"{API}/models/{name}/finetunes", json={"sounds": mine, "title": "Kit"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"{API}/jobs/{job['id']}"
    app.post(f"{API}/jobs/{job['id']}/cancellation")
    assert events_of(app.get(job["events_url"]).text)[-1][1] == "cancelled"


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"sounds": [], "title": "x"}, 422, "request_invalid"),
        ({"sounds": ["u0"], "title": "x"}, 404, "sound_not_found"),
        ({"sounds": ["LIBRARY"], "title": "x"}, 422, "uploads_invalid"),
        ({"sounds": ["u0", "u0"], "title": "x"}, 422, "request_invalid"),
        ({"sounds": ["u0"] * 101, "title": "x"}, 422, "request_invalid"),
        ({"sounds": ["u0"], "title": "\0"}, 422, "request_invalid"),
        ({"sounds": ["u0"], "title": "x", "seed": -1}, 422, "request_invalid"),
        ({"sounds": ["u0"], "title": "x", "config": {}}, 422, "request_invalid"),
    ],
)
def test_bad_requests_start_nothing(app, name, ids, asked, status, code):
    before = len(app.get(f"{API}/jobs").json()["jobs"])
    asked = {**asked, "sounds": [ids[0] if one == "LIBRARY" else one for one in asked["sounds"]]}
    assert_problem(app.post(f"{API}/models/{name}/finetunes", json=asked), status, code)
    assert len(app.get(f"{API}/jobs").json()["jobs"]) == before


def test_an_unknown_job_is_not_found(app):
    for path in ("", "/events", "/previews/before"):
        assert_problem(app.get(f"{API}/jobs/none{path}"), 404, "job_not_found")
    assert_problem(app.delete(f"{API}/jobs/none"), 404, "job_not_found")
    assert_problem(app.post(f"{API}/jobs/none/cancellation"), 404, "job_not_found")


def test_events_written_at_the_same_time_have_numbers_of_their_own(tmp_path):
    store = JobStore(tmp_path)
    job = store.create("m", "t", {})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.tell(job.id, "progress", {"i": i}), range(40)))
    told = store.events(job.id)
    assert [event.number for event in told] == list(range(1, 42))
    assert {event.data.get("i") for event in told[1:]} == set(range(40))
    store.finish(job.id, "done", {})
    store.finish(job.id, "failed", {}, "too late")
    assert store.find(job.id).state == "done"
    assert store.events(job.id, 41)[0].kind == "done"
    store.close()


def test_a_server_killed_in_the_middle_of_a_job_finishes_it_when_it_is_started_again(
    tmp_path, name, ids, small_models
):
    """The real thing: ``sonifold serve`` and its worker, the server killed (-9)."""

    @contextlib.contextmanager
    def served():
        with (
            started_server(DATA=str(tmp_path), MODELS=str(small_models)) as (address, server),
            httpx.Client(base_url=address, timeout=120) as client,
        ):
            yield client
            os.kill(server, signal.SIGKILL)

    with served() as client:
        files = [("files", (f"{i}.wav", file_of(tone(0.4, 150 + 70 * i)))) for i in range(4)]
        mine = [one["id"] for one in client.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]
        store = JobStore(tmp_path / "library")
        request = {"sounds": mine, "kept_with": name, "config": {**SHORT, "steps": 24}}
        job = store.create(name, "Kit", request).id
        wait_for(lambda: kinds(store, job).count("progress") >= 2)
    with served() as client:
        told = events_of(client.get(f"{API}/jobs/{job}/events").text)
        assert [kind for _, kind, _ in told].count("interrupted") == 1
        assert told[-1][1] == "done"
        listed = [model["id"] for model in client.get(f"{API}/models").json()["models"]]
        assert told[-1][2]["model"] in listed
        assert client.get(f"{API}/models/{name}/sounds").json()["id"][len(ids) :] == mine
    store.close()
