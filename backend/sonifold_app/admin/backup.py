"""A data folder in one file, as it is at one moment, also while a server has it.

A row is written after its file and deleted before it. So the database is copied first and the files that its rows name
after it; where one of them has gone meanwhile, the database is copied anew, and what it names by then is added. The
last copy is the one that the backup holds.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sonifold.errors import OutputError
from sonifold.files import check_target, whole_file
from sonifold.version import __version__
from sonifold_app.admin import databases
from sonifold_app.admin.manifest import MANIFEST, BackupError, Entry, Manifest, copy_hashed
from sonifold_app.store.audio import recording_path
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database, DatabaseUnusableError
from sonifold_app.store.files import PARTIAL
from sonifold_app.store.listening import named_files
from sonifold_app.store.opening import INSTALLATION
from sonifold_app.store.sounds import named_recordings
from sonifold_app.store.sqlite import DATABASE, SqliteDatabase, version_of
from sonifold_app.store.trash import Trash
from sonifold_app.store.users import USERS
from sonifold_app.user.models import KINDS

LIBRARY = "library"
DATABASE_PATH = f"{LIBRARY}/{DATABASE}"
#: What can be made again, or is of the running server alone; what rows name, which is copied by them; and what belongs
#: to users, each of whom has a data folder there.
LEFT_OUT = re.compile(
    r"cache/.*|collection/.*|trash/.*|library/sounds/.*|listening/.*|library/reserve|library/probe-\d+"
    r"|jobs/spare\.txt|lost\+found/.*|users/.*"
)
#: Of a SQLite database; what lies beside it belongs to connections that are open.
SQLITE_HEADER = b"SQLite format 3\0"
JOURNALS = ("-wal", "-shm", "-journal")
#: Copies of the database after which what is still missing is missing indeed.
ROUNDS = 5


@dataclass(frozen=True)
class Named:
    """A file that a row names."""

    path: str  # in the data folder
    key: str
    content_addressed: bool  # its key is its sha256


def back_up(data: Path, file: Path, *, overwrite: bool = False, blobs: str | None = None) -> Manifest:
    """Write a backup of a data folder, whole or not at all. ``blobs``: URL of the object store that has the
    recordings, if one has.

    Raises BackupError, OutputError, OSError.
    """
    if blobs is not None:
        raise BackupError(
            f"the recordings of what is kept in {data} are in the object store {blobs}. Nothing was written. Copy the "
            "database and the data folder first and the store after them, with the store's own means."
        )
    if (data / LIBRARY / INSTALLATION).is_file():
        raise BackupError(
            f"what is kept in {data} has its database on a PostgreSQL server. Nothing was written. Dump that with "
            "pg_dump first and copy the data folder after it: a recording is there before its row is."
        )
    if not (data / DATABASE_PATH).is_file():
        raise BackupError(
            f"there is nothing to back up in the data folder {data}: it has no {DATABASE_PATH}. Set SONIFOLD_DATA to "
            "the folder that your server uses."
        )
    check_target(file)
    if file.exists() and not overwrite:
        raise OutputError(f"{str(file)!r} is there already; name another file, or say --overwrite.")
    with (
        tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as scratch,
        whole_file(file) as out,
    ):
        file_of_owner(Path(out.name))
        with zipfile.ZipFile(out, "w", allowZip64=True) as archive:
            return write_all(data, archive, Path(scratch))


def write_all(data: Path, archive: zipfile.ZipFile, scratch: Path) -> Manifest:
    """A backup of a data folder and of those that users have in it. Raises BackupError."""
    parts = {prefix: Backup(data / prefix, archive, scratch, prefix) for prefix in ("", *workspaces_in(data))}
    for part in parts.values():
        part.write()
    manifest = Manifest(
        sonifold=__version__,
        database=parts[""].version,
        created=now(),
        files={name: entry for part in parts.values() for name, entry in part.entries.items()},
        missing=sorted(name for part in parts.values() for name in part.missing),
        damaged=sorted(name for part in parts.values() for name in part.damaged),
    )
    archive.writestr(MANIFEST, manifest.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)
    return manifest


def workspaces_in(data: Path) -> list[str]:
    """The data folders of users, as beginnings of paths."""
    folders = sorted((data / USERS).glob("*/"))
    return [f"{USERS}/{folder.name}/" for folder in folders if (folder / DATABASE_PATH).is_file()]


def file_of_owner(file: Path) -> None:
    """A backup holds what the data folder's owner alone may read."""
    with contextlib.suppress(OSError):
        file.chmod(0o600)


