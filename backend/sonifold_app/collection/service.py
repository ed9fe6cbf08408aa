"""A collection as the server has it: searched and played from, while a process of its own takes folders in.

Nothing of it is opened, and no file is made, before somebody asks for it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from sqlalchemy import case, func, select, update

from sonifold.errors import SonifoldError
from sonifold_app.collection.database import DATABASE, FOLDER, open_database
from sonifold_app.collection.folders import AllowedFolders, is_below
from sonifold_app.collection.following import Follower
from sonifold_app.collection.ingest import LOCK, IngestRunning
from sonifold_app.collection.listing import State
from sonifold_app.collection.query import Query
from sonifold_app.collection.runs import OVER, Run, Runs, Wish
from sonifold_app.collection.search import Page, Search
from sonifold_app.collection.tables import roots, sounds
from sonifold_app.collection.vectors import VECTORS, Vectors
from sonifold_app.collection.words import Fts5Index
from sonifold_app.store.database import Database
from sonifold_app.store.marks import MarkStore
from sonifold_app.store.room import Room

logger = logging.getLogger(__name__)

#: Bytes of a process's last words that are looked at.
LAST_WORDS = 2000
END_SECONDS = 5.0  # that a process has for ending before it is killed


class CollectionSoundNotFound(SonifoldError):
    """No sound of the collection has that id, or its file is not there."""


class FolderNotFound(SonifoldError):
    """No folder that was taken in has that id."""


class IngestNotFound(SonifoldError):
    """No run has that id."""


class NotAnalysed(SonifoldError):
    """How a sound sounds is not known, or not yet."""


@dataclass(frozen=True)
class FolderFacts:
    """A folder that was taken in, and how many sounds of which kind are in it."""

    id: int
    path: str
    followed: bool  # what changes in it is taken in
    sounds: int
    analysed: int
    unreadable: int
    missing: int


class Collection:
    """The collection in a data folder. Safe to use from several threads."""

    def __init__(
        self,
        data: Path,
        allowed: AllowedFolders,
        models: Path | None,
        workers: int,
        marks: MarkStore,
        room: Room | None = None,
    ) -> None:
        """``models``: the folder of packs. ``workers``: processes of an analysis. ``marks``: what the user says of
        sounds.
        """
        self.marks = marks
        self.allowed = allowed
        self._data, self._models, self._workers, self._room = data, models, workers, room
        self._opening, self._starting = threading.Lock(), threading.Lock()
        self._opened: Database | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._vectors: dict[str, Vectors] = {}
        self._changed: set[Path] = set()
        self._follower = Follower(self._take_in, self._not_followed)
        self._closed = False

    @property
    def exists(self) -> bool:
        """Whether anything was ever taken in."""
        return (self._data / FOLDER / DATABASE).is_file()

    @property
    def database(self) -> Database:
        """Opened, or made, where it is first needed. Raises DatabaseUnusableError."""
        with self._opening:
            if self._opened is None:
                self._opened = open_database(self._data, room=self._room)
            return self._opened

    @cached_property
    def search(self) -> Search:
        """Finds sounds in it."""
        return Search(self.database, Fts5Index(), lambda: self.marks, show_marks=True)

    @cached_property
    def runs(self) -> Runs:
        """What was taken in when."""
        return Runs(self.database)

    def close(self) -> None:
        """End an ingest's process; the next server goes on with its run."""
        with self._starting:
            self._closed, process = True, self._process
        self._follower.close()
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._opened is not None:
            self._opened.close()

    def go_on(self) -> None:
        """Go on with the run that an earlier server left, if there is one and nobody else is at it, and follow what is
        to be followed, with what changed meanwhile.
        """
        if not self.exists:
            return
        self._follow(self.followed())
        left = [run for run in self.runs.all()[:1] if run.state not in OVER]
        with self._starting:
            if left and not self._is_locked():
                self._start(left[0].id, left[0].model)

    def ingest(self, folders: Sequence[str], model: str | None) -> Run:
        """Begin to take folders in, all former ones where none is named; ``model``: to analyse by.

        Raises FolderInvalid, FolderNotAllowed, IngestRunning.
        """
        checked = [str(self.allowed.checked(folder)) for folder in folders]
        with self._starting:
            if self._is_running() or self._is_locked():
                raise IngestRunning
            former = [facts.path for facts in self.folders()] if not checked else []
            id = self.runs.begin(checked or [path for path in former if self._is_allowed(path)], model)
            self._start(id, model)
        return self.run(id)

    def followed(self) -> list[Path]:
        """Folders in which what changes is taken in."""
        return [
            Path(facts.path) for facts in self.folders() if facts.followed and self._is_allowed(facts.path)
        ]

    def follow(self, id: int, follow: bool) -> FolderFacts:
        """Take in what changes in a folder from now on, or no longer. Raises FolderNotFound, FolderNotAllowed."""
        facts = next((facts for facts in self.folders() if facts.id == id), None)
        if facts is None:
            raise FolderNotFound(f"there is no folder {id} in the collection.")
        if follow:
            self.allowed.require(Path(os.path.realpath(facts.path)), facts.path)
        change = update(roots).where(roots.c.id == id).values(followed=follow)
        self.database.write(lambda connection: connection.execute(change))
        self._follow([Path(facts.path)] if follow and not facts.followed else [])
        return replace(facts, followed=follow)

    def _follow(self, unknown: Sequence[Path]) -> None:
        """Follow what is to be followed. ``unknown``: folders in which anything may have changed."""
        with self._starting:
            self._changed.update(unknown)
        self._follower.follow(self.followed())

    def _take_in(self, paths: Sequence[Path]) -> None:
        """Take in what changed, as soon as nothing else is taken in; with no paths what waits for that."""
        with self._starting:
            self._changed.update(paths)
            if not self._changed or self._closed or self._is_running() or self._is_locked():
                return
            changed, self._changed = sorted(self._changed), set()
            within = [root for root in self.followed() if any(path.is_relative_to(root) for path in changed)]
            model = next((run.model for run in self.all_runs() if run.model is not None), None)
            id = self.runs.begin(list(map(str, within)), model, list(map(str, changed)))
            self._start(id, model)

    def _not_followed(self, error: OSError) -> None:
        logger.warning("the folders of the collection are not followed: %s", error)

    def run(self, id: int) -> Run:
        """A run. Raises IngestNotFound."""
        run = self.runs.find(id) if self.exists else None
        if run is None:
            raise IngestNotFound(f"there is no ingest {id}; the last {len(self.all_runs())} are remembered.")
        return run

    def all_runs(self) -> list[Run]:
        """The runs that are remembered, latest first."""
        return self.runs.all() if self.exists else []

    def want(self, id: int, wish: Wish) -> Run:
        """Pause a run, let it go on, or cancel it. Raises IngestNotFound."""
        self.run(id)
        self.runs.want(id, wish)
        return self.run(id)

    def folders(self) -> list[FolderFacts]:
        """The folders that were taken in, oldest first."""
        if not self.exists:
            return []
        counted = [
            func.count(sounds.c.id),
            func.count(case((sounds.c.state == State.ANALYSED, 1))),
            func.count(case((sounds.c.state == State.UNREADABLE, 1))),
            func.count(case((sounds.c.missing.is_(True), 1))),
        ]
        statement = (
            select(roots.c.id, roots.c.path, roots.c.followed, *counted)
            .select_from(roots.outerjoin(sounds, sounds.c.root == roots.c.id))
            .group_by(roots.c.id)
            .order_by(roots.c.id)
        )
        with self.database.connect() as connection:
            return [FolderFacts(*row) for row in connection.execute(statement)]

    def sound(self, id: int) -> dict[str, Any]:
        """All columns of a sound. Raises CollectionSoundNotFound."""
        sound = self.search.sound(id) if self.exists else None
        if sound is None:
            raise CollectionSoundNotFound(f"there is no sound {id} in the collection.")
        return sound

    def mark(self, id: int, **values: Any) -> dict[str, Any]:
        """Say something of a sound: ``favourite``, ``rating``, ``note``. Raises CollectionSoundNotFound."""
        self.marks.change(self.hash(id), **values)
        return self.sound(id)

    def hash(self, id: int) -> str:
        """The hash of a sound's bytes, which are read where none is known. Raises CollectionSoundNotFound."""
        stored = self.sound(id)["sha256"]
        if stored is not None:
            return str(stored)
        with self.file(id).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        change = update(sounds).where(sounds.c.id == id, sounds.c.sha256.is_(None)).values(sha256=sha256)
        self.database.write(lambda connection: connection.execute(change))
        return sha256

    def file(self, id: int) -> Path:
        """The file of a sound, where it may be read. Raises CollectionSoundNotFound.

        A link in the file's place that leads out of the folders that were taken in is not followed.
        """
        written = self.sound(id)["path"]
        path = Path(os.path.realpath(written))
        inside = is_below(path, [Path(facts.path) for facts in self.folders()])
        if not (inside and self.allowed.allows(path) and path.is_file()):
            raise CollectionSoundNotFound(
                f"{written} is not there any more, or not in a folder that this server reads from. Put it back, or "
                "take its folder in again."
            )
        return path

    def analysed(self, id: int) -> dict[str, Any]:
        """The same of a sound whose vectors are known. Raises CollectionSoundNotFound, NotAnalysed."""
        sound = self.sound(id)
        if sound["vector"] is None:
            raise NotAnalysed(
                f"{sound['name']} was not analysed{': ' + sound['reason'] if sound['reason'] else ' yet.'}"
            )
        return sound

    def duplicates(self, id: int) -> Page:
        """Copies of a sound, and sounds that are nearly the same. Raises CollectionSoundNotFound, NotAnalysed."""
        sound = self.analysed(id)
        return Page(self.search.same_as(sound, self._vectors_of(sound["pack"])), more=False)

    def near(self, id: int, query: Query, limit: int, offset: int) -> Page:
        """Sounds that fit, those most like a sound first. Raises CollectionSoundNotFound, NotAnalysed."""
        sound = self.analysed(id)
        vectors = self._vectors_of(sound["pack"])
        timbre = np.array(vectors.timbre.rows(sound["vector"] + 1)[sound["vector"]])
        return self.search.near(timbre, vectors, query, limit, offset, without=id)

    def _vectors_of(self, pack: str) -> Vectors:
        if pack not in self._vectors:
            try:
                self._vectors[pack] = Vectors.open(self._data / FOLDER / VECTORS, pack)
            except FileNotFoundError as error:
                raise NotAnalysed(
                    "the collection was analysed by an older version of Sonifold; delete the folder "
                    f"{FOLDER!r} in the data folder and take your folders in again."
                ) from error
        return self._vectors[pack]

    def _is_allowed(self, path: str) -> bool:
        return self.allowed.allows(Path(os.path.realpath(path)))

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _is_locked(self) -> bool:
        """Whether somebody is taking folders in, such as ``sonifold ingest``."""
        lock = FileLock(self._data / FOLDER / LOCK)
        (self._data / FOLDER).mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def _start(self, id: int, model: str | None) -> None:
        if self._closed:
            return
        command = [sys.executable, "-m", "sonifold_app.collection.process", str(self._data), str(id)]
        if model is not None:
            command += [f"--model={model}", f"--workers={self._workers}"]
        if self._models is not None:
            command.append(f"--models={self._models}")
        self._process = subprocess.Popen(  # its own arguments
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        threading.Thread(
            target=self._watch, args=(self._process, id), name="sonifold-ingest", daemon=True
        ).start()

    def _watch(self, process: subprocess.Popen[bytes], id: int) -> None:
        """Note what ended a process that did not say so itself."""
        assert process.stderr is not None
        with process.stderr as errors:
            words = errors.read().decode("utf-8", "replace").strip()
        process.wait()
        if not self._closed:
            reason = words[-LAST_WORDS:].splitlines()[-1] if words else "its process was ended from outside."
            self.runs.interrupt(id, reason)
