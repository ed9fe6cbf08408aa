"""Which folders of the server's machine may be taken in by a request, and read from afterwards.

Paths are compared after all links in them are followed, when a folder is named and again whenever a file is read: what
leads out of the allowed folders does not count as in them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sonifold_app.collection.ingest import FolderInvalid


class FolderNotAllowed(FolderInvalid):
    """A folder that this server takes nothing in from; the message is a sentence for the user."""


@dataclass(frozen=True)
class AllowedFolders:
    """``within``: folders that may be taken in, with all below them. None: any."""

    within: tuple[Path, ...] | None

    def checked(self, text: str) -> Path:
        """The folder that somebody wrote, absolute, with its links followed. Raises FolderInvalid, FolderNotAllowed."""
        if "\0" in text or not os.path.isabs(path := os.path.expanduser(text)):
            raise FolderInvalid(
                f"{text!r} is no whole path of a folder; write it from the root on: /samples."
            )
        folder = Path(os.path.realpath(path))
        self.require(folder, text)
        if not folder.is_dir():
            raise FolderInvalid(f"{text!r} is no folder on the machine that Sonifold runs on.")
        return folder

    def require(self, folder: Path, text: str) -> None:
        """Raises FolderNotAllowed where a folder, its links followed, is not allowed. ``text``: as it was written."""
        if not self.allows(folder):
            raise FolderNotAllowed(f"this server takes nothing in from {text!r}. {self.advice()}")

    def allows(self, path: Path) -> bool:
        """Whether a path with its links followed is one of the folders or below one."""
        return self.within is None or is_below(path, self.within)

    def advice(self) -> str:
        """What whoever is refused can do."""
        if not self.within:
            return "Take the folder in with `sonifold ingest` there, or set SONIFOLD_COLLECTION_FOLDERS."
        return (
            f"Name a folder in {', '.join(map(str, self.within))}, or add it to SONIFOLD_COLLECTION_FOLDERS."
        )


def is_below(path: Path, folders: Sequence[Path]) -> bool:
    """Whether a path with its links followed is one of some folders or below one."""
    return any(path.is_relative_to(os.path.realpath(folder)) for folder in folders)
