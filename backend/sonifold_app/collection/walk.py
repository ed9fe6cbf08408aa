"""The sound files in folders, as the disk has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

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
            elif (file := _file_at(folder, entry.name)) is not None:
                yield file
        waiting += reversed(inner)


def walk_at(root: Path, path: Path) -> Iterator[File | ClosedFolder]:
    """The same of a path in a folder, which may be a file, a folder, or nothing."""
    between = [part for part in path.parents if part.is_relative_to(root) and part != root]
    if any(part.name.lower() in FOLDERS or part.is_symlink() for part in between):
        return
    if path.is_dir() and (path == root or not path.is_symlink()):
        if path.name.lower() not in FOLDERS:
            yield from walk(path)
    elif (file := _file_at(str(path.parent), path.name)) is not None:
        yield file


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and entry.name.lower() not in FOLDERS
    except OSError:
        return False


def _file_at(folder: str, name: str) -> File | None:
    """None where it is no sound file, or gone since the folder was read."""
    if os.path.splitext(name)[1].lower() not in ENDINGS or is_leftover(name):
        return None
    path = os.path.join(folder, name)
    try:
        about = os.stat(path)
    except OSError:
        return None
    return File(path, folder, name, about.st_size, about.st_mtime_ns) if S_ISREG(about.st_mode) else None
