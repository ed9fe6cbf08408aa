"""The second phase of an ingest: how each file sounds, written some hundred files at a time.

Vectors go to the disk before the transaction that names them (see ``vectors``), so that after a kill a file is either
analysed with all that belongs to it, or still waits. The hash of a file tells whether it is one that was elsewhere
before: then that sound has it from now on, with its id and all that is known of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from sonifold_app.collection.database import DATABASE
from sonifold_app.collection.duplicates import group_copies, group_near, leave_groups
from sonifold_app.collection.ingest import Ingest
from sonifold_app.collection.listing import State
from sonifold_app.collection.tables import sounds
from sonifold_app.collection.vectors import VECTORS, Vectors
from sonifold_app.collection.words import WordIndex
from sonifold_app.collection.worker import Outcome
from sonifold_app.collection.workers import Workers
from sonifold_app.store.database import Database

#: Files a transaction, at least: each ends with syncs of the disk.
BATCH = 96
#: Workers at most: each takes some 500 MB.
MOST_WORKERS = 2
PAGE = 1000  # rows that are read of those that wait
#: What a copy has of the sound whose bytes it shares.
SHARED = ("sha256", "pack", "vector", "seconds", "sample_rate", "channels", "family", "confidence", "pitch_hz",
          "loudness", "brightness", "attack", "decay", "noisiness", "inharmonicity", "roughness", "x", "y",
          "near_duplicates")  # fmt: skip
#: What a sound that was moved has of its new file.
OF_THE_FILE = ("root", "path", "folder", "name", "size", "modified", "tags", "tempo", "key")


class Analysis:
    """Analyses what waits for it in a collection."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        words: WordIndex,
        pack: str = "oneshots",
        models: Path | None = None,
        workers: int = 2,
    ) -> None:
        """``folder``: of the collection. ``pack``: whose latent space; ``models``: where it is."""
        self._folder, self._database, self._words = folder, database, words
        self._pack, self._models, self._count = pack, models, workers

    def __call__(self, ingest: Ingest) -> None:
        """Analyse all, reporting after each transaction. Raises Cancelled, StorageError."""
        if not self._waiting_count():
            return
        workers = Workers(self._count, self._folder / DATABASE, self._pack, self._models)
        try:
            space = workers.space()
            vectors = Vectors.create(self._folder / VECTORS, space.pack, space.latent_dim, space.unit_per_phi)
            self._analyse(ingest, workers, space.pack, vectors)
        finally:
            workers.close()

    def _analyse(self, ingest: Ingest, workers: Workers, pack: str, vectors: Vectors) -> None:
        began, total = time.monotonic(), self._waiting_count(pack)
        progress = ingest.progress
        batch: list[Outcome] = []

        def store() -> None:
            nonlocal progress
            self._write(batch, vectors)
            done = progress.analysed + len(batch)
            rate = (time.monotonic() - began) / max(done, 1)
            progress = replace(
                progress,
                phase="sounds",
                analysed=done,
                unreadable=progress.unreadable + sum(outcome.reason is not None for outcome in batch),
                remaining=max(total - done, 0),
                seconds_left=round(rate * max(total - done, 0), 1),
            )
            batch.clear()
            ingest.report(progress)

        for outcomes in workers.outcomes(self._waiting(pack)):
            batch += outcomes
            if len(batch) >= BATCH:
                store()
        if batch:
            store()

    def _waits(self, pack: str | None) -> Any:
        other = and_(sounds.c.state == State.ANALYSED, sounds.c.pack != pack)
        return and_(sounds.c.missing.is_(False), or_(sounds.c.state == State.LISTED, other))

    def _waiting_count(self, pack: str | None = None) -> int:
        with self._database.connect() as connection:
            return int(
                connection.execute(select(func.count(sounds.c.id)).where(self._waits(pack))).scalar_one()
            )

    def _waiting(self, pack: str) -> Iterator[tuple[int, str]]:
        last = 0
        page = select(sounds.c.id, sounds.c.path).where(self._waits(pack)).order_by(sounds.c.id).limit(PAGE)
        while True:
            with self._database.connect() as connection:
                rows = [(row.id, row.path) for row in connection.execute(page.where(sounds.c.id > last))]
            if not rows:
                return
            yield from rows
            last = rows[-1][0]

    def _write(self, outcomes: list[Outcome], vectors: Vectors) -> None:
        analysed = [outcome for outcome in outcomes if outcome.facts is not None]
        first = self._rows(vectors.pack)
        if analysed:
            facts = [outcome.facts for outcome in analysed if outcome.facts is not None]
            vectors.write(
                first, np.stack([each.z for each in facts]), np.stack([each.timbre for each in facts])
            )

        def change(connection: Connection) -> None:
            leave_groups(connection, [outcome.id for outcome in outcomes])
            store_facts(connection, analysed, vectors, first)
            for outcome in outcomes:
                if outcome.same_as is not None:
                    store_copy(connection, self._words, outcome)
                elif outcome.reason is not None:
                    store_reason(connection, outcome)

        self._database.write(change)

    def _rows(self, pack: str) -> int:
        """Rows of the arrays that count."""
        last = select(func.max(sounds.c.vector)).where(sounds.c.pack == pack)
        with self._database.connect() as connection:
            number = connection.execute(last).scalar()
        return 0 if number is None else int(number) + 1


