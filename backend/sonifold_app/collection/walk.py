"""The sound files in folders, as the disk has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sonifold.audio.folders import ENDINGS, FOLDERS, is_leftover


@dataclass(frozen=True, slots=True)
class File:
    """A sound file, by its ending: nothing of it was read."""

    path: str
    folder: str
    name: str
    size: int  # bytes
    modified: int  # nanoseconds since 1970


@dataclass(frozen=True, slots=True)
class ClosedFolder:
    """A folder that could not be looked into: of what is in it nothing is known."""

    path: str


def walk(root: Path) -> Iterator[File | ClosedFolder]:
    """Every sound file in a folder and in those below it. Links to folders may lead in circles: not followed."""
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):  # gone, with all that was in it
            continue
        except OSError:
            yield ClosedFolder(folder)
            continue
        inner = []
        for entry in entries:
            if _is_folder(entry):
                inner.append(entry.path)
            elif (file := _file(folder, entry)) is not None:
                yield file
        waiting += reversed(inner)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and entry.name.lower() not in FOLDERS
    except OSError:
        return False


def _file(folder: str, entry: os.DirEntry[str]) -> File | None:
    """None where it is no sound file, or gone since the folder was read."""
    if os.path.splitext(entry.name)[1].lower() not in ENDINGS or is_leftover(entry.name):
        return None
    try:
        if not entry.is_file():
            return None
        about = entry.stat()
    except OSError:
        return None
    return File(entry.path, folder, entry.name, about.st_size, about.st_mtime_ns)
