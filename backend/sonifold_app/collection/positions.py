"""Where the sounds of a collection are on a map, in columns that are sent and drawn as they are.

The database is read again only where it has changed, and what is then another row gets the number of that reading: who
has an older version is sent those rows alone.

A reply is a number of four bytes, that many bytes of JSON, and columns one after another, all little-endian (see
``encoded``): 11 bytes a sound.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from sonifold_app.collection.listing import State
from sonifold_app.collection.tables import roots, sounds
from sonifold_app.store.database import Database

MEDIA_TYPE = "application/vnd.sonifold.positions"
#: A row as it is compared and sent: position as a share of the extent, and what points are coloured by.
ROW = np.dtype([("x", "<u2"), ("y", "<u2"), ("family", "u1"), ("folder", "u1"), ("brightness", "u1")])
#: Families and folders that have no number of their own; and the family of a row that is no more.
OTHER, GONE = 254, 255
STEPS = 65535  # of a position along the extent
READ = 50_000  # rows at a time
#: The database is not read again before so many times as long have passed as reading took.
REST = 4.0

Ids = NDArray[np.uint32]
Extent = tuple[float, float, float, float]
#: The positions of sounds by their rows in the arrays of vectors, (row,) to (row, 2); NaN where there is none.
Layout = Callable[[NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True)
class Columns:
    """Sounds on a map: all of them, or those that changed after a version."""

    version: str
    whole: bool
    extent: Extent  # x0, x1, y0, y1
    families: tuple[str, ...]
    folders: tuple[str, ...]
    ids: Ids  # rising
    rows: NDArray[Any]  # of ROW

    @classmethod
    def none(cls, extent: Extent) -> Self:
        """Of a map that no sound is on."""
        return cls("", True, extent, (), (), np.zeros(0, np.uint32), np.zeros(0, ROW))

    def encoded(self, **facts: object) -> bytes:
        """As bytes. ``facts``: what the header says beside its own."""
        columns: list[tuple[str, NDArray[Any]]] = [("id", self.ids.astype("<u4"))]
        columns += [(name, np.ascontiguousarray(self.rows[name])) for name in ROW.names or ()]
        header = {
            "version": self.version,
            "whole": self.whole,
            "count": len(self.ids),
            "extent": self.extent,
            "families": self.families,
            "folders": self.folders,
            "columns": [[name, values.dtype.name] for name, values in columns],
            **facts,
        }
        text = json.dumps(header, ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)  # numbers of four bytes stand where they can be read in place
        return b"".join(
            [np.uint32(len(text)).astype("<u4").tobytes(), text, *(v.tobytes() for _, v in columns)]
        )


@dataclass
class Reading:
    """All rows as they were last read, and since which reading each is as it is."""

    number: int = 0
    ids: Ids = field(default_factory=lambda: np.zeros(0, np.uint32))
    rows: NDArray[Any] = field(default_factory=lambda: np.zeros(0, ROW))
    changed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    gone: dict[int, int] = field(default_factory=dict)  # id -> the reading that missed it
    folders: tuple[str, ...] = ()

    def followed_by(self, ids: Ids, rows: NDArray[Any], folders: tuple[str, ...]) -> Reading:
        """The next reading; this one where nothing has changed."""
        at = np.minimum(np.searchsorted(self.ids, ids), max(len(self.ids) - 1, 0))
        same = np.zeros(len(ids), bool)
        if len(self.ids):
            same = (self.ids[at] == ids) & (self.rows[at] == rows)
        gone = np.setdiff1d(self.ids, ids, assume_unique=True).tolist()
        if same.all() and not gone and self.number and folders == self.folders:
            return self
        number = self.number + 1
        changed = np.full(len(ids), number, np.int64)
        changed[same] = self.changed[at[same]]
        back = set(ids.tolist()) if self.gone else set()
        missing = {id: since for id, since in self.gone.items() if id not in back}
        return Reading(number, ids, rows, changed, missing | dict.fromkeys(gone, number), folders)


class Positions:
    """The sounds of a collection on one map. Safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        file: Path,
        pack: str,
        extent: Extent,
        families: Sequence[str],
        layout: Layout | None = None,
        rest: float = REST,
    ) -> None:
        """``file``: the database's, by which it is seen whether it changed. ``pack``: whose latent space the sounds
        were analysed in; ``extent``: of its map. ``layout``: of another map of the same sounds.
        ``rest``: how many times as long as reading took it is not read again.
        """
        self._database, self._file, self._pack = database, file, pack
        self._extent, self._families, self._layout = extent, tuple(families), layout
        self._rest = rest
        self._lock = threading.Lock()
        self._series = secrets.token_hex(4)  # of versions: another server has others
        self._reading = Reading()
        self._seen: tuple[tuple[int, int], ...] = ()
        self._read_at, self._took = -np.inf, 0.0

    def after(self, version: str | None = None) -> Columns:
        """What changed after a version; all, where that is None or of another series. Raises StorageError."""
        with self._lock:
            self._read_if_changed()
            reading = self._reading
        number = self._number(version)
        name = f"{self._series}.{reading.number}"
        if number is None:
            return self._columns(name, True, reading, reading.ids, reading.rows)
        new = reading.changed > number
        lost = [id for id, since in reading.gone.items() if since > number]
        removed = np.zeros(len(lost), ROW)
        removed["family"] = GONE
        ids = np.concatenate([reading.ids[new], np.array(lost, np.uint32)])
        order = np.argsort(ids)
        return self._columns(
            name, False, reading, ids[order], np.concatenate([reading.rows[new], removed])[order]
        )

    def _columns(self, version: str, whole: bool, reading: Reading, ids: Ids, rows: NDArray[Any]) -> Columns:
        return Columns(version, whole, self._extent, self._families, reading.folders, ids, rows)

    def _number(self, version: str | None) -> int | None:
        """Which reading a version was; None where it is none of these."""
        series, _, number = (version or "").partition(".")
        is_number = number.isascii() and number.isdigit()
        return int(number) if series == self._series and is_number else None

    def _read_if_changed(self) -> None:
        began = time.monotonic()
        seen = files_seen(self._file)
        if seen == self._seen or began < self._read_at + self._rest * self._took:
            return
        self._reading = self._reading.followed_by(*self._read())
        self._seen, self._read_at = seen, time.monotonic()
        self._took = self._read_at - began

    def _read(self) -> tuple[Ids, NDArray[Any], tuple[str, ...]]:
        columns = (
            sounds.c.id, sounds.c.root, sounds.c.folder, sounds.c.family, sounds.c.brightness, sounds.c.vector,
            sounds.c.x, sounds.c.y,
        )  # fmt: skip
        statement = select(*columns).where(
            sounds.c.state == State.ANALYSED,
            sounds.c.pack == self._pack,
            sounds.c.missing.is_(False),
            sounds.c.x.is_not(None),
        )
        families = {name: min(number, OTHER) for number, name in enumerate(self._families)}
        parts: list[tuple[Ids, NDArray[Any]]] = []
        with self._database.connect() as connection:
            folders = FolderNumbers({row.id: row.path for row in connection.execute(select(roots))})
            result = connection.execution_options(stream_results=True).execute(
                statement.order_by(sounds.c.id)
            )
            for page in result.partitions(READ):
                id, root, folder, family, brightness, vector, x, y = zip(*page, strict=True)
                rows = np.empty(len(id), ROW)
                at = np.array([x, y], np.float64).T
                if self._layout is not None:
                    at = self._layout(np.array(vector, np.int64)).astype(np.float64)
                rows["x"], rows["y"] = quantised(at, self._extent)
                rows["family"] = [families.get(name, OTHER) for name in family]
                rows["folder"] = [folders.number(*pair) for pair in zip(root, folder, strict=True)]
                rows["brightness"] = np.round(255 * np.array(brightness, np.float64).clip(0, 1))
                placed = np.isfinite(at).all(1)
                parts.append((np.array(id, np.uint32)[placed], rows[placed]))
        empty = (np.zeros(0, np.uint32), np.zeros(0, ROW))
        ids, rows_of = zip(*(parts or [empty]), strict=True)
        return np.concatenate(ids), np.concatenate(rows_of), folders.names


