"""A folder of files under hexadecimal keys; where it is bounded, what was longest unused goes first."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path

from sonifold_app.store.failures import failure_of

PARTIAL = ".part"


class BoundedFolder:
    """Bytes by key, on disk, at most so many in all. Safe to use from several threads.

    A file appears whole or not at all (it is written beside its place and renamed). The order of use
    survives a restart in the files' modification times.
    """

    def __init__(self, path: Path, max_bytes: int | None, *, durable: bool = False) -> None:
        """``max_bytes``: None keeps everything. ``durable``: what was put is on the disk itself when ``put``
        returns, so that not even a loss of power loses it.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._durable = durable
        self._lock = threading.Lock()
        path.mkdir(parents=True, exist_ok=True)
        self._sizes = self._found()  # oldest use first
        self._bytes = sum(self._sizes.values())

    def get(self, key: str) -> bytes | None:
        """What is kept under a key, or None."""
        with self._lock:
            if key not in self._sizes:
                return None
            file = self._file(key)
            try:
                data = file.read_bytes()
                os.utime(file)
            except OSError:
                self._forget(key)
                return None
            self._sizes.move_to_end(key)
            return data

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key. Raises StoreFullError if the disk is."""
        file = self._file(key)
        try:
            file.parent.mkdir(exist_ok=True)
            handle, partial = tempfile.mkstemp(suffix=PARTIAL, dir=file.parent)
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
                    if self._durable:
                        out.flush()
                        os.fsync(out.fileno())
                os.replace(partial, file)
                if self._durable:
                    sync_folder(file.parent)
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise
        except OSError as error:
            failure = failure_of(error)
            raise (failure or error) from error
        with self._lock:
            self._forget(key)
            self._sizes[key] = len(data)
            self._bytes += len(data)
            self._evict(keep=key)

    def drop(self, key: str) -> None:
        with self._lock:
            self._forget(key)
            self._file(key).unlink(missing_ok=True)

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._sizes and self._file(key).exists()

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def bytes(self) -> int:
        return self._bytes

    def keys(self) -> list[str]:
        with self._lock:
            return list(self._sizes)

    def age(self, key: str) -> float:
        """Seconds since a key was last put or got; 0 if it is not there."""
        with contextlib.suppress(OSError):
            return max(0.0, time.time() - self._file(key).stat().st_mtime)
        return 0.0

    def _file(self, key: str) -> Path:
        return self._path / key[:2] / key[2:]

    def _found(self) -> OrderedDict[str, int]:
        """What an earlier run left, and away with what it did not finish."""
        files: list[tuple[float, str, int]] = []
        for file in self._path.glob("*/*"):
            if file.suffix == PARTIAL:
                file.unlink(missing_ok=True)
                continue
            with contextlib.suppress(FileNotFoundError):
                found = file.stat()
                files.append((found.st_mtime, file.parent.name + file.name, found.st_size))
        return OrderedDict((key, size) for _, key, size in sorted(files))

    def _forget(self, key: str) -> None:
        self._bytes -= self._sizes.pop(key, 0)

    def _evict(self, keep: str) -> None:
        while self._max_bytes is not None and self._bytes > self._max_bytes and len(self._sizes) > 1:
            key = next(key for key in self._sizes if key != keep)
            self._forget(key)
            self._file(key).unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Have the names in a folder reach the disk, where the system can (not Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
