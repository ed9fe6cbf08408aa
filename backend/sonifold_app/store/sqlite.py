"""The embedded database: one SQLite file in the data folder, brought up to date when it is opened.

Durable: write-ahead log with a sync at every commit (``synchronous=FULL``). A user's sounds are written a few at a
time, so the sync of some milliseconds is not felt, and neither a kill nor a loss of power takes back what was answered.

The schema's version is SQLite's own ``user_version``. Each entry of MIGRATIONS leads from one version to the next; all
that are missing run in one transaction, so that a file is never left between two versions, and the file as it was is
copied beside it first.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy

from sonifold_app.store.database import Database, DatabaseUnusableError, Result
from sonifold_app.store.failures import (
    StorageDamagedError,
    StorageError,
    StorageUnavailableError,
    StoreFullError,
    failure_of,
    is_damage,
)
from sonifold_app.store.files import PARTIAL
from sonifold_app.store.room import Room

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
    (
        # a number that is another after every change of a model's kept sounds, whoever made it
        """CREATE TABLE kept_revisions (
            model TEXT PRIMARY KEY,
            number INTEGER NOT NULL
        )""",
        """CREATE TRIGGER kept_sounds_inserted AFTER INSERT ON kept_sounds BEGIN
            INSERT INTO kept_revisions VALUES (NEW.model, 1) ON CONFLICT (model) DO UPDATE SET number = number + 1;
        END""",
        """CREATE TRIGGER kept_sounds_updated AFTER UPDATE ON kept_sounds BEGIN
            INSERT INTO kept_revisions VALUES (OLD.model, 1) ON CONFLICT (model) DO UPDATE SET number = number + 1;
            INSERT INTO kept_revisions VALUES (NEW.model, 1) ON CONFLICT (model) DO UPDATE SET number = number + 1;
        END""",
        # what was worked out about sounds, and may be again
        """CREATE TABLE fingerprints (
            audio TEXT PRIMARY KEY,
            map BLOB NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE settled_places (
            model TEXT NOT NULL,
            sound TEXT NOT NULL,
            version TEXT NOT NULL,
            z BLOB NOT NULL,
            x REAL NOT NULL,
            y REAL NOT NULL,
            known INTEGER NOT NULL,
            PRIMARY KEY (model, sound)
        ) WITHOUT ROWID""",
        "CREATE INDEX settled_places_by_sound ON settled_places (sound)",
        """CREATE TRIGGER kept_sounds_deleted AFTER DELETE ON kept_sounds BEGIN
            INSERT INTO kept_revisions VALUES (OLD.model, 1) ON CONFLICT (model) DO UPDATE SET number = number + 1;
            DELETE FROM settled_places WHERE sound = OLD.id;
            DELETE FROM fingerprints WHERE audio = OLD.audio
                AND NOT EXISTS (SELECT 1 FROM kept_sounds WHERE audio = OLD.audio);
        END""",
    ),
    (
        """CREATE TABLE listening_tests (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            request TEXT NOT NULL,
            models TEXT NOT NULL,
            pairs TEXT NOT NULL,
            stimuli TEXT,
            error TEXT,
            created TEXT NOT NULL
        )""",
        """CREATE TABLE listeners (
            id TEXT PRIMARY KEY,
            test TEXT NOT NULL REFERENCES listening_tests (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            seed TEXT NOT NULL,
            client TEXT NOT NULL,
            created TEXT NOT NULL
        )""",
        "CREATE INDEX listeners_by_test ON listeners (test)",
        """CREATE TABLE listening_answers (
            listener TEXT NOT NULL REFERENCES listeners (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            answer TEXT NOT NULL CHECK (answer IN ('1', '2', 'none')),
            listens TEXT NOT NULL,
            created TEXT NOT NULL,
            PRIMARY KEY (listener, number)
        )""",
    ),
    (
        """CREATE TABLE users (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            token_hash TEXT NOT NULL,
            created TEXT NOT NULL,
            rotated TEXT,
            revoked TEXT
        )""",
    ),
    (
        """CREATE TABLE marks (
            sha256 TEXT PRIMARY KEY,
            favourite INTEGER NOT NULL,
            rating INTEGER,
            note TEXT NOT NULL,
            changed TEXT NOT NULL
        )""",
        """CREATE TABLE named_collections (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            created TEXT NOT NULL,
            removed TEXT
        )""",
        """CREATE TABLE named_collection_sounds (
            collection INTEGER NOT NULL REFERENCES named_collections (id) ON DELETE CASCADE,
            sha256 TEXT NOT NULL,
            added TEXT NOT NULL,
            PRIMARY KEY (collection, sha256)
        )""",
    ),
)
#: The file's name in the folder of what the user keeps.
DATABASE = "library.sqlite"
BUSY_SECONDS = 10.0
#: Up to this size every page is looked at when the file is opened, which takes milliseconds a megabyte.
CHECKED_BYTES = 256 << 20

log = logging.getLogger(__name__)


class SqliteDatabase(Database):
    """The database in a file.

    While it is open its file must stay where it is: what was written into a file that was moved away would be lost.
    """

    def __init__(
        self,
        path: Path,
        *,
        room: Room | None = None,
        make: bool = True,
        bring_up_to_date: Callable[[Path], None] | None = None,
    ) -> None:
        """Brought up to date if it is older; where there is none it is made, or with ``make=False`` missed.

        ``bring_up_to_date``: makes or migrates the file; by default to what MIGRATIONS lead to.

        Raises DatabaseUnusableError where the file is newer than this version of Sonifold, damaged, or not writable.
        """
        self._path, self._room = path.resolve(), room
        if not make and not path.is_file():
            raise DatabaseUnusableError(f"{path.name} is not in the data folder (any more).")
        opening = functools.partial(bring_up_to_date or bring_user_database_up_to_date, self._path)
        try:
            if room is None:
                opening()
            else:
                room.delete(opening)
        except (sqlite3.Error, OSError, StorageError) as error:
            cause = error.__cause__ if isinstance(error, StorageError) and error.__cause__ else error
            raise DatabaseUnusableError(why_unusable(self._path, cause)) from error
        self._file = os.stat(self._path)
        self._damage: str | None = None  # what SQLite said of a page
        self._engine = sqlalchemy.create_engine(
            "sqlite://", creator=self._connect, poolclass=sqlalchemy.QueuePool, pool_size=4, max_overflow=12
        )
        sqlalchemy.event.listen(self._engine, "handle_error", self._note_damage)

    def connect(self) -> contextlib.AbstractContextManager[sqlalchemy.Connection]:
        self._require_file()
        return self._engine.connect()

    def write(self, change: Callable[[sqlalchemy.Connection], Result], *, frees: bool = False) -> Result:
        self._require_file()
        if self._damage is not None:
            raise StorageDamagedError(self._damage)  # to write into it could cost what is still whole

        def transaction() -> Result:
            with self._engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # what it reads stays true until it has written
                return change(connection)

        if self._room is None:
            return transaction()
        if not frees:
            self._room.keep_reserve()
            return self._room.write(transaction)
        result = self._room.delete(transaction)
        if self._room.short:
            self._shorten_journal()
            self._room.refill()
        return result

    def why_unusable(self, error: BaseException) -> str:
        return why_unusable(self._path, error)

    def problem(self) -> str | None:
        """As of any database. Where damage was met all pages are looked at."""
        try:
            with self.connect() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
            if self._damage is not None:
                self._look_at_all_pages()
        except (sqlite3.Error, sqlalchemy.exc.SQLAlchemyError, StorageError) as error:
            return str(failure_of(error, self._path.parent) or error)
        return None

    def _note_damage(self, context: sqlalchemy.engine.ExceptionContext) -> None:
        """From now on nothing is written, until ``problem`` finds the file whole."""
        if is_damage(context.original_exception):
            self._damage = str(context.original_exception)
            log.error("%s is damaged: %s; nothing more is written into it", self._path, self._damage)

    def _look_at_all_pages(self) -> None:
        """Raises StorageDamagedError or sqlite3.Error where the file is damaged. Else it was only read wrong."""
        with contextlib.closing(self._connect()) as connection:  # which has not read any of them before
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StorageDamagedError(verdict)
        self._engine.dispose()
        self._damage = None

    def _shorten_journal(self) -> None:
        """Give back what the write-ahead log takes; on a full disk it may have to wait."""
        with contextlib.suppress(sqlalchemy.exc.SQLAlchemyError), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",  # never makes another one
            uri=True,
            timeout=BUSY_SECONDS,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _require_file(self) -> None:
        """Raises StorageUnavailableError where the file is gone, or another one is in its place."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError as error:
            raise StorageUnavailableError(f"{self._path.name} is not in the data folder any more") from error
        if not os.path.samestat(status, self._file):
            raise StorageUnavailableError(
                f"{self._path.name} in the data folder was replaced by another file; start Sonifold again to use it"
            )


def bring_user_database_up_to_date(path: Path) -> None:
    """Make the file, or check it and run what is missing, all or nothing; whoever else opens it waits.

    A file that is up to date is not written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        if path.stat().st_size <= CHECKED_BYTES:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")
        if version_of(connection, path) < len(MIGRATIONS):
            migrate(connection, path)
        require_schema(connection)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Raises DatabaseUnusableError where this version of Sonifold does not know it."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise DatabaseUnusableError(
            f"{path.name} in the data folder was written by a newer Sonifold (its version is {version}, this one "  # noqa: S608
            f"knows {len(MIGRATIONS)}). Update Sonifold, or set SONIFOLD_DATA to another folder."
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection, path)
        if 0 < version < len(MIGRATIONS):
            copy_as_it_was(path, version)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some failures end it by themselves
            connection.execute("ROLLBACK")
        raise


def copy_as_it_was(path: Path, version: int) -> None:
    """A copy of the file beside it, named for its version."""
    copy = path.with_suffix(f".v{version}.sqlite")
    partial = copy.with_suffix(PARTIAL)
    partial.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(partial)) as target,
    ):
        source.backup(target)
    os.replace(partial, copy)


def require_schema(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where a table or column is missing."""
    with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
        for statements in MIGRATIONS:
            for statement in statements:
                fresh.execute(statement)
        missing = schema_of(fresh) - schema_of(connection)
    if missing:
        raise sqlite3.DatabaseError(f"{'.'.join(min(missing))} is missing")


def schema_of(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """All (table, column)."""
    return set(
        connection.execute(
            "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
        )
    )


def why_unusable(path: Path, error: BaseException) -> str:
    """A sentence about a file that cannot be opened. It never advises to part with what may be whole."""
    match failure_of(error, path.parent):
        case StoreFullError():
            return (
                f"the disk that holds the data folder ({path.parent.parent}) is full, and Sonifold needs a megabyte "
                "there to start. Nothing was changed. Make room on the disk and start again."
            )
        case StorageUnavailableError():
            return (
                f"{path.name} in the data folder ({path.parent.parent}) cannot be written to: {error}. Nothing was "
                "changed. See to the folder's permissions and its disk, or set SONIFOLD_DATA to another folder."
            )
    return (
        f"{path.name} in the data folder ({path.parent.parent}) is damaged: {error}. Nothing was changed, and your "
        "recordings are files of their own beside it. If you have a copy of it, restore it from there and start again; "
        "to go on without what it holds, set SONIFOLD_DATA to another folder."
    )
