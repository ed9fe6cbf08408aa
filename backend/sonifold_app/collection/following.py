"""Following folders: which of their files changed, as the system says it, for an ingest of these alone.

``sonifold ingest --watch`` does it until it is ended; a server for the folders that a user has it follow.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import watchfiles
from watchfiles import Change

from sonifold.audio.folders import ENDINGS

#: Milliseconds between looks whether what waits can be done, and without a change before those there were are told.
LOOK, QUIET = 2000, 400
#: Paths of a run at most, beyond which their folders are looked through, or all.
MOST_PATHS = 100


def changes(folders: Sequence[Path], stop: threading.Event | None = None) -> Iterator[list[Path]]:
    """What came, went or changed in folders and below them, without end unless by ``stop``; nothing now and then.

    Raises OSError where the system cannot follow so many folders.
    """
    present = [folder for folder in folders if folder.is_dir()]
    if not present:
        return
    watch = watchfiles.watch(
        *present,
        watch_filter=concerns_sounds,
        step=QUIET,
        rust_timeout=LOOK,
        yield_on_timeout=True,
        stop_event=stop,
        ignore_permission_denied=True,
    )
    for changed in watch:
        yield [Path(path) for _, path in sorted(changed, key=lambda change: change[1])]


def concerns_sounds(change: Change, path: str) -> bool:
    """Whether a path is a sound file or may be, or have been, a folder."""
    return os.path.splitext(path)[1].lower() in ENDINGS or not os.path.isfile(path)


def outermost(paths: Sequence[Path], root: Path) -> list[Path]:
    """A root's paths without those below others of them: a hundred at most, or else the folders that they are in."""
    inside = sorted({path for path in paths if path.is_relative_to(root)})
    outer: list[Path] = []
    for path in inside:
        if not outer or not path.is_relative_to(outer[-1]):
            outer.append(path)
    if len(outer) <= MOST_PATHS:
        return outer
    folders = {path.parent for path in outer}
    return [root] if root in folders or len(folders) > MOST_PATHS else outermost(sorted(folders), root)


class Follower:
    """Follows folders in a thread of its own."""

    def __init__(self, changed: Callable[[list[Path]], None], failed: Callable[[OSError], None]) -> None:
        """``changed`` takes the paths, and now and then none; ``failed`` what ended it."""
        self._changed, self._failed = changed, failed
        self._lock = threading.Lock()
        self._stop, self._thread = threading.Event(), threading.Thread()

    def follow(self, folders: Sequence[Path]) -> None:
        """These from now on, and no others."""
        with self._lock:
            self._end()
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(list(folders), self._stop), name="sonifold-follow", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Follow none."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self, folders: list[Path], stop: threading.Event) -> None:
        try:
            for paths in changes(folders, stop):
                self._changed(paths)
        except OSError as error:
            self._failed(error)
