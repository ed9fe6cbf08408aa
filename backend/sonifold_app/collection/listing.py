"""The first phase of an ingest: names, folders and tags of files, searchable as soon as their batch is written.

What is in the database is compared with what is on the disk. A new file becomes a row; one that changed waits for its
analysis again; one that is gone stays, as missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, or_, select, update

from sonifold.analysis.names import read_name
from sonifold_app.collection.tables import roots, sounds
from sonifold_app.collection.walk import ClosedFolder, File, walk, walk_at
from sonifold_app.collection.words import Entry, WordIndex, entry_of
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database
from sonifold_app.store.derived import parts_of

#: Files a transaction. Each ends with a sync of the disk.
BATCH = 2000


class State(StrEnum):
    """How far a sound has come."""

    LISTED = "listed"  # by name
    ANALYSED = "analysed"
    UNREADABLE = "unreadable"  # with a reason


@dataclass(slots=True)
class Row:
    """What the database has of a file."""

    id: int
    size: int
    modified: int
    missing: bool
    present: bool = False


@dataclass
class Listed:
    """Counts of one folder's listing."""

    files: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    closed: list[str] = field(default_factory=list)  # folders that could not be looked into


class Lister:
    """Brings the rows of folders up to date with the disk."""

    def __init__(self, database: Database, words: WordIndex) -> None:
        self._database, self._words = database, words

    def bring_up_to_date(self, root: Path, report: Callable[[int], None] = lambda files: None) -> Listed:
        """List a folder and those below it. ``report`` takes how many files were listed, after each batch; what it
        raises ends the listing there, and nothing is called missing.
        """
        return self._compare(root, below(root), walk(root), report)

    def follow(
        self, root: Path, paths: Sequence[Path], report: Callable[[int], None] = lambda files: None
    ) -> Listed:
        """The same of what lies at or below some paths in a folder alone."""
        here = or_(False, *(or_(sounds.c.path == storable(str(path)), below(path)) for path in paths))
        items = chain.from_iterable(walk_at(root, path) for path in paths)
        return self._compare(root, here, items, report)

    def _compare(
        self,
        root: Path,
        here: ColumnElement[bool],
        items: Iterable[File | ClosedFolder],
        report: Callable[[int], None],
    ) -> Listed:
        """Bring the rows that are ``here`` up to date with what the disk has there."""
        root_id = self._database.write(lambda connection: root_of(connection, root))
        rows = self._rows(here)
        listed = Listed()
        for batch in parts_of(items, BATCH):
            files = [item for item in batch if isinstance(item, File)]
            listed.closed += [item.path for item in batch if isinstance(item, ClosedFolder)]
            self._take_in(root, root_id, files, rows, listed)
            report(listed.files)
        self._mark_missing(rows, listed)
        return listed

    def _rows(self, here: ColumnElement[bool]) -> dict[str, Row]:
        columns = (sounds.c.path, sounds.c.id, sounds.c.size, sounds.c.modified, sounds.c.missing)
        with self._database.connect() as connection:
            rows = connection.execute(select(*columns).where(here))
            return {path: Row(*values) for path, *values in rows}

    def _take_in(
        self, root: Path, root_id: int, files: list[File], rows: dict[str, Row], listed: Listed
    ) -> None:
        new, changed, back = [], [], []
        for file in files:
            row = rows.get(storable(file.path))
            if row is None:
                new.append(file)
                continue
            row.present = True
            if (row.size, row.modified) != (file.size, file.modified):
                changed.append({"row": row.id, "size": file.size, "modified": file.modified})
            elif row.missing:
                back.append({"row": row.id})
        if new or changed or back:
            self._database.write(
                lambda connection: self._write(connection, root, root_id, new, changed, back)
            )
        listed.files += len(files)
        listed.new += len(new)
        listed.changed += len(changed)

    def _write(
        self,
        connection: Connection,
        root: Path,
        root_id: int,
        new: list[File],
        changed: list[dict[str, int]],
        back: list[dict[str, int]],
    ) -> None:
        if new:
            first = (connection.execute(select(func.max(sounds.c.id))).scalar() or 0) + 1
            described = [described_by_name(id, root, root_id, file) for id, file in enumerate(new, first)]
            connection.execute(insert(sounds), [row for row, _ in described])
            self._words.add(connection, [entry for _, entry in described])
        this = update(sounds).where(sounds.c.id == bindparam("row"))
        if changed:
            values = {"size": bindparam("size"), "modified": bindparam("modified"), "missing": False}
            connection.execute(this.values(state=State.LISTED, reason=None, **values), changed)
        if back:
            connection.execute(this.values(missing=False), back)

    def _mark_missing(self, rows: dict[str, Row], listed: Listed) -> None:
        """Whatever lies in a folder that could not be looked into counts as present."""
        closed = tuple(folder + os.sep for folder in listed.closed)
        absent = [row for path, row in rows.items() if not row.present and not path.startswith(closed)]
        listed.missing = len(absent)
        change = update(sounds).where(sounds.c.id == bindparam("row")).values(missing=True)
        newly = [{"row": row.id} for row in absent if not row.missing]
        if newly:
            self._database.write(lambda connection: connection.execute(change, newly))


def below(root: Path) -> ColumnElement[bool]:
    """The condition that a sound lies in a folder or below it."""
    start = storable(str(root)).rstrip(os.sep) + os.sep
    return and_(sounds.c.path >= start, sounds.c.path < start[:-1] + chr(ord(os.sep) + 1))


def root_of(connection: Connection, path: Path) -> int:
    """The id of a root, which is made where there is none."""
    where = select(roots.c.id).where(roots.c.path == storable(str(path)))
    id = connection.execute(where).scalar()
    if id is None:
        values = {"path": storable(str(path)), "created": now(), "followed": False}
        id = connection.execute(insert(roots).values(**values).returning(roots.c.id)).scalar_one()
    return int(id)


def described_by_name(id: int, root: Path, root_id: int, file: File) -> tuple[dict[str, Any], Entry]:
    """The row of a file of which its name alone is known, and its words."""
    stem, folder = os.path.splitext(storable(file.name))[0], relative_folder(file.folder, str(root))
    facts = read_name(stem, folder)
    readable = storable(file.path) == file.path
    row = {
        "id": id,
        "root": root_id,
        "path": storable(file.path),
        "folder": storable(file.folder),
        "name": storable(file.name),
        "size": file.size,
        "modified": file.modified,
        "missing": False,
        "tags": " ".join(facts.tags),
        "tempo": facts.tempo,
        "key": facts.key,
        "state": State.LISTED if readable else State.UNREADABLE,
        "reason": None
        if readable
        else "its name is not valid UTF-8, so that it cannot be written down. Rename it.",
    }
    return row, entry_of(id, stem, facts.words, folder, facts.tags)


@lru_cache(maxsize=1024)  # the files of a folder come one after another
def relative_folder(folder: str, root: str) -> str:
    """A folder from its root on, whose own name counts."""
    return storable(os.path.relpath(folder, os.path.dirname(root)))


def storable(text: str) -> str:
    """A path as text for a database: bytes that are no UTF-8 are spelt out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    return text
