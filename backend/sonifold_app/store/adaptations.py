"""What models were adapted to: requests, from which the adapted models are made again after a restart.

A row holds what it needs of each sound, and its audio stays for as long as the row does: deleting a sound takes nothing
from an adaptation that is in use.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from sonifold_app.store.blobs import Blobs
from sonifold_app.store.database import Database
from sonifold_app.store.tables import adaptations


class TooManyAdaptationsError(Exception):
    """No more adaptations can be kept; the message is a sentence for the user."""


@dataclass(frozen=True)
class AdaptedTo:
    """A sound, as it was when a model was adapted to it."""

    id: str
    name: str
    seconds: float
    audio: str  # sha256
    z: tuple[float, ...]  # a point of the row's pack


@dataclass(frozen=True)
class Adaptation:
    """An adapted model: what it was made from, and what was said of it."""

    id: str  # of the adapted model
    model: str  # its base
    pack: str  # what the points are points of
    title: str
    seed: int
    sounds: tuple[AdaptedTo, ...]
    outcome: dict[str, Any]
    created: str  # ISO 8601, UTC


class AdaptationStore:
    """Part of ``UserSoundStore``, with its database, its audio and its lock."""

    def __init__(
        self,
        database: Database,
        audio: Blobs,
        writing: threading.Lock,
        drop_unused: Callable[[Sequence[str]], None],
    ) -> None:
        self._database, self._audio, self._writing = database, audio, writing
        self._drop_unused = drop_unused

    def add(self, adaptation: Adaptation) -> AdaptedTo | None:
        """Keep an adaptation; the first of its sounds whose audio was deleted meanwhile, if any: then it is not."""
        row = asdict(adaptation)
        row["sounds"] = json.dumps(row["sounds"])
        row["told"] = json.dumps(row.pop("outcome"))
        with self._writing:
            for sound in adaptation.sounds:
                if sound.audio not in self._audio:
                    return sound
            self._database.write(lambda connection: connection.execute(insert(adaptations).values(**row)))
        return None

    def all(self) -> list[Adaptation]:
        """Oldest first."""
        with self._database.connect() as connection:
            rows = connection.execute(select(adaptations).order_by(adaptations.c.created, adaptations.c.id))
            return [adaptation_of(row._mapping) for row in rows]

    def rename(self, id: str, title: str) -> None:
        change = update(adaptations).where(adaptations.c.id == id).values(title=title)
        self._database.write(lambda connection: connection.execute(change))

    def remove(self, id: str) -> None:
        """Forget an adaptation; audio that was kept for it alone goes too."""
        deletion = delete(adaptations).where(adaptations.c.id == id).returning(adaptations.c.sounds)
        with self._writing:
            sounds = self._database.write(
                lambda connection: connection.execute(deletion).scalar_one_or_none(), frees=True
            )
            if sounds is not None:
                self._drop_unused([sound["audio"] for sound in json.loads(sounds)])

    def stored_bytes(self, adaptation: Adaptation) -> int:
        """What the recordings of an adaptation take on the disk."""
        return sum(self._audio.size(audio) for audio in {sound.audio for sound in adaptation.sounds})

    def audio(self, sound: AdaptedTo) -> bytes | None:
        """A sound's FLAC file; None if it was lost or damaged on the disk."""
        return self._audio.get(sound.audio)


def adaptation_of(row: Any) -> Adaptation:
    sounds = tuple(AdaptedTo(**{**sound, "z": tuple(sound["z"])}) for sound in json.loads(row["sounds"]))
    values = {name: value for name, value in row.items() if name != "told"}
    return Adaptation(**{**values, "sounds": sounds, "outcome": json.loads(row["told"])})
