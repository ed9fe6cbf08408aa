"""A log that nobody outside can fill."""

from __future__ import annotations

import datetime
import json
import logging
import time
from dataclasses import asdict

from sonifold_app.http.observe import Exchange
from sonifold_app.http.request_ids import request_id

exchanges = logging.getLogger("sonifold_app.requests")

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


class IdFilter(logging.Filter):
    """Gives each record the id of the request that it was written for, if any."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class TextFormatter(logging.Formatter):
    """The message as it is, and behind it the request's id."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        id = getattr(record, "request_id", "")
        return f"{text} [request {id}]" if id else text


class JsonFormatter(logging.Formatter):
    """A line of JSON for each record."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(
            timespec="milliseconds"
        )
        line = {
            "time": when,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "") or None,
            **getattr(record, "exchange", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(form: str) -> None:
    """Have this process write its log to standard error, as ``text`` or ``json``."""
    handler = logging.StreamHandler()
    handler.addFilter(IdFilter())
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    if form == "json":
        exchanges.setLevel(logging.INFO)


def log_exchange(exchange: Exchange) -> None:
    """A line for a request, without its query, where a token may be."""
    fields = {**asdict(exchange), "seconds": round(exchange.seconds, 4)}
    exchanges.info("%s %s %d", exchange.method, exchange.path, exchange.status, extra={"exchange": fields})


def bound() -> None:
    """Have those loggers say the same a few times a minute only."""
    for name in NOISY:
        logger = logging.getLogger(name)
        if not any(isinstance(filter_, Sparse) for filter_ in logger.filters):
            logger.addFilter(Sparse())
