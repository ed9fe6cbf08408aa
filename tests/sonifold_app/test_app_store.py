"""What is kept on disk: whole, bounded, found again after a restart, and never served damaged."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from app_checks import API, assert_problem
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.settings import Settings
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.cache import ReplyCache
from sonifold_app.store.failures import StoreFullError
from sonifold_app.store.folder import BoundedFolder
from sonifold_app.store.sqlite import SqliteDatabase

KEYS = ["aa" + "0" * 62, "bb" + "0" * 62, "cc" + "0" * 62]


def test_a_folder_keeps_bytes_over_a_restart(tmp_path):
    BoundedFolder(tmp_path, 100).put(KEYS[0], b"kept")
    again = BoundedFolder(tmp_path, 100)
    assert again.get(KEYS[0]) == b"kept"
    assert again.get(KEYS[1]) is None
    assert again.bytes == 4


def test_nobody_writes_between_what_a_change_reads_and_what_it_writes(tmp_path):
    database = SqliteDatabase(tmp_path / "library.sqlite")
    insertion = "INSERT INTO fingerprints VALUES ('a', x'00')"

    def change(connection):
        connection.exec_driver_sql("SELECT count(*) FROM fingerprints").scalar_one()
        other = pool.submit(database.write, lambda connection: connection.exec_driver_sql(insertion))
        assert wait([other], timeout=0.5).not_done == {other}
        return other

    with ThreadPoolExecutor(1) as pool:
        database.write(change).result()
    database.close()


def test_what_was_longest_unused_goes_first(tmp_path):
    folder = BoundedFolder(tmp_path, 100)
    folder.put(KEYS[0], bytes(40))
    folder.put(KEYS[1], bytes(40))
    folder.get(KEYS[0])
    folder.put(KEYS[2], bytes(40))
    assert [key in folder for key in KEYS] == [True, False, True]
    assert folder.bytes == 80
    assert sum(file.stat().st_size for file in tmp_path.glob("*/*")) == 80


def test_the_order_of_use_survives_a_restart(tmp_path):
    folder = BoundedFolder(tmp_path, 100)
    for age, key in enumerate(KEYS[:2]):
        folder.put(key, bytes(40))
        os.utime(tmp_path / key[:2] / key[2:], (1000 + age, 1000 + age))
    folder.get(KEYS[0])
    again = BoundedFolder(tmp_path, 100)
    again.put(KEYS[2], bytes(40))
    assert [key in again for key in KEYS] == [True, False, True]


def test_what_was_just_put_is_kept_even_if_it_is_too_large(tmp_path):
    folder = BoundedFolder(tmp_path, 100)
    folder.put(KEYS[0], bytes(50))
    folder.put(KEYS[1], bytes(500))
    assert folder.get(KEYS[1]) == bytes(500)
    assert KEYS[0] not in folder


def test_putting_the_same_key_again_replaces_it(tmp_path):
    folder = BoundedFolder(tmp_path, 100)
    folder.put(KEYS[0], bytes(50))
    folder.put(KEYS[0], b"new")
    assert folder.get(KEYS[0]) == b"new"
    assert folder.bytes == 3


def test_half_written_files_are_cleared_away(tmp_path):
    BoundedFolder(tmp_path, 100).put(KEYS[0], b"kept")
    half, young = (tmp_path / KEYS[0][:2] / name for name in ("7-123.part", "8-456.part"))
    for file in (half, young):
        file.write_bytes(b"ha")
    os.utime(half, (1, 1))
    folder = BoundedFolder(tmp_path, 100)
    assert len(folder) == 1
    assert half.exists()
    folder.clear_abandoned()
    assert not half.exists()
    assert young.exists(), "somebody may be writing it"


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    folder = BoundedFolder(tmp_path, 100)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreFullError, match="full"):
        folder.put(KEYS[0], b"data")
    assert KEYS[0] not in folder
    assert [file for file in tmp_path.glob("*/*") if file.is_file()] == []


def test_a_file_deleted_by_hand_is_simply_gone(tmp_path):
    folder = BoundedFolder(tmp_path, 100)
    folder.put(KEYS[0], b"data")
    (tmp_path / KEYS[0][:2] / KEYS[0][2:]).unlink()
    assert KEYS[0] not in folder
    assert folder.get(KEYS[0]) is None
    assert folder.bytes == 0


def test_a_damaged_blob_is_dropped(tmp_path):
    blobs = Blobs(BoundedFolder(tmp_path, 1000))
    key = blobs.put(b"sound")
    (tmp_path / key[:2] / key[2:]).write_bytes(b"sOund")
    assert blobs.get(key) is None
    assert key not in blobs
    assert blobs.put(b"sound") == key
    assert blobs.get(key) == b"sound"


@pytest.mark.parametrize(
    "key", ["", "abc", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"]
)
def test_only_a_sha256_is_a_key(tmp_path, key):
    assert Blobs(BoundedFolder(tmp_path, 1000)).get(key) is None
    assert key not in Blobs(BoundedFolder(tmp_path, 1000))


def test_a_cache_remembers_by_the_whole_key(tmp_path):
    ReplyCache(tmp_path, 1000).put(("morphs", "v1", "{}"), "réponse")
    cache = ReplyCache(tmp_path, 1000)
    assert cache.get("morphs", "v1", "{}") == "réponse"
    assert cache.get("morphs", "v2", "{}") is None
    assert cache.get("morphs", "v1{}") is None


def test_a_damaged_cache_entry_is_not_served(tmp_path):
    cache = ReplyCache(tmp_path, 1000)
    cache.put(("a",), "text")
    (file,) = [file for file in tmp_path.glob("*/*") if file.is_file()]
    file.write_bytes(file.read_bytes()[:-1])
    assert cache.get("a") is None


def test_a_morph_outlives_the_server(tmp_path, engine_of, ids, name, counted):
    asked = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kinds": ["linear"], "steps": 3}
    replies, sounds, oggs = [], [], []
    with counted() as calls:
        for _ in range(2):
            app = create_app(Settings(data=tmp_path), engine_of())
            with TestClient(app, base_url="http://localhost") as client:
                reply = client.post(f"{API}/models/{name}/morphs", json=asked).json()
                url = reply["morphs"][0]["audio"]["url"]
                replies.append(reply)
                sounds.append(client.get(url).content)
                oggs.append(client.get(url, params={"format": "ogg"}).headers["etag"])
    assert replies[0] == replies[1]
    assert sounds[0] == sounds[1]
    assert oggs[0] == oggs[1]
    assert calls["morphs"] == [1]


def test_a_full_disk_is_told_of(client, ids, name, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    asked = {"anchors": [{"sound": ids[10]}, {"sound": ids[11]}], "kinds": ["linear"], "steps": 2}
    problem = assert_problem(client.post(f"{API}/models/{name}/morphs", json=asked), 507, "storage_full")
    assert "room" in problem["detail"]
