"""Content-addressed blobs: the key of some bytes is their sha256, and what no longer fits its key is not
served.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection
from pathlib import Path

from sonifold_app.store.folder import BoundedFolder

log = logging.getLogger(__name__)

SHA256 = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """Bytes on disk under their sha256, bounded in all or, with None, not at all."""

    def __init__(self, path: Path, max_bytes: int | None, *, durable: bool = False) -> None:
        self._folder = BoundedFolder(path, max_bytes, durable=durable)

    def put(self, data: bytes) -> str:
        """Keep bytes; returns their sha256."""
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in self._folder:
            self._folder.put(sha256, data)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The bytes with that sha256, or None where they are not kept, not any more, or damaged."""
        if not SHA256.fullmatch(sha256):
            return None
        data = self._folder.get(sha256)
        if data is not None and hashlib.sha256(data).hexdigest() != sha256:
            log.warning("blob %s… was damaged on disk; dropped", sha256[:12])
            self._folder.drop(sha256)
            return None
        return data

    def __contains__(self, sha256: str) -> bool:
        return bool(SHA256.fullmatch(sha256)) and sha256 in self._folder

    def drop(self, sha256: str) -> None:
        """Keep the bytes no longer."""
        self._folder.drop(sha256)

    def sweep(self, wanted: Collection[str], grace: float) -> int:
        """Drop what is not wanted and ``grace`` seconds old; returns how many."""
        keys = self._folder.keys()  # a list: what is dropped meanwhile does no harm
        stray = [key for key in keys if key not in wanted and self._folder.age(key) > grace]
        for key in stray:
            self._folder.drop(key)
        return len(stray)

    @property
    def bytes(self) -> int:
        return self._folder.bytes


class Memo:
    """Replies by request, on disk: what was computed once is not computed again, not even after a restart.

    A key is a sequence of strings that together determine the reply: the model's version and the request.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._folder = BoundedFolder(path, max_bytes)

    def get(self, *key: str) -> str | None:
        """The text kept under a key, or None; damaged text counts as none."""
        name = self._name(key)
        data = self._folder.get(name)
        if data is None:
            return None
        digest, _, text = data.partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            log.warning("memo %s… was damaged on disk; dropped", name[:12])
            self._folder.drop(name)
            return None
        return text.decode()

    def put(self, key: tuple[str, ...], text: str) -> None:
        data = text.encode()
        self._folder.put(self._name(key), hashlib.sha256(data).hexdigest().encode() + b"\n" + data)

    @staticmethod
    def _name(key: tuple[str, ...]) -> str:
        return hashlib.sha256("\0".join(key).encode()).hexdigest()
