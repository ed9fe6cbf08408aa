"""Runs of ingests as rows: how far each is, for all who watch, and what is wanted of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, insert, select, update

from sonifold_app.collection.tables import ingests
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database

#: Runs that are remembered.
REMEMBERED = 50


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its process ended before it did; the next run goes on


OVER = frozenset({RunState.DONE, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED})


class Wish(StrEnum):
    """What a user wants of a run that is under way."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    phase: str  # names or sounds
    listed: int = 0  # files of the folders
    missing: int = 0  # of the sounds that were in them
    analysed: int = 0  # by this run
    unreadable: int = 0  # of those
    remaining: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True)
class Run:
    """A run, as it stands."""

    id: int
    folders: tuple[str, ...]
    changes: tuple[str, ...] | None  # paths in them that alone are looked at
    model: str | None  # that sounds are analysed by; None: only names are listed
    state: RunState
    progress: Progress
    wish: Wish | None
    error: str | None
    created: str
    changed: str


class Runs:
    """The table of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, folders: Sequence[str], model: str | None = None, changes: Sequence[str] | None = None
    ) -> int:
        """A new run; those that say they run although nobody runs them are interrupted. Only who has the lock may."""
        stale = update(ingests).where(ingests.c.state.not_in(OVER)).values(state=RunState.INTERRUPTED)
        values = {
            **asdict(Progress("names")),
            "folders": json.dumps(list(folders)),
            "changes": None if changes is None else json.dumps(list(changes)),
            "model": model,
            "state": RunState.RUNNING,
            "created": now(),
            "changed": now(),
        }

        def start(connection: Any) -> int:
            connection.execute(stale)
            id: int = connection.execute(
                insert(ingests).values(**values).returning(ingests.c.id)
            ).scalar_one()
            connection.execute(delete(ingests).where(ingests.c.id <= id - REMEMBERED))
            return id

        return self._database.write(start)

    def report(self, id: int, progress: Progress, state: RunState = RunState.RUNNING) -> Wish | None:
        """Write how far a run is; returns what is wanted of it."""
        change = update(ingests).where(ingests.c.id == id)
        values = {**asdict(progress), "state": state, "changed": now()}

        def write(connection: Any) -> str | None:
            wish: str | None = connection.execute(
                change.values(**values).returning(ingests.c.wish)
            ).scalar_one()
            return wish

        wish = self._database.write(write)
        return None if wish is None else Wish(wish)

    def finish(self, id: int, state: RunState, error: str | None = None) -> None:
        """A run is over."""
        change = update(ingests).where(ingests.c.id == id)
        values = {"state": state, "error": error, "seconds_left": None, "changed": now()}
        self._database.write(lambda connection: connection.execute(change.values(**values)))

    def interrupt(self, id: int, error: str | None) -> None:
        """Its process is no more; a run that was over by then stays as it is."""
        change = update(ingests).where(ingests.c.id == id, ingests.c.state.not_in(OVER))
        values = {"state": RunState.INTERRUPTED, "error": error, "seconds_left": None, "changed": now()}
        self._database.write(lambda connection: connection.execute(change.values(**values)))

    def want(self, id: int, wish: Wish) -> None:
        """Pause a run, let it go on, or cancel it; it does so at its next report. One that is over stays so."""
        change = update(ingests).where(ingests.c.id == id, ingests.c.state.not_in(OVER))
        self._database.write(lambda connection: connection.execute(change.values(wish=wish)))

    def find(self, id: int) -> Run | None:
        """A run."""
        with self._database.connect() as connection:
            row = connection.execute(select(ingests).where(ingests.c.id == id)).one_or_none()
        return None if row is None else run_of(row._mapping)

    def all(self) -> list[Run]:
        """Those that are remembered, latest first."""
        with self._database.connect() as connection:
            rows = connection.execute(select(ingests).order_by(ingests.c.id.desc()))
            return [run_of(row._mapping) for row in rows]


def run_of(row: Any) -> Run:
    """A run from its row."""
    progress = Progress(**{name: row[name] for name in Progress.__dataclass_fields__})
    wish = None if row["wish"] is None else Wish(row["wish"])
    folders = tuple(json.loads(row["folders"]))
    changes = None if row["changes"] is None else tuple(json.loads(row["changes"]))
    return Run(
        row["id"],
        folders,
        changes,
        row["model"],
        RunState(row["state"]),
        progress,
        wish,
        row["error"],
        row["created"],
        row["changed"],
    )
