"""SQLite databases as files: read, and copied as they are between two transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def opened(file: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there; ``mode``: as in SQLite's addresses, such as ``ro``."""
    address = f"{file.absolute().as_uri()}?mode={mode}"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection


def copy_file(file: Path, mode: str, copy: Path) -> None:
    """Write a copy of a database. Raises sqlite3.Error."""
    with opened(file, mode) as source, contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)
