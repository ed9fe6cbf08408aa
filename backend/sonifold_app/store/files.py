"""Files that appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path

PARTIAL = ".part"
#: A file on its way that is older than this was left by a process that ended; a younger one may be somebody's.
ABANDONED_SECONDS = 3600.0


def write_whole(file: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file, in place of the one that is there. ``durable``: it outlives a loss of power too."""
    partial = file.with_name(f"{os.getpid()}-{secrets.token_hex(6)}{PARTIAL}")
    try:
        with partial.open("xb") as out:
            out.write(data)
            if durable:
                out.flush()
                os.fsync(out.fileno())
        os.replace(partial, file)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    if durable:
        sync_folder(file.parent)


def clear_abandoned(folder: Path, pattern: str) -> None:
    """Delete files that were never finished, such as ``*/*.part``; what cannot be looked at stays."""
    for partial in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                partial.unlink()


def sync_folder(path: Path) -> None:
    """Have the names in a folder reach the disk, where the system can (not Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
