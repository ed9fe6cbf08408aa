"""Sound files in memory, as libsndfile reads and writes them without asking Python for each piece.

A Python file object is asked through callbacks, some 70 to decode a short sound and encode it again. Each of them waits
until no other thread runs Python code: beside long computations a sound then takes several times as long.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator

#: What soundfile takes: a descriptor of a file that no folder has; a Python file where the system has no such files.
Handle = int | io.BytesIO


@contextlib.contextmanager
def memory_file(data: bytes = b"") -> Iterator[Handle]:
    """A file with some bytes in it, at its beginning, for as long as this is open."""
    descriptor = new_descriptor()
    if descriptor is None:
        yield io.BytesIO(data)
        return
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def contents(handle: Handle) -> bytes:
    """All that is in such a file now."""
    if isinstance(handle, io.BytesIO):
        return handle.getvalue()
    os.lseek(handle, 0, os.SEEK_SET)
    with open(handle, "rb", closefd=False) as file:
        return file.read()


def new_descriptor() -> int | None:
    """Of an empty file in memory; None where there is none to be had: another system, too many open files."""
    if sys.platform != "linux":
        return None
    try:
        return os.memfd_create("sonifold")
    except OSError:
        return None
