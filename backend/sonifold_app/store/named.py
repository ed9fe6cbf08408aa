"""Files that rows of the user's database name.

None is deleted because no row names it: the database may be an older one. Such files go to the trash, from where they
come back when a row names them.
"""

from __future__ import annotations

import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from sonifold.files import sync_folder
from sonifold_app.store.blobs import SHA256, Keyed
from sonifold_app.store.folder import Folder
from sonifold_app.store.room import Room
from sonifold_app.store.trash import Trash, free_name

#: A file without a row is left alone for so long: somebody may be about to write the row.
GRACE_SECONDS = 3600.0

log = logging.getLogger(__name__)


class NamedFiles(Keyed, Protocol):
    """Bytes under keys, of 64 hexadecimal digits, that are in rows: a folder, or an object store."""

    def sweep(self, in_use: Collection[str]) -> None:
        """Move what no row names to the trash, unless the rows are hardly those of these files."""

    def purge(self) -> None:
        """Delete what has been in the trash for more than 30 days."""

    def set_aside(self, key: str) -> None:
        """Move what is damaged to where whoever repairs it finds it."""

    def problem(self) -> str | None:
        """A sentence about why nothing can be kept at the moment, if so."""


class Swept(ABC):
    """The rules by which files without a row go to the trash and come back, wherever they lie."""

    @abstractmethod
    def _present(self) -> Mapping[str, float]:
        """What is there: keys, and when they came, in seconds since 1970."""

    @abstractmethod
    def _to_trash(self, key: str) -> None:
        """Move a file to the trash."""

    def sweep(self, in_use: Collection[str]) -> None:
        """See :class:`NamedFiles`."""
        present = self._present()
        stray = [key for key in present.keys() - in_use if time.time() - present[key] > GRACE_SECONDS]
        if not stray:
            return
        if len(present.keys() & in_use) <= len(present) / 2:
            log.warning(
                "%d of %d recordings in %s belong to no row of the database. They are left alone: if the database was "
                "replaced by an older one, put the newer one back.",
                len(stray),
                len(present),
                self,
            )
            return
        for key in stray:
            self._to_trash(key)
        log.warning(
            "%d recordings in %s that no row of the database names went to the trash, for 30 days; they come back by "
            "themselves with a database that names them.",
            len(stray),
            self,
        )


class NamedFolder(Swept, Folder):
    """A durable folder whose keys are in rows."""

    def __init__(
        self, path: Path, trash: Trash, *, room: Room | None = None, damaged: Path | None = None
    ) -> None:
        """``damaged``: where damaged files are set aside; by default beside the folder."""
        super().__init__(path, durable=True, room=room)
        self._trash = trash
        self._damaged = damaged or path.with_name("damaged")

    def __str__(self) -> str:
        return str(self.path)

    def get(self, key: str) -> bytes | None:
        data = super().get(key)
        return super().get(key) if data is None and self._restore(key) else data

    def __contains__(self, key: str) -> bool:
        return super().__contains__(key) or self._restore(key)

    def purge(self) -> None:
        self._trash.purge()

    def set_aside(self, key: str) -> None:
        aside = free_name(self._damaged, key)
        try:
            self._damaged.mkdir(exist_ok=True)
            os.replace(self.file(key), aside)
        except OSError as error:
            log.error("recording %s… is damaged, and cannot be set aside: %s", key[:12], error)
        else:
            log.error("recording %s… is damaged; its file is now %s", key[:12], aside)

    def problem(self) -> str | None:
        return None  # the data folder's own look says it

    def _present(self) -> Mapping[str, float]:
        return {key: about.st_mtime for key, about in self.files() if SHA256.fullmatch(key)}

    def _to_trash(self, key: str) -> None:
        self._trash.put(self.file(key), key)

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
