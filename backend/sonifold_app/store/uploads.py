"""Recordings that wait until the user has chosen the sounds in them, for a day at most."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import delete, select

from sonifold_app import urls
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.database import Database
from sonifold_app.store.tables import uploads

#: How long an upload waits for the user to say which sounds in it to keep.
WAITING_SECONDS = 24 * 3600.0
#: Uploads that wait at the same time, of all models together, and bytes of their files.
MOST_WAITING = 500
MOST_WAITING_BYTES = 1 << 30


class UploadsFullError(Exception):
    """No more uploads can wait; the message is a sentence for the user."""


class UploadNotFoundError(Exception):
    """No upload with that id waits; the message is a sentence for the user."""

    def __init__(self, id: str) -> None:
        super().__init__(
            f"no upload {id[:40]!r} waits here (any more): uploads are kept for a day until their sounds are "
            "chosen. Send the files again."
        )


@dataclass(frozen=True)
class WaitingFile:
    """An uploaded recording whose sounds have not been chosen yet."""

    name: str
    audio: str  # sha256 of the file as it came
    seconds: float
    bytes: int = 0  # unknown of those that came before it was written down


@dataclass(frozen=True)
class WaitingUpload:
    id: str
    model: str
    files: tuple[WaitingFile, ...]
    expires: float  # seconds since 1970


class UploadStore:
    """Part of ``UserSoundStore``, with its database, its audio and its lock."""

    def __init__(
        self,
        database: Database,
        audio: Blobs,
        writing: threading.Lock,
        new_audio: Callable[[Sequence[bytes]], AbstractContextManager[list[str]]],
        drop_unused: Callable[[Sequence[str]], None],
    ) -> None:
        self._database, self._audio, self._writing = database, audio, writing
        self._new_audio, self._drop_unused = new_audio, drop_unused

    def add(self, model: str, files: Sequence[tuple[str, bytes, float]]) -> WaitingUpload:
        """Keep (name, file, seconds) of recordings until their sounds are chosen, for a day at most.

        Raises UploadsFullError, StorageError.
        """
        now = time.time()
        with self._writing:
            self.remove_expired()
            self.require_room(sum(len(data) for _, data, _ in files))
            with self._new_audio([data for _, data, _ in files]) as audio:
                waiting = [
                    WaitingFile(name, sha256, seconds, len(data))
                    for (name, data, seconds), sha256 in zip(files, audio, strict=True)
                ]
                row = {
                    "id": secrets.token_hex(8),
                    "model": model,
                    "files": json.dumps([asdict(file) for file in waiting]),
                    "created": now,
                }
                self._database.write(lambda connection: connection.execute(uploads.insert().values(**row)))
        return upload_of(row)

    def require_room(self, bytes: int) -> None:
        """Raises UploadsFullError where an upload of so many bytes cannot wait."""
        waiting = self._all_waiting(uploads.c.model.is_not(None))
        total = sum(file.bytes for upload in waiting for file in upload.files)
        if len(waiting) >= MOST_WAITING or total + bytes > MOST_WAITING_BYTES:
            raise UploadsFullError(
                f"{len(waiting)} uploads of {total / 1e6:.0f} MB wait for their sounds to be chosen; {MOST_WAITING} of "
                f"{MOST_WAITING_BYTES / 1e6:.0f} MB together can. Choose from some or delete them: "
                f"GET {urls.model('{model}')}/uploads lists them."
            )

    def all(self, model: str) -> list[WaitingUpload]:
        """A model's uploads that wait, oldest first."""
        return self._all_waiting(uploads.c.model == model)

    def _all_waiting(self, condition: sqlalchemy.ColumnElement[bool]) -> list[WaitingUpload]:
        query = select(uploads).where(condition, uploads.c.created > time.time() - WAITING_SECONDS)
        with self._database.connect() as connection:
            return [upload_of(row._mapping) for row in connection.execute(query.order_by(uploads.c.created))]

    def find(self, model: str, id: str) -> WaitingUpload | None:
        """An upload that waits."""
        query = select(uploads).where(
            uploads.c.model == model, uploads.c.id == id, uploads.c.created > time.time() - WAITING_SECONDS
        )
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else upload_of(row._mapping)

    def audio(self, file: WaitingFile) -> bytes | None:
        """A waiting recording as it came; None if it was lost or damaged on the disk."""
        return self._audio.get(file.audio)

    def remove(self, model: str, id: str) -> bool:
        """Wait no longer; whether there was such an upload."""
        with self._writing:
            return self._remove((uploads.c.model == model) & (uploads.c.id == id)) > 0

    def remove_expired(self) -> None:
        self._remove(uploads.c.created <= time.time() - WAITING_SECONDS)

    def _remove(self, condition: sqlalchemy.ColumnElement[bool]) -> int:
        deletion = delete(uploads).where(condition).returning(uploads.c.files)
        deleted = self._database.write(
            lambda connection: connection.execute(deletion).scalars().all(), frees=True
        )
        self._drop_unused([file["audio"] for files in deleted for file in json.loads(files)])
        return len(deleted)


def upload_of(row: Any) -> WaitingUpload:
    files = tuple(WaitingFile(**file) for file in json.loads(row["files"]))
    return WaitingUpload(row["id"], row["model"], files, row["created"] + WAITING_SECONDS)
