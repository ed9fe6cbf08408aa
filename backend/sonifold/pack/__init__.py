"""A pack on disk: what its files are, its sounds, and how one is written.

format    pack.json, names, and the check of every file against its sha256
library   the sounds: labels, columns, audio files
"""

from __future__ import annotations

from sonifold.pack.format import (
    CONFIG,
    DEFAULT,
    FORMAT,
    UNFINISHED,
    MetricConfig,
    PackConfig,
    PackStatus,
    check_name,
    find,
    models_folder,
    packs,
    read_config,
    sha256,
    verify,
    write_config,
)

__all__ = [
    "CONFIG",
    "DEFAULT",
    "FORMAT",
    "UNFINISHED",
    "MetricConfig",
    "PackConfig",
    "PackStatus",
    "check_name",
    "find",
    "models_folder",
    "packs",
    "read_config",
    "sha256",
    "verify",
    "write_config",
]
