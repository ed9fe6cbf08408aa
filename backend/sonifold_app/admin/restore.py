"""A backup becomes a data folder again: all of it, verified before anything is moved, or nothing."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from sonifold_app.admin import databases
from sonifold_app.admin.backup import DATABASE_PATH, LIBRARY
from sonifold_app.admin.manifest import FORMAT, MANIFEST, BackupError, Entry, Manifest, copy_hashed
from sonifold_app.store.data_folder import HOLDER, LOCK, MOVING_IN
from sonifold_app.store.sqlite import MIGRATIONS
from sonifold_app.store.trash import free_name
from sonifold_app.store.users import USERS

#: Contents on their way out of the archive; left behind by whoever was interrupted, and begun anew.
UNPACKING = ".restoring"
#: How the name of a folder begins that holds what a restore moved out of the way.
SET_ASIDE = ".before-restore-"
#: What an empty data folder may hold.
NO_CONTENTS = {LOCK, HOLDER, UNPACKING, "lost+found"}
MOST_MANIFEST_BYTES = 256 << 20


def restore(file: Path, data: Path, *, replace: bool = False) -> tuple[Manifest, Path | None]:
    """Bring the contents of a backup into a data folder that no server has; what these are, and where went what was
    there.

    ``replace``: what the folder holds is moved aside, into a folder in it. Raises BackupError; then nothing changed.
    """
    with opened(file) as (archive, manifest), taken(data):
        occupied = sorted(path for path in data.iterdir() if path.name not in NO_CONTENTS)
        if any(not is_set_aside(path) for path in occupied) and not replace:
            raise BackupError(
                f"the data folder {data} is not empty, and nothing was changed. Set SONIFOLD_DATA to an empty folder; "
                "or say --replace, and what is there is moved aside."
            )
        unpacking = data / UNPACKING
        shutil.rmtree(unpacking, ignore_errors=True)
        try:
            unpack(archive, manifest, unpacking)
            for name in (DATABASE_PATH, *databases_of_users(manifest)):
                check_database(unpacking / name)
        except BaseException:
            shutil.rmtree(unpacking, ignore_errors=True)
            raise
        aside = move_aside(data, occupied)
        move_in(unpacking, data)
    return manifest, aside


@contextlib.contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup and what it says of itself. Raises BackupError."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, manifest_of(archive, file)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise damaged(file.name, str(error)) from error


def manifest_of(archive: zipfile.ZipFile, file: Path) -> Manifest:
    """Raises BackupError where this version cannot restore it."""
    try:
        if archive.getinfo(MANIFEST).file_size > MOST_MANIFEST_BYTES:
            raise BackupError(f"{file} is no backup of Sonifold: its list of files is too long.")
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except (KeyError, ValidationError) as error:
        raise BackupError(
            f"{file} is no backup that `sonifold backup` wrote, or not a whole one; name one that is."
        ) from error
    if manifest.format > FORMAT or manifest.database > len(MIGRATIONS):
        raise BackupError(
            f"{file} was written by a newer Sonifold ({manifest.sonifold}). Update Sonifold, and restore it then."
        )
    return manifest


@contextlib.contextmanager
def taken(data: Path) -> Iterator[None]:
    """A data folder, made where there is none, while no server has it. Raises BackupError."""
    data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BackupError(
            f"a Sonifold uses the data folder {data}. End it first, or set SONIFOLD_DATA to another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def unpack(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> None:
    """Write every file of a backup and compare it with its sha256. Raises BackupError."""
    folder.mkdir()
    free = shutil.disk_usage(folder).free
    if manifest.total_bytes > free:
        raise BackupError(
            f"the backup holds {manifest.total_bytes:,} bytes, and the disk of {folder.parent} has room for {free:,}. "
            "Make room, or restore elsewhere."
        )
    for name, entry in manifest.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            about = archive.getinfo(name)
        except KeyError as error:
            raise damaged(name, "it is missing") from error
        if about.file_size != entry.bytes:
            raise damaged(name, f"it has {about.file_size} bytes instead of {entry.bytes}")
        unpack_file(archive, about, entry, file)


def unpack_file(archive: zipfile.ZipFile, about: zipfile.ZipInfo, entry: Entry, file: Path) -> None:
    """Raises BackupError where a file is not what the backup says."""
    with file.open("xb") as target:
        try:
            with archive.open(about) as source:
                unpacked = copy_hashed(source, target)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise damaged(about.filename, str(error)) from error
    if unpacked != entry:
        raise damaged(about.filename, "its sha256 is another")


def damaged(name: str, why: str) -> BackupError:
    return BackupError(
        f"the backup is damaged: {name}: {why}. Nothing was restored. Copy it again, or use another."
    )


def databases_of_users(manifest: Manifest) -> list[str]:
    return [
        name for name in manifest.files if name.startswith(f"{USERS}/") and name.endswith(f"/{DATABASE_PATH}")
    ]


def check_database(file: Path) -> None:
    """Raises BackupError."""
    try:
        with databases.opened(file, "ro&immutable=1") as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise damaged(DATABASE_PATH, str(error)) from error
    if verdict != "ok":
        raise damaged(DATABASE_PATH, verdict)


def is_set_aside(path: Path) -> bool:
    """Whether an earlier restore moved it out of the way."""
    return path.name.startswith(SET_ASIDE)


def move_aside(data: Path, paths: list[Path]) -> Path | None:
    """Where what was there lies from now on; the database goes first, so that none is begun beside other recordings."""
    moved = sorted((path for path in paths if not is_set_aside(path)), key=lambda path: path.name != LIBRARY)
    if not moved:
        return None
    aside = free_name(data, f"{SET_ASIDE}{time.strftime('%Y%m%d-%H%M%S')}")
    aside.mkdir()
    for path in moved:
        path.rename(aside / path.name)
    return aside


def move_in(unpacked: Path, data: Path) -> None:
    """Nothing uses the folder until all of it has arrived (see ``store.data_folder``)."""
    moving = unpacked.rename(data / MOVING_IN)
    for path in sorted(moving.iterdir()):
        path.rename(data / path.name)
    moving.rmdir()
