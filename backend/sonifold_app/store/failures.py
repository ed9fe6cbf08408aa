"""What it means that a disk or a database fails: from errno, SQLite's codes and PostgreSQL's to three kinds of failure.

StorageError
├─ StoreFullError           there is no room; deleting makes some
├─ StorageUnavailableError  it cannot be read or written at the moment; nothing is lost, and it may pass
└─ StorageDamagedError      what was written is not what is read
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

import sqlalchemy.exc

#: Less than this is a full disk: SQLite alone needs some pages at a time.
FULL_BYTES = 256 * 1024


class StorageError(Exception):
    """What is kept cannot be read or written; the message is a sentence for the user."""


class StoreFullError(StorageError):
    """The disk has no room for what is to be kept."""

    def __init__(self) -> None:
        super().__init__(
            "the disk that holds Sonifold's data is full, and nothing of this was kept. Delete sounds or models that "
            "you no longer need, or make room on the disk, and try again."
        )


class StorageUnavailableError(StorageError):
    """The disk or the database cannot be used at the moment."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"what you keep cannot be read or written at the moment: {cause}. Nothing is lost by that; try again in a "
            "few seconds. If it stays so, the server's log may say more."
        )


class StorageDamagedError(StorageError):
    """The database answers, but not with what was written."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"the database of what you keep is damaged ({cause}). Your recordings are files of their own and are left "
            "alone. Stop Sonifold and restore library.sqlite from a copy."
        )


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: errno -> why a file cannot be used, which may pass.
UNAVAILABLE = {
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this machine",
    errno.EACCES: "the permission is missing",
    errno.EPERM: "the permission is missing",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk reports an error",
    errno.ENOMEM: "memory is short",
    errno.EBUSY: "it is in use",
    errno.ENODEV: "the disk is gone",
    errno.ENXIO: "the disk is gone",
    errno.ESTALE: "the network disk is gone",
    errno.ENOTCONN: "the network disk is gone",
    errno.ENOENT: "a file or folder is missing",
    errno.ENOTDIR: "a file or folder is missing",
}
#: The same for SQLite's primary result codes.
SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "the database is in use",
    sqlite3.SQLITE_LOCKED: "the database is in use",
    sqlite3.SQLITE_PROTOCOL: "the database is in use",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_PERM: "the permission is missing",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_NOMEM: "memory is short",
}
SQLITE_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

#: Beginnings of PostgreSQL's SQLSTATE -> why it cannot be used, which may pass.
POSTGRES_UNAVAILABLE = {
    "08": "the connection to the database is lost",
    "25006": "the database is read-only",
    "28": "the database server refuses the user or the password",
    "40": "the database is in use",
    "42501": "the permission is missing",
    "53": "the database server is short of memory or connections",
    "55": "the database is in use",
    "57": "the database server is ending or starting",
    "58": "the database server's disk reports an error",
}
#: Damaged data, and tables or columns that are missing.
POSTGRES_DAMAGED = ("XX001", "XX002", "42P01", "42703")


def failure_of(error: BaseException, disk: Path | None = None) -> StorageError | None:
    """What an error says of the storage, or None where it says nothing of it.

    ``disk``: any place on it. SQLite calls some writes on a full disk an I/O error; a look at the disk tells which.
    """
    match error:
        case StorageError():
            return error
        case OSError(errno=number) if number in FULL:
            return StoreFullError()
        case OSError(errno=number) if number in UNAVAILABLE:
            return StorageUnavailableError(UNAVAILABLE[number])
        case sqlalchemy.exc.TimeoutError():
            return StorageUnavailableError("the database is in use")
        case sqlalchemy.exc.DBAPIError():
            return None if error.orig is None else failure_of(error.orig, disk)
        case sqlite3.Error():
            return sqlite_failure(error, disk)
    return postgres_failure(error) if type(error).__module__.startswith("psycopg") else None


def sqlite_failure(error: sqlite3.Error, disk: Path | None) -> StorageError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreFullError()
    if code in SQLITE_UNAVAILABLE:
        writes = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        return (
            StoreFullError()
            if writes and disk is not None and is_full(disk)
            else StorageUnavailableError(SQLITE_UNAVAILABLE[code])
        )
    if is_damage(error) or "no such table" in str(error) or "no such column" in str(error):
        return StorageDamagedError(str(error))
    return None


def postgres_failure(error: BaseException) -> StorageError | None:
    """By PostgreSQL's SQLSTATE; without one there was no answer."""
    state: str | None = getattr(error, "sqlstate", None)
    if state is None:
        lost = type(error).__name__ in ("OperationalError", "ConnectionTimeout")
        return StorageUnavailableError("the database server does not answer") if lost else None
    if state == "53100":
        return StoreFullError()
    for beginning, cause in POSTGRES_UNAVAILABLE.items():
        if state.startswith(beginning):
            return StorageUnavailableError(cause)
    return StorageDamagedError(str(error)) if state.startswith(POSTGRES_DAMAGED) else None


def is_damage(error: BaseException) -> bool:
    """Whether SQLite met a page of a database that is not what was written."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_DAMAGED


def is_full(disk: Path) -> bool:
    """Whether the disk that holds a file or folder has no room. Raises OSError where that cannot be told."""
    return shutil.disk_usage(disk).free < FULL_BYTES
