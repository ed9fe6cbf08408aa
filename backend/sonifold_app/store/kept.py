"""The sounds that a user keeps: rows in the database, audio in a store of its own that nothing is evicted from.

What a model was adapted to is kept for as long as the adaptation is in use, deleted sounds too (``adaptations``).

The cache may be deleted at any time; this may not. A row is written after its audio is on the disk and deleted before
it, so that a row always has its audio; audio that a crash left without a row is swept away at a later start.
"""

from __future__ import annotations

import datetime
import json
import secrets
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
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
from sonifold_app.store.adaptations import AdaptationStore, adaptations
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.database import open_database

Kind = Literal["made", "uploaded"]

#: Audio without a row is left alone for so long: somebody may be about to write the row.
GRACE_SECONDS = 3600.0
#: How long an upload waits for the user to say which sounds in it to keep.
WAITING_SECONDS = 24 * 3600.0
#: Own sounds of a model. Beyond, the map and every list of distances would become slow.
MOST_SOUNDS = 2000


class LibraryFullError(Exception):
    """No more sounds can be kept; the message is a sentence for the user."""


class UploadNotFoundError(Exception):
    """No upload with that id waits; the message is a sentence for the user."""

    def __init__(self, id: str) -> None:
        super().__init__(
            f"no upload {id[:40]!r} waits here (any more): uploads are kept for a day until their sounds are "
            "chosen. Send the files again."
        )


#: As ``database.MIGRATIONS`` makes them.
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
    Column("facts", String),
)
uploads = Table(
    "uploads",
    kept_sounds.metadata,
    Column("id", String, primary_key=True),
    Column("model", String),
    Column("files", String),
    Column("created", Float),
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
    facts: dict[str, Any]  # of the recording as it came, with the caveats

    def plain(self, audio: bytes = b"") -> Kept:
        """As the engine takes it."""
        return Kept(self.id, self.name, self.seconds, self.audio, self.z, self.timbre, audio)


@dataclass(frozen=True)
class WaitingFile:
    """An uploaded recording whose sounds have not been chosen yet."""

    name: str
    audio: str  # sha256 of the file as it came
    seconds: float


@dataclass(frozen=True)
class WaitingUpload:
    id: str
    model: str
    files: tuple[WaitingFile, ...]
    expires: float  # seconds since 1970


@dataclass(frozen=True)
class NewSound:
    """What is to be kept."""

    kind: Kind
    name: str
    admitted: Admitted
    source: dict[str, Any]


class KeptSounds:
    """Safe to use from several threads, and from several processes on one folder."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes what is in ``folder``. Raises DatabaseUnusableError."""
        self._database = open_database(folder / "library.sqlite")
        self._audio = Blobs(folder / "sounds", None, durable=True)
        self._writing = threading.Lock()  # between audio and row
        self.adaptations = AdaptationStore(self._database, self._audio, self._writing, self._drop_unused)
        self._forget_expired()
        self._audio.sweep(self._audio_in_use(), GRACE_SECONDS)

    def close(self) -> None:
        self._database.dispose()

    def add(self, model: str, pack: str, sounds: Sequence[NewSound]) -> list[KeptSound]:
        """Keep sounds, all or none; on the disk when this returns. Raises LibraryFullError."""
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        with self._writing:
            if self.count(model) + len(sounds) > MOST_SOUNDS:
                raise LibraryFullError(
                    f"{self.count(model)} sounds are kept with {model!r} and {len(sounds)} came; {MOST_SOUNDS} can be "
                    "kept. Delete some first."
                )
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

    def change(self, model: str, id: str, values: Mapping[str, Any]) -> bool:
        """Another ``name`` or ``pitch``; whether there was such a sound."""
        change = update(kept_sounds).where(kept_sounds.c.model == model, kept_sounds.c.id == id)
        with self._database.begin() as connection:
            return connection.execute(change.values(**values)).rowcount == 1

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
            if audio is not None:
                self._drop_unused([audio])
        return audio is not None

    def audio(self, sound: KeptSound) -> bytes | None:
        """A sound's FLAC file; None if it was lost or damaged on the disk."""
        return self._audio.get(sound.audio)

    # -- uploads that wait --------------------------------------------------------------------------

    def wait(self, model: str, files: Sequence[tuple[str, bytes, float]]) -> WaitingUpload:
        """Keep (name, file, seconds) of recordings until their sounds are chosen, for a day at most."""
        now = time.time()
        with self._writing:
            self._forget_expired()
            waiting = [WaitingFile(name, self._audio.put(data), seconds) for name, data, seconds in files]
            row = {
                "id": secrets.token_hex(8),
                "model": model,
                "files": json.dumps([asdict(one) for one in waiting]),
                "created": now,
            }
            with self._database.begin() as connection:
                connection.execute(uploads.insert().values(**row))
        return upload_of(row)

    def waiting(self, model: str, id: str) -> WaitingUpload | None:
        """An upload that waits."""
        asked = select(uploads).where(
            uploads.c.model == model, uploads.c.id == id, uploads.c.created > time.time() - WAITING_SECONDS
        )
        with self._database.connect() as connection:
            row = connection.execute(asked).one_or_none()
        return None if row is None else upload_of(row._mapping)

    def waiting_file(self, file: WaitingFile) -> bytes | None:
        """A waiting recording as it came; None if it was lost or damaged on the disk."""
        return self._audio.get(file.audio)

    def forget(self, model: str, id: str) -> bool:
        """Wait no longer; whether there was such an upload."""
        with self._writing:
            return self._forget((uploads.c.model == model) & (uploads.c.id == id)) > 0

    def _forget_expired(self) -> None:
        self._forget(uploads.c.created <= time.time() - WAITING_SECONDS)

    def _forget(self, which: sqlalchemy.ColumnElement[bool]) -> int:
        with self._database.begin() as connection:
            gone = connection.execute(delete(uploads).where(which).returning(uploads.c.files)).scalars().all()
        self._drop_unused([file["audio"] for files in gone for file in json.loads(files)])
        return len(gone)

    # -- audio ----------------------------------------------------------------------------------------

    def _drop_unused(self, audio: Sequence[str]) -> None:
        if audio:
            for one in set(audio) - self._audio_in_use():
                self._audio.drop(one)

    def _audio_in_use(self) -> set[str]:
        with self._database.connect() as connection:
            kept = set(connection.execute(select(kept_sounds.c.audio).distinct()).scalars())
            lists = connection.execute(
                sqlalchemy.union_all(select(uploads.c.files), select(adaptations.c.sounds))
            ).scalars()
            return kept | {file["audio"] for files in lists for file in json.loads(files)}


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
        "pitch": new.admitted.pitch,
        "x": x,
        "y": y,
        "known": int(new.admitted.known),
        "z": bytes_of(new.admitted.z),
        "timbre": bytes_of(new.admitted.timbre),
        "audio": audio,
        "source": json.dumps(new.source),
        "created": created,
        "facts": json.dumps(
            {
                **new.admitted.facts,
                "nearest": [[one.id, one.distance] for one in new.admitted.nearest],
                "caveats": [[one.code, one.text] for one in new.admitted.caveats],
            }
        ),
    }


def upload_of(row: Any) -> WaitingUpload:
    files = tuple(WaitingFile(**file) for file in json.loads(row["files"]))
    return WaitingUpload(row["id"], row["model"], files, row["created"] + WAITING_SECONDS)


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
            "facts": json.loads(row["facts"]),
        }
    )
