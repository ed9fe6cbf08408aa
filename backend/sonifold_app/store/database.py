"""A database of what a user keeps, whichever it is: read in connections, changed in transactions one after the other.

``sqlite.SqliteDatabase`` is a file in the data folder, ``postgres.PostgresDatabase`` a server that a URL names. The
tables are declared once, in ``tables``.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import sqlalchemy
from sqlalchemy.engine.interfaces import DBAPIConnection

from sonifold_app.store.failures import StorageError

Result = TypeVar("Result")


class DatabaseUnusableError(Exception):
    """The database cannot be used; the message is a sentence for the operator."""


class Database(ABC):
    """Safe to use from several threads, and from the workers of the server that has it open."""

    _engine: sqlalchemy.Engine

    def close(self) -> None:
        """Whoever is still reading may go on; their connections are closed as soon as they come back."""
        sqlalchemy.event.listen(self._engine, "checkin", close_connection)
        self._engine.dispose()

    @abstractmethod
    def connect(self) -> contextlib.AbstractContextManager[sqlalchemy.Connection]:
        """To read. Raises StorageUnavailableError where the database is not there any more."""

    @abstractmethod
    def write(self, change: Callable[[sqlalchemy.Connection], Result], *, frees: bool = False) -> Result:
        """Change something in one transaction, during which nobody else writes; on the disk when this returns.
        ``frees``: it leads to more room, and must be possible on a full disk.

        Raises StorageError.
        """

    @abstractmethod
    def problem(self) -> str | None:
        """A sentence about why it cannot be used at the moment, if so."""

    @contextlib.contextmanager
    def usable(self) -> Iterator[None]:
        """While the start reads. Raises DatabaseUnusableError."""
        try:
            yield
        except (sqlalchemy.exc.SQLAlchemyError, StorageError) as error:
            cause = getattr(error, "orig", None) or error
            raise DatabaseUnusableError(self.why_unusable(cause)) from error

    @abstractmethod
    def why_unusable(self, error: BaseException) -> str:
        """A sentence about a failure at the start. It never advises to part with what may be whole."""


def close_connection(connection: DBAPIConnection | None, record: object) -> None:
    if connection is not None:
        connection.close()