class Backup:
    """A data folder, or a user's in it, on its way into a backup: ``entries`` by path, and what was wrong with it."""

    def __init__(self, data: Path, archive: zipfile.ZipFile, scratch: Path, prefix: str) -> None:
        """``prefix``: before the paths of this folder."""
        self._data, self._archive, self._scratch, self._prefix = data, archive, scratch, prefix
        self._trash = Trash(data)
        self._entries: dict[str, Entry] = {}  # by path in this folder
        self._damaged: list[str] = []
        self._missing: list[str] = []
        self.version = 0  # of the database

    @property
    def entries(self) -> dict[str, Entry]:
        return {self._prefix + name: entry for name, entry in self._entries.items()}

    @property
    def missing(self) -> list[str]:
        """Files that rows name and the folder did not have."""
        return [self._prefix + name for name in self._missing]

    @property
    def damaged(self) -> list[str]:
        """Recordings that did not have their sha256 any more."""
        return [self._prefix + name for name in set(self._damaged) & self._entries.keys()]

    def write(self) -> None:
        """Raises BackupError."""
        snapshot = self._scratch / DATABASE
        for _ in range(ROUNDS):
            copy_database(self._data / DATABASE_PATH, snapshot)
            named = files_named_in(snapshot, self._scratch)
            self._missing = [each.path for each in named if not self._has_named(each)]
            for name in self._other_files():
                self._add_other(name)
            if not self._missing:
                break
        self._keep_only_named({each.path for each in named})
        self._leave_out_deleted_models()
        self._add(DATABASE_PATH, snapshot)
        with databases.opened(snapshot, "rw") as connection:
            self.version = version_of(connection, snapshot)

    def _has_named(self, named: Named) -> bool:
        """Whether a file is in the backup; it is added where the data folder or its trash has it."""
        if named.path in self._entries:
            return True
        for file in (self._data / named.path, self._trash.find(named.key)):
            with contextlib.suppress(FileNotFoundError):
                if file is not None:
                    entry = self._add(named.path, file)
                    if named.content_addressed and entry.sha256 != named.key:
                        self._damaged.append(named.path)
                    return True
        return False

    def _keep_only_named(self, paths: set[str]) -> None:
        """What an earlier copy of the database named stays in the archive, and is not restored."""
        for name in list(self._entries):
            if name.startswith((f"{LIBRARY}/sounds/", "listening/")) and name not in paths:
                del self._entries[name]

    def _leave_out_deleted_models(self) -> None:
        """A pack that was deleted meanwhile may be here in part."""
        for name in list(self._entries):
            folder, _, rest = name.partition("/")
            if folder in KINDS and not (self._data / folder / rest.partition("/")[0]).is_dir():
                del self._entries[name]

    def _other_files(self) -> Iterator[str]:
        """Everything else, packs and what jobs have reached among it: what may lie here one day is not forgotten."""
        for file in sorted(self._data.rglob("*")):
            path = file.relative_to(self._data)
            hidden = any(part.startswith(".") for part in path.parts)
            name = path.as_posix()
            passing = name.endswith((PARTIAL, *JOURNALS))
            if (
                not (hidden or passing or name == DATABASE_PATH or LEFT_OUT.fullmatch(name))
                and file.is_file()
            ):
                yield name

    def _add_other(self, name: str) -> None:
        """What goes meanwhile, such as a model that is deleted, is left out."""
        if name in self._entries:
            return
        file = self._data / name
        with contextlib.suppress(FileNotFoundError):
            if not is_database(file):
                self._add(name, file)
                return
            copy = self._scratch / "other.sqlite"
            copy_database(file, copy)
            self._add(name, copy)

    def _add(self, name: str, file: Path) -> Entry:
        with file.open("rb") as source:  # first: an entry that was begun stays in the archive
            about = zipfile.ZipInfo(self._prefix + name)
            about.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".sqlite") else zipfile.ZIP_STORED
            with self._archive.open(about, "w", force_zip64=True) as target:
                entry = copy_hashed(source, target)
        self._entries[name] = entry
        return entry


def is_database(file: Path) -> bool:
    with file.open("rb") as source:
        return source.read(len(SQLITE_HEADER)) == SQLITE_HEADER


def copy_database(file: Path, copy: Path) -> None:
    """A copy of a database as it is between two transactions. Raises BackupError."""
    copy.unlink(missing_ok=True)
    try:
        databases.copy_file(file, "rw", copy)
        with databases.opened(copy, "rw") as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise BackupError(
            f"{file} cannot be copied: {error}. Nothing was written. `sonifold doctor` may say more."
        ) from error
    if verdict != ("ok",):
        raise BackupError(f"{file} is damaged ({verdict[0]}), and no backup of it was written.")


def files_named_in(snapshot: Path, scratch: Path) -> list[Named]:
    """What the rows of a copied database name; one of an earlier version stays as it is. Raises BackupError."""
    copy = scratch / "read.sqlite"
    shutil.copyfile(snapshot, copy)
    try:
        database = SqliteDatabase(copy)
    except DatabaseUnusableError as error:
        raise BackupError(str(error)) from error
    try:
        return files_named_by(database)
    finally:
        database.close()


def files_named_by(database: Database) -> list[Named]:
    """What the rows of a database name."""
    with database.connect() as connection:
        recordings, stimuli = named_recordings(connection), named_files(connection)
    return [
        *(Named(recording_path(key), key, content_addressed=True) for key in sorted(recordings)),
        *(Named(f"listening/{key[:2]}/{key[2:]}", key, content_addressed=False) for key in sorted(stimuli)),
    ]
