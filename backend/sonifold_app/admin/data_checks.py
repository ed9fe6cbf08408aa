"""Checks of the data folder, which change nothing in it, also while a server has it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sonifold import pack
from sonifold_app.admin import databases
from sonifold_app.admin.backup import DATABASE_PATH, LIBRARY, Named, files_named_by, files_named_in
from sonifold_app.admin.finding import Finding, ok, problem, warning
from sonifold_app.admin.manifest import BackupError
from sonifold_app.admin.restore import SET_ASIDE
from sonifold_app.admin.system_checks import existing_parent
from sonifold_app.settings import Settings
from sonifold_app.store.blobs import SHA256
from sonifold_app.store.data_folder import HOLDER, LOCK, MOVING_IN
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.folder import bytes_under
from sonifold_app.store.named import GRACE_SECONDS
from sonifold_app.store.objects import BlobsUnusableError
from sonifold_app.store.opening import INSTALLATION, SOUNDS, open_database, open_files
from sonifold_app.store.sqlite import MIGRATIONS
from sonifold_app.store.trash import DAYS, Trash

#: How many of a kind are named.
NAMED = 5


def check_folder(settings: Settings) -> Iterator[Finding]:
    """That the data folder can be written to, and who has it."""
    data = settings.data.absolute()
    folder = existing_parent(data)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield problem(
            f"{folder} cannot be written to",
            "See to its permissions, or set SONIFOLD_DATA to another folder.",
        )
    elif folder != data:
        yield ok(f"{data} is not there yet, and can be made")
    else:
        holder = holder_of(data)
        yield ok(f"{data} can be written to" + (f"; a Sonifold has it: {holder}" if holder else ""))
    if (data / MOVING_IN).exists():
        yield problem(
            f"a restore into {data} was interrupted", "Run `sonifold restore FILE --replace` again."
        )
    for aside in sorted(data.glob(f"{SET_ASIDE}*")):
        yield warning(
            f"{aside} holds {bytes_under(aside) / 1e6:.0f} MB that a restore moved aside",
            "Delete it once you need it no longer.",
        )


def holder_of(data: Path) -> str | None:
    """The server that has a data folder, in its own words. Of Windows it is not told."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        with (data / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return (data / HOLDER).read_text()
        return "it does not say which"
    except OSError:
        pass
    return None


def check_database(settings: Settings) -> Iterator[Finding]:
    """That the user's database is whole, and of a version that this Sonifold knows."""
    if settings.database_url is not None:
        yield from check_server(settings.data / LIBRARY, settings.database_url)
        return
    file = settings.data / DATABASE_PATH
    if not file.is_file():
        yield ok("there is no database yet")
        return
    restore = "Restore it from a backup; your recordings are files of their own beside it."
    try:
        with copied(file) as copy, databases.opened(copy, "rw") as connection:
            verdicts = [verdict for (verdict,) in connection.execute("PRAGMA integrity_check(3)")]
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        yield problem(f"{file} cannot be read: {error}", restore)
        return
    if verdicts != ["ok"]:
        yield problem(f"{file} is damaged: {'; '.join(verdicts)}", restore)
    elif dangling is not None:
        yield problem(f"{file}: a row of {dangling[0]} belongs to nothing in {dangling[2]}", restore)
    elif version > len(MIGRATIONS):
        yield problem(
            f"{file} is of version {version}, this Sonifold knows {len(MIGRATIONS)}", "Update Sonifold."
        )
    elif version < len(MIGRATIONS):
        yield ok(
            f"whole; the next start brings version {version} to {len(MIGRATIONS)}, and makes a copy first"
        )
    else:
        yield ok(f"whole, of version {version}")


def check_server(folder: Path, url: str) -> Iterator[Finding]:
    """That a database server answers, and that its database and the data folder belong to each other."""
    if not (folder / INSTALLATION).is_file():
        yield ok("there is no database yet; the next start begins one on the server")
        return
    try:
        open_database(folder, url, make=False).close()
    except DatabaseUnusableError as error:
        yield problem(str(error), "See to the server and to SONIFOLD_DATABASE.")
    else:
        yield ok("the database server answers, and its database is this data folder's")


@contextlib.contextmanager
def copied(file: Path) -> Iterator[Path]:
    """A copy of a database elsewhere, made without changing anything beside it. Raises sqlite3.Error.

    SQLite makes files beside a database in write-ahead mode when it reads it, unless somebody has it open already.
    """
    mode = "ro" if file.with_name(f"{file.name}-wal").exists() else "ro&immutable=1"
    with tempfile.TemporaryDirectory(prefix="sonifold-doctor-") as scratch:
        copy = Path(scratch) / file.name
        databases.copy_file(file, mode, copy)
        yield copy


