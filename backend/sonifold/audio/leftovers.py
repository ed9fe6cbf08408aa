"""What file managers and audio programs leave in folders of sounds."""

from __future__ import annotations

from pathlib import PurePosixPath

NAMES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
FOLDERS = frozenset({"__macosx", ".trashes", ".spotlight-v100", ".fseventsd", "$recycle.bin"})


def is_leftover(path: str) -> bool:
    """Whether a file belongs to a file manager: macOS' resource forks (``._kick.wav``), folder settings, thumbnails."""
    *folders, name = PurePosixPath(path.replace("\\", "/")).parts or ("",)
    return name.startswith("._") or name.lower() in NAMES or any(one.lower() in FOLDERS for one in folders)
