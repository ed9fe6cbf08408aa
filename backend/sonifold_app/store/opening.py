"""Opens what a user keeps: the database, embedded or the one that ``SONIFOLD_DATABASE`` names, and the files that its
rows name, in the data folder or where ``SONIFOLD_BLOBS`` says.
"""

from __future__ import annotations

from pathlib import Path

from sonifold_app.store.blobs import SHA256
from sonifold_app.store.database import Database, DatabaseUnusableError
from sonifold_app.store.named import NamedFiles, NamedFolder
from sonifold_app.store.objects import NamedObjects
from sonifold_app.store.room import Room
from sonifold_app.store.sqlite import DATABASE, SqliteDatabase
from sonifold_app.store.trash import Trash

#: In the folder of what the user keeps: which server's database it belongs to, where it has none of its own.
INSTALLATION = "installation"
#: In the same folder: the recordings; and beside that folder: what listening tests play.
SOUNDS, LISTENING = "sounds", "listening"


def open_database(
    folder: Path, url: str | None = None, *, room: Room | None = None, make: bool = True
) -> Database:
    """The database of a folder; without ``make`` it must be there.

    Raises DatabaseUnusableError, also where recordings are there and the database is not: begun anew beside them, it
    could not be put back any more without losing what was kept since.
    """
    if url is not None:
        from sonifold_app.store.postgres import PostgresDatabase

        return PostgresDatabase(url, folder, room=room, make=make)
    if (folder / INSTALLATION).exists():
        raise DatabaseUnusableError(
            f"what is kept in the data folder ({folder.parent}) has its database on a PostgreSQL server. Nothing was "
            "changed. Set SONIFOLD_DATABASE to its URL, or SONIFOLD_DATA to another folder."
        )
    require_database_of(folder / DATABASE)
    return SqliteDatabase(folder / DATABASE, room=room, make=make)


def open_files(path: Path, data: Path, url: str | None = None, *, room: Room | None = None) -> NamedFiles:
    """The files of a folder ``path`` of a data folder; with ``url`` under the folder's name in that object store.

    Raises BlobsUnusableError.
    """
    if url is not None and url.startswith("file://"):
        elsewhere = Path(url.removeprefix("file://"))
        return NamedFolder(elsewhere / path.name, Trash(elsewhere))
    if url is not None:
        return NamedObjects(url, path.name)
    return NamedFolder(path, Trash(data), room=room)


def require_database_of(file: Path) -> None:
    """Raises DatabaseUnusableError where recordings, or a journal, are there without their database."""
    if file.is_file() and file.stat().st_size > 0:
        return
    journal = file.with_name(f"{file.name}-wal")
    recordings = count_recordings(file.parent)
    if recordings or (journal.is_file() and journal.stat().st_size > 0):
        state = "empty" if file.exists() else "missing"
        raise DatabaseUnusableError(
            f"{file.name} in the data folder ({file.parent.parent}) is {state}, and {recordings} recordings that it "
            "named are there. Nothing was changed. Put it back where it was, with the files beside it whose names "
            f"begin with {file.name}, and start again; or set SONIFOLD_DATA to another folder to begin anew there."
        )


def count_recordings(folder: Path) -> int:
    """How many files there are that rows of the database name."""
    folders = folder / SOUNDS, folder.parent / LISTENING
    return sum(
        1
        for folder in folders
        for path in folder.glob("*/*")
        if SHA256.fullmatch(path.parent.name + path.name)
    )
