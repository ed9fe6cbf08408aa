"""Jobs and their events in the user's database; the server and the worker both write here.

An event is never changed once written, and numbered from 1 within its job: whoever was cut off asks for those after the
last one seen.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, case, delete, func, insert, select, update

from sonifold_app import urls
from sonifold_app.store.clock import now
from sonifold_app.store.database import Database
from sonifold_app.store.opening import open_database
from sonifold_app.store.quotas import Quota
from sonifold_app.store.room import Room
from sonifold_app.store.tables import events, jobs

State = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: frozenset[State] = frozenset({"done", "failed", "cancelled"})
#: Jobs that wait at the same time; each takes minutes of a core.
MOST_QUEUED = 20


@dataclass(frozen=True)
class Job:
    """A fine-tune that was asked for."""

    id: str
    model: str  # the base
    pack: str  # name of the pack it makes
    title: str
    request: dict[str, Any]
    state: State
    cancel: bool
    attempts: int
    error: str | None  # why it failed; of a job that is queued, why it waits for more than its turn
    created: str
    finished: str | None


class TooManyJobsError(Exception):
    """No more jobs can wait; the message is a sentence for the user."""


class JobNotOverError(Exception):
    """A job that waits or runs cannot be deleted; the message is a sentence for the user."""


@dataclass(frozen=True)
class Event:
    number: int
    kind: str
    data: dict[str, Any]


class JobStore:
    """Safe to use from several threads and processes."""

    def __init__(
        self,
        source: Path | Database,
        *,
        room: Room | None = None,
        make: bool = True,
        quota: Quota | None = None,
    ) -> None:
        """``source``: a database that is open, or the folder that it is in or is made in unless ``make=False``.
        ``room``: what gives way on a full disk. ``quota``: how many jobs may wait.

        Raises DatabaseUnusableError.
        """
        if isinstance(source, Path):
            source = open_database(source, room=room, make=make)
        self.database, self._quota = source, quota

    def close(self) -> None:
        self.database.close()

    def create(self, model: str, title: str, request: Mapping[str, Any]) -> Job:
        """Put a job into the queue; the pack it will make has a name that no other has.

        Raises TooManyJobsError, QuotaBusyError.
        """
        id = secrets.token_hex(8)
        row = {
            "id": id,
            "model": model,
            "pack": f"{model[:40]}-{id[:8]}",
            "title": title,
            "request": json.dumps(request),
            "state": "queued",
            "cancel": 0,
            "attempts": 0,
            "error": None,
            "created": now(),
            "finished": None,
        }
        under_way = select(func.count()).select_from(jobs).where(jobs.c.state.not_in(OVER))
        queued = select(func.count()).select_from(jobs).where(jobs.c.state == "queued")

        def add(connection: Connection) -> None:
            if self._quota is not None:
                self._quota.require_job(connection.execute(under_way).scalar_one())
            if connection.execute(queued).scalar_one() >= MOST_QUEUED:
                raise TooManyJobsError(
                    f"{MOST_QUEUED} jobs wait already, as many as can. Wait until one has ended, or cancel one: "
                    f"GET {urls.API}/jobs lists them."
                )
            connection.execute(insert(jobs).values(**row))
            connection.execute(self._event(id, "queued", {}))

        self.database.write(add)
        return job_of(row)

    def all(self) -> list[Job]:
        """Newest first."""
        with self.database.connect() as connection:
            rows = connection.execute(select(jobs).order_by(jobs.c.created.desc()))
            return [job_of(row._mapping) for row in rows]

    def count_by_state(self) -> dict[str, int]:
        """How many there are in each state that one is in."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with self.database.connect() as connection:
            return {state: count for state, count in connection.execute(query)}

    def find(self, id: str) -> Job | None:
        with self.database.connect() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == id)).one_or_none()
        return None if row is None else job_of(row._mapping)

    def queue(self) -> list[Job]:
        """The jobs that are to be done, first that which was asked for first."""
        query = select(jobs).where(jobs.c.state == "queued").order_by(jobs.c.created)
        with self.database.connect() as connection:
            return [job_of(row._mapping) for row in connection.execute(query)]

    def start(self, id: str) -> bool:
        """A worker begins; False where the job waits no more."""
        change = update(jobs).where(jobs.c.id == id, jobs.c.state == "queued")
        values = {"state": "running", "attempts": jobs.c.attempts + 1, "error": None}

        def begin(connection: Connection) -> bool:
            started = connection.execute(change.values(**values).returning(jobs.c.attempts))
            attempts = started.scalar_one_or_none()
            if attempts is not None:
                connection.execute(self._event(id, "started", {"attempt": attempts}))
            return attempts is not None

        return self.database.write(begin)

    def requeue(self, id: str, *, passing: bool = False) -> None:
        """A worker ended before the job did; ``passing``: by no fault of the job, the attempt does not count."""
        change = update(jobs).where(jobs.c.id == id, jobs.c.state == "running")
        values = {"state": "queued", "attempts": jobs.c.attempts - int(passing)}

        def put_back(connection: Connection) -> None:
            if connection.execute(change.values(**values)).rowcount:
                connection.execute(self._event(id, "interrupted", {"passing": True} if passing else {}))

        self.database.write(put_back, frees=True)

    def put_off(self, id: str, reason: str) -> None:
        """A job waits for something to pass, by no fault of its own: an attempt does not count. ``reason``: a sentence
        for the user. Where it waits for that already nothing is written.
        """
        active = jobs.c.state.in_(("queued", "running"))
        change = update(jobs).where(jobs.c.id == id, active, func.coalesce(jobs.c.error, "") != reason)
        attempts = jobs.c.attempts - case((jobs.c.state == "running", 1), else_=0)

        def wait(connection: Connection) -> None:
            if connection.execute(change.values(state="queued", attempts=attempts, error=reason)).rowcount:
                connection.execute(self._event(id, "waiting", {"message": reason}))

        self.database.write(wait, frees=True)

    def running(self) -> list[Job]:
        with self.database.connect() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.state == "running"))
            return [job_of(row._mapping) for row in rows]

    def finish(self, id: str, state: State, data: Mapping[str, Any], error: str | None = None) -> None:
        """The job is over, once and for all; later ends of the same job change nothing."""
        change = update(jobs).where(jobs.c.id == id, jobs.c.state.not_in(OVER))

        def end(connection: Connection) -> None:
            changed = connection.execute(change.values(state=state, error=error, finished=now()))
            if changed.rowcount:
                connection.execute(self._event(id, state, data))

        self.database.write(end, frees=True)

    def cancel(self, id: str) -> None:
        """End a job that waits, at once; have the worker of one that runs stop at its next step."""
        ended = update(jobs).where(jobs.c.id == id, jobs.c.state == "queued")

        def end(connection: Connection) -> None:
            if connection.execute(
                ended.values(state="cancelled", cancel=1, error=None, finished=now())
            ).rowcount:
                connection.execute(self._event(id, "cancelled", {}))
            else:
                connection.execute(update(jobs).where(jobs.c.id == id).values(cancel=1))

        self.database.write(end, frees=True)

    def cancelled(self, id: str) -> bool:
        with self.database.connect() as connection:
            return bool(connection.execute(select(jobs.c.cancel).where(jobs.c.id == id)).scalar())

    def remove(self, id: str) -> None:
        """Forget a job and its events. Raises JobNotOverError."""

        def forget(connection: Connection) -> None:
            connection.execute(delete(jobs).where(jobs.c.id == id, jobs.c.state.in_(OVER)))
            if connection.execute(select(jobs.c.id).where(jobs.c.id == id)).one_or_none() is not None:
                raise JobNotOverError(
                    f"the job {id} is not over yet. Cancel it first: POST {urls.job(id)}/cancellation."
                )

        self.database.write(forget, frees=True)

    def fruitless(self, id: str) -> int:
        """How often in a row the job was interrupted with nothing done since."""
        count = 0
        for event in reversed(self.events(id)):
            if event.kind == "progress":
                break
            count += event.kind == "interrupted" and not event.data.get("passing", False)
        return count

    def tell(self, id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Write the next event."""
        self.database.write(lambda connection: connection.execute(self._event(id, kind, data)))

    def events(self, id: str, after: int = 0) -> list[Event]:
        """Those with a higher number, in order."""
        query = select(events).where(events.c.job == id, events.c.number > after).order_by(events.c.number)
        with self.database.connect() as connection:
            return [Event(row.number, row.kind, json.loads(row.data)) for row in connection.execute(query)]

    @staticmethod
    def _event(id: str, kind: str, data: Mapping[str, Any]) -> Any:
        """One statement, so that two writers cannot take the same number."""
        number = select(func.coalesce(func.max(events.c.number), 0) + 1).where(events.c.job == id)
        values = {"job": id, "number": number.scalar_subquery(), "kind": kind, "data": json.dumps(data)}
        return insert(events).values(**values)


def job_of(row: Any) -> Job:
    return Job(**{**row, "request": json.loads(row["request"]), "cancel": bool(row["cancel"])})
