"""The simulations of the page: how many replicas, in which arrangement, under which load."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from .measured import Measured, MorphCost
from .queueing import Fleet, Outcome, simulate

#: Morphs that the service computes together, and how many waiting ones are no crowd to it.
MOST, CROWD = 16, 5
#: Of the replicas' time, where lines are compared; how often more than can be done comes.
ARRANGED, OVERLOADS = 0.85, (1.0, 1.5, 3.0)
BUSY_SHARES = (0.98, 0.95, 0.9, 0.8, 0.7, 0.5)
SEED = 1


@dataclass(frozen=True)
class Answers:
    """How long answers took, in seconds, and which share of the requests was refused."""

    name: str
    replicas: int
    busy: float
    p50: float
    p95: float
    p99: float
    refused: float

    #: Seconds of expected wait from which on the service refuses a crowd.
    LIMIT: ClassVar[float] = 8.0

    @classmethod
    def of(cls, name: str, replicas: int, outcome: Outcome) -> Answers:
        p50, p95, p99 = (outcome.stay(quantile) for quantile in (0.5, 0.95, 0.99))
        return cls(name, replicas, outcome.busy, p50, p95, p99, outcome.refused_share)


def fleet_of(morph: MorphCost, replicas: int) -> Fleet:
    """Replicas as they are today: a line and batches each."""
    return Fleet(replicas, morph.draw, MOST, False, Answers.LIMIT, CROWD, morph.mean)


def fleets(morph: MorphCost, rate: float, requests: int) -> list[Answers]:
    """More and more replicas for the same requests."""
    rows = []
    for busy in BUSY_SHARES:
        replicas = math.ceil(rate * morph.alone / busy)
        outcome = simulate(fleet_of(morph, replicas), rate, requests, SEED)
        rows.append(Answers.of(f"sized for {busy:.0%}", replicas, outcome))
    return rows


def arrangements(morph: MorphCost, requests: int, replicas: int = 16) -> list[Answers]:
    """The same replicas and requests with other lines and batches."""
    today = fleet_of(morph, replicas)
    rate = ARRANGED * replicas / morph.alone
    kinds = {
        "a line each, batches of 16 (today)": today,
        "a line each, one at a time": replace(today, most=1),
        "one line for all, batches of 16": replace(today, shared=True),
        "one line for all, one at a time": replace(today, shared=True, most=1),
    }
    return [
        Answers.of(name, replicas, simulate(fleet, rate, requests, SEED)) for name, fleet in kinds.items()
    ]


def overload(morph: MorphCost, requests: int, replicas: int = 16) -> list[Answers]:
    """More than can be done, with and without a limit."""
    limited = fleet_of(morph, replicas)
    endless = replace(limited, limit=math.inf)
    rows = []
    for times in OVERLOADS:
        rate = times * replicas / morph.mean
        for name, fleet in (("with its limit", limited), ("without", endless)):
            outcome = simulate(fleet, rate, requests, SEED)
            rows.append(Answers.of(f"{times:g} x what can be done, {name}", replicas, outcome))
    return rows


def beside_the_server(measured: Measured, requests: int) -> list[tuple[float, Answers, Answers]]:
    """(requests a second, the running server, simulated) at each rate that a server was asked at."""
    rows = []
    for name, run in measured["arrivals"].items():
        if not isinstance(run, dict):
            continue  # which processor it was
        p50, p95, p99 = np.quantile(run["stays"], [0.5, 0.95, 0.99])
        server = Answers(name, 1, float(name), float(p50), float(p95), float(p99), 0.0)
        outcome = simulate(fleet_of(measured.morph, 1), run["rate"], requests, SEED)
        rows.append((run["rate"], server, Answers.of(name, 1, outcome)))
    return rows
