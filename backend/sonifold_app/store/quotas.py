"""How much of a server one user may take: bytes and sounds kept, jobs that wait, sound computed at once.

What is measured is the user's own, so that a refusal says nothing of others.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sonifold_app.store.failures import StorageError
from sonifold_app.store.folder import bytes_under

#: Folders of a workspace that hold what its user put there.
COUNTED = ("library/sounds", "listening", "packs", "imports", "jobs")
#: How long a count of the bytes holds, while what is added is added to it.
COUNT_SECONDS = 60.0


class QuotaFullError(StorageError):
    """A user keeps as much as they may; the message is a sentence for them."""


class QuotaBusyError(Exception):
    """A user has as much under way as they may, for the moment; the message is a sentence for them."""

    def __init__(self, message: str, retry_seconds: int) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


@dataclass(frozen=True)
class Limits:
    """0: without a limit."""

    bytes: int = 0
    sounds: int = 0
    jobs: int = 0  # that wait or run
    renders: int = 0  # at the same time


class Quota:
    """One user's. Safe to use from several threads."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        """``folder``: the user's workspace."""
        self.limits = limits or Limits()
        self._folder = folder
        self._lock = threading.Lock()
        self._bytes, self._counted_at = 0, float("-inf")
        self._rendering = 0

    def add_bytes(self, more: int) -> None:
        """So many bytes more are to be kept. Raises QuotaFullError."""
        if not self.limits.bytes:
            return
        with self._lock:
            stale = time.monotonic() - self._counted_at > COUNT_SECONDS
            if stale or self._bytes + more > self.limits.bytes:
                self._bytes, self._counted_at = stored_bytes_of(self._folder), time.monotonic()
            if self._bytes + more > self.limits.bytes:
                raise QuotaFullError(
                    f"You keep {self._bytes / 1e6:.1f} MB on this server, and this is {more / 1e6:.1f} MB more; you "
                    f"may keep {self.limits.bytes / 1e6:.1f} MB. Delete sounds, uploads or models that you no longer "
                    "need, or ask whoever runs the server for more."
                )
            self._bytes += more

    def require_sounds(self, there: int, more: int) -> None:
        """Raises QuotaFullError where so many sounds more are too many."""
        if self.limits.sounds and there + more > self.limits.sounds:
            raise QuotaFullError(
                f"You keep {there} sounds on this server, and this is {more} more; you may keep {self.limits.sounds}. "
                "Delete some that you no longer need, or ask whoever runs the server for more."
            )

    def require_job(self, under_way: int) -> None:
        """Raises QuotaBusyError where another job would be one too many."""
        if self.limits.jobs and under_way >= self.limits.jobs:
            raise QuotaBusyError(
                f"{under_way} of your jobs wait or run, as many as you may have at the same time. Wait until one has "
                "ended, or cancel one.",
                60,
            )

    def begin_render(self) -> None:
        """Sound is to be computed, until ``end_render``. Raises QuotaBusyError."""
        with self._lock:
            if self.limits.renders and self._rendering >= self.limits.renders:
                raise QuotaBusyError(
                    f"{self._rendering} of your requests are being computed, as many as you may have at the same time. "
                    "Try again when one of them has been answered.",
                    1,
                )
            self._rendering += 1

    def end_render(self) -> None:
        with self._lock:
            self._rendering -= 1


def stored_bytes_of(workspace: Path) -> int:
    """Of all files in a workspace that a user put there."""
    return sum(bytes_under(workspace / folder) for folder in COUNTED)
