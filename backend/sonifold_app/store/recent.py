"""Files that can be made again, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from sonifold_app.settings import MEBIBYTE

RECENT_BYTES = 32 * MEBIBYTE


class RecentFiles:
    """Those that were asked for last, at most ``max_bytes`` in all. Used from one event loop."""

    def __init__(self, max_bytes: int = RECENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._files: OrderedDict[Hashable, bytes] = OrderedDict()  # longest unused first
        self._bytes = 0

    def get(self, key: Hashable) -> bytes | None:
        """What was put under a key, or None where it has given way."""
        data = self._files.get(key)
        if data is not None:
            self._files.move_to_end(key)
        return data

    def put(self, key: Hashable, data: bytes) -> None:
        """Keep a file for as long as there is room; one that is larger than all the room is not kept."""
        self._bytes -= len(self._files.pop(key, b""))
        self._files[key] = data
        self._bytes += len(data)
        while self._bytes > self._max_bytes:
            _, dropped = self._files.popitem(last=False)
            self._bytes -= len(dropped)

    @property
    def bytes(self) -> int:
        return self._bytes
