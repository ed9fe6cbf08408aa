"""Requests in line before replicas that compute in batches, event by event.

A replica that is free takes up to ``most`` of those that wait and is busy until all of them are done. Who comes while
the wait that is to be expected is too long is refused, as the service does with 503. Requests come at random, one by
one (a Poisson process). Everything that is drawn comes from one seed.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

#: Seconds that a batch of so many requests takes.
ServiceTime = Callable[[Generator, int], float]


@dataclass(frozen=True)
class Fleet:
    """Replicas and their lines.

    ``most``: largest batch. ``shared``: one line for all replicas; otherwise each has its own, and a request joins the
    one where the fewest are. ``limit``: seconds of expected wait from which on a request is refused, unless fewer than
    ``crowd`` wait in its line. ``each``: seconds that a waiting request is expected to take.
    """

    replicas: int
    service: ServiceTime
    most: int = 1
    shared: bool = True
    limit: float = math.inf
    crowd: int = 0
    each: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """What became of the requests of a run."""

    waits: NDArray[np.float64]  # seconds in line of those that were answered, in the order of their arrival
    stays: NDArray[np.float64]  # seconds from arrival to answer
    refused: int
    busy: float  # share of the replicas' time
    batch: float  # mean size of a batch

    @property
    def refused_share(self) -> float:
        """Of all requests."""
        return self.refused / (self.refused + len(self.stays))

    def stay(self, quantile: float) -> float:
        """Seconds within which that share of the answers came; infinite where there was none."""
        return float(np.quantile(self.stays, quantile)) if len(self.stays) else math.inf


def simulate(fleet: Fleet, rate: float, requests: int, seed: int, warm_up: float = 0.1) -> Outcome:
    """Answer ``requests`` that come at ``rate`` a second; those of the first ``warm_up`` of them do not count."""
    generator = np.random.default_rng(seed)
    arrivals = np.cumsum(generator.exponential(1 / rate, requests))
    return _Run(fleet, generator, arrivals).outcome(int(warm_up * requests))


class _Run:
    """Lines, replicas and the clock of one simulation."""

    def __init__(self, fleet: Fleet, generator: Generator, arrivals: NDArray[np.float64]) -> None:
        self._fleet, self._generator, self._arrivals = fleet, generator, arrivals
        self._starts, self._ends = np.full((2, len(arrivals)), np.nan)  # of each request's computation
        self._lines: list[deque[int]] = [deque() for _ in range(1 if fleet.shared else fleet.replicas)]
        self._free = [0.0] * fleet.replicas  # when each replica ends its batch
        self._sizes = [0] * fleet.replicas  # of the batch that each computes
        self._batches: list[tuple[float, int]] = []  # (end, replica) of those under way, the next first
        self._busy, self._computed, self._count = 0.0, 0, 0

    def outcome(self, first: int) -> Outcome:
        for request, now in enumerate(self._arrivals):
            self._advance(now)
            line = self._shortest()
            if not self._refuses(line, now):
                self._lines[line].append(request)
                self._begin_idle(line, now)
        self._advance(math.inf)
        answered = ~np.isnan(self._ends[first:])
        waits, stays = (
            (moments - self._arrivals)[first:][answered] for moments in (self._starts, self._ends)
        )
        busy = self._busy / (self._fleet.replicas * float(np.nanmax(self._ends)))
        return Outcome(waits, stays, int((~answered).sum()), busy, self._computed / self._count)

    def _advance(self, until: float) -> None:
        """Let replicas go on with what waits, up to a time."""
        while self._batches and self._batches[0][0] <= until:
            now, replica = heapq.heappop(self._batches)
            self._sizes[replica] = 0
            self._begin(replica, now)

    def _begin_idle(self, line: int, now: float) -> None:
        """Have a replica that is idle begin with what waits in a line, if there is one."""
        replicas = range(self._fleet.replicas) if self._fleet.shared else (line,)
        idle = next((replica for replica in replicas if not self._sizes[replica]), None)
        if idle is not None:
            self._begin(idle, now)

    def _begin(self, replica: int, now: float) -> None:
        """Have a replica compute a batch of its line, if somebody waits there."""
        line = self._lines[0 if self._fleet.shared else replica]
        batch = [line.popleft() for _ in range(min(len(line), self._fleet.most))]
        if not batch:
            return
        seconds = self._fleet.service(self._generator, len(batch))
        self._starts[batch], self._ends[batch] = now, now + seconds
        self._sizes[replica], self._free[replica] = len(batch), now + seconds
        self._busy += seconds
        self._computed += len(batch)
        self._count += 1
        heapq.heappush(self._batches, (now + seconds, replica))

    def _shortest(self) -> int:
        """The line where the fewest are, with those in its replica's batch."""
        if self._fleet.shared:
            return 0
        return min(range(len(self._lines)), key=lambda line: len(self._lines[line]) + self._sizes[line])

    def _refuses(self, line: int, now: float) -> bool:
        fleet, waiting = self._fleet, len(self._lines[line])
        if math.isinf(fleet.limit) or waiting < fleet.crowd:
            return False
        replicas = range(fleet.replicas) if fleet.shared else (line,)
        remaining = min(self._free[replica] - now if self._sizes[replica] else 0.0 for replica in replicas)
        return remaining + waiting * fleet.each / len(replicas) > fleet.limit


# -- closed forms ------------------------------------------------------------------------------------


def erlang_b(offered: float, replicas: int) -> float:
    """Share of requests that find every one of ``replicas`` busy where none may wait; ``offered``: requests that come
    in the mean time of one service. By its recursion in the number of replicas."""
    share = 1.0
    for count in range(1, replicas + 1):
        share = offered * share / (count + offered * share)
    return share


def erlang_c(offered: float, replicas: int) -> float:
    """Share of requests that must wait in M/M/c, where all may. Needs ``offered < replicas``."""
    blocked = erlang_b(offered, replicas)
    return blocked / (1 - offered / replicas * (1 - blocked))


def wait_of_many(rate: float, mean: float, replicas: int) -> float:
    """Mean wait in M/M/c, in seconds: services exponential of that mean, one line."""
    return erlang_c(rate * mean, replicas) * mean / (replicas - rate * mean)


def wait_of_one(rate: float, mean: float, variance: float) -> float:
    """Mean wait in M/G/1, in seconds (Pollaczek and Khinchine): services of that mean and variance."""
    return rate * (variance + mean**2) / (2 * (1 - rate * mean))


def wait_in_batches(rate: float, mean: float, most: int) -> float:
    r"""Mean wait in M/M/1 with batches, in seconds: one that is free takes up to ``most`` of those that wait, and a
    batch takes an exponential time of that mean, whatever its size (Bailey 1954).

    How many wait beside a busy one is geometric, P[n] = P[0] r^n, with the root r in (0, 1) of
    mu r^(most+1) - (lambda + mu) r + lambda = 0; nobody is there with probability P[0] mu / lambda. Needs
    ``rate * mean < most``.
    """
    served = 1 / mean
    low, high = 0.0, 1.0 - 1e-12
    for _ in range(200):  # the polynomial is positive at 0 and negative just under 1
        middle = (low + high) / 2
        positive = served * middle ** (most + 1) - (rate + served) * middle + rate > 0
        low, high = (middle, high) if positive else (low, middle)
    none_waits = 1 / (served / rate + 1 / (1 - low))
    return none_waits * low / (1 - low) ** 2 / rate
