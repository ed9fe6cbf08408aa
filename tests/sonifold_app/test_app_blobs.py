"""Recordings in the data folder and in an object store: the same answers from both, and nothing lost in either."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from data_folders import sound
from s3_server import S3Server

from sonifold_app.admin.backup import back_up
from sonifold_app.admin.data_checks import check_store
from sonifold_app.admin.manifest import BackupError
from sonifold_app.settings import Settings
from sonifold_app.store import named, objects, trash
from sonifold_app.store.failures import StorageUnavailableError
from sonifold_app.store.named import NamedFiles
from sonifold_app.store.objects import BlobsUnusableError, NamedObjects
from sonifold_app.store.opening import open_files
from sonifold_app.store.sounds import UserSoundStore

pytestmark = pytest.mark.long

KEYS = [f"{number:064x}" for number in range(12)]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    pytest.importorskip("s3fs", reason="s3fs is not installed: pip install sonifold[s3]")
    pytest.importorskip("moto.server", reason="moto[server] is not installed")
    with pytest.MonkeyPatch.context() as patch:
        server = S3Server()
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield server
        server.close()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "folder" else request.getfixturevalue("s3").new_bucket()


@pytest.fixture
def files(tmp_path: Path, blobs: str | None) -> NamedFiles:
    return open_files(tmp_path / "library" / "sounds", tmp_path, blobs)


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came this second counts as a stray."""
    monkeypatch.setattr(named, "GRACE_SECONDS", -10.0)


def test_bytes_are_kept_under_their_keys(files: NamedFiles) -> None:
    assert files.get(KEYS[0]) is None
    assert KEYS[0] not in files
    files.put(KEYS[0], b"first")
    files.put(KEYS[0], b"again")
    assert (files.get(KEYS[0]), files.size(KEYS[0]), KEYS[0] in files) == (b"again", 5, True)
    files.drop(KEYS[0])
    files.drop(KEYS[0])
    assert (files.get(KEYS[0]), files.size(KEYS[0])) == (None, 0)


def test_what_no_row_names_goes_to_the_trash_and_comes_back(files: NamedFiles, no_grace: None) -> None:
    for key in KEYS:
        files.put(key, key.encode())
    files.sweep(set(KEYS[2:]))
    files.sweep(set(KEYS[2:]))
    assert files.size(KEYS[0]) == 0
    assert files.get(KEYS[0]) == KEYS[0].encode()
    assert KEYS[1] in files
    assert [files.get(key) for key in KEYS] == [key.encode() for key in KEYS]


def test_an_older_database_takes_nothing_away(files: NamedFiles, no_grace: None) -> None:
    for key in KEYS:
        files.put(key, b"x")
    files.sweep(set(KEYS[:6]))
    assert all(files.size(key) for key in KEYS)


def test_the_trash_is_emptied_after_thirty_days(
    files: NamedFiles, no_grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in KEYS:
        files.put(key, b"x")
    files.sweep(set(KEYS[1:]))
    later = trash.today() + datetime.timedelta(days=31)
    for module in (trash, objects):
        monkeypatch.setattr(module, "today", lambda: later)
    files.purge()
    assert files.get(KEYS[0]) is None
    assert files.get(KEYS[1]) == b"x"


def test_a_damaged_recording_is_not_served_and_not_lost(tmp_path: Path, blobs: str | None) -> None:
    sounds = UserSoundStore(tmp_path / "library", blobs=blobs)
    (added,) = sounds.add("m", "p", [sound(b"whole")])
    open_files(tmp_path / "library" / "sounds", tmp_path, blobs).put(added.audio, b"damaged")
    assert sounds.audio(added) is None
    assert [each.id for each in sounds.all("m")] == [added.id]
    open_files(tmp_path / "library" / "sounds", tmp_path, blobs).put(added.audio, b"whole")
    assert sounds.audio(added) == b"whole"
    sounds.close()


def test_one_recording_of_two_sounds_goes_with_the_last_of_them(tmp_path: Path, blobs: str | None) -> None:
    sounds = UserSoundStore(tmp_path / "library", blobs=blobs)
    first, second = sounds.add("m", "p", [sound(b"same"), sound(b"same")])
    sounds.remove("m", first.id)
    assert sounds.audio(second) == b"same"
    sounds.remove("m", second.id)
    assert sounds.audio(second) is None
    sounds.close()


def test_a_store_that_is_gone_is_not_a_lost_recording(s3: S3Server) -> None:
    import boto3

    url = s3.new_bucket()
    files = NamedObjects(url, "sounds")
    files.put(KEYS[0], b"x")
    assert files.problem() is None
    bucket = boto3.resource("s3", endpoint_url=s3.url).Bucket(url.split("/")[2])
    bucket.objects.all().delete()
    bucket.delete()
    for ask in (lambda: files.get(KEYS[0]), lambda: KEYS[0] in files, lambda: files.put(KEYS[0], b"x")):
        with pytest.raises(StorageUnavailableError):
            ask()
    assert files.problem() is not None


def test_a_folder_may_be_named_by_an_address(tmp_path: Path) -> None:
    open_files(tmp_path / "library" / "sounds", tmp_path, f"file://{tmp_path}/elsewhere").put(KEYS[0], b"x")
    assert (tmp_path / "elsewhere" / "sounds" / KEYS[0][:2] / KEYS[0][2:]).read_bytes() == b"x"


def test_an_address_that_is_none_is_told_of_at_the_start() -> None:
    with pytest.raises(BlobsUnusableError, match="SONIFOLD_BLOBS=nowhere://bucket"):
        NamedObjects("nowhere://bucket", "sounds")


def test_while_the_store_is_away_nothing_is_acknowledged_and_nothing_lost(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"config_kwargs": {"connect_timeout": 0.3, "read_timeout": 0.3, "retries": {"max_attempts": 1}}}
    monkeypatch.setattr(objects, "S3_OPTIONS", quick)
    blobs = s3.new_bucket()
    sounds = UserSoundStore(tmp_path / "library", blobs=blobs)
    (kept,) = sounds.add("m", "p", [sound(b"before")])
    s3.stop()
    for ask in (lambda: sounds.add("m", "p", [sound(b"meanwhile")]), lambda: sounds.audio(kept)):
        with pytest.raises(StorageUnavailableError):
            ask()
    assert open_files(tmp_path / "library" / "sounds", tmp_path, blobs).problem() is not None
    s3.go_on()
    assert [each.id for each in sounds.all("m")] == [kept.id]
    assert sounds.audio(kept) == b"before"
    (later,) = sounds.add("m", "p", [sound(b"meanwhile")])
    assert sounds.audio(later) == b"meanwhile"
    assert not list((tmp_path / "library" / "sounds").glob("*/*")), "recordings are in the store alone"
    sounds.close()


def test_a_backup_says_that_the_recordings_are_elsewhere_and_writes_nothing(
    tmp_path: Path, s3: S3Server
) -> None:
    blobs = s3.new_bucket()
    UserSoundStore(tmp_path / "data" / "library", blobs=blobs).close()
    with pytest.raises(BackupError, match="s3://"):
        back_up(tmp_path / "data", tmp_path / "backup.zip", blobs=blobs)
    assert not (tmp_path / "backup.zip").exists()
    (finding,) = check_store(Settings(data=tmp_path / "data", blobs=blobs))
    assert finding.level == "ok"
    (finding,) = check_store(Settings(data=tmp_path / "data", blobs="s3://no-such-bucket/x"))
    assert finding.level == "problem"
