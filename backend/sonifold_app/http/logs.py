"""A log that nobody outside can fill."""

from __future__ import annotations

import logging
import time

#: Those that write a line for what a client sent.
NOISY = ("uvicorn.error", "asyncio", "python_multipart.multipart")


class Sparse(logging.Filter):
    """Lets the same kind of message through a few times a minute, and then says how many there were besides."""

    MOST, SECONDS = 5, 60.0

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}  # since when, how many

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = (record.name, record.lineno), time.monotonic()
        since, count = self._seen.get(kind, (now, 0))
        if now - since > self.SECONDS:
            if count > self.MOST:
                record.msg, record.args = (
                    f"{record.getMessage()} ({count - self.MOST} more like it before)",
                    None,
                )
            since, count = now, 0
        if len(self._seen) > 256:
            self._seen.clear()
        self._seen[kind] = (since, count + 1)
        return count < self.MOST


def bound() -> None:
    """Have those loggers say the same a few times a minute only."""
    for name in NOISY:
        logger = logging.getLogger(name)
        if not any(isinstance(filter_, Sparse) for filter_ in logger.filters):
            logger.addFilter(Sparse())
