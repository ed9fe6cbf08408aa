"""Folders of files under hexadecimal keys: one that keeps everything, and a bounded one where what was longest unused
goes first.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from sonifold.files import write_whole
from sonifold_app.store.failures import StorageUnavailableError, failure_of
from sonifold_app.store.files import PARTIAL, clear_abandoned
from sonifold_app.store.room import Room


class Folder:
    """Bytes by key, on disk, whole or not at all. Safe to use from several threads.

    Nothing of it is in memory: what is put back into the folder by hand is there again.
    """

    def __init__(self, path: Path, *, durable: bool = False, room: Room | None = None) -> None:
        """``durable``: what was put is on the disk itself when ``put`` returns, so that not even a loss of power loses
        it. ``room``: what gives way where the disk is full.
        """
        self.path = path
        self._durable = durable
        self._room = room
        path.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> bytes | None:
        """What is kept under a key, or None where the disk has no such file. Raises StorageError where it cannot be
        told.
        """
        try:
            return self.file(key).read_bytes()
        except FileNotFoundError:
            self._require_folder()
            return None
        except OSError as error:
            raise failure_of(error) or StorageUnavailableError("a file cannot be read") from error

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key. Raises StorageError where the disk does not take them."""
        write = functools.partial(self._write, self.file(key), data)
        if self._room is not None:
            return self._room.write(write, len(data))
        try:
            return write()
        except OSError as error:
            raise failure_of(error) or StorageUnavailableError("a file cannot be written") from error

    def drop(self, key: str) -> None:
        """Keep the bytes under a key no longer."""
        self.file(key).unlink(missing_ok=True)

    def __contains__(self, key: str) -> bool:
        try:
            self.file(key).stat()
        except FileNotFoundError:
            self._require_folder()
            return False
        except OSError as error:
            raise failure_of(error) or StorageUnavailableError("a file cannot be looked at") from error
        return True

    def size(self, key: str) -> int:
        """Bytes under a key; 0 where there are none, or none can be seen."""
        try:
            return self.file(key).stat().st_size
        except OSError:
            return 0

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """What is there: keys, and what the system says of their files."""
        for file in self.path.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                if file.suffix != PARTIAL:
                    yield file.parent.name + file.name, file.stat()

    def clear_abandoned(self) -> None:
        """Delete what was never finished."""
        clear_abandoned(self.path, f"*/*{PARTIAL}")

    def file(self, key: str) -> Path:
        """Where the bytes under a key lie."""
        return self.path / key[:2] / key[2:]

    def _write(self, file: Path, data: bytes) -> None:
        file.parent.mkdir(exist_ok=True)
        write_whole(file, data, durable=self._durable)

    def _require_folder(self) -> None:
        """Raises StorageUnavailableError where not just a file is missing but the folder."""
        self._require_data_folder()
        if not self.path.is_dir():
            raise StorageUnavailableError(f"the folder {self.path.parent.name}/{self.path.name} is missing")

    def _require_data_folder(self) -> None:
        """Raises StorageUnavailableError where it is gone, or another one is in its place."""
        if self._room is not None:
            self._room.require_folder()


class BoundedFolder(Folder):
    """At most so many bytes in all; it may be deleted at any time. The order of use survives a restart in the files'
    modification times.
    """

    def __init__(self, path: Path, max_bytes: int, *, room: Room | None = None) -> None:
        super().__init__(path, room=room)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        by_use = sorted((about.st_mtime, key, about.st_size) for key, about in self.files())
        self._sizes = OrderedDict((key, size) for _, key, size in by_use)  # longest unused first
        self._bytes = sum(self._sizes.values())
        if room is not None:
            room.add_cache(self.give_way)

    def get(self, key: str) -> bytes | None:
        self._require_data_folder()  # to have read a file changes it
        data = super().get(key)
        with self._lock:
            if data is None:
                self._forget(key)
                return None
            with contextlib.suppress(OSError):  # it counts as used at the next start, or not
                os.utime(self.file(key))
            self._remember(key, len(data))
        return data

    def put(self, key: str, data: bytes) -> None:
        super().put(key, data)
        with self._lock:
            self._remember(key, len(data))
            while self._bytes > self._max_bytes and len(self._sizes) > 1:
                self._drop_longest_unused()

    def drop(self, key: str) -> None:
        with self._lock:
            self._forget(key)
            super().drop(key)

    def give_way(self, needed: int) -> int:
        """Drop what was longest unused, some ``needed`` bytes of it; returns how many were dropped."""
        freed = 0
        with self._lock:
            while freed < needed and self._sizes:
                freed += self._drop_longest_unused()
        return freed

    def __len__(self) -> int:
        return len(self._sizes)

    def _write(self, file: Path, data: bytes) -> None:
        for folder in (self.path.parent, self.path):  # not what these lie in: that is no cache
            folder.mkdir(exist_ok=True)
        super()._write(file, data)

    def _require_folder(self) -> None:
        """A cache that is gone is empty."""
        self._require_data_folder()

    def _remember(self, key: str, size: int) -> None:
        """It is the one that was used last."""
        self._forget(key)
        self._sizes[key] = size
        self._bytes += size

    def _forget(self, key: str) -> int:
        size = self._sizes.pop(key, 0)
        self._bytes -= size
        return size

    def _drop_longest_unused(self) -> int:
        key = next(iter(self._sizes))
        self.file(key).unlink(missing_ok=True)
        return self._forget(key)

    @property
    def bytes(self) -> int:
        return self._bytes


def bytes_under(folder: Path) -> int:
    """Of all files in a folder, without those that go meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total
