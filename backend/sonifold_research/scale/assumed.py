"""What the plan assumes. Nothing here was measured: change a number, and the page follows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """Who uses it, and how much."""

    users: int = 10_000
    sounds: int = 100_000_000
    active: float = 0.05  # share of the users at the busiest minute
    pause: float = 15.0  # seconds between two morphs of one who is active
    hours: float = 40.0  # that a user is active in a month
    seconds: float = 2.0  # length of a sound
    new: float = 0.02  # share of the sounds that comes anew in a month
    searches: float = 30.0  # seconds between two searches of one who is active


@dataclass(frozen=True)
class Machines:
    """What is bought."""

    cores: int = 16  # of a machine
    memory_gb: int = 64  # of a machine
    replica_gb: float = 1.0  # of memory, for each replica of one core
    copies: float = 1.5  # of every stored byte, by erasure coding
    probed: float = 0.01  # share of an index that one search looks at
    embedding_days: float = 30.0  # in which all sounds are taken in


@dataclass(frozen=True)
class Prices:
    """In dollars: round numbers of the order of list prices; no offer was asked."""

    core_hour: float = 0.04
    stored_gb_month: float = 0.02
    disk_gb_month: float = 0.08
    sent_gb: float = 0.05


@dataclass(frozen=True)
class Assumed:
    """All of them."""

    demand: Demand = Demand()
    machines: Machines = Machines()
    prices: Prices = Prices()

    @property
    def morphs_a_second(self) -> float:
        """At the busiest minute."""
        return self.demand.users * self.demand.active / self.demand.pause

    @property
    def morphs_a_month(self) -> float:
        return self.demand.users * self.demand.hours * 3600 / self.demand.pause