class FolderNumbers:
    """Numbers for folders: of each root its sub-folders, and all below them with them, as they come."""

    def __init__(self, root_paths: dict[int, str]) -> None:
        self._roots = root_paths
        self._numbers: dict[str, int] = {}
        self._by_folder: dict[tuple[int, str], int] = {}

    def number(self, root: int, folder: str) -> int:
        """Of a folder in a root; OTHER from the 255th on."""
        number = self._by_folder.get((root, folder))
        if number is None:
            path = self._roots[root].rstrip(os.sep)
            below = folder[len(path) :].strip(os.sep).split(os.sep)[0]
            name = (
                os.path.join(os.path.basename(path) or path, below)
                if below
                else os.path.basename(path) or os.sep
            )
            number = self._numbers.setdefault(name, min(len(self._numbers), OTHER))
            self._by_folder[root, folder] = number
        return number

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of their numbers."""
        return tuple(self._numbers)[:OTHER]


def quantised(at: NDArray[np.float64], extent: Extent) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Positions (sound, 2) as shares of an extent in steps of 1 / 65535; what lies outside is moved to the edge."""
    x0, x1, y0, y1 = extent
    share = (np.nan_to_num(at) - [x0, y0]) / [max(x1 - x0, 1e-9), max(y1 - y0, 1e-9)]
    steps = np.round(share.clip(0, 1) * STEPS).astype(np.uint16)
    return steps[:, 0], steps[:, 1]


def files_seen(database: Path) -> tuple[tuple[int, int], ...]:
    """What changes with every transaction: times and sizes of a SQLite database and its log."""
    seen = []
    for file in (database, database.with_name(f"{database.name}-wal")):
        try:
            about = file.stat()
        except FileNotFoundError:
            seen.append((0, 0))
        else:
            seen.append((about.st_mtime_ns, about.st_size))
    return tuple(seen)
