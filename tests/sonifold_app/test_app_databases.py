"""What a user keeps, in the embedded file and in PostgreSQL: the same answers from both, and nothing lost in either."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pytest
import sqlalchemy
from alembic import command
from app_checks import API, assert_problem, file_of, tone, wait_for
from data_folders import sound
from postgres_server import PostgresServer, binaries
from starlette.testclient import TestClient

from sonifold_app.admin.backup import back_up
from sonifold_app.admin.data_checks import check_database, check_store
from sonifold_app.admin.manifest import BackupError
from sonifold_app.app import create_app
from sonifold_app.engine.answers import Reembedded
from sonifold_app.engine.local import LocalEngine
from sonifold_app.settings import Settings
from sonifold_app.store.adaptations import Adaptation, AdaptedTo
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.jobs import JobStore
from sonifold_app.store.listening import AnswerConflictError, ListeningStore
from sonifold_app.store.migrating import config_of, version_of
from sonifold_app.store.named import NamedFolder
from sonifold_app.store.opening import open_database
from sonifold_app.store.postgres import MIGRATIONS
from sonifold_app.store.sounds import UserSoundStore
from sonifold_app.store.tables import metadata
from sonifold_app.store.trash import Trash

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine; .ci/run installs it where it can")
    server = PostgresServer(programs)
    server.start()
    yield server
    server.close()


@pytest.fixture(params=["embedded", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "embedded" else request.getfixturevalue("server").create_database()


@dataclass
class Stores:
    sounds: UserSoundStore
    jobs: JobStore
    listening: ListeningStore


@pytest.fixture
def stores(tmp_path: Path, url: str | None) -> Iterator[Stores]:
    database = open_database(tmp_path / "library", url)
    files = NamedFolder(tmp_path / "listening", Trash(tmp_path))
    yield Stores(
        UserSoundStore(tmp_path / "library", database=database),
        JobStore(database),
        ListeningStore(database, files),
    )
    database.close()


def in_threads(number: int, work: Callable[[int], object]) -> list[object]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, range(number)))


def test_every_change_of_a_models_sounds_is_another_revision(stores: Stores) -> None:
    sounds = stores.sounds
    revisions = [sounds.at_revision("m")[0]]
    first, second = sounds.add("m", "p", [sound(b"1"), sound(b"2")])
    assert [each.id for each in sounds.all("m")] == [first.id, second.id]
    revisions.append(sounds.at_revision("m")[0])
    assert sounds.change("m", first.id, {"name": "Kick", "pitch": 50.0})
    revisions.append(sounds.at_revision("m")[0])
    changed = sounds.some("m", {first.id})[first.id]
    assert (changed.name, changed.pitch, changed.plain().pitch) == ("Kick", 50.0, 50.0)
    assert not sounds.change("m", "unknown", {"name": "x"})
    assert sounds.remove("m", second.id)
    assert not sounds.remove("m", second.id)
    revisions.append(sounds.at_revision("m")[0])
    assert sorted(set(revisions)) == revisions
    assert sounds.audio(first) == b"1"
    np.testing.assert_array_equal(changed.z, first.z)


def test_what_was_derived_of_a_sound_goes_with_it(stores: Stores) -> None:
    sounds, derived = stores.sounds, stores.sounds.derived
    first, second = sounds.add("m", "p", [sound(b"1"), sound(b"2")])
    point = Reembedded(np.ones(4, np.float32), (1.0, 2.0), True)
    for version in ("v1", "v2"):  # written in the place of the earlier ones
        derived.keep_fingerprints({first.audio: b"f1", second.audio: b"f2"})
        derived.keep_reembedded("m-a", version, {first.id: point, second.id: point})
    assert derived.reembedded("m-a", "v1") == {}
    assert derived.reembedded("m-a", "v2").keys() == {first.id, second.id}
    sounds.remove("m", first.id)
    assert derived.fingerprints([first.audio, second.audio]) == {second.audio: b"f2"}
    assert derived.reembedded("m-a", "v2").keys() == {second.id}


def test_sounds_of_a_model_that_goes_move_and_come_home(stores: Stores) -> None:
    sounds = stores.sounds
    (made,) = sounds.add("mine", "p", [sound(b"1")])
    sounds.uploads.add("mine", [("take.wav", b"take", 1.0)])
    assert sounds.homes() == {"mine"}
    assert sounds.rehome("mine", "base", remember=True) == 1
    assert sounds.homes() == {"base"}
    sounds.bring_home(["other"])
    assert sounds.homes() == {"base"}
    sounds.bring_home(["mine"])
    (home,) = sounds.all("mine")
    assert home.source_json == made.source_json
    assert [upload.files[0].name for upload in sounds.uploads.all("base")] == ["take.wav"]


def test_recordings_stay_for_as_long_as_anything_names_them(stores: Stores) -> None:
    sounds = stores.sounds
    (only,) = sounds.add("m", "p", [sound(b"1")])
    upload = sounds.uploads.add("m", [("again.wav", b"1", 1.0)])
    learned = AdaptedTo(only.id, "a", 0.3, only.audio, (0.0,) * 4)
    assert sounds.adaptations.add(Adaptation("m-a", "m", "p", "M", 0, (learned,), {"x": 1}, "now")) is None
    sounds.remove("m", only.id)
    sounds.uploads.remove("m", upload.id)
    (kept,) = sounds.adaptations.all()
    assert (kept.outcome, sounds.adaptations.audio(learned)) == ({"x": 1}, b"1")
    sounds.adaptations.remove("m-a")
    assert sounds.adaptations.audio(learned) is None


def test_a_job_is_begun_once_and_its_events_have_no_gaps(stores: Stores) -> None:
    jobs = stores.jobs
    ids = [jobs.create("m", "Kit", {"sounds": []}).id for _ in range(4)]
    assert [job.id for job in jobs.queue()] == ids
    for id in ids[:3]:
        assert sum(map(bool, in_threads(8, lambda _, id=id: jobs.start(id)))) == 1
    in_threads(8, lambda nth: jobs.tell(ids[0], "progress", {"nth": nth}))
    assert [event.number for event in jobs.events(ids[0])] == list(range(1, 11))
    jobs.requeue(ids[1], passing=True)
    jobs.put_off(ids[1], "It waits.")
    assert (jobs.find(ids[1]).attempts, jobs.find(ids[1]).error) == (0, "It waits.")
    jobs.cancel(ids[3])
    jobs.cancel(ids[0])
    assert jobs.cancelled(ids[0])
    jobs.finish(ids[0], "done", {"model": "m-1"})
    jobs.finish(ids[0], "failed", {}, "too late")
    assert jobs.count_by_state() == {"done": 1, "queued": 1, "running": 1, "cancelled": 1}
    jobs.remove(ids[0])
    assert jobs.find(ids[0]) is None
    assert jobs.events(ids[0]) == []


def test_listening_tests_keep_the_order_in_which_they_came(stores: Stores) -> None:
    listening = stores.listening
    tests = [listening.create(str(i), {"trials": 2}, [{}, {}], [("a", "b")]) for i in range(5)]
    assert [test.id for test in listening.tests()] == [test.id for test in reversed(tests)]
    listeners = [listening.add_listener(tests[0].id, str(i), {}) for i in range(5)]
    listening.set_failed(tests[0].id, "It failed.")  # a row that is changed stays where it was
    assert [test.id for test in listening.tests()] == [test.id for test in reversed(tests)]
    assert listening.add_answer(listeners[0], 1, "1", {}, 2) == 1
    with pytest.raises(AnswerConflictError):
        listening.add_answer(listeners[0], 1, "2", {}, 2)
    assert [each.id for each in listening.listeners(tests[0].id)] == [each.id for each in listeners]
    assert sorted(listening.answer_counts(tests[0].id)[tests[0].id]) == [0, 0, 0, 0, 1]
    listening.delete(tests[0])
    assert listening.listener(tests[0].id, listeners[0].id) is None
    assert listening.answer_counts() == {}


def columns_of(connection: sqlalchemy.Connection) -> dict[str, set[str]]:
    inspector = sqlalchemy.inspect(connection)
    return {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


def test_the_tables_are_those_that_are_declared(stores: Stores, url: str | None) -> None:
    with stores.sounds.database.connect() as connection:
        columns = columns_of(connection)
    declared = {table.name: {column.name for column in table.columns} for table in metadata.sorted_tables}
    assert {table: columns[table] - {"rowid"} for table in declared} == declared
    assert columns.keys() - declared == (set() if url is None else {"installation", "alembic_version"})


def test_the_tables_of_a_server_go_and_come_back(server: PostgresServer) -> None:
    engine = sqlalchemy.create_engine(server.create_database().replace("postgresql", "postgresql+psycopg", 1))
    with engine.begin() as connection:
        config = config_of(connection, MIGRATIONS)
        for _ in range(2):
            command.upgrade(config, "head")
            assert version_of(connection) is not None
            command.downgrade(config, "base")
            assert columns_of(connection).keys() == {"alembic_version"}
            functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            assert connection.exec_driver_sql(functions).scalar() == 0
    engine.dispose()


def test_a_database_and_a_data_folder_belong_to_each_other(server: PostgresServer, tmp_path: Path) -> None:
    url, mine, other = server.create_database(), tmp_path / "mine/library", tmp_path / "other/library"
    store = UserSoundStore(mine, database=open_database(mine, url))
    (kept,) = store.add("m", "p", [sound(b"1")])
    store.close()
    refused: list[tuple[Path, str | None, str]] = [
        (other, url, "another data folder"),
        (mine, None, "SONIFOLD_DATABASE"),
        (mine, server.create_database(), "holds what was kept"),
        (mine, server.url("nowhere"), "cannot be used"),
        (mine, "postgresql://sonifold:s3cret@127.0.0.1:1/x", "cannot be used"),
    ]
    for folder, address, why in refused:
        with pytest.raises(DatabaseUnusableError, match=why) as refusal:
            open_database(folder, address)
        assert "s3cret" not in str(refusal.value)
    embedded = UserSoundStore(other)
    embedded.close()
    with pytest.raises(DatabaseUnusableError, match="holds what was kept"):
        open_database(other, server.create_database())
    with pytest.raises(DatabaseUnusableError, match="none of Sonifold's tables"):
        open_database(mine, server.create_database(), make=False)
    with pytest.raises(BackupError, match="pg_dump"):
        back_up(mine.parent, tmp_path / "backup.zip")
    settings = Settings(data=mine.parent, database=url)
    assert [finding.level for finding in check_database(settings)] == ["ok"]
    assert {finding.level for finding in check_store(settings)} == {"ok"}
    assert [finding.level for finding in check_database(Settings(data=other.parent, database=url))] == ["ok"]
    again = UserSoundStore(mine, database=open_database(mine, url, make=False))
    assert again.audio(again.some("m", {kept.id})[kept.id]) == b"1"
    again.close()


def test_who_reads_while_it_is_closed_leaves_no_connection_open(tmp_path: Path, url: str | None) -> None:
    database = open_database(tmp_path / "library", url)
    with database.connect() as connection:
        driver = connection.connection.driver_connection
        database.close()
        assert connection.execute(sqlalchemy.select(1)).scalar() == 1
    with pytest.raises((psycopg.Error, sqlite3.Error), match="closed"):
        driver.execute("SELECT 1")


def test_a_newer_servers_database_is_left_alone(server: PostgresServer, tmp_path: Path) -> None:
    url = server.create_database()
    open_database(tmp_path / "library", url).close()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnusableError, match="newer Sonifold"):
        open_database(tmp_path / "library", url)


def test_a_service_goes_on_when_its_database_server_comes_back(
    server: PostgresServer, tmp_path: Path, small_models: Path, small_engine_of, name: str
) -> None:
    """Killed under it: what was acknowledged is there, and what was not was answered with 503."""
    settings = Settings(
        data=tmp_path, models=small_models, database=server.create_database(), finetune_nice=0
    )
    sounds = f"{API}/models/{name}/sounds"
    files = [("files", ("tone.wav", file_of(tone(0.4, 220))))]

    def ids(client: TestClient) -> list[str]:
        listed = client.get(sounds).json()
        return [id for id, kind in zip(listed["id"], listed["kind"], strict=True) if kind == "uploaded"]

    def app() -> TestClient:
        return TestClient(
            create_app(settings, small_engine_of()),
            base_url="http://localhost",
            raise_server_exceptions=False,
        )

    with app() as client:
        kept = client.post(sounds, files=files).json()["sounds"][0]["id"]
        server.kill()
        problem = assert_problem(client.post(sounds, files=files), 503, "storage_unavailable")
        assert "database server" in problem["detail"]
        assert client.get(sounds).headers["Retry-After"]
        assert "storage" in assert_problem(client.get("/readyz"), 503, "not_ready")["parts"]
        server.start()
        assert client.get("/readyz").status_code == 200
        assert ids(client) == [kept]
        jobs = client.app.state.services.jobs
        job = jobs.store.create("no-such-model", "Kit", {"sounds": [], "kept_with": "x", "config": {}})
        jobs.wake()
        wait_for(lambda: jobs.store.find(job.id).state == "failed")  # as its worker wrote
        assert client.patch(f"{sounds}/{kept}", json={"name": "Mine"}).status_code == 200
    with app() as client:
        assert ids(client) == [kept]
        assert client.get(f"{sounds}/{kept}").json()["name"] == "Mine"
        assert [each["id"] for each in client.get(f"{API}/jobs").json()["jobs"]] == [job.id]
    assert not (tmp_path / "library" / "library.sqlite").exists()


def test_what_two_users_have_is_apart_in_either_database(url: str | None, tmp_path: Path) -> None:
    token = "sixteen-characters-and-more"
    settings = Settings(data=tmp_path, token=token, database=url, rates="off")

    def as_(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    tokens, titles = [], ("of Ada", "of Bob")
    for start in range(2):  # the second time all is there
        app = create_app(settings, LocalEngine(load=lambda: ({}, {})))
        with TestClient(app, base_url="http://127.0.0.1") as client:
            for title in titles if start == 0 else ():
                added = client.post(f"{API}/users", json={"name": title}, headers=as_(token)).json()
                tokens.append(added["token"])
                services = client.portal.call(app.state.workspaces.of, added["user"]["id"])
                job = services.jobs.store.create("m", title, {"sounds": [], "config": {}})
                services.jobs.store.finish(job.id, "failed", {}, "no model")
            for title, theirs in zip(titles, tokens, strict=True):
                jobs = client.get(f"{API}/jobs", headers=as_(theirs)).json()["jobs"]
                assert [job["title"] for job in jobs] == [title]
            assert client.get(f"{API}/jobs", headers=as_(token)).json()["jobs"] == []
            names = {user["name"] for user in client.get(f"{API}/users", headers=as_(token)).json()["users"]}
            assert names == set(titles)
