"""What a user says of sounds of the collection: favourites, ratings, notes, and collections with names.

A sound is named by the hash of its bytes, so that what is said of it is true of each copy, wherever its file goes, and
stays when the collection is made again. A named collection that is removed can be brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, true, update

from sonifold.errors import SonifoldError
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database
from sonifold_app.store.tables import marks, named_collection_sounds, named_collections

#: Named collections, and sounds of one; characters of a name and of a note.
MOST_COLLECTIONS, MOST_SOUNDS = 500, 20_000
LONGEST_NAME, LONGEST_NOTE = 80, 2000
LOWEST, HIGHEST = 1, 5  # ratings
AT_ONCE = 500  # hashes of a statement


class NamedCollectionNotFound(SonifoldError):
    """No named collection has that id."""


class NamedCollectionInvalid(SonifoldError):
    """A named collection that cannot be so; the message is a sentence for the user."""


@dataclass(frozen=True)
class Mark:
    """What is said of one sound."""

    favourite: bool = False
    rating: int | None = None  # 1 to 5
    note: str = ""


@dataclass(frozen=True)
class NamedCollection:
    """Sounds that a user put together under a name."""

    id: int
    name: str
    count: int
    created: str


class MarkStore:
    """The tables of marks and of named collections. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, hashes: Sequence[str]) -> dict[str, Mark]:
        """What is said of sounds, of those of which something is."""
        said: dict[str, Mark] = {}
        with self._database.connect() as connection:
            for start in range(0, len(hashes), AT_ONCE):
                rows = select(marks).where(marks.c.sha256.in_(hashes[start : start + AT_ONCE]))
                for row in connection.execute(rows):
                    said[row.sha256] = Mark(bool(row.favourite), row.rating, row.note)
        return said

    def change(self, sha256: str, **values: Any) -> Mark:
        """Say something else of a sound: ``favourite``, ``rating``, ``note``."""

        def write(connection: Connection) -> Mark:
            here = marks.c.sha256 == sha256
            row = connection.execute(select(marks).where(here)).one_or_none()
            if row is None:
                connection.execute(insert(marks).values(sha256=sha256, favourite=0, note="", changed=now()))
            numbers = {name: int(value) if name == "favourite" else value for name, value in values.items()}
            connection.execute(update(marks).where(here).values(changed=now(), **numbers))
            row = connection.execute(select(marks).where(here)).one()
            return Mark(bool(row.favourite), row.rating, row.note)

        return self._database.write(write)

    def favourites(self) -> list[str]:
        """Hashes of those sounds."""
        return self._hashes(select(marks.c.sha256).where(marks.c.favourite == 1))

    def rated(self, low: float, high: float) -> list[str]:
        """Hashes of the sounds whose rating lies between two numbers."""
        low, high = max(low, 0.0), min(high, 10.0)
        return self._hashes(select(marks.c.sha256).where(marks.c.rating >= low, marks.c.rating <= high))

    def members(self, id: int) -> list[str]:
        """Hashes of the sounds of a named collection, in the order in which they came."""
        columns = named_collection_sounds.c
        return self._hashes(members_of(id).order_by(columns.added, columns.sha256))

    def all(self) -> list[NamedCollection]:
        """The named collections, by name."""
        with self._database.connect() as connection:
            return self._all(connection)

    def create(self, name: str) -> NamedCollection:
        """A new one. Raises NamedCollectionInvalid."""

        def write(connection: Connection) -> NamedCollection:
            if len(self._require_free(connection, name)) >= MOST_COLLECTIONS:
                raise NamedCollectionInvalid(
                    f"there are {MOST_COLLECTIONS} named collections; remove one first."
                )
            id = (connection.execute(select(func.max(named_collections.c.id))).scalar() or 0) + 1
            connection.execute(insert(named_collections).values(id=id, name=name, created=now()))
            return self._find(connection, id)

        return self._database.write(write)

    def rename(self, id: int, name: str) -> NamedCollection:
        """Raises NamedCollectionNotFound, NamedCollectionInvalid."""

        def write(connection: Connection) -> NamedCollection:
            self._find(connection, id)
            self._require_free(connection, name, besides=id)
            change = update(named_collections).where(named_collections.c.id == id)
            connection.execute(change.values(name=name))
            return self._find(connection, id)

        return self._database.write(write)

    def remove(self, id: int) -> None:
        """Its sounds stay where they are, and it can be restored. Raises NamedCollectionNotFound."""

        def write(connection: Connection) -> None:
            self._find(connection, id)
            change = update(named_collections).where(named_collections.c.id == id)
            connection.execute(change.values(removed=now()))

        self._database.write(write)

    def restore(self, id: int) -> NamedCollection:
        """Bring back one that was removed. Raises NamedCollectionNotFound, NamedCollectionInvalid."""

        def write(connection: Connection) -> NamedCollection:
            here = named_collections.c.id == id
            name = connection.execute(select(named_collections.c.name).where(here)).scalar()
            if name is None:
                raise not_found(id)
            self._require_free(connection, name, besides=id)
            connection.execute(update(named_collections).where(here).values(removed=None))
            return self._find(connection, id)

        return self._database.write(write)

    def put(self, id: int, hashes: Sequence[str]) -> NamedCollection:
        """Have sounds in a named collection; those that are in it stay. Raises NamedCollectionNotFound,
        NamedCollectionInvalid.
        """

        def write(connection: Connection) -> NamedCollection:
            self._find(connection, id)
            present = set(connection.execute(members_of(id)).scalars())
            new = [sha256 for sha256 in dict.fromkeys(hashes) if sha256 not in present]
            if len(present) + len(new) > MOST_SOUNDS:
                raise NamedCollectionInvalid(f"a named collection has {MOST_SOUNDS} sounds at most.")
            if new:
                rows = [{"collection": id, "sha256": sha256, "added": now()} for sha256 in new]
                connection.execute(insert(named_collection_sounds), rows)
            return self._find(connection, id)

        return self._database.write(write)

    def take_out(self, id: int, hashes: Sequence[str]) -> NamedCollection:
        """Have sounds no longer in a named collection. Raises NamedCollectionNotFound."""

        def write(connection: Connection) -> NamedCollection:
            self._find(connection, id)
            here = named_collection_sounds.c.collection == id, named_collection_sounds.c.sha256.in_(hashes)
            connection.execute(delete(named_collection_sounds).where(*here))
            return self._find(connection, id)

        return self._database.write(write)

    def _hashes(self, statement: Any) -> list[str]:
        with self._database.connect() as connection:
            return list(connection.execute(statement).scalars())

    def _all(self, connection: Connection, id: int | None = None) -> list[NamedCollection]:
        """Those that were not removed, or the one with that id."""
        members = named_collection_sounds.c
        rows = (
            select(
                named_collections.c.id,
                named_collections.c.name,
                func.count(members.sha256),
                named_collections.c.created,
            )
            .select_from(
                named_collections.outerjoin(
                    named_collection_sounds, members.collection == named_collections.c.id
                )
            )
            .where(
                named_collections.c.removed.is_(None), true() if id is None else named_collections.c.id == id
            )
            .group_by(named_collections.c.id, named_collections.c.name, named_collections.c.created)
            .order_by(func.lower(named_collections.c.name), named_collections.c.id)
        )
        return [NamedCollection(*row) for row in connection.execute(rows)]

    def _find(self, connection: Connection, id: int) -> NamedCollection:
        for collection in self._all(connection, id):
            return collection
        raise not_found(id)

    def _require_free(self, connection: Connection, name: str, besides: int | None = None) -> list[str]:
        """The names that there are, without that of ``besides``. Raises NamedCollectionInvalid."""
        columns = named_collections.c
        others = select(columns.name).where(columns.removed.is_(None), columns.id != (besides or 0))
        names = list(connection.execute(others.order_by(func.lower(columns.name), columns.id)).scalars())
        for other in names:
            if other.casefold() == name.casefold():
                raise NamedCollectionInvalid(
                    f"there is a collection called {other!r} already; take another name."
                )
        return names


def members_of(id: int) -> Select[Any]:
    """Hashes of the sounds of a named collection."""
    columns = named_collection_sounds.c
    return select(columns.sha256).where(columns.collection == id)


def not_found(id: int) -> NamedCollectionNotFound:
    return NamedCollectionNotFound(f"there is no named collection {id}.")
