"""A file as a decoder should see it: without the tag before it, its wrong sizes put right."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class View(io.RawIOBase):
    """Bytes ``start`` to ``end`` of a file, behind a ``head`` of one's own, some of them replaced.

    ``patches``: what stands at a position of the view instead of what the file has there.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int = 0,
        end: int | None = None,
        head: bytes = b"",
        patches: Mapping[int, bytes] | None = None,
    ) -> None:
        self._file, self._start, self._head = file, start, head
        self._patches = dict(patches or {})
        last = file.seek(0, io.SEEK_END)
        last = last if end is None else min(end, last)
        self.size = len(head) + max(0, last - start)
        self._at = 0

    def part(
        self,
        start: int = 0,
        end: int | None = None,
        head: bytes = b"",
        patches: Mapping[int, bytes] | None = None,
    ) -> View:
        """A view of a part of this view, which has no head of its own."""
        assert not self._head, "a head is put on last"
        patches_of_part = {
            at - start: new for at, new in {**self._patches, **(patches or {})}.items() if at >= start
        }
        last = self._start + (self.size if end is None else min(end, self.size))
        return View(self._file, self._start + start, last, head, patches_of_part)

    def at(self, position: int, count: int) -> bytes:
        """Up to ``count`` bytes from a position on."""
        self.seek(position)
        return self.read(count) or b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")[: max(0, self.size - self._at)]
        begin, count = self._at, 0
        while count < len(target) and (more := self._read(begin + count, target[count:])):
            count += more
        for position, new in self._patches.items():
            low, high = max(position, begin), min(position + len(new), begin + count)
            if low < high:
                target[low - begin : high - begin] = new[low - position : high - position]
        self._at += count
        return count

    def _read(self, position: int, target: memoryview) -> int:
        """Fill some of the target from a position on; how much."""
        if position < len(self._head):
            head = self._head[position : position + len(target)]
            target[: len(head)] = head
            return len(head)
        self._file.seek(self._start + position - len(self._head))
        filled: int = self._file.readinto(target)  # type: ignore[attr-defined]
        return filled
