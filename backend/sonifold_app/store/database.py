"""The user's database: one SQLite file in the data folder, brought up to date when it is opened.

Durable: write-ahead log with a sync at every commit (``synchronous=FULL``). A user's sounds are written a few at a
time, so the sync of some milliseconds is not felt, and neither a kill nor a loss of power takes back what was answered.

The schema's version is SQLite's own ``user_version``. Each entry of MIGRATIONS leads from one version to the next; all
that are missing run in one transaction, so that a file is never left between two versions, and the file as it was is
copied beside it first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import sqlalchemy

#: Statements from version i to i + 1. Only ever add to this: the files of users are at any of these versions.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE kept_sounds (
            id TEXT PRIMARY KEY,
            model TEXT NOT NULL,
            pack TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('made', 'uploaded')),
            name TEXT NOT NULL,
            seconds REAL NOT NULL,
            pitch REAL,
            x REAL NOT NULL,
            y REAL NOT NULL,
            known INTEGER NOT NULL,
            z BLOB NOT NULL,
            timbre BLOB NOT NULL,
            audio TEXT NOT NULL,
            source TEXT NOT NULL,
            created TEXT NOT NULL
        )""",
        "CREATE INDEX kept_sounds_by_model ON kept_sounds (model, created, id)",
        "CREATE INDEX kept_sounds_by_audio ON kept_sounds (audio)",
    ),
    (
        "ALTER TABLE kept_sounds ADD COLUMN facts TEXT NOT NULL DEFAULT '{}'",
        """CREATE TABLE uploads (
            id TEXT PRIMARY KEY,
            model TEXT NOT NULL,
            files TEXT NOT NULL,
            created REAL NOT NULL
        )""",
    ),
    (
        """CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            model TEXT NOT NULL,
            pack TEXT NOT NULL,
            title TEXT NOT NULL,
            request TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
            cancel INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            error TEXT,
            created TEXT NOT NULL,
            finished TEXT
        )""",
        """CREATE TABLE job_events (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (job, number)
        )""",
    ),
    (
        """CREATE TABLE adaptations (
            id TEXT PRIMARY KEY,
            model TEXT NOT NULL,
            pack TEXT NOT NULL,
            title TEXT NOT NULL,
            seed INTEGER NOT NULL,
            sounds TEXT NOT NULL,
            told TEXT NOT NULL,
            created TEXT NOT NULL
        )""",
    ),
)
BUSY_SECONDS = 10.0


class DatabaseUnusableError(Exception):
    """The file cannot be used; the message is a sentence for the operator."""


def open_database(path: Path) -> sqlalchemy.Engine:
    """The database in a file, made if there is none, brought up to date if it is older.

    Raises DatabaseUnusableError where the file is newer than this version of Sonifold, damaged, or not writable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.closing(
            sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, path)
    except sqlite3.Error as error:
        raise DatabaseUnusableError(
            f"{path.name} in the data folder cannot be used ({error}). It holds the sounds you kept: restore it from a "
            "copy, or move it away to begin anew."
        ) from error
    engine = sqlalchemy.create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS}, pool_size=4, max_overflow=12
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run what is missing, all or nothing; whoever else opens the file waits."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise DatabaseUnusableError(
                f"{path.name} in the data folder was written by a newer Sonifold (its version is {version}, this one "
                f"knows {len(MIGRATIONS)}). Update Sonifold, or set SONIFOLD_DATA to another folder."
            )
        if 0 < version < len(MIGRATIONS):
            copy_as_it_was(path, version)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def copy_as_it_was(path: Path, version: int) -> None:
    """A copy of the file beside it, named for its version."""
    with (
        contextlib.closing(sqlite3.connect(path)) as here,
        contextlib.closing(sqlite3.connect(path.with_suffix(f".v{version}.sqlite"))) as there,
    ):
        here.backup(there)
