"""Content-addressed blobs: the key of some bytes is their sha256, and what no longer fits its key is not served."""

from __future__ import annotations

import hashlib
import logging
import re
from typing import Protocol

log = logging.getLogger(__name__)

SHA256 = re.compile(r"[0-9a-f]{64}")


class Keyed(Protocol):
    """Bytes by key, whole or not at all: a folder, or an object store. Safe to use from several threads."""

    def get(self, key: str) -> bytes | None:
        """What is kept under a key, or None where there is nothing. Raises StorageError where that cannot be told."""

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key. Raises StorageError."""

    def drop(self, key: str) -> None:
        """Keep the bytes under a key no longer."""

    def __contains__(self, key: str) -> bool: ...

    def size(self, key: str) -> int:
        """Bytes under a key; 0 where there are none, or none can be seen."""

    def clear_abandoned(self) -> None:
        """Delete what was never finished."""


class Blobs:
    """Bytes under their sha256."""

    def __init__(self, folder: Keyed) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep bytes; returns their sha256. Raises StorageError."""
        sha256 = hashlib.sha256(data).hexdigest()
        if self.get(sha256) is None:
            self._folder.put(sha256, data)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The bytes with that sha256, or None where they are not kept, not any more, or damaged.

        Raises StorageError where that cannot be told at the moment.
        """
        if not SHA256.fullmatch(sha256):
            return None
        data = self._read(sha256)
        if data is not None and hashlib.sha256(data).hexdigest() != sha256:
            self._put_damaged_away(sha256)
            return None
        return data

    def __contains__(self, sha256: str) -> bool:
        return bool(SHA256.fullmatch(sha256)) and sha256 in self._folder

    def size(self, sha256: str) -> int:
        """How many bytes are kept under a sha256; 0 for none."""
        return self._folder.size(sha256) if SHA256.fullmatch(sha256) else 0

    def drop(self, sha256: str) -> None:
        """Keep the bytes no longer."""
        self._folder.drop(sha256)

    def clear_abandoned(self) -> None:
        """Delete what was never finished."""
        self._folder.clear_abandoned()

    def _read(self, sha256: str) -> bytes | None:
        return self._folder.get(sha256)

    def _put_damaged_away(self, sha256: str) -> None:
        """It can be made again."""
        log.warning("blob %s… was damaged on disk; dropped", sha256[:12])
        self._folder.drop(sha256)
