"""How much an engine has to do, for those who watch over it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Queue:
    """What waits in one line: how much, and how long the oldest of it."""

    waiting: int
    oldest_seconds: float


def queue_of(times: Collection[float]) -> Queue:
    """Of what has waited since these times, as ``time.monotonic`` gives them."""
    return Queue(len(times), time.monotonic() - min(times) if times else 0.0)


@dataclass(frozen=True)
class Workload:
    """An engine's queues by pool, what its batches were, and where it computes."""

    queues: Mapping[str, Queue]
    batch_sizes: Mapping[int, int]  # size -> how many batches since the start
    device: str
    device_bytes: int | None  # of a GPU's memory that are taken; None for the CPU
