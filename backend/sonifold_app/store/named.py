"""Files that rows of the user's database name.

None is deleted because no row names it: the database may be an older one. Such files go to the trash, from where they
come back when a row names them.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection
from pathlib import Path

from sonifold.files import sync_folder
from sonifold_app.store.blobs import SHA256
from sonifold_app.store.folder import Folder
from sonifold_app.store.room import Room
from sonifold_app.store.trash import Trash

#: A file without a row is left alone for so long: somebody may be about to write the row.
GRACE_SECONDS = 3600.0

log = logging.getLogger(__name__)


class NamedFolder(Folder):
    """A durable folder whose keys, of 64 hexadecimal digits, are in rows."""

    def __init__(self, path: Path, trash: Trash, *, room: Room | None = None) -> None:
        super().__init__(path, durable=True, room=room)
        self._trash = trash

    def get(self, key: str) -> bytes | None:
        data = super().get(key)
        return super().get(key) if data is None and self._restore(key) else data

    def __contains__(self, key: str) -> bool:
        return super().__contains__(key) or self._restore(key)

    def sweep(self, in_use: Collection[str]) -> None:
        """Move what no row names to the trash, unless the rows are hardly those of these files."""
        present = {key: about.st_mtime for key, about in self.files() if SHA256.fullmatch(key)}
        stray = [key for key in present.keys() - in_use if time.time() - present[key] > GRACE_SECONDS]
        if not stray:
            return
        if len(present.keys() & in_use) <= len(present) / 2:
            log.warning(
                "%d of %d recordings in %s belong to no row of the database. They are left alone: if the database was "
                "replaced by an older one, put the newer one back.",
                len(stray),
                len(present),
                self.path,
            )
            return
        for key in stray:
            self._trash.put(self.file(key), key)
        log.warning(
            "%d recordings in %s that no row of the database names went to the trash, for 30 days; they come back by "
            "themselves with a database that names them.",
            len(stray),
            self.path,
        )

    def _restore(self, key: str) -> bool:
        """Bring a file back from the trash; whether it was there."""
        entry = self._trash.find(key) if SHA256.fullmatch(key) else None
        if entry is None:
            return False
        file = self.file(key)
        file.parent.mkdir(exist_ok=True)
        os.replace(entry, file)
        sync_folder(file.parent)
        log.warning("recording %s… came back from the trash: a row names it", key[:12])
        return True
