"""What a backup says of itself. It is a ZIP archive; its last entry names every other one with its sha256."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import BinaryIO, Protocol

from pydantic import BaseModel, Field, field_validator

from sonifold.errors import SonifoldError

FORMAT = 1
MANIFEST = "sonifold-backup.json"
CHUNK_BYTES = 1 << 20


class BackupError(SonifoldError):
    """A backup that cannot be written or restored; the message is a sentence for the operator."""


class Entry(BaseModel, frozen=True):
    """A file of the data folder."""

    sha256: str
    bytes: int = Field(ge=0)


class Manifest(BaseModel, frozen=True):
    """What a backup holds."""

    format: int = FORMAT
    sonifold: str = Field(description="The version that wrote it.")
    database: int = Field(description="The version of the user's database.")
    created: str
    files: dict[str, Entry] = Field(description="By path in the data folder.")
    missing: list[str] = Field(description="Files that rows name and the data folder did not have.")
    damaged: list[str] = Field(description="Recordings that did not have their sha256 any more.")

    @field_validator("files")
    @classmethod
    def inside(cls, files: dict[str, Entry]) -> dict[str, Entry]:
        """Raises ValueError for a path that leads out of the folder it is restored to, on any system."""
        for name in files:
            parts = PurePosixPath(name).parts
            leads_out = PurePosixPath(name).is_absolute() or ".." in parts or not parts
            if (
                leads_out
                or "\\" in name
                or PureWindowsPath(name).drive
                or PurePosixPath(name).as_posix() != name
            ):
                raise ValueError(f"{name[:80]!r} is no path in a data folder")
        return files

    @property
    def total_bytes(self) -> int:
        return sum(entry.bytes for entry in self.files.values())


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


def copy_hashed(source: Readable | BinaryIO, target: Writable | BinaryIO) -> Entry:
    """Copy everything that is left of a file; what it was."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        target.write(chunk)
        size += len(chunk)
    return Entry(sha256=digest.hexdigest(), bytes=size)
