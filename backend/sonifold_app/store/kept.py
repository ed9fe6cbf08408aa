"""The sounds that a user keeps: rows in the database, audio in a store of its own that nothing is evicted from.

The cache may be deleted at any time; this may not. A row is written after its audio is on the disk and deleted before
it, so that a row always has its audio; audio that a crash left without a row is swept away at a later start.
"""

from __future__ import annotations

import datetime
import json
import secrets
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy
from sqlalchemy import (
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    select,
    update,
)

from sonifold_app.engine.base import Admitted, Kept, Numbers
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.database import open_database

Kind = Literal["made", "uploaded"]

#: Audio without a row is left alone for so long: somebody may be about to write the row.
GRACE_SECONDS = 3600.0

#: As ``database.MIGRATIONS`` makes it.
kept_sounds = Table(
    "kept_sounds",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("model", String),
    Column("pack", String),
    Column("kind", String),
    Column("name", String),
    Column("seconds", Float),
    Column("pitch", Float),
    Column("x", Float),
    Column("y", Float),
    Column("known", Integer),
    Column("z", LargeBinary),
    Column("timbre", LargeBinary),
    Column("audio", String),
    Column("source", String),
    Column("created", String),
)


@dataclass(frozen=True)
class KeptSound:
    """A row: an own sound and where it comes from."""

    id: str
    model: str
    pack: str  # what the point is a point of
    kind: Kind
    name: str
    seconds: float
    pitch: float | None  # Hz
    x: float
    y: float
    known: bool
    z: Numbers  # (latent,)
    timbre: Numbers  # (feature,)
    audio: str  # sha256
    source: dict[str, Any]
    created: str  # ISO 8601, UTC

    def plain(self, audio: bytes = b"") -> Kept:
        """As the engine takes it."""
        return Kept(self.id, self.name, self.seconds, self.audio, self.z, self.timbre, audio)


@dataclass(frozen=True)
class NewSound:
    """What is to be kept."""

    kind: Kind
    name: str
    admitted: Admitted
    source: dict[str, Any]
    pitch: float | None = None


class KeptSounds:
    """Safe to use from several threads, and from several processes on one folder."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes what is in ``folder``. Raises DatabaseUnusableError."""
        self._database = open_database(folder / "library.sqlite")
        self._audio = Blobs(folder / "sounds", None, durable=True)
        self._writing = threading.Lock()  # between audio and row
        self._audio.sweep(self._audio_in_use(), GRACE_SECONDS)

    def close(self) -> None:
        self._database.dispose()

    def add(self, model: str, pack: str, sounds: Sequence[NewSound]) -> list[KeptSound]:
        """Keep sounds, all or none; on the disk when this returns."""
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        with self._writing:
            rows = [row_of(model, pack, one, self._audio.put(one.admitted.audio), created) for one in sounds]
            with self._database.begin() as connection:
                for row in rows:
                    connection.execute(kept_sounds.insert().values(**row))
        return [sound_of(row) for row in rows]

    def all(self, model: str) -> list[KeptSound]:
        """A model's sounds, oldest first."""
        asked = select(kept_sounds).where(kept_sounds.c.model == model).order_by(sqlalchemy.text("rowid"))
        with self._database.connect() as connection:
            return [sound_of(row._mapping) for row in connection.execute(asked)]

    def some(self, model: str, ids: Collection[str]) -> dict[str, KeptSound]:
        """Those of a model's sounds that have one of the ids."""
        asked = select(kept_sounds).where(kept_sounds.c.model == model, kept_sounds.c.id.in_(ids))
        with self._database.connect() as connection:
            return {row.id: sound_of(row._mapping) for row in connection.execute(asked)}

    def count(self, model: str) -> int:
        asked = select(func.count()).select_from(kept_sounds).where(kept_sounds.c.model == model)
        with self._database.connect() as connection:
            return connection.execute(asked).scalar_one()

    def rename(self, model: str, id: str, name: str) -> bool:
        """Whether there was such a sound."""
        change = update(kept_sounds).where(kept_sounds.c.model == model, kept_sounds.c.id == id)
        with self._database.begin() as connection:
            return connection.execute(change.values(name=name)).rowcount == 1

    def move(self, sound: KeptSound, pack: str, admitted: Admitted) -> None:
        """Give a sound its place in another pack of the same name; its audio stays."""
        x, y = admitted.position
        values = {
            "pack": pack,
            "x": x,
            "y": y,
            "known": int(admitted.known),
            "z": bytes_of(admitted.z),
            "timbre": bytes_of(admitted.timbre),
        }
        with self._database.begin() as connection:
            connection.execute(update(kept_sounds).where(kept_sounds.c.id == sound.id).values(**values))

    def remove(self, model: str, id: str) -> bool:
        """Whether there was such a sound; its audio goes too unless another sound has the same."""
        own = (kept_sounds.c.model == model) & (kept_sounds.c.id == id)
        with self._writing:
            with self._database.begin() as connection:
                audio = connection.execute(
                    delete(kept_sounds).where(own).returning(kept_sounds.c.audio)
                ).scalar_one_or_none()
            if audio is not None and audio not in self._audio_in_use():
                self._audio.drop(audio)
        return audio is not None

    def audio(self, sound: KeptSound) -> bytes | None:
        """A sound's FLAC file; None if it was lost or damaged on the disk."""
        return self._audio.get(sound.audio)

    def _audio_in_use(self) -> set[str]:
        with self._database.connect() as connection:
            return set(connection.execute(select(kept_sounds.c.audio).distinct()).scalars())


def row_of(model: str, pack: str, new: NewSound, audio: str, created: str) -> dict[str, Any]:
    """What is written of a new sound, under an id that no library sound has: theirs are hexadecimal."""
    x, y = new.admitted.position
    return {
        "id": f"u{secrets.token_hex(6)}",
        "model": model,
        "pack": pack,
        "kind": new.kind,
        "name": new.name,
        "seconds": new.admitted.seconds,
        "pitch": new.pitch,
        "x": x,
        "y": y,
        "known": int(new.admitted.known),
        "z": bytes_of(new.admitted.z),
        "timbre": bytes_of(new.admitted.timbre),
        "audio": audio,
        "source": json.dumps(new.source),
        "created": created,
    }


def bytes_of(values: Numbers) -> bytes:
    return values.astype("<f4").tobytes()


def sound_of(row: Any) -> KeptSound:
    """A row as a sound; its arrays are copies, which torch may share."""
    return KeptSound(
        **{
            **row,
            "known": bool(row["known"]),
            "z": np.frombuffer(row["z"], "<f4").astype(np.float32),
            "timbre": np.frombuffer(row["timbre"], "<f4").astype(np.float32),
            "source": json.loads(row["source"]),
        }
    )
