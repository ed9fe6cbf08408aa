"""The recordings that rows of the user's database name.

None is deleted because something looks wrong: damaged files are set aside, and files without a row go to the trash,
from where they come back when a row names them.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Collection
from pathlib import Path

from sonifold_app.store.blobs import Blobs
from sonifold_app.store.named import NamedFolder
from sonifold_app.store.room import Room
from sonifold_app.store.trash import Trash, free_name

log = logging.getLogger(__name__)


def recording_path(sha256: str) -> str:
    """Where a recording lies in the data folder, for people."""
    return f"library/sounds/{sha256[:2]}/{sha256[2:]}"


class SoundAudio(Blobs):
    """Recordings by sha256, in ``library/sounds``."""

    def __init__(self, library: Path, trash: Trash, room: Room | None = None) -> None:
        self._sounds = NamedFolder(library / "sounds", trash, room=room)
        super().__init__(self._sounds)
        self._damaged = library / "damaged"

    def sweep(self, in_use: Collection[str]) -> None:
        """See :meth:`NamedFolder.sweep`."""
        self._sounds.sweep(in_use)

    def _read(self, sha256: str) -> bytes | None:
        data = self._sounds.get(sha256)
        if data is not None and hashlib.sha256(data).hexdigest() != sha256:
            return self._sounds.get(sha256)  # once more: what was read wrong may be right on the disk
        return data

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
