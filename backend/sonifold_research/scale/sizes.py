"""The arithmetic of the plan: bytes, cores and how often things happen."""

from __future__ import annotations

from dataclasses import dataclass

from .assumed import Assumed
from .measured import Measured

MONTH_HOURS = 730.0
GB, TB = 1e9, 1e12
#: Bytes of a sound's Phi in single precision, and of what an index holds of it in memory.
TIMBRE_BYTES, SMALL_BYTES = 2048, 64


@dataclass(frozen=True)
class Sizes:
    """What follows from the costs that were measured and the demand that is assumed."""

    measured: Measured
    assumed: Assumed

    @property
    def audio(self) -> float:
        """Bytes of all sounds, once."""
        demand = self.assumed.demand
        return self.measured.stored_bytes_a_second * demand.seconds * demand.sounds

    @property
    def rows(self) -> float:
        """Bytes of the database with its vectors, once."""
        return float(self.measured["collection"]["bytes_of_file"]) * self.assumed.demand.sounds

    @property
    def small(self) -> float:
        """Bytes of the index in memory."""
        return float(SMALL_BYTES * self.assumed.demand.sounds)

    @property
    def embedding_seconds(self) -> float:
        """Of one core, for all sounds: the encoder's mean, and what is heard in them."""
        return float(self.measured["collection"]["cpu_seconds_of_file"]) * self.assumed.demand.sounds

    @property
    def embedding_cores(self) -> float:
        return self.embedding_seconds / (self.assumed.machines.embedding_days * 86_400)

    @property
    def new_cores(self) -> float:
        """For what comes anew, as uploads: with latent inversion."""
        demand = self.assumed.demand
        cost = float(self.measured["uploads"]["cpu_seconds_of_sound"])
        return demand.sounds * demand.new * cost / (MONTH_HOURS * 3600)

    @property
    def searches_a_second(self) -> float:
        """Of all sounds, at the busiest minute."""
        demand = self.assumed.demand
        return demand.users * demand.active / demand.searches

    @property
    def search_cores(self) -> float:
        """For searches of all sounds in the index in memory, busy half of the time."""
        per_million = float(self.measured["scan"]["cpu_seconds_of_million_bytes_64"])
        millions = self.assumed.machines.probed * self.assumed.demand.sounds / 1e6
        return self.searches_a_second * per_million * millions / 0.5

    @property
    def sent_bytes(self) -> float:
        """In a month."""
        return float(self.measured["morphs"]["bytes_of_reply"]) * self.assumed.morphs_a_month
