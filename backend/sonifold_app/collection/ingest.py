"""Taking folders into a collection: their names at once, how they sound behind that.

One process at a time does it (a lock on the folder), at low priority. Whenever it ends, by a key, a kill or a loss of
power, all that was reported as done is in the database, and the next run goes on from there: what waits for its
analysis is a state of each row and not a list in memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import select

from sonifold.errors import Cancelled, SonifoldError
from sonifold_app.collection.following import outermost
from sonifold_app.collection.listing import Lister
from sonifold_app.collection.runs import Progress, Runs, RunState, Wish
from sonifold_app.collection.tables import roots
from sonifold_app.collection.words import WordIndex
from sonifold_app.store.database import Database

LOCK = ".ingest-lock"
PAUSE_SECONDS = 0.5  # between looks whether a paused run shall go on

#: Shows how far a run is.
Show = Callable[[Progress], None]


class IngestRefused(SonifoldError):
    """An ingest that cannot begin; the message is a sentence for the user."""


class IngestRunning(IngestRefused):
    """Another one is under way; only one can be."""

    def __init__(self) -> None:
        super().__init__("another ingest is under way in this data folder. Wait for its end, or cancel it.")


class FolderInvalid(IngestRefused):
    """What was named is no folder that can be taken in."""


class Ingest:
    """One run over some folders."""

    def __init__(
        self, folder: Path, database: Database, words: WordIndex, show: Show = lambda progress: None
    ) -> None:
        """``folder``: of the collection."""
        self._database, self._words, self._show = database, words, show
        self._lock = FileLock(folder / LOCK)
        self._runs = Runs(database)
        self._id = 0
        self.progress = Progress("names")

    def run(
        self,
        folders: Sequence[Path],
        analyse: Callable[[Ingest], None] | None = None,
        run: int | None = None,
        changes: Sequence[Path] | None = None,
    ) -> Progress:
        """List folders, all former ones where none is named; then have ``analyse`` do the rest.

        ``run``: one that was begun before and goes on. ``changes``: paths in the folders that alone are looked at.

        Raises IngestRefused, Cancelled, StorageError.
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise IngestRunning from None
        try:
            resolved = self._resolved(folders)
            changed = None if changes is None else [str(path) for path in changes]
            named = [str(folder) for folder in resolved]
            self._id = self._runs.begin(named, changes=changed) if run is None else run
            return self._recorded(resolved, analyse, changes)
        finally:
            self._lock.release()

    def report(self, progress: Progress) -> None:
        """Say how far it is, and wait while it is paused. Raises Cancelled."""
        self.progress = progress
        self._show(progress)
        wish = self._runs.report(self._id, progress)
        while wish is Wish.PAUSE:
            time.sleep(PAUSE_SECONDS)
            wish = self._runs.report(self._id, progress, RunState.PAUSED)
        if wish is Wish.CANCEL:
            raise Cancelled("the ingest was cancelled; what was taken in until then stays.")

    def _recorded(
        self, folders: list[Path], analyse: Callable[[Ingest], None] | None, changes: Sequence[Path] | None
    ) -> Progress:
        try:
            for folder in folders:
                self._list(folder, changes)
            if analyse is not None:
                analyse(self)
        except (Cancelled, KeyboardInterrupt):
            self._runs.finish(self._id, RunState.CANCELLED)
            raise
        except Exception as error:
            self._runs.finish(self._id, RunState.FAILED, str(error))
            raise
        self._runs.finish(self._id, RunState.DONE)
        return self.progress

    def _list(self, folder: Path, changes: Sequence[Path] | None) -> None:
        before = self.progress

        def report(files: int) -> None:
            self.report(replace(before, listed=before.listed + files))

        lister = Lister(self._database, self._words)
        if changes is None:
            listed = lister.bring_up_to_date(folder, report)
        else:
            listed = lister.follow(folder, outermost(changes, folder), report)
        self.report(
            replace(before, listed=before.listed + listed.files, missing=before.missing + listed.missing)
        )

    def _resolved(self, folders: Sequence[Path]) -> list[Path]:
        """Absolute paths; a folder that is not there is taken where it was taken in before: all in it is missing."""
        former = roots_of(self._database)
        if not folders and not former:
            raise IngestRefused(
                "no folder was named, and none was taken in before: `sonifold ingest FOLDER`."
            )
        resolved = [Path(os.path.abspath(folder)) for folder in folders] or former
        for folder in resolved:
            if not folder.is_dir() and folder not in former:
                raise FolderInvalid(f"{str(folder)!r} is no folder. Name the folder that the sounds lie in.")
        return resolved


def roots_of(database: Database) -> list[Path]:
    """The folders that were taken in, oldest first."""
    with database.connect() as connection:
        return [Path(row.path) for row in connection.execute(select(roots.c.path).order_by(roots.c.id))]
