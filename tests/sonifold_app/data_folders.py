"""Data folders as tests need them, without a server or a model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from sonifold_app.engine.answers import PreparedSound
from sonifold_app.store.sounds import NewSound, UserSoundStore


def sound(audio: bytes) -> NewSound:
    prepared = PreparedSound(
        name="a",
        seconds=0.3,
        z=np.zeros(4, np.float32),
        position=(0.0, 0.0),
        in_distribution=True,
        nearest=(),
        timbre=np.zeros(4, np.float32),
        audio=audio,
        pitch=None,
        facts={},
        caveats=(),
    )
    return NewSound("uploaded", "a", prepared, {})


def stored(folder: Path) -> Path:
    """A data folder with the sounds ``first`` and ``second``, a pack, a cache and some trash."""
    store = UserSoundStore(folder / "library")
    store.add("toy", "pack", [sound(b"first"), sound(b"second")])
    store.close()
    for name in ("packs/mine/pack.json", "cache/blobs/x", "packs/.gone/pack.json", "trash/2026-01-01/y"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def recording(data: Path, audio: bytes) -> Path:
    """Where the recording of a sound lies."""
    sha256 = hashlib.sha256(audio).hexdigest()
    return data / "library" / "sounds" / sha256[:2] / sha256[2:]
