"""The recordings that rows of the user's database name.

None is deleted because something looks wrong: damaged files are set aside, and files without a row go to the trash,
from where they come back when a row names them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Collection
from pathlib import Path

from sonifold.files import sync_folder
from sonifold_app.store.blobs import SHA256, Blobs
from sonifold_app.store.folder import Folder
from sonifold_app.store.room import Room
from sonifold_app.store.trash import Trash, free_name

#: Audio without a row is left alone for so long: somebody may be about to write the row.
GRACE_SECONDS = 3600.0

log = logging.getLogger(__name__)


class SoundAudio(Blobs):
    """Recordings by sha256, in ``library/sounds``."""

    def __init__(self, library: Path, trash: Trash, room: Room | None = None) -> None:
        self._sounds = Folder(library / "sounds", durable=True, room=room)
        super().__init__(self._sounds)
        self._damaged = library / "damaged"
        self._trash = trash

    def __contains__(self, sha256: str) -> bool:
        return super().__contains__(sha256) or (bool(SHA256.fullmatch(sha256)) and self._restore(sha256))

    def sweep(self, in_use: Collection[str]) -> None:
        """Move what no row names to the trash, unless the rows are hardly those of these files."""
        present = {key: about.st_mtime for key, about in self._sounds.files() if SHA256.fullmatch(key)}
        stray = [key for key in present.keys() - in_use if time.time() - present[key] > GRACE_SECONDS]
        if not stray:
            return
        if len(present.keys() & in_use) <= len(present) / 2:
            log.warning(
                "%d of %d recordings in %s belong to no row of the database. They are left alone: if the database was "
                "replaced by an older one, put the newer one back.",
                len(stray),
                len(present),
                self._sounds.path,
            )
            return
        for key in stray:
            self._trash.put(self._sounds.file(key), key)
        log.warning(
            "%d recordings that no row of the database names went to the trash, for 30 days; they come back by "
            "themselves with a database that names them.",
            len(stray),
        )

    def _read(self, sha256: str) -> bytes | None:
        data = self._sounds.get(sha256)
        if data is None:
            return self._sounds.get(sha256) if self._restore(sha256) else None
        if hashlib.sha256(data).hexdigest() != sha256:
            return self._sounds.get(sha256)  # once more: what was read wrong may be right on the disk
        return data

    def _restore(self, sha256: str) -> bool:
        """Bring a recording back from the trash; whether it was there."""
        entry = self._trash.find(sha256)
        if entry is None:
            return False
        file = self._sounds.file(sha256)
        file.parent.mkdir(exist_ok=True)
        os.replace(entry, file)
        sync_folder(file.parent)
        log.warning("recording %s… came back from the trash: a row names it", sha256[:12])
        return True

    def _put_damaged_away(self, sha256: str) -> None:
        """A part of a recording is more than none: it is set aside, where whoever repairs it finds it."""
        aside = free_name(self._damaged, sha256)
        try:
            self._damaged.mkdir(exist_ok=True)
            os.replace(self._sounds.file(sha256), aside)
        except OSError as error:
            log.error("recording %s… is damaged, and cannot be set aside: %s", sha256[:12], error)
        else:
            log.error("recording %s… is damaged; its file is now %s", sha256[:12], aside)
