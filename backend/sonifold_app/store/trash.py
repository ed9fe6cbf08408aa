"""Where files go that nothing names any more: kept for 30 days, by the day on which they came, and found there."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

DAYS = 30


class Trash:
    """``trash/<day>/<name>`` in the data folder. How old the files are themselves says nothing."""

    def __init__(self, data: Path) -> None:
        """``data``: the data folder."""
        self._path = data / "trash"

    def put(self, file: Path, name: str) -> None:
        """Move a file or folder here, out of the way of what has its name already."""
        folder = self._path / today().isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        os.replace(file, free_name(folder, name))

    def find(self, name: str) -> Path | None:
        """The last file that was put here under a name."""
        days = sorted(self._days(), reverse=True)
        return next((folder / name for _, folder in days if (folder / name).exists()), None)

    def purge(self) -> None:
        """Delete what has been here for more than 30 days."""
        for day, folder in self._days():
            if (today() - day).days > DAYS:
                shutil.rmtree(folder, ignore_errors=True)

    def _days(self) -> Iterator[tuple[datetime.date, Path]]:
        for folder in self._path.glob("*/"):
            with contextlib.suppress(ValueError):
                yield datetime.date.fromisoformat(folder.name), folder


def free_name(folder: Path, name: str) -> Path:
    """A place in a folder that nothing has yet."""
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{name}.{number}", number + 1
    return path


def today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
