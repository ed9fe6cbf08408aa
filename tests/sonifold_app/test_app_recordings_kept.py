"""No path leads to deleted recordings: what is not understood stays, what is damaged is set aside."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from app_checks import API, assert_problem, file_of, tone
from starlette.testclient import TestClient

from sonifold.files import write_whole
from sonifold_app.app import create_app
from sonifold_app.engine.answers import PreparedSound
from sonifold_app.settings import Settings
from sonifold_app.store import sqlite as database_module
from sonifold_app.store.data_folder import DataFolder
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.listening import Stimuli
from sonifold_app.store.sounds import NewSound, UserSoundStore
from sonifold_app.store.sqlite import SqliteDatabase
from sonifold_app.store.storage import Storage
from sonifold_app.store.trash import Trash


def new_sound(number: int) -> NewSound:
    z = np.full(4, number, np.float32)
    audio = b"recording %d " % number * 100
    return NewSound(
        "uploaded", f"{number}", PreparedSound("x", 1.0, z, (0, 0), True, (), z, audio, None, {}, ()), {}
    )


def opened(data: Path) -> UserSoundStore:
    """As a start does."""
    kept = UserSoundStore(data / "library")
    kept.tidy()
    return kept


def keep(data: Path, numbers: range) -> None:
    kept = UserSoundStore(data / "library")
    kept.add("m", "p", [new_sound(number) for number in numbers])
    kept.close()
    for file in recordings(data):
        os.utime(file, (1, 1))  # as long ago as can be


def recordings(data: Path) -> list[Path]:
    return sorted((data / "library" / "sounds").glob("*/*"))


def playing(data: Path) -> int:
    """How many sounds are listed; all of them must play."""
    kept = opened(data)
    sounds = kept.all("m")
    assert [kept.audio(one) for one in sounds] == [new_sound(int(one.name)).prepared.audio for one in sounds]
    kept.close()
    return len(sounds)


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
def test_a_start_without_the_database_is_refused_and_touches_nothing(tmp_path, empty):
    keep(tmp_path, range(12))
    file = tmp_path / "library" / "library.sqlite"
    file.rename(tmp_path / "elsewhere.sqlite")
    if empty:
        file.touch()
    for _ in range(2):
        with pytest.raises(DatabaseUnusableError, match=r"12 recordings .* Nothing was changed"):
            opened(tmp_path)
    assert len(recordings(tmp_path)) == 12
    (tmp_path / "elsewhere.sqlite").replace(file)
    assert playing(tmp_path) == 12


def test_a_journal_without_its_database_is_not_thrown_away(tmp_path):
    """What was kept last is in it, after a kill."""
    (tmp_path / "library").mkdir()
    journal = tmp_path / "library" / "library.sqlite-wal"
    journal.write_bytes(b"frames")
    with pytest.raises(DatabaseUnusableError, match="missing"):
        opened(tmp_path)
    assert journal.read_bytes() == b"frames"


@pytest.mark.parametrize(("older", "newer"), [(2, 12), (11, 12)], ids=["few rows", "most rows"])
def test_an_older_database_takes_no_recording_away(tmp_path, older, newer):
    keep(tmp_path, range(older))
    copy = shutil.copyfile(tmp_path / "library" / "library.sqlite", tmp_path / "older.sqlite")
    keep(tmp_path, range(older, newer))
    current = (tmp_path / "library" / "library.sqlite").rename(tmp_path / "current.sqlite")
    shutil.copyfile(copy, tmp_path / "library" / "library.sqlite")
    assert playing(tmp_path) == older
    trashed = list((tmp_path / "trash").glob("*/*"))
    assert len(recordings(tmp_path)) + len(trashed) == newer
    assert len(trashed) == (0 if older < newer / 2 else newer - older)
    current.replace(tmp_path / "library" / "library.sqlite")
    assert playing(tmp_path) == newer


def listening(data: Path) -> Storage:
    storage = Storage(DataFolder(data), 1 << 20)
    storage.tidy()
    return storage


def begin_test(storage: Storage, number: int) -> None:
    """A listening test whose sounds are there, kept as long ago as can be."""
    test = storage.listening.create(f"{number}", {"trials": 1}, [{}, {}], [("a", "b")])
    file = storage.listening.put(b"stimuli %d" % number)
    storage.listening.set_ready(test.id, [Stimuli(file, (0.0, 0.0), -23.0, 1, 44_100, ({}, {}))])


def playing_tests(storage: Storage) -> int:
    tests = storage.listening.tests()
    for test in tests:
        assert storage.listening.get(test.stimuli[0].file) == b"stimuli %s" % test.title.encode()
    return len(tests)


@pytest.mark.parametrize(("older", "newer"), [(1, 5), (4, 5)])
def test_an_older_database_takes_no_listening_test_away(tmp_path, older, newer):
    storage, database = listening(tmp_path), tmp_path / "library" / "library.sqlite"
    for number in range(newer):
        if number == older:
            storage.close()
            copy = shutil.copyfile(database, tmp_path / "older.sqlite")
            storage = listening(tmp_path)
        begin_test(storage, number)
    storage.close()
    for file in (tmp_path / "listening").glob("*/*"):
        os.utime(file, (1, 1))
    current = database.rename(tmp_path / "current.sqlite")
    with pytest.raises(DatabaseUnusableError, match=f"missing, and {newer} recordings"):
        listening(tmp_path)
    shutil.copyfile(copy, database)
    storage = listening(tmp_path)
    assert playing_tests(storage) == older
    storage.close()
    current.replace(database)
    storage = listening(tmp_path)
    assert playing_tests(storage) == newer
    storage.close()


def test_the_trash_counts_from_the_day_on_which_a_file_came(tmp_path):
    trash = Trash(tmp_path)
    old = tmp_path / "recording"
    old.write_bytes(b"made years ago")
    os.utime(old, (1, 1))
    trash.put(old, "a")
    trash.purge()
    assert trash.find("a").read_bytes() == b"made years ago"
    (today,) = (tmp_path / "trash").iterdir()
    for days, left in ((30, True), (31, False)):
        day = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days)
        today = today.rename(today.with_name(day.isoformat()))
        trash.purge()
        assert today.exists() == left
    stranger = tmp_path / "trash" / "notes"
    stranger.mkdir()
    trash.purge()
    assert stranger.exists()


def test_files_of_one_name_do_not_replace_each_other_in_the_trash(tmp_path):
    trash = Trash(tmp_path)
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        trash.put(tmp_path / "file", "same")
    assert sorted(file.read_text() for file in (tmp_path / "trash").glob("*/*")) == ["one", "two"]


def test_a_damaged_recording_is_set_aside_and_plays_again_once_it_is_whole(tmp_path):
    keep(tmp_path, range(3))
    kept = opened(tmp_path)
    sound = kept.all("m")[0]
    file = tmp_path / "library" / "sounds" / sound.audio[:2] / sound.audio[2:]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert kept.audio(sound) is None
    (aside,) = (tmp_path / "library" / "damaged").iterdir()
    assert aside.read_bytes() == whole[:-1]
    file.write_bytes(whole)
    assert kept.audio(sound) == whole
    file.write_bytes(whole[1:])
    kept.add("m", "p", [new_sound(int(sound.name))])  # the same recording comes again
    assert kept.audio(sound) == whole
    assert len(list((tmp_path / "library" / "damaged").iterdir())) == 2
    kept.close()


def test_opening_what_is_kept_changes_nothing_of_it(tmp_path):
    """Refining opens it while the server writes."""
    keep(tmp_path, range(1))
    half = recordings(tmp_path)[0].with_name("123-abc.part")
    half.write_bytes(b"on its way")
    for age in (None, (1, 1)):
        if age is not None:
            os.utime(half, age)
        UserSoundStore(tmp_path / "library", make=False).close()
        assert half.exists()
    opened(tmp_path).close()
    assert not half.exists()


def test_a_worker_makes_no_database(tmp_path):
    with pytest.raises(DatabaseUnusableError, match="not in the data folder"):
        UserSoundStore(tmp_path / "library", make=False)
    assert not (tmp_path / "library" / "library.sqlite").exists()


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"before")
    with pytest.raises(TypeError):
        write_whole(file, "not bytes")  # type: ignore[arg-type]
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert file.read_bytes() == b"before"


# -- over HTTP ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory, engine_of):
    data = tmp_path_factory.mktemp("data")
    app = create_app(Settings(data=data), engine_of())
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield data, client


@pytest.fixture
def sound(served, name):
    """A kept sound: its address, and the file of its recording."""
    data, client = served
    before = set(recordings(data))
    reply = client.post(f"{API}/models/{name}/sounds", files={"files": ("a.wav", file_of(tone()))})
    url = f"{API}/models/{name}/sounds/{reply.json()['sounds'][0]['id']}"
    (file,) = set(recordings(data)) - before
    yield url, file
    client.delete(url)


def test_a_recording_that_cannot_be_read_for_a_moment_is_not_called_lost(served, sound):
    _, client = served
    url, file = sound
    whole = client.get(f"{url}/audio").content
    aside = file.rename(file.with_suffix(".aside"))
    file.symlink_to(file)  # to look at it fails, whoever asks
    reply = client.get(f"{url}/audio")
    problem = assert_problem(reply, 503, "storage_unavailable")
    assert reply.headers["retry-after"]
    assert "elete" not in problem["detail"]
    file.unlink()
    aside.rename(file)
    assert client.get(f"{url}/audio").content == whole


def test_a_recording_that_is_gone_is_there_again_when_it_is_put_back(served, sound):
    _, client = served
    url, file = sound
    whole = client.get(f"{url}/audio").content
    aside = file.rename(file.with_suffix(".aside"))
    problem = assert_problem(client.get(f"{url}/audio"), 404, "sound_not_found")
    assert "elete" not in problem["detail"]
    assert f"{file.parent.name}/{file.name}" in problem["detail"]
    aside.rename(file)
    assert client.get(f"{url}/audio").content == whole


def test_a_folder_that_is_gone_for_a_moment_is_not_a_lost_recording(served, sound):
    data, client = served
    url, _ = sound
    aside = (data / "library" / "sounds").rename(data / "aside")
    assert_problem(client.get(f"{url}/audio"), 503, "storage_unavailable")
    aside.rename(data / "library" / "sounds")
    assert client.get(f"{url}/audio").status_code == 200


# -- the database ------------------------------------------------------------------------------------


def test_a_page_that_is_damaged_meanwhile_is_told_and_nothing_more_is_written(served, sound, name):
    data, client = served
    url, file = sound
    sounds = url.rpartition("/")[0]
    path = data / "library" / "library.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'kept_sounds'"
        ).fetchone()
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        whole = path.read_bytes()
        with path.open("r+b") as disk:
            disk.seek((page - 1) * 4096)
            disk.write(b"\xff" * 4096)
        connection.execute("DELETE FROM uploads")  # any change: the server reads the file again
        connection.commit()
    refused = {
        "list": lambda: client.get(sounds),
        "rename": lambda: client.patch(url, json={"name": "b"}),
        "keep": lambda: client.post(sounds, files={"files": ("b.wav", file_of(tone(hertz=300)))}),
        "delete": lambda: client.delete(url),
        "fine-tune": lambda: client.post(
            f"{API}/models/{name}/finetunes", json={"sounds": [url.rpartition("/")[2]], "title": "Kit"}
        ),
    }
    for what, ask in refused.items():
        problem = assert_problem(ask(), 503, "storage_damaged")
        assert "restore library.sqlite from a copy" in problem["detail"], what
    assert "damaged" in assert_problem(client.get("/readyz"), 503, "not_ready")["parts"]["storage"]
    assert client.get(f"{API}/models/{name}/atlas").status_code == 200, "what came with the server goes on"
    assert file.is_file()
    with path.open("r+b") as disk:  # as the disk reads it later
        disk.write(whole)
    assert client.get("/readyz").status_code == 200
    assert client.patch(url, json={"name": "b"}).json()["name"] == "b"


def test_a_database_that_is_up_to_date_is_not_written_to(tmp_path):
    SqliteDatabase(tmp_path / "l.sqlite").close()
    before = (tmp_path / "l.sqlite").stat().st_mtime_ns
    SqliteDatabase(tmp_path / "l.sqlite").close()
    assert (tmp_path / "l.sqlite").stat().st_mtime_ns == before


@pytest.mark.parametrize("statement", ["DROP TABLE job_events", "ALTER TABLE kept_sounds DROP COLUMN facts"])
def test_a_database_in_which_something_is_missing_is_refused_with_a_sentence(tmp_path, statement):
    path = tmp_path / "l.sqlite"
    SqliteDatabase(path).close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    with pytest.raises(DatabaseUnusableError, match=r"is missing\. Nothing was changed"):
        SqliteDatabase(path)


def test_damage_that_only_reading_shows_is_told_of_too(tmp_path, monkeypatch, engine_of):
    """A large database is not looked through before it is opened."""
    keep(tmp_path, range(2))
    path = tmp_path / "library" / "library.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'adaptations'"
        ).fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    monkeypatch.setattr(database_module, "CHECKED_BYTES", 0)
    with pytest.raises(DatabaseUnusableError, match="damaged"):
        create_app(Settings(data=tmp_path), engine_of())
    DataFolder(tmp_path).release()  # nobody has it any more
    assert len(recordings(tmp_path)) == 2


def test_damaged_pages_are_told_of_before_anything_is_done(tmp_path):
    keep(tmp_path, range(200))
    path = tmp_path / "library" / "library.sqlite"
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(DatabaseUnusableError, match="damaged") as refused:
        opened(tmp_path)
    assert "move it" not in str(refused.value)
    assert path.read_bytes() == data
    assert len(recordings(tmp_path)) == 200
