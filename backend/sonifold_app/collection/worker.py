"""What a worker process does: read files, hash them, and analyse those that the collection does not have yet."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sonifold.analysis.facts import SoundFacts
from sonifold.errors import AudioError
from sonifold_app.processes import end_with_parent

NICE = 10


@dataclass(frozen=True)
class Space:
    """The latent space that vectors are of."""

    pack: str  # changes with what a latent point means
    latent_dim: int
    unit: str
    unit_per_phi: float


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its facts, a reason why there are none, or the sound that has the same bytes."""

    id: int
    size: int = 0
    modified: int = 0
    sha256: str | None = None
    facts: SoundFacts | None = None
    reason: str | None = None
    same_as: int | None = None


class FileWorker:
    """Analyses files of a collection by one pack."""

    def __init__(self, database: Path, pack: str, models: Path | None) -> None:
        import torch

        import sonifold
        from sonifold.analysis.analyser import Analyser
        from sonifold_app.engine.packs import meaning_of_points

        torch.set_num_threads(1)
        model = sonifold.load(pack, models)
        self._analyser = Analyser(model)
        self.space = Space(meaning_of_points(model), model.latent_dim, model.unit, model.config.unit_per_phi)
        self._database = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)

    def outcomes(self, files: Sequence[tuple[int, str]]) -> list[Outcome]:
        """Of files (id, path), each once."""
        outcomes = [self._looked_at(id, path) for id, path in files]
        paths = dict(files)
        new = [
            row for row, outcome in enumerate(outcomes) if outcome.reason is None and outcome.same_as is None
        ]
        results = self._analyser.analyse([Path(paths[outcomes[row].id]) for row in new])
        for row, result in zip(new, results, strict=True):
            facts, reason = (None, str(result)) if isinstance(result, AudioError) else (result, None)
            outcomes[row] = replace(outcomes[row], facts=facts, reason=reason)
        return outcomes

    def _looked_at(self, id: int, path: str) -> Outcome:
        """Its size and hash, and whether a sound has the same."""
        try:
            with open(path, "rb") as file:
                about = os.fstat(file.fileno())
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return Outcome(id, reason=f"it cannot be read: {error.strerror or error}.")
        query = "SELECT min(id) FROM sounds WHERE sha256 = ? AND pack = ? AND state = 'analysed' AND id != ?"
        (same_as,) = self._database.execute(query, (sha256, self.space.pack, id)).fetchone()
        return Outcome(id, about.st_size, about.st_mtime_ns, sha256, same_as=same_as)


_worker: FileWorker | None = None


def begin(database: Path, pack: str, models: Path | None) -> None:
    """Make this process a worker, which gives way to others and ends with the one that started it."""
    global _worker
    end_with_parent()
    give_way()
    _worker = FileWorker(database, pack, models)


def space() -> Space:
    """The latent space of the worker's pack."""
    assert _worker is not None
    return _worker.space


def outcomes(files: Sequence[tuple[int, str]]) -> list[Outcome]:
    """Of files (id, path)."""
    assert _worker is not None
    return _worker.outcomes(files)


def give_way() -> None:
    """Let other processes go first, where the system can."""
    if hasattr(os, "nice") and os.nice(0) < NICE:
        with contextlib.suppress(OSError):
            os.nice(NICE)
