"""A PostgreSQL database for what a user keeps; recordings and packs stay files in the data folder.

A database belongs to one data folder, and each says so of the other: rows without their recordings, or recordings
without their rows, would be a loss that nobody sees. One transaction writes at a time, as in an embedded file, so that
a job is begun once and events are numbered without gaps, however many processes write.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, column, func, select, table

from sonifold.files import write_whole
from sonifold_app.store.database import Database, DatabaseUnusableError, Result
from sonifold_app.store.failures import StorageError, failure_of
from sonifold_app.store.migrating import migrate, version_of
from sonifold_app.store.opening import INSTALLATION, count_recordings
from sonifold_app.store.room import Room
from sonifold_app.store.sqlite import DATABASE

MIGRATIONS = Path(__file__).with_name("migrations")
#: Key of the lock that whoever writes holds until the transaction is over.
WRITER = 0x50_4E_1F_01
CONNECT_SECONDS = 5

_installation = table("installation", column("data_folder"))


class PostgresDatabase(Database):
    """The database that a URL names, brought up to date when it is opened."""

    def __init__(self, url: str, folder: Path, *, room: Room | None = None, make: bool = True) -> None:
        """``url``: ``postgresql://user:password@host:port/name``. ``folder``: of what the user keeps; where neither it
        nor the database has anything yet, they become each other's, or with ``make=False`` are missed. ``room``: of the
        disk that has the folder.

        Raises DatabaseUnusableError.
        """
        self._folder, self._room = folder, room
        try:
            target = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
            self._name = f"the database {target.database} at {target.host or 'this machine'}"
            self._engine = sqlalchemy.create_engine(
                target,
                pool_size=4,
                max_overflow=12,
                pool_pre_ping=True,  # the server may have been started anew
                connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "sonifold"},
            )
        except ModuleNotFoundError as error:
            raise DatabaseUnusableError(
                "SONIFOLD_DATABASE names a PostgreSQL database, and its driver is not installed. Install "
                "sonifold[postgres], or unset SONIFOLD_DATABASE to use the embedded database."
            ) from error
        try:
            with self.usable():
                self._open(make)
        except DatabaseUnusableError:
            self._engine.dispose()
            raise

    def connect(self) -> contextlib.AbstractContextManager[Connection]:
        return self._engine.connect()

    def write(self, change: Callable[[Connection], Result], *, frees: bool = False) -> Result:
        if self._room is not None:
            self._room.require_folder()
        try:
            with self._engine.begin() as connection:
                connection.execute(select(func.pg_advisory_xact_lock(WRITER)))
                return change(connection)
        except sqlalchemy.exc.SQLAlchemyError as error:
            failure = failure_of(error)
            if failure is None:
                raise
            raise failure from error

    def problem(self) -> str | None:
        try:
            with self.connect() as connection:
                connection.execute(select(1))
        except (sqlalchemy.exc.SQLAlchemyError, StorageError) as error:
            return str(failure_of(error) or error)
        return None

    def why_unusable(self, error: BaseException) -> str:
        return (
            f"{self._name} cannot be used: {str(error).strip()}. Nothing was changed. See to the server and to "
            "SONIFOLD_DATABASE, and start again."
        )

    def _open(self, make: bool) -> None:
        """Raises DatabaseUnusableError, and what SQLAlchemy raises."""
        with self._engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(WRITER)))
            if make:
                migrate(connection, MIGRATIONS, self._name)
            elif version_of(connection) is None:
                raise DatabaseUnusableError(f"{self._name} has none of Sonifold's tables (any more).")
            owner = connection.execute(select(_installation.c.data_folder)).scalar_one_or_none()
            if owner is None and make:
                connection.execute(_installation.insert().values(data_folder=self._claim()))
            elif owner is None or owner != self._installation():
                raise DatabaseUnusableError(
                    f"{self._name} belongs to another data folder than {self._folder.parent}. Nothing was changed. Set "
                    "SONIFOLD_DATA to its folder, or SONIFOLD_DATABASE to another database."
                )

    def _installation(self) -> str | None:
        try:
            return (self._folder / INSTALLATION).read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def _claim(self) -> str:
        """What the folder is known by from now on. Raises DatabaseUnusableError where it has another database."""
        if (self._folder / DATABASE).exists() or count_recordings(self._folder):
            raise DatabaseUnusableError(
                f"{self._name} is empty, and the data folder {self._folder.parent} holds what was kept with another "
                "one. Nothing was changed. Put that database back (unset SONIFOLD_DATABASE for the embedded one), or "
                "set SONIFOLD_DATA to a new folder."
            )
        installation = self._installation() or secrets.token_hex(16)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / INSTALLATION, installation.encode())
        return installation
