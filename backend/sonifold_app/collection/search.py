"""Finding sounds of a collection: by words and facts, and by how near they are to a sound."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, not_, or_, select

from sonifold_app.collection import duplicates
from sonifold_app.collection.query import LIMIT, MOST, Choice, Query, QueryInvalid, Range, Term, folded
from sonifold_app.collection.tables import sounds
from sonifold_app.collection.vectors import Vectors, exact_distances
from sonifold_app.collection.words import WordIndex
from sonifold_app.store.database import Database
from sonifold_app.store.marks import Mark, MarkStore

#: Sounds at most that are put into an order by how well they fit: what that takes grows with them.
RANKED = 2000
#: Rows that are looked up for each sound that is wanted, where any would do and where it has to fit; and at most.
FEW, PROBED, MOST_PROBED = 4, 32, 4096
#: What asks for sounds that are not alone.
DUPLICATES = Choice("is", ("duplicate",))


@dataclass(frozen=True)
class Match:
    """A sound that fits, with all its columns, and with its ``mark`` where the search shows marks."""

    sound: dict[str, Any]
    distance: float | None = None  # perceptual, in the model's unit, where the search was for near ones


@dataclass(frozen=True)
class Page:
    """Some of the sounds that fit, in order."""

    matches: list[Match]
    more: bool  # whether others follow


class Search:
    """Searches in one collection. Safe to use from several threads."""

    def __init__(
        self,
        database: Database,
        words: WordIndex,
        marks: Callable[[], MarkStore] | None = None,
        show_marks: bool = False,
    ) -> None:
        """``marks`` opens what the user says of sounds, where a query asks for it, or all sounds shall have it."""
        self._database, self._words = database, words
        self._marks, self._show_marks = marks, show_marks

    def sound(self, id: int) -> dict[str, Any] | None:
        """All columns of a sound."""
        return self.by_ids([id]).get(id)

    def find(self, query: Query, limit: int = LIMIT, offset: int = 0) -> Page:
        """Sounds that fit, the best first, of which ``offset`` are passed over.

        The best are those that have the words in their names, and few others. Where very many fit, no order helps, and
        they come as they were taken in; what is the same to the ear together, where that is asked for.
        """
        with self._database.connect() as connection:
            by_words = bool(wanted(query)) and DUPLICATES not in query.choices
            if by_words and 0 < self._count(connection, query, RANKED + 1) <= RANKED:
                matching, statement = self._matching(query, ranked=True)
                statement = statement.order_by(matching.c.rank, matching.c.id)
            elif DUPLICATES in query.choices:
                matching, statement = self._matching(query, join=True)
                statement = statement.order_by(func.coalesce(*reversed(duplicates.COLUMNS)), matching.c.id)
            else:
                matching, statement = self._matching(query)
                statement = statement.order_by(matching.c.id)
            ids = list(connection.execute(statement.offset(offset).limit(limit + 1)).scalars())
            by_id = self._by_ids(connection, ids[:limit])
        return Page([Match(by_id[id]) for id in ids[:limit]], len(ids) > limit)

    def count(self, query: Query) -> int:
        """How many sounds fit."""
        with self._database.connect() as connection:
            return self._count(connection, query)

    def ids(self, query: Query) -> list[int]:
        """The ids of all sounds that fit, rising."""
        matching, statement = self._matching(query)
        with self._database.connect() as connection:
            return list(connection.execute(statement.order_by(matching.c.id)).scalars())

    def by_ids(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """All columns of sounds by their ids; of those that there are."""
        with self._database.connect() as connection:
            return self._by_ids(connection, ids)

    def same_as(self, sound: dict[str, Any], vectors: Vectors) -> list[Match]:
        """Copies of an analysed sound and sounds that are nearly the same, nearest first."""
        with self._database.connect() as connection:
            rows = connection.execute(select(sounds).where(duplicates.same_as(sound)).limit(MOST))
            others = self._marked([dict(row._mapping) for row in rows])
        numbers = np.array([sound["vector"], *(other["vector"] for other in others)], np.int64)
        timbre = vectors.timbre.rows(int(numbers.max()) + 1)
        distances = exact_distances(timbre, numbers[1:], timbre[numbers[0]]) * vectors.unit_per_phi
        matches = map(Match, others, distances.tolist())
        return sorted(matches, key=lambda match: (match.distance, match.sound["id"]))

    def near(
        self,
        timbre: NDArray[np.float32],
        vectors: Vectors,
        query: Query,
        limit: int = LIMIT,
        offset: int = 0,
        without: int | None = None,
    ) -> Page:
        """Analysed sounds that fit, nearest to a timbre (512,) first, of which ``offset`` are passed over.

        Exact: every sound is compared. ``without``: the id of a sound that is left out.
        """
        most = offset + limit + 1
        with self._database.connect() as connection:
            nearest = self._nearest(connection, timbre, vectors, query, most, without)
            page = nearest[offset : offset + limit]
            by_id = self._by_ids(connection, [id for id, _ in page])
        matches = [Match(by_id[id], distance) for id, distance in page]
        return Page(matches, len(nearest) == most)

    def _nearest(
        self,
        connection: Connection,
        timbre: NDArray[np.float32],
        vectors: Vectors,
        query: Query,
        most: int,
        without: int | None,
    ) -> list[tuple[int, float]]:
        """(id, distance) of the nearest that fit, at most so many.

        First the nearest rows of all are looked up; where too few of them fit, all that fit are compared.
        """
        has_vector = [sounds.c.vector.is_not(None), sounds.c.pack == vectors.pack]
        if without is not None:
            has_vector.append(sounds.c.id != without)
        probed = min(most * (FEW if query == Query() else PROBED), MOST_PROBED)
        rows, distances = vectors.nearest(timbre, probed)
        statement = self._among(query, *has_vector, sounds.c.vector.in_(rows.tolist()))
        pairs = by_distance(connection.execute(statement), rows, distances)
        whole = len(rows) < probed
        if whole or (len(pairs) >= most and pairs[most - 1][1] < distances[-1]):
            return pairs[:most]
        _, statement = self._matching(query, sounds.c.vector, join=True)
        fitting = [tuple(row) for row in connection.execute(statement.where(*has_vector))]
        among = np.unique(np.array([row for _, row in fitting], np.int64))
        return by_distance(fitting, *vectors.nearest(timbre, most, among))[:most]

    def _among(self, query: Query, *conditions: ColumnElement[bool]) -> Select[Any]:
        """Ids and vectors of those few sounds that meet conditions, and fit. The words are looked up once, not for
        each: a sum is no index's column.
        """
        if not wanted(query):
            return self._matching(query, sounds.c.vector)[1].where(*conditions)
        _, fitting = self._matching(query)
        return select(sounds.c.id, sounds.c.vector).where(*conditions, (sounds.c.id + 0).in_(fitting))

    def _by_ids(self, connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        rows = connection.execute(select(sounds).where(sounds.c.id.in_(ids)))
        return {sound["id"]: sound for sound in self._marked([dict(row._mapping) for row in rows])}

    def _marked(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._show_marks:
            marks = self._said().of([row["sha256"] for row in rows if row["sha256"] is not None])
            for row in rows:
                row["mark"] = marks.get(row["sha256"], Mark())
        return rows

    def _count(self, connection: Connection, query: Query, most: int | None = None) -> int:
        """How many sounds fit; ``most``: where counting ends."""
        _, statement = self._matching(query)
        inner = statement.limit(most).subquery()
        return int(connection.execute(select(func.count()).select_from(inner)).scalar_one())

    def _matching(
        self, query: Query, *columns: ColumnElement[Any], join: bool = False, ranked: bool = False
    ) -> tuple[FromClause, Select[Any]]:
        """Where the ids of sounds that fit come from, and a statement for them and some columns.

        ``join``: with the table of sounds, also where the words alone tell which fit.
        """
        conditions = [*map(self._in_range, query.ranges), *map(self._one_of, query.choices)]
        if not wanted(query):
            conditions += map(self._without, query.terms)
            return sounds, select(sounds.c.id, *columns).where(and_(True, *conditions))
        matching = self._words.matching(query.terms, ranked=ranked)
        statement = select(matching.c.id, *columns)
        if conditions or join:
            statement = statement.select_from(matching.join(sounds, matching.c.id == sounds.c.id))
        return matching, statement.where(and_(True, *conditions))

    def _without(self, term: Term) -> ColumnElement[bool]:
        matching = self._words.matching([Term(term.words, term.field, False, term.whole)])
        return sounds.c.id.not_in(select(matching.c.id))

    def _in_range(self, bounds: Range) -> ColumnElement[bool]:
        """A sound without the number is in no range, and left out by none."""
        if bounds.column == "rating":
            inside = has_hash(self._said().rated(bounds.low, bounds.high))
            return not_(inside) if bounds.unwanted else inside
        value = sounds.c[bounds.column]
        inside = and_(value >= bounds.low, value <= bounds.high)
        return or_(value.is_(None), not_(inside)) if bounds.unwanted else inside

    def _one_of(self, choice: Choice) -> ColumnElement[bool]:
        fits = func.coalesce(or_(*(self._is(choice.column, value) for value in choice.values)), False)
        return not_(fits) if choice.unwanted else fits

    def _is(self, column: str, value: str) -> ColumnElement[bool]:
        match column, value:
            case "is", "favourite":
                return has_hash(self._said().favourites())
            case "collection", name:
                said = self._said()
                named = [each.id for each in said.all() if folded(each.name).replace("_", " ") == name]
                return has_hash([sha256 for id in named for sha256 in said.members(id)])
        return _is(column, value)

    def _said(self) -> MarkStore:
        if self._marks is None:
            raise QueryInvalid("favourites, ratings and named collections are not searched here.")
        return self._marks()


def has_hash(hashes: Sequence[str]) -> ColumnElement[bool]:
    """Whether a sound's bytes have one of many hashes."""
    listed = func.json_each(json.dumps(list(hashes))).table_valued("value")
    return func.coalesce(sounds.c.sha256.in_(select(listed.c.value)), False)


def wanted(query: Query) -> list[Term]:
    """The terms that must occur."""
    return [term for term in query.terms if not term.unwanted]


def by_distance(
    fitting: Iterable[Sequence[int]], rows: NDArray[np.int64], distances: NDArray[np.float64]
) -> list[tuple[int, float]]:
    """(id, distance) of sounds by their rows, nearest first; those whose row is not among them are left out."""
    distance_of = dict(zip(rows.tolist(), distances.tolist(), strict=True))
    pairs = [(id, distance_of[row]) for id, row in fitting if row in distance_of]
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


def _is(column: str, value: str) -> ColumnElement[bool]:
    match column, value:
        case "is", "missing":
            return sounds.c.missing.is_(True)
        case "is", "duplicate":
            return or_(*(column.is_not(None) for column in duplicates.COLUMNS))
        case "is", state:
            return sounds.c.state == state
        case "key", key:
            return or_(func.lower(sounds.c.key) == key, func.lower(sounds.c.key).like(f"{key} %"))
    return func.lower(sounds.c[column]) == value