def check_store(settings: Settings) -> Iterator[Finding]:
    """That every row has its files and every file its row; and what lies in the trash."""
    try:
        named = stored_files(settings)
    except (sqlite3.Error, BackupError, DatabaseUnusableError) as error:
        yield problem(f"what the database names cannot be read: {error}", "See to the database first.")
        return
    if named is None:
        yield ok("nothing is stored yet")
        return
    if settings.blobs is not None:
        yield from check_blobs(settings.data, settings.blobs)
        return
    yield from check_rows(settings.data, named)
    yield from check_strays(settings.data, {each.path for each in named})
    yield from check_trash(settings.data)


def check_blobs(data: Path, url: str) -> Iterator[Finding]:
    """That an object store answers; each recording in it would cost a request."""
    try:
        trouble = open_files(data / LIBRARY / SOUNDS, data, url).problem()
    except BlobsUnusableError as error:
        trouble = str(error)
    if trouble is None:
        yield ok(f"the recordings are in {url}, which answers; they were not looked at one by one")
    else:
        yield problem(f"the recordings are in {url}: {trouble}", "See to the store and to SONIFOLD_BLOBS.")


def stored_files(settings: Settings) -> list[Named] | None:
    """What rows name; None without a database. Raises sqlite3.Error, BackupError, DatabaseUnusableError."""
    folder, file = settings.data / LIBRARY, settings.data / DATABASE_PATH
    if settings.database_url is not None:
        if not (folder / INSTALLATION).is_file():
            return None
        with contextlib.closing(open_database(folder, settings.database_url, make=False)) as database:
            return files_named_by(database)
    if not file.is_file():
        return None
    with copied(file) as copy:
        return files_named_in(copy, copy.parent)


def check_rows(data: Path, named: list[Named]) -> Iterator[Finding]:
    trash = Trash(data)
    missing: list[str] = []
    in_trash: list[str] = []
    damaged: list[str] = []
    for each in named:
        file = data / each.path
        if not file.is_file():
            (missing if trash.find(each.key) is None else in_trash).append(each.path)
        elif each.content_addressed and pack.sha256(file) != each.key:
            damaged.append(each.path)
    for state, paths in (("missing", missing), ("damaged", damaged)):
        if paths:
            yield problem(
                f"{counted_files(paths)} {state}: {some(paths)}",
                "Put them back from a backup, or delete the sounds that need them.",
            )
    if in_trash:
        yield warning(
            f"{counted_files(in_trash)} in the trash: {some(in_trash)}",
            "They come back by themselves when they are asked for.",
        )
    if not (missing or damaged):
        yield ok(f"every recording that the database names is there and whole ({len(named)})")


def counted_files(paths: list[str]) -> str:
    one = "1 file that the database names is"
    return one if len(paths) == 1 else f"{len(paths)} files that the database names are"


def check_strays(data: Path, named: set[str]) -> Iterator[Finding]:
    now = time.time()
    strays = [
        path
        for folder in ("library/sounds", "listening")
        for path in (file.relative_to(data).as_posix() for file in (data / folder).glob("*/*"))
        if SHA256.fullmatch("".join(Path(path).parts[-2:])) and path not in named
    ]
    old = []
    for path in strays:
        with contextlib.suppress(FileNotFoundError):
            if now - (data / path).stat().st_mtime > GRACE_SECONDS:
                old.append(path)
    belonging = "1 recording belongs" if len(old) == 1 else f"{len(old)} recordings belong"
    if old:
        yield warning(
            f"{belonging} to no row of the database: {some(old)}",
            f"The next start moves them to the trash for {DAYS} days. If the database is an older one, put the newer "
            "one back before.",
        )


def check_trash(data: Path) -> Iterator[Finding]:
    trash, damaged = (files_under(data / folder) for folder in ("trash", "library/damaged"))
    if trash:
        size = sum(file.stat().st_size for file in trash)
        yield ok(f"{len(trash)} files of {size / 1e6:.1f} MB in the trash, each for {DAYS} days")
    if damaged:
        yield warning(
            f"{len(damaged)} damaged recordings were set aside in {data / 'library' / 'damaged'}",
            "Put them back from a backup, or delete them there.",
        )


def files_under(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def some(paths: list[str]) -> str:
    more = len(paths) - NAMED
    return ", ".join(paths[:NAMED]) + (f" and {more} more" if more > 0 else "")
