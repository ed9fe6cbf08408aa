"""What was worked out about user sounds, so that it is worked out once: part of ``UserSoundStore``, in its database.

All of it can be worked out again: a disk that does not take it costs that time, and nothing else. Rows go with the
sounds they are about (by triggers, see ``sqlite.MIGRATIONS``).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Column, ColumnElement, Connection, Table, delete, insert, select, true
from sqlalchemy.exc import SQLAlchemyError

from sonifold_app.engine.answers import Reembedded
from sonifold_app.store.database import Database
from sonifold_app.store.failures import StorageError
from sonifold_app.store.tables import adapted_points, fingerprints

log = logging.getLogger(__name__)

#: Values named in one statement; SQLite takes some thirty thousand.
NAMED = 1000

Value = TypeVar("Value")


class DerivedStore:
    """Safe to use from several threads. Raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- fingerprints: of audio files, by their sha256 -----------------------------------------------

    def fingerprints(self, audio: Collection[str]) -> dict[str, bytes]:
        """Those that are kept."""
        maps: dict[str, bytes] = {}
        with self._database.connect() as connection:
            for part in parts_of(audio):
                query = select(fingerprints.c.audio, fingerprints.c.map).where(fingerprints.c.audio.in_(part))
                maps.update((row.audio, row.map) for row in connection.execute(query))
        return maps

    def keep_fingerprints(self, maps: Mapping[str, bytes]) -> None:
        rows = [{"audio": audio, "map": map} for audio, map in maps.items()]
        self._put(fingerprints, fingerprints.c.audio, rows)

    # -- points that an adapted model has for the sounds of its base -------------------------------------

    def reembedded(self, model: str, version: str) -> dict[str, Reembedded]:
        """By sound; of the model as it is in this version."""
        query = select(adapted_points).where(
            adapted_points.c.model == model, adapted_points.c.version == version
        )
        with self._database.connect() as connection:
            return {row.sound: reembedded_of(row) for row in connection.execute(query)}

    def keep_reembedded(self, model: str, version: str, reembedded: Mapping[str, Reembedded]) -> None:
        """In the place of what an earlier version had."""
        rows = []
        for sound, point in reembedded.items():
            x, y = point.position
            rows.append(
                {
                    "model": model,
                    "sound": sound,
                    "version": version,
                    "z": point.z.astype("<f4").tobytes(),
                    "x": x,
                    "y": y,
                    "known": int(point.in_distribution),
                }
            )
        self._put(adapted_points, adapted_points.c.sound, rows, adapted_points.c.model == model)

    def forget_reembedded(self, model: str) -> None:
        deletion = delete(adapted_points).where(adapted_points.c.model == model)
        self._database.write(lambda connection: connection.execute(deletion), frees=True)

    def _put(
        self,
        table: Table,
        key: Column[str],
        rows: list[dict[str, Any]],
        among: ColumnElement[bool] = true(),  # noqa: B008  # a constant of SQL
    ) -> None:
        """Write rows in the place of those that have the same key."""
        if not rows:
            return

        def replace(connection: Connection) -> None:
            for part in parts_of(row[key.name] for row in rows):
                connection.execute(delete(table).where(among, key.in_(part)))
            connection.execute(insert(table), rows)

        try:
            self._database.write(replace)
        except (StorageError, SQLAlchemyError) as error:
            log.warning("%d rows of %s are not kept: %s", len(rows), table.name, error)


def reembedded_of(row: Any) -> Reembedded:
    z = np.frombuffer(row.z, "<f4").astype(np.float32)
    return Reembedded(z, (row.x, row.y), bool(row.known))


def parts_of(values: Iterable[Value], size: int = NAMED) -> Iterator[list[Value]]:
    """Values in lists of at most ``size``, by default as many as fit into a statement."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
