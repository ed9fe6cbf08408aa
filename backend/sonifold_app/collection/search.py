"""Finding sounds of a collection: by words and facts, and by how near they are to a sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, or_, select

from sonifold_app.collection.query import LIMIT, Choice, Query, Range, Term
from sonifold_app.collection.tables import sounds
from sonifold_app.collection.vectors import Vectors
from sonifold_app.collection.words import WordIndex
from sonifold_app.store.database import Database


@dataclass(frozen=True)
class Match:
    """A sound that fits, with all its columns."""

    sound: dict[str, Any]
    distance: float | None = None  # perceptual, in the model's unit, where the search was for near ones


@dataclass(frozen=True)
class Page:
    """Some of the sounds that fit, in order."""

    matches: list[Match]
    cursor: int | None  # what leads on to the next; None at the end


class Search:
    """Searches in one collection. Safe to use from several threads."""

    def __init__(self, database: Database, words: WordIndex) -> None:
        self._database, self._words = database, words

    def sound(self, id: int) -> dict[str, Any] | None:
        """All columns of a sound."""
        with self._database.connect() as connection:
            row = connection.execute(select(sounds).where(sounds.c.id == id)).one_or_none()
        return None if row is None else dict(row._mapping)

    def find(self, query: Query, limit: int = LIMIT, cursor: int = 0) -> Page:
        """Sounds that fit, in the order in which they were taken in; ``cursor``: the id of the last one before."""
        statement = self._fitting(query).where(sounds.c.id > cursor).order_by(sounds.c.id).limit(limit + 1)
        with self._database.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(statement)]
        more = len(rows) > limit
        return Page([Match(row) for row in rows[:limit]], rows[limit - 1]["id"] if more else None)

    def count(self, query: Query) -> int:
        """How many sounds fit."""
        with self._database.connect() as connection:
            inner = self._fitting(query, sounds.c.id).subquery()
            return int(connection.execute(select(func.count()).select_from(inner)).scalar_one())

    def near(
        self,
        timbre: NDArray[np.float32],
        vectors: Vectors,
        query: Query,
        limit: int = LIMIT,
        cursor: int = 0,
        without: int | None = None,
    ) -> Page:
        """Analysed sounds that fit, nearest to a timbre (512,) first; ``cursor``: how many came before.

        Exact: every sound is compared. ``without``: the id of a sound that is left out.
        """
        with self._database.connect() as connection:
            ids, rows = self._vector_rows(connection, query, vectors.pack)
            distances = vectors.distances(timbre)[rows]
            if without is not None:
                distances[ids == without] = np.inf
            order = np.lexsort((ids, distances))[cursor : cursor + limit + 1]
            order = order[np.isfinite(distances[order])]
            by_id = {row["id"]: row for row in self._by_ids(connection, ids[order[:limit]].tolist())}
        matches = [
            Match(by_id[id], float(distance))
            for id, distance in zip(ids[order[:limit]].tolist(), distances[order[:limit]], strict=True)
            if id in by_id
        ]
        return Page(matches, cursor + limit if len(order) > limit else None)

    def _vector_rows(
        self, connection: Connection, query: Query, pack: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(ids, rows in the arrays) of all analysed sounds that fit."""
        statement = self._fitting(query, sounds.c.id, sounds.c.vector)
        statement = statement.where(sounds.c.vector.is_not(None), sounds.c.pack == pack)
        pairs = np.array([tuple(row) for row in connection.execute(statement)], np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def _by_ids(self, connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
        rows = connection.execute(select(sounds).where(sounds.c.id.in_(ids)))
        return [dict(row._mapping) for row in rows]

    def _fitting(self, query: Query, *columns: ColumnElement[Any]) -> Select[Any]:
        """Those columns, or all, of the sounds that fit."""
        statement = select(*columns) if columns else select(sounds)
        required = [term for term in query.terms if not term.unwanted]
        unwanted = [term for term in query.terms if term.unwanted]
        if required:
            matching = self._words.matching(query.terms)
            statement = statement.select_from(sounds.join(matching, matching.c.id == sounds.c.id))
        else:
            statement = statement.select_from(sounds).where(*map(self._without, unwanted))
        conditions = [*map(_in_range, query.ranges), *map(_one_of, query.choices)]
        return statement.where(and_(True, *conditions))

    def _without(self, term: Term) -> ColumnElement[bool]:
        matching = self._words.matching([Term(term.words, term.field, False, term.whole)])
        return sounds.c.id.not_in(select(matching.c.id))


def _in_range(bounds: Range) -> ColumnElement[bool]:
    """A sound without the number is in no range, and left out by none."""
    value = sounds.c[bounds.column]
    inside = and_(value >= bounds.low, value <= bounds.high)
    return or_(value.is_(None), not_(inside)) if bounds.unwanted else inside


def _one_of(choice: Choice) -> ColumnElement[bool]:
    fits = func.coalesce(or_(*(_is(choice.column, value) for value in choice.values)), False)
    return not_(fits) if choice.unwanted else fits


def _is(column: str, value: str) -> ColumnElement[bool]:
    match column, value:
        case "is", "missing":
            return sounds.c.missing.is_(True)
        case "is", "duplicate":
            return sounds.c.duplicates.is_not(None)
        case "is", state:
            return sounds.c.state == state
        case "key", key:
            return or_(func.lower(sounds.c.key) == key, func.lower(sounds.c.key).like(f"{key} %"))
    return func.lower(sounds.c[column]) == value
