"""Files that are written whole or not at all, and never over what they were made from."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from sonifold.errors import OutputError

#: What a read may fail with although the file is whole: it says that nothing is wrong with what was to be read.
PASSING = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EAGAIN, errno.EINTR, errno.ESTALE}
)


def may_pass(error: BaseException) -> bool:
    """True for an error of the machine at this moment, not of the file."""
    return isinstance(error, OSError) and error.errno in PASSING


def check_target(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Check that a file may be written there, before its contents are computed.

    Raises:
        OutputError: there is no such folder, it is a folder itself, or it is one of the inputs, by whatever name.
    """
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {str(path.parent)!r}; make it first, or write somewhere else.")
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder; name a file in it.")
    if path.exists() and any(file.exists() and path.samefile(file) for file in inputs):
        raise OutputError(
            f"{str(path)!r} is one of the recordings that this is made from, and would be lost; write to another file."
        )


def check_folder(path: Path) -> None:
    """Check that a folder exists or can be created. Raises OutputError."""
    if path.exists() and not path.is_dir():
        raise OutputError(f"{str(path)!r} is a file; name a folder for the files.")
    if not path.exists():
        check_target(path)


def write_file(path: Path, data: bytes, inputs: Iterable[Path] = ()) -> None:
    """Write a file beside ``path`` and rename it: what was there stays until all of the new one is on the disk.

    Raises:
        OutputError: as :func:`check_target`, or the disk takes no such file.
    """
    check_target(path, inputs)
    try:
        write_whole(path, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{str(path)!r} cannot be written: {reason}. Nothing was changed there.") from error


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by their paths in it, into a new folder, beside ``path`` and renamed when all are there.

    Raises:
        ValueError: a path leads out of the folder; whoever names files builds them from ``file_stem``.
        OutputError: there is something at ``path`` already, no folder to hold it, or the disk takes no such files.
    """
    if path.exists():
        raise OutputError(
            f"{str(path)!r} exists already; name a folder that does not, for nothing is written over."
        )
    check_target(path)
    for name in files:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"{name!r} leads out of the folder {path.name!r}.")
    scratch = scratch_beside(path, path.name)
    try:
        for name, data in files.items():
            file = scratch / name
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        scratch.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{str(path)!r} cannot be written: {reason}. Nothing was left there.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_new(folder: Path, stem: str, ending: str, contents: bytes | Mapping[str, bytes]) -> Path:
    """Write a file, or a folder of files by their paths in it, under a name that is free; gives the path back.

    Raises:
        OutputError: there is no such folder, or the disk takes no such files.
    """
    path = free_path(folder, stem, ending)
    if isinstance(contents, bytes):
        write_file(path, contents)
    else:
        write_folder(path, contents)
    return path


def free_path(folder: Path, stem: str, ending: str) -> Path:
    """``kit.sfz``, or ``kit-2.sfz`` where that is taken, and so on."""
    number, path = 1, folder / f"{stem}{ending}"
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{ending}"
    return path


def copied(files: Iterable[Path], folder: Path) -> list[Path]:
    """Copies of files, under the same names in a folder that is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(file, folder / file.name)) for file in files]


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """The same for a place that is known to be right: raises OSError as the disk does.

    ``durable``: it is on the disk itself afterwards, so that not even a loss of power loses it.
    """
    with whole_file(path, durable=durable) as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """The same for what is written piece by piece: ``path`` has all of it at the end, or is as it was."""
    scratch = scratch_beside(path, path.stem)
    try:
        with scratch.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if path.exists():
            scratch.chmod(path.stat().st_mode & 0o777)
        scratch.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def scratch_beside(path: Path, name: str) -> Path:
    """Where something is written that will be renamed to ``path``; ``name`` tells people what it becomes."""
    return path.with_name(f".{name[:40]}-{os.getpid()}-{secrets.token_hex(4)}.part")


def sync_folder(path: Path) -> None:
    """Have the names in a folder reach the disk, where the system can (not Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
