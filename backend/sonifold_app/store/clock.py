"""The time at which something was stored, as rows and replies have it."""

from __future__ import annotations

import datetime


def now() -> str:
    """ISO 8601, UTC, to the millisecond: later times sort behind earlier ones."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
