"""The recordings that rows of the user's database name.

None is deleted because something looks wrong: damaged files are set aside, and files without a row go to the trash,
from where they come back when a row names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sonifold_app.store.blobs import Blobs
from sonifold_app.store.named import NamedFiles


def recording_path(sha256: str) -> str:
    """Where a recording lies in the data folder, for people."""
    return f"library/sounds/{sha256[:2]}/{sha256[2:]}"


class SoundAudio(Blobs):
    """Recordings by sha256."""

    def __init__(self, files: NamedFiles) -> None:
        super().__init__(files)
        self._sounds = files

    def sweep(self, in_use: Collection[str]) -> None:
        """See :meth:`NamedFiles.sweep`."""
        self._sounds.sweep(in_use)

    def purge(self) -> None:
        """See :meth:`NamedFiles.purge`."""
        self._sounds.purge()

    def _read(self, sha256: str) -> bytes | None:
        data = self._sounds.get(sha256)
        if data is not None and hashlib.sha256(data).hexdigest() != sha256:
            return self._sounds.get(sha256)  # once more: what was read wrong may be right on the disk
        return data

    def _put_damaged_away(self, sha256: str) -> None:
        """A part of a recording is more than none."""
        self._sounds.set_aside(sha256)
