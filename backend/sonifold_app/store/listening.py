"""Listening tests, who takes them, and every answer: on the disk before it is acknowledged.

What is played lies in files of its own, under names that are drawn at random; the database says which belong to which
test, and the seeds from which orders are drawn. No reply holds a seed before its listener has given the last answer.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import delete, func, insert, select, true, update

from sonifold_app.store.clock import now
from sonifold_app.store.database import Database
from sonifold_app.store.named import NamedFiles
from sonifold_app.store.quotas import Quota
from sonifold_app.store.tables import listeners, listening_answers, listening_tests

#: Tests, and listeners of one, that are kept at the same time.
MOST_TESTS, MOST_LISTENERS = 100, 200


class ListeningFullError(Exception):
    """No more tests or listeners; the message is a sentence for the user."""


class AnswerConflictError(Exception):
    """An answer that cannot be the next one; the message is a sentence for the user."""


@dataclass(frozen=True)
class Stimuli:
    """A pair under both conditions: where the file is, and what was done to it."""

    file: str
    gains_db: tuple[float, float]
    lufs: float
    frames: int
    sample_rate: int
    facts: tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class ListeningTest:
    id: str
    title: str
    request: dict[str, Any]
    models: tuple[dict[str, str], dict[str, str]]  # name and version, of each condition
    pairs: tuple[tuple[str, str], ...]
    stimuli: tuple[Stimuli, ...] | None  # one a pair, once all are there
    error: str | None
    created: str

    @property
    def trials(self) -> int:
        return int(self.request["trials"])

    @property
    def is_abx(self) -> bool:
        """Or else a preference test."""
        return bool(self.request["method"] == "abx")


@dataclass(frozen=True)
class Answer:
    number: int  # of the trial, from 1
    answer: str
    listens: dict[str, int]
    created: str


@dataclass(frozen=True)
class Listener:
    id: str
    test: str
    name: str
    seed: str
    client: dict[str, Any]
    created: str
    answers: tuple[Answer, ...]


class ListeningStore:
    """Safe to use from several threads."""

    def __init__(self, database: Database, files: NamedFiles, quota: Quota | None = None) -> None:
        """``quota``: how much may be kept."""
        self._database, self._files, self._quota = database, files, quota

    # -- tests -------------------------------------------------------------------------------------

    def create(
        self,
        title: str,
        request: Mapping[str, Any],
        models: Sequence[Mapping[str, str]],
        pairs: Sequence[tuple[str, str]],
    ) -> ListeningTest:
        """Raises ListeningFullError."""
        row = {
            "id": secrets.token_hex(8),
            "title": title,
            "request": json.dumps(request),
            "models": json.dumps(models),
            "pairs": json.dumps(pairs),
            "created": now(),
        }

        def add(connection: sqlalchemy.Connection) -> None:
            number = connection.execute(select(func.count()).select_from(listening_tests)).scalar_one()
            if number >= MOST_TESTS:
                raise ListeningFullError(
                    f"{number} listening tests are kept, as many as can be. Delete one first."
                )
            connection.execute(insert(listening_tests).values(**row))

        self._database.write(add)
        return test_of(row | {"stimuli": None, "error": None})

    def tests(self) -> list[ListeningTest]:
        """Newest first."""
        with self._database.connect() as connection:
            rows = connection.execute(select(listening_tests).order_by(sqlalchemy.text("rowid DESC")))
            return [test_of(row._mapping) for row in rows]

    def find(self, id: str) -> ListeningTest | None:
        with self._database.connect() as connection:
            row = connection.execute(select(listening_tests).where(listening_tests.c.id == id)).one_or_none()
        return None if row is None else test_of(row._mapping)

    def set_ready(self, id: str, stimuli: Sequence[Stimuli]) -> None:
        self._update(id, stimuli=json.dumps([asdict(each) for each in stimuli]), error=None)

    def set_failed(self, id: str, error: str) -> None:
        self._update(id, error=error)

    def delete(self, test: ListeningTest) -> None:
        """With its answers and its sounds."""
        deletion = delete(listening_tests).where(listening_tests.c.id == test.id)
        self._database.write(lambda connection: connection.execute(deletion), frees=True)
        for stimuli in test.stimuli or ():
            self._files.drop(stimuli.file)

    def _update(self, id: str, **values: Any) -> None:
        change = update(listening_tests).where(listening_tests.c.id == id).values(**values)
        self._database.write(lambda connection: connection.execute(change))

    # -- sounds ------------------------------------------------------------------------------------

    def put(self, data: bytes) -> str:
        """Keep a pair's file; returns its name, which says nothing. Raises QuotaFullError."""
        if self._quota is not None:
            self._quota.add_bytes(len(data))
        name = secrets.token_hex(32)
        self._files.put(name, data)
        return name

    def get(self, file: str) -> bytes | None:
        return self._files.get(file)

    def drop(self, file: str) -> None:
        self._files.drop(file)

    def tidy(self) -> None:
        """Move files of tests that were never ready or are no more to the trash."""
        self._files.clear_abandoned()
        with self._database.connect() as connection:
            named = named_files(connection)
        self._files.sweep(named)

    # -- listeners ---------------------------------------------------------------------------------

    def add_listener(self, test: str, name: str, client: Mapping[str, Any]) -> Listener:
        """Raises ListeningFullError."""
        row = {
            "id": secrets.token_hex(16),
            "test": test,
            "name": name,
            "seed": secrets.token_hex(16),
            "client": json.dumps(client),
            "created": now(),
        }

        def add(connection: sqlalchemy.Connection) -> None:
            number = connection.execute(
                select(func.count()).select_from(listeners).where(listeners.c.test == test)
            ).scalar_one()
            if number >= MOST_LISTENERS:
                raise ListeningFullError(f"{number} listeners have begun this test, as many as can.")
            connection.execute(insert(listeners).values(**row))

        self._database.write(add)
        return listener_of(row, ())

    def listener(self, test: str, id: str) -> Listener | None:
        """One of a test, with the answers so far."""
        return next(iter(self._listeners(listeners.c.test == test, listeners.c.id == id)), None)

    def listeners(self, test: str) -> list[Listener]:
        """All of a test with their answers, in the order in which they began."""
        return self._listeners(listeners.c.test == test)

    def answer_counts(self, test: str | None = None) -> dict[str, list[int]]:
        """How many answers each listener has given, by test; of all tests, or of one."""
        query = (
            select(listeners.c.test, func.count(listening_answers.c.number))
            .outerjoin(listening_answers, listening_answers.c.listener == listeners.c.id)
            .where(listeners.c.test == test if test is not None else true())
            .group_by(listeners.c.id)
        )
        counts: dict[str, list[int]] = {}
        with self._database.connect() as connection:
            for test, count in connection.execute(query):
                counts.setdefault(test, []).append(count)
        return counts

    def _listeners(self, *which: sqlalchemy.ColumnElement[bool]) -> list[Listener]:
        rows = select(listeners).where(*which).order_by(sqlalchemy.text("rowid"))
        answers = (
            select(listening_answers)
            .join(listeners, listeners.c.id == listening_answers.c.listener)
            .where(*which)
            .order_by(listening_answers.c.number)
        )
        with self._database.connect() as connection:
            by_listener: dict[str, list[Any]] = {}
            for answer in connection.execute(answers):
                by_listener.setdefault(answer.listener, []).append(answer)
            return [
                listener_of(row._mapping, by_listener.get(row.id, ())) for row in connection.execute(rows)
            ]

    def add_answer(
        self, listener: Listener, number: int, answer: str, listens: Mapping[Any, int], trials: int
    ) -> int:
        """How many answers there are; the same answer once more changes nothing. Raises AnswerConflictError."""
        row = {
            "listener": listener.id,
            "number": number,
            "answer": answer,
            "listens": json.dumps(listens),
            "created": now(),
        }

        def add(connection: sqlalchemy.Connection) -> int:
            stored = select(listening_answers).where(listening_answers.c.listener == listener.id)
            answers = {each.number: each.answer for each in connection.execute(stored)}
            if answers.get(number) == answer:
                return len(answers)
            if number != len(answers) + 1 or number > trials:
                raise AnswerConflictError(
                    f"trial {number} is not the next one: {len(answers)} of {trials} have an answer, and answers are "
                    "final. Ask for the listener to see where it goes on."
                )
            connection.execute(insert(listening_answers).values(**row))
            return len(answers) + 1

        return self._database.write(add)


def named_files(connection: sqlalchemy.Connection) -> set[str]:
    """The name of every file that a listening test plays."""
    lists = connection.execute(select(listening_tests.c.stimuli)).scalars()
    return {stimuli["file"] for each in lists if each for stimuli in json.loads(each)}


def test_of(row: Any) -> ListeningTest:
    first, second = json.loads(row["models"])
    stimuli = row["stimuli"] and tuple(
        Stimuli(**{**each, "gains_db": tuple(each["gains_db"]), "facts": tuple(each["facts"])})
        for each in json.loads(row["stimuli"])
    )
    pairs = tuple((start, end) for start, end in json.loads(row["pairs"]))
    return ListeningTest(
        row["id"],
        row["title"],
        json.loads(row["request"]),
        (first, second),
        pairs,
        stimuli,
        row["error"],
        row["created"],
    )


def listener_of(row: Any, answers: Sequence[Any]) -> Listener:
    return Listener(
        row["id"],
        row["test"],
        row["name"],
        row["seed"],
        json.loads(row["client"]),
        row["created"],
        tuple(Answer(each.number, each.answer, json.loads(each.listens), each.created) for each in answers),
    )
