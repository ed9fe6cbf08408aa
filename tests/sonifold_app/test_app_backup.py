"""``sonifold backup`` and ``sonifold restore``: what comes back is what was there, or nothing comes."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from app_checks import API, file_of, renamed_pack, tone, wait_for
from data_folders import contents, recording, sound, stored
from starlette.testclient import TestClient

from sonifold.cli import main
from sonifold_app.admin.backup import back_up
from sonifold_app.admin.manifest import MANIFEST, BackupError
from sonifold_app.admin.restore import restore
from sonifold_app.app import create_app
from sonifold_app.settings import Settings
from sonifold_app.store.data_folder import MOVING_IN, DataFolder, DataFolderUnusableError
from sonifold_app.store.jobs import JobStore
from sonifold_app.store.sounds import UserSoundStore

FILES = [("files", (f"{i}.wav", file_of(tone(0.3, 150 + 70 * i)))) for i in range(3)]


# -- over HTTP, from one server to another ---------------------------------------------------------


def populate(client: TestClient, model: str) -> dict[str, list[str]]:
    """Everything that a data folder can hold, by way of the API; the ids of it, by parameter of an address."""

    def post(path: str, **body) -> Any:
        return client.post(API + path, **body).raise_for_status()

    sounds = post(f"/models/{model}/sounds", files=FILES).json()["sounds"]
    drawn = post(f"/models/{model}/sounds", json={"point": sounds[0]["z"], "name": "drawn"}).json()
    upload = post(f"/models/{model}/uploads", files=FILES[:1]).json()
    ids = [sound["id"] for sound in sounds]
    adapted = post(f"/models/{model}/adaptations", json={"sounds": ids}).json()["result"]
    client.delete(f"{API}/models/{model}/sounds/{ids.pop()}").raise_for_status()
    post("/models", files={"file": ("another.zip", renamed_pack(client, model))})
    conditions = [{"kind": "linear"}, {"kind": "crossfade"}]
    pairs = [{"start": ids[0], "end": ids[1]}]
    test = {"conditions": conditions, "pairs": pairs, "trials": 6, "steps": 3, "step_seconds": 0.1}
    address = post("/listening-tests", json=test).headers["location"]
    wait_for(lambda: client.get(address).json()["state"] == "ready")
    listener = client.post(f"{address}/listeners", json={}).raise_for_status().json()["id"]
    answer = {"answer": "1", "listens": {"1": 1, "2": 1, "x": 1}}
    client.put(f"{address}/listeners/{listener}/trials/1/answer", json=answer).raise_for_status()
    return {
        "model": [model, adapted],
        "sound": [*ids, drawn["id"]],
        "upload": [upload["id"]],
        "file": ["0"],
        "test": [address.rpartition("/")[2]],
        "listener": [listener],
        "number": ["1", "2"],
        "job": [job["id"] for job in client.get(f"{API}/jobs").json()["jobs"]],
        "which": ["before", "after"],
        "sha256": ["0" * 64],
        "ingest": ["1"],
        "collection_sound": ["1"],
    }


#: The sound of a trial is another each time, so that nobody knows it by its bytes; the rest is compared.
DRAWN = "/trials/"


def addresses(client: TestClient, ids: dict[str, list[str]]) -> list[str]:
    """Every address of the API that answers GET, of everything there is."""
    paths = client.get(f"{API}/openapi.json").json()["paths"]
    filled = []
    for path in (path for path, methods in paths.items() if "get" in methods and path.startswith(API)):
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        products = itertools.product(*(ids[name] for name in names))
        filled += [path.format(**dict(zip(names, values, strict=True))) for values in products]
    return [*filled, f"{API}/models/another", f"{API}/models/another/file"]


def replies(
    client: TestClient, addresses: list[str], ids: dict[str, list[str]]
) -> dict[str, tuple[int, str]]:
    """What these reply, and a morph between two user sounds under each model."""
    answers = {address: client.get(address) for address in addresses if DRAWN not in address}
    for model in ids["model"]:
        anchors = [{"sound": id} for id in ids["sound"][:2]]
        morph = {"anchors": anchors, "kinds": ["geodesic"], "steps": 3}
        answers[f"morph {model}"] = client.post(f"{API}/models/{model}/morphs", json=morph)
        assert answers[f"morph {model}"].status_code == 200
    assert {reply.status_code for reply in answers.values()} <= {200, 404, 409, 422}
    assert sum(reply.status_code == 200 for reply in answers.values()) > 30
    return {
        address: (reply.status_code, hashlib.sha256(reply.content).hexdigest())
        for address, reply in answers.items()
    }


@pytest.mark.long
def test_a_restored_folder_answers_as_the_one_that_was_backed_up(
    tmp_path, name, small_models, small_engine_of, monkeypatch, capsys
):
    data, elsewhere, file = tmp_path / "data", tmp_path / "elsewhere", tmp_path / "backup.zip"
    jobs = JobStore(data / "library")
    job = jobs.create(name, "Kit", {"sounds": [], "config": {}})
    jobs.finish(job.id, "failed", {"message": "m"}, "m")
    jobs.close()
    (data / "jobs" / job.id).mkdir(parents=True)
    (data / "jobs" / job.id / "before.wav").write_bytes(file_of(tone()))

    def served(folder: Path) -> TestClient:
        app = create_app(Settings(data=folder, models=small_models), small_engine_of())
        same_id = {"X-Request-ID": "same"}  # it is in every problem
        return TestClient(app, base_url="http://127.0.0.1:8750", headers=same_id)

    with served(data) as client:
        ids = populate(client, name)
        everywhere = addresses(client, ids)
        for model in ids["model"]:  # until no sound waits for its point in an adapted one
            wait_for(
                lambda address=f"{API}/models/{model}/sounds": not client.get(address).json()["provisional"]
            )
        before = replies(client, everywhere, ids)
        monkeypatch.setenv("SONIFOLD_DATA", str(data))
        assert main(["backup", str(file)]) == 0, capsys.readouterr().err
        assert main(["restore", str(file), "--replace"]) == 1
        assert "uses the data folder" in capsys.readouterr().err
    monkeypatch.setenv("SONIFOLD_DATA", str(elsewhere))
    assert main(["restore", str(file)]) == 0, capsys.readouterr().err
    with served(elsewhere) as client:
        wait_for(lambda: client.get(f"{API}/models/another").status_code == 200)
        after = replies(client, everywhere, ids)
    assert {address for address, reply in after.items() if reply != before[address]} == set()


# -- folders and files -----------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path) -> Path:
    return stored(tmp_path / "data")


@pytest.fixture
def file(data, tmp_path) -> Path:
    """A backup of it."""
    back_up(data, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def test_what_can_be_made_again_is_left_out(data, file, tmp_path):
    manifest, aside = restore(file, tmp_path / "new")
    assert aside is None
    recordings = {recording(data, audio).relative_to(data).as_posix() for audio in (b"first", b"second")}
    assert manifest.files.keys() == {"library/library.sqlite", "packs/mine/pack.json", *recordings}
    restored = contents(tmp_path / "new")
    assert {name: restored[name] for name in recordings} == {
        name: contents(data)[name] for name in recordings
    }
    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_a_recording_in_the_trash_is_taken_along_and_one_that_is_nowhere_is_named(data, tmp_path):
    first, second = recording(data, b"first"), recording(data, b"second")
    first.rename(data / "trash" / "2026-01-01" / (first.parent.name + first.name))
    second.unlink()
    manifest = back_up(data, tmp_path / "backup.zip")
    assert first.relative_to(data).as_posix() in manifest.files
    assert manifest.missing == [second.relative_to(data).as_posix()]
    assert not first.exists()  # nothing was changed


def test_a_damaged_recording_is_taken_along_and_named(data, tmp_path):
    recording(data, b"first").write_bytes(b"firs")
    manifest = back_up(data, tmp_path / "backup.zip")
    assert manifest.damaged == [recording(data, b"first").relative_to(data).as_posix()]
    restore(tmp_path / "backup.zip", tmp_path / "new")
    assert recording(tmp_path / "new", b"first").read_bytes() == b"firs"


def test_what_is_kept_and_deleted_meanwhile_is_in_a_backup_wholly_or_not_at_all(data, tmp_path):
    store, ended = UserSoundStore(data / "library"), threading.Event()

    def change() -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            (kept,) = store.add("toy", "pack", [sound(b"%d" % number)])
            store.remove("toy", kept.id)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for number in range(20):
            manifest = back_up(data, tmp_path / f"{number}.zip")
            assert manifest.missing == []
            restore(tmp_path / f"{number}.zip", tmp_path / f"{number}")
            database = sqlite3.connect(tmp_path / f"{number}" / "library" / "library.sqlite")
            keys = {key for (key,) in database.execute("SELECT audio FROM kept_sounds")}
            database.close()
            files = {
                path.parent.name + path.name for path in (tmp_path / f"{number}").glob("library/sounds/*/*")
            }
            assert keys == files
    finally:
        ended.set()
        thread.join()
        store.close()


def test_a_backup_is_never_written_over_another_without_being_told(data, file, monkeypatch, capsys):
    before = file.read_bytes()
    monkeypatch.setenv("SONIFOLD_DATA", str(data))
    assert main(["backup", str(file)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert main(["backup", str(file), "--overwrite"]) == 0
    assert [path.name for path in file.parent.iterdir() if path.is_file()] == ["backup.zip"]


def test_a_folder_that_is_not_empty_is_left_alone_or_moved_aside(data, file):
    before = contents(data)
    with pytest.raises(BackupError, match="--replace"):
        restore(file, data)
    assert contents(data) | before == contents(data)
    _, aside = restore(file, data, replace=True)
    assert aside is not None
    assert contents(aside) == {name: value for name, value in before.items() if name != ".lock"}
    assert recording(data, b"first").read_bytes() == b"first"
    assert not (data / "cache").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-200]),
        lambda file: file.write_bytes(file.read_bytes().replace(b"second", b"sec0nd", 1)),
        lambda file: file.write_bytes(b"no archive at all"),
        lambda file: rewrite(
            file, lambda manifest: {"files": {"../outside": manifest["files"].popitem()[1]}}
        ),
        lambda file: rewrite(
            file, lambda manifest: {"files": manifest["files"] | {"gone": any_of(manifest)}}
        ),
        lambda file: rewrite(file, lambda manifest: {"database": 99}),
        lambda file: rewrite(file, lambda manifest: {"format": 99}),
    ],
    ids=[
        "cut short",
        "a bit",
        "no archive",
        "a path that leads out",
        "a missing file",
        "newer",
        "newer format",
    ],
)
def test_what_is_not_whole_is_not_restored(file, tmp_path, damage):
    damage(file)
    with pytest.raises(BackupError):
        restore(file, tmp_path / "new")
    folder = tmp_path / "new"
    assert not folder.exists() or {path.name for path in folder.iterdir()} <= {".lock"}
    assert not (tmp_path / "outside").exists()


def any_of(manifest):
    return next(iter(manifest["files"].values()))


def rewrite(file: Path, change) -> None:
    """Have a backup say something else of itself."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(entries[MANIFEST])
    entries[MANIFEST] = json.dumps(manifest | change(manifest)).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def test_a_folder_whose_restore_was_interrupted_is_not_served(data, file):
    (data / MOVING_IN).mkdir()
    with pytest.raises(DataFolderUnusableError, match="sonifold restore"):
        DataFolder(data)
    restore(file, data, replace=True)
    DataFolder(data).release()
