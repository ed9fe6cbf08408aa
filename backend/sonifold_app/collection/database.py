"""The database of a collection: a file of its own, so that what it holds may be made again without touching the rest.

What a user keeps otherwise is in ``library.sqlite``. The tables are SQLAlchemy's and the steps between their versions
Alembic's, both of which speak to PostgreSQL as well; only ``words`` knows that this is SQLite.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy

from sonifold_app.store.database import Database
from sonifold_app.store.migrating import migrate
from sonifold_app.store.room import Room
from sonifold_app.store.sqlite import BUSY_SECONDS, SqliteDatabase

#: The folder of a collection in the data folder, and its database there.
FOLDER, DATABASE = "collection", "collection.sqlite"


def open_database(data: Path, *, room: Room | None = None, make: bool = True) -> Database:
    """The database of the collection in a data folder, brought up to date. Raises DatabaseUnusableError."""
    return SqliteDatabase(data / FOLDER / DATABASE, room=room, make=make, bring_up_to_date=bring_up_to_date)


def bring_up_to_date(path: Path) -> None:
    """Make the file, or run what it lacks, all or nothing. Raises DatabaseUnusableError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS, "isolation_level": None}
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection, Path(__file__).with_name("migrations"), path.name)
            connection.exec_driver_sql("COMMIT")
    except sqlalchemy.exc.DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()