def change_sound(connection: Connection, id: int, **values: Any) -> None:
    """Change columns of a sound."""
    connection.execute(update(sounds).where(sounds.c.id == id).values(**values))


def store_facts(connection: Connection, outcomes: list[Outcome], vectors: Vectors, first: int) -> None:
    """Sounds are analysed; their vectors are in the rows from ``first`` on. They are grouped with what is the same."""
    rows = [values_of(outcome, vectors.pack, row) for row, outcome in enumerate(outcomes, first)]
    if not rows:
        return
    named: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "row"}
    connection.execute(update(sounds).where(sounds.c.id == bindparam("row")).values(**named), rows)
    group_copies(connection, [outcome.sha256 for outcome in outcomes])
    group_near(connection, vectors, first, len(rows))


def values_of(outcome: Outcome, pack: str, row: int) -> dict[str, Any]:
    """The columns of an analysed sound, and its id as ``row``."""
    assert outcome.facts is not None
    facts = {name: value for name, value in vars(outcome.facts).items() if name not in ("z", "timbre")}
    return {
        "row": outcome.id, "state": State.ANALYSED, "reason": None, "sha256": outcome.sha256, "pack": pack,
        "vector": row, "size": outcome.size, "modified": outcome.modified, **facts,
    }  # fmt: skip


def store_reason(connection: Connection, outcome: Outcome) -> None:
    """A sound cannot be read. What was known of its former content is no longer so."""
    shared = dict.fromkeys(SHARED) | {"sha256": outcome.sha256}
    change_sound(connection, outcome.id, state=State.UNREADABLE, reason=outcome.reason, **shared)


def store_copy(connection: Connection, words: WordIndex, outcome: Outcome) -> None:
    """A file has the bytes of another sound: it is that sound where its file is gone, and grouped with it otherwise."""
    other = connection.execute(select(sounds).where(sounds.c.id == outcome.same_as)).one()._mapping
    if not os.path.exists(other["path"]):
        move(connection, words, other["id"], outcome.id)
        return
    shared = {name: other[name] for name in SHARED}
    group = other["duplicates"] or min(other["id"], outcome.id)
    change_sound(
        connection, outcome.id, state=State.ANALYSED, reason=None, size=outcome.size, modified=outcome.modified,
        duplicates=group, **shared,
    )  # fmt: skip
    change_sound(connection, other["id"], duplicates=group)


def move(connection: Connection, words: WordIndex, id: int, new_id: int) -> None:
    """A sound has the file from now on that was taken for a new sound, which is no more."""
    row = connection.execute(select(sounds).where(sounds.c.id == new_id)).one()._mapping
    connection.execute(delete(sounds).where(sounds.c.id == new_id))
    change_sound(connection, id, missing=False, **{name: row[name] for name in OF_THE_FILE})
    words.hand_over(connection, new_id, id)
