"""The data folder: one server's at a time, and watched while it has it."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from sonifold.files import write_whole
from sonifold_app.store.failures import (
    StorageError,
    StorageUnavailableError,
    StoreFullError,
    failure_of,
    is_full,
)
from sonifold_app.store.room import Room

LOCK, HOLDER = ".lock", ".lock-holder"
#: Verified contents of a backup on their way to their places; while it is there, the folder is neither old nor new.
MOVING_IN = ".restored"
#: A server that is about to end has so long to let go of the folder.
PATIENCE_SECONDS = 2.0


class DataFolderUnusableError(Exception):
    """The folder cannot be used, or another server has it; the message is a sentence for the operator."""


class DataFolder:
    """Everything that is kept lies in it: ``library`` (the database and its recordings), ``packs``, ``imports``,
    ``jobs``, ``trash``, and ``cache``, which may be deleted at any time.
    """

    def __init__(self, path: Path) -> None:
        """Takes the folder, until ``release`` or the end of the process. Raises DataFolderUnusableError."""
        self.path = path.absolute()
        self._lock = FileLock(self.path / LOCK, thread_local=False, is_singleton=True)
        with self.usable():
            (self.path / "library").mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=PATIENCE_SECONDS)
            except Timeout as error:
                raise DataFolderUnusableError(self._who_has_it()) from error
            self._identity = self.path.stat()
        self._require_restored()
        with contextlib.suppress(OSError):
            write_whole(self.path / HOLDER, me().encode(), durable=False)
        self.room = Room(self.path / "library" / "reserve", self.require_folder)
        self.room.keep_reserve()

    @contextlib.contextmanager
    def usable(self) -> Iterator[None]:
        """Raises DataFolderUnusableError where the disk fails meanwhile."""
        try:
            yield
        except OSError as error:
            raise DataFolderUnusableError(
                f"the data folder {self.path} cannot be used: {failure_of(error) or error} ({error.strerror}). See to "
                "its permissions and its disk, or set SONIFOLD_DATA to another folder."
            ) from error

    def release(self) -> None:
        """Let another server have it."""
        self._lock.release()

    def problem(self) -> str | None:
        """A sentence about why nothing can be kept at the moment, if so."""
        try:
            self.require_folder()
            probe = self.path / "library" / f"probe-{os.getpid()}"
            write_whole(probe, bytes(4096), durable=False)
            probe.unlink(missing_ok=True)
            if is_full(self.path):
                raise StoreFullError()
        except (OSError, StorageError) as error:
            return str(failure_of(error) or StorageUnavailableError(str(error)))
        return None

    def require_folder(self) -> None:
        """Raises StorageUnavailableError where the folder is gone, or another one is in its place."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StorageUnavailableError(
                "the data folder is gone; put it back, or start Sonifold again"
            ) from error
        if not os.path.samestat(status, self._identity):
            raise StorageUnavailableError(
                "the data folder was replaced by another one; start Sonifold again to use it"
            )

    def _require_restored(self) -> None:
        """Raises DataFolderUnusableError where a backup's contents came only in part to their places."""
        if (self.path / MOVING_IN).exists():
            self.release()
            raise DataFolderUnusableError(
                f"a restore into the data folder {self.path} was interrupted. Run `sonifold restore` again with "
                "--replace, or set SONIFOLD_DATA to another folder."
            )

    def _who_has_it(self) -> str:
        holder = "Another Sonifold"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            holder += f" ({(self.path / HOLDER).read_text()})"
        return (
            f"{holder} uses the data folder {self.path}, and two at once would lose what you keep. Use that one, "
            "end it, or set SONIFOLD_DATA to another folder for this one."
        )


def me() -> str:
    """This process, for people."""
    since = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    return f"process {os.getpid()} on {socket.gethostname()}, since {since}"
