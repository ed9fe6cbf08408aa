"""Room on a full disk: the caches give way to what is to be kept, and a reserve to what is to be deleted.

Whatever changes the data folder goes through here, so that nothing is changed in another folder that took its place.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy.exc

from sonifold_app.store.failures import StorageUnavailableError, StoreFullError, failure_of

#: Of the reserve: a deletion writes some pages of the database before it gives anything back.
RESERVE_BYTES = 1 << 20
#: Given way beyond what a write needs, for its folder and the database's pages.
MARGIN_BYTES = 1 << 20

Result = TypeVar("Result")
#: Drops what was longest unused, about so many bytes of it; returns how many.
GiveWay = Callable[[int], int]

log = logging.getLogger(__name__)


class Room:
    """What gives way on one disk. Safe to use from several threads."""

    def __init__(self, reserve: Path, require_folder: Callable[[], None] = lambda: None) -> None:
        """``reserve``: a file in a folder that is there; it is made where there is room enough. ``require_folder``:
        raises StorageUnavailableError where that is not the folder any more that it was.
        """
        self._reserve, self.require_folder = reserve, require_folder
        self._caches: list[GiveWay] = []
        self._lock = threading.Lock()

    def add_cache(self, give_way: GiveWay) -> None:
        self._caches.append(give_way)

    def write(self, change: Callable[[], Result], needed: int = 0) -> Result:
        """Do something that takes ``needed`` bytes of the disk; on a full one caches give way and it is done again.

        Raises StorageError, and whatever ``change`` raises that says nothing of the storage.
        """
        return self._trying(change, lambda: self._caches_give_way(needed + MARGIN_BYTES))

    def delete(self, change: Callable[[], Result]) -> Result:
        """Do something that frees room in the end: where the caches have nothing left, the reserve gives way too."""
        return self._trying(change, lambda: self._caches_give_way(MARGIN_BYTES) or self._release())

    @property
    def short(self) -> bool:
        """Whether the reserve, or a part of it, is missing."""
        try:
            return self._reserve.stat().st_size < RESERVE_BYTES
        except OSError:
            return True

    def keep_reserve(self) -> None:
        """Make the reserve (anew), where the disk has room for some of them."""
        self._make_reserve(lambda free: RESERVE_BYTES if free > 2 * RESERVE_BYTES else 0)

    def refill(self) -> None:
        """Make the reserve anew of whatever a deletion freed, before anybody else takes it."""
        self._make_reserve(lambda free: min(RESERVE_BYTES, free))

    def _make_reserve(self, size_of: Callable[[int], int]) -> None:
        with self._lock, contextlib.suppress(OSError, StorageUnavailableError):
            self.require_folder()
            if self.short and (size := size_of(shutil.disk_usage(self._reserve.parent).free)):
                with self._reserve.open("ab") as out:  # random, so that no file system stores it in less
                    out.write(secrets.token_bytes(min(size, RESERVE_BYTES - out.tell())))

    def _trying(self, change: Callable[[], Result], give_way: Callable[[], int]) -> Result:
        while True:
            try:
                self.require_folder()
                return change()
            except (OSError, sqlite3.Error, sqlalchemy.exc.SQLAlchemyError, StoreFullError) as error:
                failure = failure_of(error, self._reserve.parent)
                if failure is None:
                    raise
                if not isinstance(failure, StoreFullError) or not give_way():
                    raise failure from error

    def _caches_give_way(self, needed: int) -> int:
        freed = 0
        for give_way in self._caches:
            if freed < needed:
                freed += give_way(needed - freed)
        if freed:
            log.warning("the disk is full; the caches gave %d bytes", freed)
        return freed

    def _release(self) -> int:
        with self._lock:
            try:
                size = self._reserve.stat().st_size
                self._reserve.unlink()
            except OSError:
                return 0
        log.warning("the disk is full; the reserve gave %d bytes to a deletion", size)
        return size
