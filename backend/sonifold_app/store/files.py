"""Files that a process which ended did not finish (``sonifold.files.write_whole`` begins them)."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

PARTIAL = ".part"
#: A file on its way that is older than this was left by a process that ended; a younger one may be somebody's.
ABANDONED_SECONDS = 3600.0


def clear_abandoned(folder: Path, pattern: str) -> None:
    """Delete files that were never finished, such as ``*/*.part``; what cannot be looked at stays."""
    for partial in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                partial.unlink()
