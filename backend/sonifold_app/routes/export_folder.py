"""The folder on the server's machine that exports are put into, so that they are there before anybody opens it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from sonifold.errors import OutputError
from sonifold.files import write_new
from sonifold_app.routes.reveal import can_reveal
from sonifold_app.schemas.exports import SavedExport
from sonifold_app.settings import Settings

#: A free name is looked for and taken by one request at a time.
TURN = threading.Lock()


def save(settings: Settings, stem: str, ending: str, contents: bytes | Mapping[str, bytes]) -> SavedExport:
    """Put a file, or a folder of files by their paths, into the export folder under a name that is free there.

    Raises:
        OutputError: there is no such folder, or it cannot be written to.
    """
    if settings.exports is None:
        raise OutputError("this server has no export folder; start it with SONIFOLD_EXPORTS set to a folder.")
    folder = settings.exports.expanduser().absolute()
    with TURN:
        folder.mkdir(parents=True, exist_ok=True)
        path = write_new(folder, stem, ending, contents)
    size = len(contents) if isinstance(contents, bytes) else sum(map(len, contents.values()))
    return SavedExport(
        name=path.name, path=shown(path, settings), revealable=can_reveal(settings), bytes=size
    )


def shown(path: Path, settings: Settings) -> str | None:
    """A path for those who sit at this machine; nobody else can use it."""
    return str(path) if settings.loopback else None
