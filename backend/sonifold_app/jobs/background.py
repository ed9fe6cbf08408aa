"""Work that goes on behind the requests, whatever passes in between.

A full disk, no free file descriptor, a locked database: such errors pass, and what runs in the background must still be
there when they have passed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from sonifold_app.store.failures import failure_of

#: Before the next try after an error; doubled with each further one.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 30.0
#: The same trouble is logged again after so long.
LOG_AGAIN_SECONDS = 600.0

log = logging.getLogger(__name__)


class Background:
    """A loop on the event loop that goes on after any error: the next turn is tried a little later.

    An error is logged, a failure of the storage as a sentence, any other with where it came from; the same one again
    only once in a while.

    ``turn`` does one round and returns; ``name`` says in a log what it is for.
    """

    def __init__(self, name: str, turn: Callable[[], Awaitable[None]]) -> None:
        self._name, self._turn = name, turn
        self._failures = 0
        self._trouble: str | None = None
        self._log_again = 0.0  # when, on the monotonic clock
        self._task: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """Why the last turn failed, as a sentence; None while all goes well."""
        return self._trouble

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin, unless it runs already."""
        if not self.running:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End, between two steps of a turn."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._turn()
            except Exception as error:
                wait = seconds_after(self._failures, LONGEST_WAIT_SECONDS)
                self._failures += 1
                self._note(error)
                await asyncio.sleep(wait)
            else:
                if self._trouble is not None:
                    log.warning("%s: it goes on", self._name)
                self._failures, self._trouble = 0, None

    def _note(self, error: Exception) -> None:
        trouble, now = f"{self._name}: {sentence_about(error)}", time.monotonic()
        if trouble != self._trouble or now >= self._log_again:
            log.error("%s", trouble, exc_info=error if failure_of(error) is None else None)
            self._log_again = now + LOG_AGAIN_SECONDS
        self._trouble = trouble


def seconds_after(failures: int, longest: float) -> float:
    """How long to wait after so many failures before this one: twice as long each time, up to a bound."""
    return min(FIRST_WAIT_SECONDS * 2.0 ** min(failures, 30), longest)


def sentence_about(error: Exception) -> str:
    failure = failure_of(error)
    return f"{type(error).__name__}; the server's log says more." if failure is None else str(failure)


async def logged(step_name: str, step: Awaitable[object]) -> None:
    """A step of a shutdown: if it fails it is logged, and the others follow."""
    try:
        await step
    except Exception:
        log.exception("%s failed while the server ended", step_name)
