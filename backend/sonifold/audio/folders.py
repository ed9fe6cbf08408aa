"""Folders of sounds as people have them: which files are meant, and which only lie there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sonifold.errors import AudioUnreadable

#: Endings of files that hold sound, in formats that can be read or are told by name.
ENDINGS = frozenset(
    {".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2", ".aif",
     ".aiff", ".aifc", ".au", ".snd", ".caf", ".voc", ".sf", ".ircam", ".iff", ".svx", ".8svx", ".paf", ".nist", ".sph",
     ".pvf", ".xi", ".htk", ".avr", ".sds", ".sd2", ".mat", ".m4a", ".m4b", ".mp4", ".aac", ".3gp", ".mov", ".wma",
     ".wv", ".ape", ".tta", ".amr", ".ac3", ".webm", ".mka", ".dsf"}
)  # fmt: skip
NAMES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
FOLDERS = frozenset({"__macosx", ".trashes", ".spotlight-v100", ".fseventsd", "$recycle.bin"})


def is_leftover(path: str) -> bool:
    """True for files of a file manager: macOS' resource forks (``._kick.wav``), folder settings, thumbnails."""
    *folders, name = PurePosixPath(path.replace("\\", "/")).parts or ("",)
    return (
        name.startswith("._") or name.lower() in NAMES or any(folder.lower() in FOLDERS for folder in folders)
    )


def sound_files(paths: Sequence[Path]) -> list[Path]:
    """The files among paths, and the sound files in the folders among them, in order of name.

    Raises:
        AudioUnreadable: a folder without any.
    """
    files: list[Path] = []
    for path in paths:
        sounds = sounds_in(path) if path.is_dir() else [path]
        if not sounds:
            raise AudioUnreadable(f"there is no sound file in the folder {str(path)!r}.")
        files += sounds
    return files


def sounds_in(folder: Path) -> list[Path]:
    """The sound files in a folder and in those in it, by their endings."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS
        and not is_leftover(str(path.relative_to(folder)))
        and path.is_file()
    )
