"""The index of words: which sounds have which words in their names, tags and folders.

``WordIndex`` is all that is asked of it; ``Fts5Index`` is SQLite's own. PostgreSQL's full text fits behind the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from sqlalchemy import (
    Connection,
    FromClause,
    column,
    delete,
    func,
    insert,
    literal_column,
    table,
    update,
)

from sonifold.analysis.names import words_of
from sonifold_app.collection.query import Term

#: What a word counts in a name, a folder and a tag: the file's own name says most, and every file has folders.
WEIGHTS = (10.0, 1.0, 5.0)

_index = table("sound_words", column("rowid"), column("name"), column("folder"), column("tags"))


@dataclass(frozen=True)
class Entry:
    """The words of one sound."""

    id: int
    name: str
    folder: str
    tags: str


class WordIndex(Protocol):
    """Finds sounds by words. What is written goes into the transaction of the connection."""

    def add(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Take in sounds that are not in it."""

    def remove(self, connection: Connection, ids: Iterable[int]) -> None:
        """Leave sounds out."""

    def hand_over(self, connection: Connection, id: int, heir: int) -> None:
        """Give the words of a sound to another, whose own are left out, as the sound is."""

    def matching(self, terms: Sequence[Term], *, ranked: bool = False) -> FromClause:
        """A relation with the ``id`` of every sound that fits all the terms, at least one of which is wanted; and its
        ``rank``, which is less the better it fits, where it is asked for.
        """


class Fts5Index:
    """SQLite's FTS5, in the table ``sound_words``."""

    def add(self, connection: Connection, entries: Sequence[Entry]) -> None:
        rows = [
            {"rowid": entry.id, "name": entry.name, "folder": entry.folder, "tags": entry.tags}
            for entry in entries
        ]
        if rows:
            connection.execute(insert(_index), rows)

    def remove(self, connection: Connection, ids: Iterable[int]) -> None:
        for id in ids:
            connection.execute(delete(_index).where(_index.c.rowid == id))

    def hand_over(self, connection: Connection, id: int, heir: int) -> None:
        self.remove(connection, [heir])
        connection.execute(update(_index).where(_index.c.rowid == id).values(rowid=heir))

    def matching(self, terms: Sequence[Term], *, ranked: bool = False) -> FromClause:
        required = " AND ".join(_expression(term) for term in terms if not term.unwanted)
        unwanted = "".join(f" NOT {_expression(term)}" for term in terms if term.unwanted)
        matches = column("sound_words").match(f"({required}){unwanted}")
        columns = [_index.c.rowid.label("id")]
        if ranked:
            columns.append(func.bm25(literal_column("sound_words"), *WEIGHTS).label("rank"))
        return _index.select().with_only_columns(*columns).where(matches).subquery("matching")


def entry_of(id: int, stem: str, words: Sequence[str], folder: str, tags: Sequence[str]) -> Entry:
    """The words of a sound: of its name without the ending and of its folder, also apart; and its tags."""
    return Entry(id, _spelt(stem, words), _spelt_folder(folder), " ".join(tags))


@lru_cache(maxsize=1024)  # the files of a folder come one after another
def _spelt_folder(folder: str) -> str:
    return _spelt(folder, words_of(folder))


def _spelt(text: str, words: Sequence[str]) -> str:
    """A name as it is, and as separate words where those are others."""
    apart = " ".join(words)
    return text if apart == text.lower() else f"{text} {apart}"


def _expression(term: Term) -> str:
    """A term in FTS5's language."""
    options = [_phrase(word) for word in term.words]
    if not term.whole:
        options[0] += " *"
    where = f"{term.field} : " if term.field else ""
    return f"{where}({' OR '.join(options)})"


def _phrase(word: str) -> str:
    """A word or a phrase, quoted: nothing in it is an operator."""
    return '"' + re.sub(r'["\x00]', " ", word) + '"'
